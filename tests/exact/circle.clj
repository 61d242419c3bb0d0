; at most 4 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 200 30 40)
(ellipse 64 64 80 80)
