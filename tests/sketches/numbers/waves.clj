(size 64 64)
(no-stroke)
(fill 0)
(dotimes [i 32]
  (rect (* i 2) (+ 10 (* 8 (sin (* i 0.2)))) 2 2)
  (rect (* i 2) (+ 30 (* 8 (cos (* i 0.2)))) 2 2)
  (rect (* i 2) (+ 50 (* 2 (tan (- (* i 0.08) 1.2)))) 2 2))
