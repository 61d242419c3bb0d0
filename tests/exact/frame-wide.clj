; at most 5 numbers
(size 128 128)
(background 255)
(no-fill)
(stroke 20 60 60)
(stroke-weight 8)
(stroke-join :miter)
(rect 24 24 80 60)
