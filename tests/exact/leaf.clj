; at most 16 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 40 140 60)
(begin-shape) (vertex 20 100) (quadratic-vertex 20 20 108 24) (quadratic-vertex 108 104 20 100)
  (end-shape :close)
