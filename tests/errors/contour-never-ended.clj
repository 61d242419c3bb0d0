(begin-shape) (vertex 1 2) (begin-contour) (vertex 1 2) (end-shape)
