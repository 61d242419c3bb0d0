; at most 14 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 0)
(dotimes [i 4]
  (dotimes [j 4]
    (rect (* i 32) (* j 32) 16 16)
    (rect (+ 16 (* i 32)) (+ 16 (* j 32)) 16 16)))
