"How each production is written in Hy: one template each. A tree with resolved names in, Hy forms out.

The forms use Hy's `do`, `fn` and `setv`, the words of `words`, and names from `names.resolve`; nothing else, so what a
program can reach is what this file writes. A list from a template (a point, a colour) is spliced into its parent.
Fuel: a form spends at once what the native interpreter spends on it node by node, without what is evaluated later or
not at all: the forms in its body, and the children of LAZY, which are functions that spend for themselves.
"

(import hy.models [Float Keyword String Symbol]
        treesketch [arithmetic])

(setv TEMPLATES {})

(defmacro template [production parameters form]
  "Say how a production is written; its parameters are the translations of its children, or a leaf's value."
  `(setv (get TEMPLATES ~(hy.mangle (str production))) (fn ~parameters ~form)))

(defmacro spelt [prefix #* words]
  "Templates of leaves that stand for a word: `round` of `cap_round`."
  `(do ~@(lfor word words
               `(setv (get TEMPLATES ~(+ (str prefix) "_" (str word))) (fn [] (String ~(str word)))))))

(setv LAZY {"choose" 1 "and" 1 "or" 1 "defn_value" 2})  ; the first child that is evaluated later, if at all


;; Program, settings and transforms

(template program [#* forms] `(do ~@forms))
(template size [width height] `(canvas.set-size ~width ~height))
(template dimension [value] (Float value))
(template background [color] `(canvas.background ~color))
(template fill [color] `(canvas.fill ~color))
(template no-fill [] `(canvas.no-fill))
(template stroke [color] `(canvas.stroke ~color))
(template no-stroke [] `(canvas.no-stroke))
(template stroke-weight [length] `(canvas.stroke-weight ~length))
(template stroke-cap [cap] `(canvas.stroke-cap ~cap))
(template stroke-join [join] `(canvas.stroke-join ~join))
(template rect-mode [mode] `(canvas.rect-mode ~mode))
(template ellipse-mode [mode] `(canvas.ellipse-mode ~mode))
(template random-seed [seed] `(canvas.random-seed ~seed))
(template noise-seed [seed] `(canvas.noise-seed ~seed))
(template gray [#* channels] `[~@channels])
(template gray-alpha [#* channels] `[~@channels])
(template rgb [#* channels] `[~@channels])
(template rgb-alpha [#* channels] `[~@channels])
(spelt cap round square project)
(spelt join miter bevel round)
(spelt mode corner corners center radius)
(spelt closing open chord pie)
(template translate [point] `(canvas.translate ~@point))
(template rotate [angle] `(canvas.rotate ~angle))
(template scale [factor] `(canvas.scale ~factor))
(template scale-each [x y] `(canvas.scale ~x ~y))
(template shear-x [angle] `(canvas.shear-x ~angle))
(template shear-y [angle] `(canvas.shear-y ~angle))


;; Shapes

(template rect [point extent] `(canvas.rect ~@point ~@extent))
(template rect-rounded [point extent radius] `(canvas.rect ~@point ~@extent ~radius))
(template rect-rounded-each [point extent #* radii] `(canvas.rect ~@point ~@extent ~@radii))
(template ellipse [point diameters] `(canvas.ellipse ~@point ~@diameters))
(template arc [point diameters start stop] `(canvas.arc ~@point ~@diameters ~start ~stop))
(template arc-closed [point diameters start stop closing] `(canvas.arc ~@point ~@diameters ~start ~stop ~closing))
(template line [start end] `(canvas.line ~@start ~@end))
(template dot [point] `(canvas.dot ~@point))
(template triangle [#* points] `(canvas.polygon [~@points]))
(template quad [#* points] `(canvas.polygon [~@points]))
(template bezier [#* points] `(canvas.bezier ~@points))
(template curve [#* points] `(canvas.curve ~@points))
(template polygon [#* parts] (outline parts True))
(template polyline [#* parts] (outline parts False))
(template contour [#* corners] [#* corners])
(template vertex [point] `#("vertex" #(~point)))
(template bezier-vertex [#* points] `#("bezier" #(~@points)))
(template quadratic-vertex [#* points] `#("quadratic" #(~@points)))
(template curve-vertex [point] `#("curve" #(~point)))
(template point [x y] `#(~x ~y))
(template extent [width height] `#(~width ~height))
(template diameters [width height] `#(~width ~height))

(defn outline [parts closed]
  "A shape of corners and, as lists, contours."
  (setv corners (lfor part parts :if (not (isinstance part list)) part)
        contours (lfor part parts :if (isinstance part list) `[~@part]))
  `(canvas.shape [~@corners] [~@contours] ~closed))


;; Definitions and calls

(template def [name number] `(setv ~name ~number))
(template defn [name parameters #* body] `(setv ~name (fn [~@parameters] ~@body)))  ; the last form gives what the function gives
(template defn-value [name parameters value] `(setv ~name (fn [~@parameters] (~value))))
(template parameters [#* names] [#* names])
(template function [name] (Symbol name))
(template callee [name] (Symbol name))
(template call [callee #* numbers] `(called ~callee ~@numbers))
(template value-call [callee #* numbers] `(called ~callee ~@numbers))


;; Scopes: a body is a function, so that names are fresh each time and nesting has no limit of Python's

(template with-translation [point #* body] `(translated ~@point (fn [] ~@body)))
(template with-rotation [angle #* body] `(rotated ~angle (fn [] ~@body)))
(template matrix [#* body] `(kept (fn [] ~@body)))
(template do [#* body] `((fn [] ~@body None)))
(template let [#* bindings-and-body] `((fn [] ~@bindings-and-body)))
(template binding [name value] `(setv ~name ~value))
(template dotimes [counter #* body] `(repeated (counted ~(get counter 1)) (fn [~(get counter 0)] ~@body)))
(template doseq [each #* body] `(repeated ~(get each 1) (fn [~(get each 0)] ~@body)))
(template counter [name number] [name number])
(template each [name sequence] [name sequence])
(template binder [name] (Symbol name))
(template vector [#* numbers] `[~@numbers])
(template range [end] `(canvas.steps ~end))
(template range-between [start end] `(canvas.steps ~start ~end))
(template range-by [start end step] `(canvas.steps ~start ~end ~step))
(template if [condition then [else None]] `(choose ~condition (fn [] ~then) (fn [] ~else)))
(template when [condition #* body] `(choose ~condition (fn [] ~@body None) (fn [])))


;; Conditions

(template true [] True)
(template false [] False)
(template nil [] None)
(template and [first #* others] `(every ~first ~@others))
(template or [first #* others] `(any-of ~first ~@others))
(template not [condition] `(not-so ~condition))


;; Numbers: functions rather than operators, for Python has other rules for division and nests long sums

(template literal [value] (Float value))
(template reference [name] (Symbol name))
(template constant [name] (Float (get arithmetic.CONSTANTS name)))
(template choose [condition first second] `(choose ~condition ~first ~second))
(template random [high] `(canvas.random ~high))
(template random-between [low high] `(canvas.random ~low ~high))
(template noise [#* coordinates] `(canvas.noise ~@coordinates))
(template current-width [] `(canvas.width))
(template current-height [] `(canvas.height))

(for [name [#* arithmetic.OPERATIONS #* arithmetic.COMPARISONS]]
  (setv (get TEMPLATES name)
        ((fn [name] (fn [#* values] `(~(Symbol (+ "compute-" name)) ~@values))) name)))


(setv ANSWER "answer")  ; where a number that stands alone leaves its value

(defn translate [tree language]
  "The Hy form of a program, a form or a number whose names are resolved."
  (setv form (translate-node tree language))
  (if (in tree.production (get language.kinds "number"))
      `(setv ~(Symbol ANSWER) (do (spend ~(cost tree language)) ~form))
      form))

(defn translate-node [node language]
  "The Hy form of a node; a form of the language spends its fuel first."
  (setv lazy (.get LAZY node.production (len node.children))
        arguments (if (is node.value None)
                      (lfor #(i child) (enumerate node.children)
                            :setv form (translate-node child language)
                            (if (< i lazy) form `(fn [] (spend ~(cost child language)) ~form)))
                      [node.value])
        form ((get TEMPLATES node.production) #* arguments))
  (if (or (form? node language) (= node.production language.start))
      `(do (spend ~(cost node language)) ~form)
      form))

(defn cost [node language]
  "The nodes of a form that are evaluated with it: without the forms inside it and what LAZY puts off."
  (when (in node.production ["defn" "defn_value"])
    (return 1))
  (setv lazy (.get LAZY node.production (len node.children)))
  (+ 1 (sum (gfor child (cut node.children lazy)
                  :if (not (form? child language))
                  (cost child language)))))

(defn form? [node language]
  (in node.production (get language.kinds "form")))


(defn words [canvas]
  "The names that compiled forms may use, for one canvas; Python's own are not among them."
  (defn called [function #* numbers]
    (with [_ (canvas.called)] (function #* numbers)))
  (defn translated [x y body]
    (with [_ (canvas.translated x y)] (body)))
  (defn rotated [angle body]
    (with [_ (canvas.rotated angle)] (body)))
  (defn kept [body]
    (with [_ (canvas.kept)] (body)))
  (defn counted [number]
    (range (arithmetic.times number)))
  (defn repeated [values body]
    (for [value values]
      (canvas.spend)
      (body (float value))))
  (defn choose [condition first second]
    (if (arithmetic.holds condition) (first) (second)))
  (defn every [first #* others]
    (and (arithmetic.holds first) (all (gfor other others (arithmetic.holds (other))))))
  (defn any-of [first #* others]
    (or (arithmetic.holds first) (any (gfor other others (arithmetic.holds (other))))))
  (defn not-so [condition]
    (not (arithmetic.holds condition)))
  {"__builtins__" {}
   "canvas" canvas
   "spend" canvas.spend
   "called" called
   "translated" translated
   "rotated" rotated
   "kept" kept
   "counted" counted
   "repeated" repeated
   "choose" choose
   "every" every
   "any_of" any-of
   "not_so" not-so
   #** (dfor #(name operation) (.items (| arithmetic.OPERATIONS arithmetic.COMPARISONS))
             (+ "compute_" name) operation)})
