; at most 16 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 250 180 0)
(ellipse 64 64 50 50)
(with-translation [64 64]
  (dotimes [i 12]
    (with-rotation [(* i (/ TWO-PI 12))]
      (triangle 32 -5 32 5 52 0))))
