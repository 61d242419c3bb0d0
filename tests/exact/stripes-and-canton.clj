; at most 30 numbers
(size 128 128)
(background 255)
(no-stroke)
(fill 178 34 52)
(dotimes [i 7]
  (rect 0 (* i 19.7) 128 9.85))
(fill 60 59 110)
(rect 0 0 52 69)
