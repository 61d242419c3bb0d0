(doseq [x (range 0 5 0)] (rect x 0 1 1))
