; at most 28 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 240 220 190)
(begin-shape) (vertex 64 16) (bezier-vertex 100 16 112 110 64 110)
  (bezier-vertex 16 110 28 16 64 16) (end-shape :close)
