; at most 4 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 10 20 120)
(rect 30.3 31.7 60.5 58.2)
