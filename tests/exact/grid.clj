; at most 18 numbers
(size 128 128)
(background 255)
(stroke 60)
(stroke-weight 3)
(dotimes [i 5]
  (line (+ 16 (* i 24)) 8 (+ 16 (* i 24)) 120)
  (line 8 (+ 16 (* i 24)) 120 (+ 16 (* i 24))))
