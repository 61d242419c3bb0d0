(pop-matrix)
