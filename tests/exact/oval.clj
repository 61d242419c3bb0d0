; at most 7 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 30 120 60)
(with-translation [64 60]
  (with-rotation [0.5]
    (ellipse 0 0 90 40)))
