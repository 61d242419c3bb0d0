(size 60 60)
(fill 90 160 60)
(begin-shape) (vertex 8 52) (quadratic-vertex 8 8 52 8) (quadratic-vertex 52 52 8 52)
  (end-shape :close)
