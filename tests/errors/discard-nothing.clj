(fill 1) #_
