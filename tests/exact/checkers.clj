; at most 34 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 200 30 30)
(dotimes [i 2]
  (dotimes [j 2]
    (rect (* i 64) (* j 64) 32 32)
    (rect (+ 32 (* i 64)) (+ 32 (* j 64)) 32 32)))
