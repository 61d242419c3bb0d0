; at most 8 numbers
(size 128 128)
(background 0 82 147)
(no-stroke)
(fill 254 203 0)
(rect 0 51.2 128 25.6)
(rect 40 0 25.6 128)
