; at most 8 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 200 30 40)
(ellipse 48 64 60 60)
(fill 20 60 160)
(ellipse 80 64 60 60)
