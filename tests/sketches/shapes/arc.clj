(size 60 60)
(fill 200 60 60)
(stroke-weight 3)
(arc 30 30 44 44 0 4)
