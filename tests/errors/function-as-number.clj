(defn dab [] (rect 0 0 1 1))
(fill (dab))
