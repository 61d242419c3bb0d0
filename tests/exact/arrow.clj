; at most 14 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 0 120 60)
(begin-shape) (vertex 10 50) (vertex 70 50) (vertex 70 25) (vertex 118 64) (vertex 70 103)
  (vertex 70 78) (vertex 10 78) (end-shape :close)
