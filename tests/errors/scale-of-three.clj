(scale 1 2 3)
