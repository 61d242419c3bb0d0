; at most 4 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 188 0 45)
(ellipse 64 64 76.8 76.8)
