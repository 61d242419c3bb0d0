(doseq [x (range 0 5 (- 1 1))] (rect x 0 1 1))
