; at most 7 numbers
(size 128 128)
(background 255)
(no-fill)
(stroke 20 120 200)
(stroke-weight 9)
(arc 64 64 80 80 -2.8 -0.3)
