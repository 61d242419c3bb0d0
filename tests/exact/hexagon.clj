; at most 12 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 230 90 20)
(begin-shape) (vertex 64 14) (vertex 107.301 39) (vertex 107.301 89) (vertex 64 114)
  (vertex 20.699 89) (vertex 20.699 39) (end-shape :close)
