; at most 12 numbers
(size 128 128)
(background 0 151 57)
(no-stroke)
(fill 254 221 0)
(quad 64 12 118 64 64 116 10 64)
(fill 1 33 105)
(ellipse 64 64 56 56)
