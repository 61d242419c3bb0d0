; at most 28 numbers
(size 128 128)
(background 255)
(no-stroke)
(no-fill)
(stroke 180 0 90)
(stroke-weight 8)
(begin-shape) (vertex 15 90) (vertex 45 35) (vertex 75 90) (vertex 110 35) (end-shape)
