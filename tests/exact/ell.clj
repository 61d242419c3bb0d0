; at most 8 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 0 70 140)
(rect 20 20 25 88)
(rect 20 83 80 25)
