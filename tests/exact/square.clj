; at most 4 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 10 20 120)
(rect 30 30 60 60)
