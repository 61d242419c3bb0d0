(rect 1 2 3)
