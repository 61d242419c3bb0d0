; at most 8 numbers
(size 128 128)
(background 213 43 30)
(no-stroke)
(fill 255)
(rect 54 24 20 80)
(rect 24 54 80 20)
