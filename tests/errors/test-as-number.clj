(fill (< 1 2))
