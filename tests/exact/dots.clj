; at most 36 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 220 0 60)
(dotimes [i 3]
  (dotimes [j 3]
    (ellipse (* 32 (inc i)) (* 32 (inc j)) 20 20)))
