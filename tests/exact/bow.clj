; at most 19 numbers
(size 128 128)
(background 255)
(no-stroke)
(no-fill)
(stroke 20 20 20)
(stroke-weight 7)
(bezier 20 90 30 20 100 20 108 90)
