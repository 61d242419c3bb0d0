; at most 6 numbers
(size 128 128)
(background 0)
(no-stroke)
(fill 255 230 0)
(arc 64 64 100 100 0.6 5.68)
