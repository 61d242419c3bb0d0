; at most 8 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 10 20 120)
(quad 64 20 108 64 64 108 20 64)
