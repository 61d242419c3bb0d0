; at most 6 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 20 120 200)
(arc 64 80 96 96 PI TWO-PI)
