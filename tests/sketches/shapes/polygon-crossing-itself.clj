; what lies inside is what the outline winds around: a five-pointed star without a hole
(size 40 40)
(no-stroke)
(fill 220 170 0)
(begin-shape) (vertex 20 2) (vertex 31 35) (vertex 3 14) (vertex 37 14) (vertex 9 35)
  (end-shape :close)
