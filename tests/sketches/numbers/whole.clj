(size 60 60)
(no-stroke)
(fill 0)
(dotimes [i 6]
  (rect (* i 10) (* 4 (mod i 3)) 8 3)
  (rect (* i 10) (+ 16 (* 4 (quot i 2))) 8 3)
  (rect (* i 10) (+ 32 (* 4 (rem i 4))) 8 3)
  (rect (* i 10) (- 58 (inc (dec i))) 8 2))
