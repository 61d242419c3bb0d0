(size 60 60)
(rect 6 6 48 20 6)
(rect 6 34 48 20 40)
