(size 50 30)
(line 0 0 (width) (height))
