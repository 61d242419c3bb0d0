(size 60 40)
(no-stroke)
(fill 0)
(dotimes [i 12]
  (rect (* i 5) (* 4 (floor (/ i 4))) 4 3)
  (rect (* i 5) (+ 13 (* 4 (ceil (/ i 4)))) 4 3)
  (rect (* i 5) (+ 26 (* 4 (round (/ i 4)))) 4 3))
