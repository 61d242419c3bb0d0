(defn half [x] (/ x 2))
(fill half)
