(size 60 20)
(dotimes [i 6]
  (when (and (> i 0) (not (== i 3)))
    (rect (* i 10) 4 8 12)))
