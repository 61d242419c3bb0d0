(size 70 20)
(when 0
  (rect 2 4 8 12))
(when true
  (rect 12 4 8 12))
(when nil
  (rect 22 4 8 12))
(when false
  (rect 32 4 8 12))
(when (or nil (and true 0))
  (rect 42 4 8 12))
(rect (if nil 0 52) 4 8 12)
