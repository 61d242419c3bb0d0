(size 60 60)
(no-stroke)
(doseq [x [6 14 30 50]]
  (fill (* 4 x))
  (rect x 6 8 8))
(doseq [x (range 4)]
  (rect (* x 14) 20 10 8))
(doseq [x (range 10 50 13)]
  (rect x 34 8 8))
(doseq [x (range 40 60)]
  (rect x 46 0.5 8))
