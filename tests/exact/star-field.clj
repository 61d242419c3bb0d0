; at most 40 numbers
(size 128 128)
(background 20 20 60)
(no-stroke)
(fill 255 255 200)
(defn star [x y]
  (with-translation [x y]
    (begin-shape) (vertex 0 -10) (vertex 2.4 -3.2) (vertex 9.5 -3.1) (vertex 3.8 1.2) (vertex 5.9 8.1) (vertex 0 4) (vertex -5.9 8.1) (vertex -3.8 1.2) (vertex -9.5 -3.1) (vertex -2.4 -3.2) (end-shape :close)))
(star 20 20) (star 60 30) (star 100 18) (star 30 70) (star 80 80) (star 50 108) (star 110 104)
