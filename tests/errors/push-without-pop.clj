(push-matrix) (rect 1 2 3 4)
