; at most 4 numbers
(size 128 128)
(background 0 106 78)
(no-stroke)
(fill 244 42 65)
(ellipse 57.6 64 51.2 51.2)
