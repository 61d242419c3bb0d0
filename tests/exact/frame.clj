; at most 5 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 90 60 30)
(rect 10 20 108 88)
(fill 255 250 240)
(rect 24 34 80 60)
