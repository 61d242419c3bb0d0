; at most 8 numbers
(size 128 128)
(background 0 20 60)
(no-stroke)
(fill 255 220 0)
(ellipse 60 64 80 80)
(fill 0 20 60)
(ellipse 75 64 66 66)
