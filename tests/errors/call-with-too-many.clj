(defn dab [x y] (rect x y 1 1))
(dab 1 2 3)
