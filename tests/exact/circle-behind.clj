; at most 8 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 200 30 40)
(ellipse 50 50 70 70)
(fill 20 60 160)
(rect 50 50 60 60)
