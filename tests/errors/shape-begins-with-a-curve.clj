(begin-shape) (bezier-vertex 1 2 3 4 5 6) (end-shape)
