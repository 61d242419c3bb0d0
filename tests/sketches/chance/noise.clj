(size 64 64)
(noise-seed 3)
(no-stroke)
(dotimes [i 8]
  (dotimes [j 8]
    (fill (* 255 (noise (* i 0.4) (* j 0.4))))
    (rect (* i 8) (* j 8) 8 8)))
(fill (* 255 (noise 0.5)) 0 0)
(rect 0 0 8 8)
(fill 0 0 (* 255 (noise 0.5 1 2)))
(rect 8 0 8 8)
