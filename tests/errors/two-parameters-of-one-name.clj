(defn dab [x x] (rect x x 1 1))
