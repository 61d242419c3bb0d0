;; Runs each file: a program as it is, or a sketch with a namespace of its own.
(require 'quil.core)

(doseq [file *command-line-args*]
  (println "program" file)
  (reset! quil.core/source (java.util.Random. 0))
  (reset! quil.core/canvas [100 100])
  (binding [*ns* (create-ns (gensym "sketch"))]
    (refer 'clojure.core :exclude '[abs])
    (refer 'quil.core)
    (try
      (load-file file)
      (catch Throwable error (println "error" (str (or (.getCause error) error)))))))
