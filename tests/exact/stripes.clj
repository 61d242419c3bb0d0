; at most 12 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 200 0 0)
(rect 0 0 128 25.6)
(rect 0 51.2 128 25.6)
(rect 0 102.4 128 25.6)
