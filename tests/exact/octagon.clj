; at most 16 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 200 0 0)
(begin-shape) (vertex 64 12) (vertex 100.77 27.23) (vertex 116 64) (vertex 100.77 100.77)
  (vertex 64 116) (vertex 27.23 100.77) (vertex 12 64) (vertex 27.23 27.23) (end-shape :close)
