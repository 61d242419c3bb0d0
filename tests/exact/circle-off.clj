; at most 4 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 200 30 40)
(ellipse 60.3 67.8 71.4 71.4)
