(dab 1)
(defn dab [x] (rect x 0 1 1))
