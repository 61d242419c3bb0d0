; at most 5 numbers
(size 128 128)
(background 255)
(no-stroke)
(no-fill)
(stroke 0)
(stroke-weight 3)
(ellipse 61.3 66.2 90 90)
