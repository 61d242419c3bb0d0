(size 60 60)
(fill 60 90 160)
(begin-shape) (vertex 6 6) (vertex 54 6) (vertex 54 54) (vertex 6 54)
  (begin-contour) (vertex 16 16) (vertex 16 44) (vertex 44 30) (end-contour) (end-shape :close)
