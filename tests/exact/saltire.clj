; at most 9 numbers
(size 128 128)
(background 0 94 184)
(stroke 255)
(stroke-weight 18)
(line 0 0 128 128)
(line 0 128 128 0)
