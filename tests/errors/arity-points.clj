(triangle 1 2 3)
