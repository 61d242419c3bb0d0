(defn rect [x] (ellipse x x 1 1))
