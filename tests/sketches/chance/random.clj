(size 60 60)
(random-seed 7)
(no-stroke)
(dotimes [i 20]
  (fill (random 255) (random 100 255) 90)
  (ellipse (random 60) (random 60) 8 8))
