; at most 5 numbers
(size 128 128)
(background 255)
(no-stroke)
(stroke 0)
(stroke-weight 9)
(line 25.3 30.2 100.7 90.4)
