(size 60 60)
(translate 30 30)
(dotimes [i 6]
  (rect 12 -3 14 6)
  (rotate (/ PI 3)))
