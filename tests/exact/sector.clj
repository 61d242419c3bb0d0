; at most 6 numbers
(size 128 128)
(background 240)
(no-stroke)
(fill 200 60 20)
(arc 64 64 90 90 0.5 2.2)
