(defn half [x] (/ x 2))
(half 3)
