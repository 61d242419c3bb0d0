(defn dab [] (rect 0 0 1 1))
(defn dab [x] (rect x 0 1 1))
(def dab 3)
