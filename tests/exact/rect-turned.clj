; at most 12 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 160 20 120)
(with-translation [64 64]
  (with-rotation [0.3]
    (rect -40 -20 80 40)))
