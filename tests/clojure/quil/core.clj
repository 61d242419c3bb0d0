;; Quil's words without a window: each call is printed, so that what a program does can be compared.
(ns quil.core
  (:refer-clojure :exclude [abs]))

(defn- tell [word arguments]
  (println word (apply str (interpose " " (map #(if (keyword? %) (name %) (double %)) arguments)))))

(defmacro ^:private words [& names]
  `(do ~@(for [each names] `(defn ~each [& arguments#] (tell ~(name each) arguments#)))))

(words background fill no-fill stroke no-stroke stroke-weight stroke-cap stroke-join rect-mode ellipse-mode
       rect ellipse arc line point triangle quad bezier curve
       begin-shape vertex bezier-vertex quadratic-vertex curve-vertex begin-contour end-contour end-shape
       push-matrix pop-matrix translate rotate scale shear-x shear-y)

(def canvas (atom [100 100]))
(def source (atom (java.util.Random. 0)))

(defn size [w h] (reset! canvas [w h]) (tell "size" [w h]))
(defn width [] (first @canvas))
(defn height [] (second @canvas))

(defmacro with-translation [[x y] & body] `(do (push-matrix) (translate ~x ~y) ~@body (pop-matrix)))
(defmacro with-rotation [[angle] & body] `(do (push-matrix) (rotate ~angle) ~@body (pop-matrix)))

(def PI Math/PI)
(def TWO-PI (* 2 Math/PI))
(def HALF-PI (/ Math/PI 2))
(def QUARTER-PI (/ Math/PI 4))

(defn abs [a] (Math/abs (double a)))
(defn sqrt [a] (Math/sqrt a))
(defn pow [a b] (Math/pow a b))
(defn sin [a] (Math/sin a))
(defn cos [a] (Math/cos a))
(defn tan [a] (Math/tan a))
(defn radians [a] (Math/toRadians a))
(defn degrees [a] (Math/toDegrees a))
(defn floor [a] (Math/floor a))
(defn ceil [a] (Math/ceil a))
(defn round [a] (Math/round (double a)))
(defn lerp [a b amount] (+ a (* amount (- b a))))
(defn map-range [a low high to-low to-high] (+ to-low (* (- to-high to-low) (/ (- a low) (double (- high low))))))
(defn constrain [a low high] (clojure.core/min (clojure.core/max a low) high))
(defn dist [x1 y1 x2 y2] (Math/hypot (- x2 x1) (- y2 y1)))

(defn random-seed [seed] (reset! source (java.util.Random. (long seed))))
(defn random
  ([high] (unchecked-multiply (.nextFloat ^java.util.Random @source) (float high)))
  ([low high] (+ (random (- high low)) low)))

(defn no-loop [])

(defmacro defsketch [_ & {:keys [size setup draw]}]
  `(do (apply quil.core/size ~size) (~setup) (~draw)))
