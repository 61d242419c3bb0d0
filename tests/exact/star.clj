; at most 20 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 230 190 20)
(begin-shape) (vertex 64 14) (vertex 75.756 47.82) (vertex 111.553 48.549) (vertex 83.021 70.18)
  (vertex 93.389 104.451) (vertex 64 84) (vertex 34.611 104.451) (vertex 44.979 70.18)
  (vertex 16.447 48.549) (vertex 52.244 47.82) (end-shape :close)
