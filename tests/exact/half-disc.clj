; at most 6 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 200 80 0)
(arc 64 64 90 90 0 PI)
