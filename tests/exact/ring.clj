; at most 5 numbers
(size 128 128)
(background 255)
(no-stroke)
(no-fill)
(stroke 0 80 160)
(stroke-weight 12)
(ellipse 64 64 80 80)
