; at most 30 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 13 94 175)
(dotimes [i 5]
  (rect 0 (* i 28.44) 128 14.22))
(rect 0 0 71 71)
(fill 255)
(rect 28.4 0 14.2 71)
(rect 0 28.4 71 14.2)
