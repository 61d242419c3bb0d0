(if true (begin-shape) (vertex 1 2) (vertex 3 4) (end-shape))
