; at most 6 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 0)
(triangle 64 18 112 100 16 100)
