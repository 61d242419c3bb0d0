(size 80 20)
(no-stroke)
(dotimes [i 8]
  (if (= (mod i 2) 0)
    (fill 255 200 0)
    (do
      (fill 40 60 200)))
  (if (< i 6)
    (rect (* i 10) 4 10 12)))
