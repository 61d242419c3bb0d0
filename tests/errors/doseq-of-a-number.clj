(doseq [i 5] (rect i 0 1 1))
