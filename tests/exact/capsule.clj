; at most 5 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 220 20 60)
(rect 20 44 88 40 20)
