; at most 8 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 0 85 164)
(rect 0 0 42.667 128)
(fill 239 65 53)
(rect 85.333 0 42.667 128)
