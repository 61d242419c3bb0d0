(defn dab [x] (dab x))
