; at most 9 numbers
(size 128 128)
(background 255)
(fill 250 220 40)
(stroke 20 60 60)
(stroke-weight 6)
(ellipse 64 64 90 90)
(rect 48 48 32 32)
