(size 32 32)
(fill 120 200 80)
(begin-shape) (vertex 16 3) (vertex 28 12) (vertex 24 28) (vertex 8 28) (vertex 4 12)
  (end-shape :close)
