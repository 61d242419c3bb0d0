(circle 10 10 5)
