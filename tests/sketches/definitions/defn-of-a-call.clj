; a function whose body is one call gives what that gives: a number, or a drawing
(size 60 30)
(defn half [x] (/ x 2))
(defn quarter [x]
  (half (half x)))
(defn dab [x]
  (rect x 5 10 (quarter 80)))
(defn dab-again [x]
  (dab (+ x 20)))
(defn nothing [])
(fill 0)
(nothing)
(dab 5)
(dab-again (quarter 20))
