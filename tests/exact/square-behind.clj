; at most 8 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 20 60 160)
(rect 40 40 70 70)
(fill 250 200 20)
(ellipse 50 50 60 60)
