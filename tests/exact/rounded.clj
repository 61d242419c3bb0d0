; at most 5 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 0 90 200)
(rect 20 30 88 68 14)
