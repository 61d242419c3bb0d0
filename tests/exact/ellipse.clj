; at most 4 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 30 120 60)
(ellipse 60 70 90 50)
