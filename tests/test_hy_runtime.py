"""The Hy runtime draws what the interpreter draws, ends as it ends, and reaches nothing but the canvas."""

import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings

from strategies import programs
from treesketch.canvas import Limits
from treesketch.check import check
from treesketch.errors import CheckError, ParseError, RunError
from treesketch.hy_runtime import Runtime, evaluate, runtime
from treesketch.interpreter import interpret
from treesketch.language import load_language, read_language
from treesketch.scene import Scene
from treesketch.syntax import parse
from treesketch.tree import Node

SMALL = Limits(fuel=3000, shapes=60, points=500, side=250)


def outcome(evaluator, tree: Node, limits: Limits) -> str:
    """The scene to the last bit (a NaN equals itself here), or that the program met a limit."""
    try:
        return repr(evaluator(tree, limits))
    except RunError:
        return "RunError"


def run(text: str) -> Scene:
    return evaluate(parse(text))


def corners(scene: Scene) -> list[tuple[float, float]]:
    return [shape.path.points[0] for shape in scene.shapes]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(programs)
def test_scene_equals_the_interpreters(tree):
    assert outcome(evaluate, tree, SMALL) == outcome(interpret, tree, SMALL)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(programs)
def test_fuel_runs_out_for_both_or_for_neither(tree):
    for fuel in (10, 30, 100):
        assert outcome(evaluate, tree, Limits(fuel=fuel)) == outcome(interpret, tree, Limits(fuel=fuel))


def test_every_word_of_a_picture():
    text = """(size 40 30) (background 255) (no-stroke) (fill 200 10 20 128) (rect 1 2 3 4) (ellipse 5 6 7 8)
              (stroke 1) (stroke-weight 2) (no-fill) (line 1 2 3 4) (triangle 0 0 1 0 0 1) (quad 0 0 1 0 1 1 0 1)
              (with-translation [10 20] (with-rotation [HALF-PI] (begin-shape) (vertex 1 2) (vertex 3 4) (end-shape)))
              (begin-shape) (vertex 0 0) (vertex 1 0) (vertex 1 1) (end-shape :close)"""
    assert run(text) == interpret(parse(text))
    assert len(run(text).shapes) == 7


# Clojure's meaning


def test_let_is_sequential():
    assert corners(run("(let [a 1 b (+ a 1) a (* b 10)] (rect a b 1 1))")) == [(20, 2)]


def test_inner_names_hide_outer_ones_and_end_with_their_form():
    text = "(let [x 1] (let [x (+ x 1)] (rect x 0 1 1)) (dotimes [x 2] (rect x 5 1 1)) (rect x 9 1 1))"
    assert corners(run(text)) == [(2, 0), (0, 5), (1, 5), (1, 9)]


def test_loop_with_its_own_name_as_count():
    assert corners(run("(let [x 3] (dotimes [x x] (rect x 0 1 1)))")) == [(0, 0), (1, 0), (2, 0)]


def test_only_false_and_nil_do_not_hold():
    tests = [
        "0",
        "(/ 0 (- 1 1))",
        "true",
        "(< 1 2)",
        "false",
        "nil",
        "(not nil)",
        "(not 0)",
        "(and 0 nil)",
        "(or nil 0)",
    ]
    chosen = [corners(run(f"(rect (if {test} 1 2) 0 1 1)"))[0][0] for test in tests]
    assert chosen == [1, 1, 1, 1, 2, 2, 1, 2, 2, 1]
    assert [len(run(f"(when {test} (rect 0 0 1 1))").shapes) for test in tests] == [1, 1, 1, 1, 0, 0, 1, 0, 0, 1]
    assert [len(run(f"(if {test} (rect 0 0 1 1))").shapes) for test in tests] == [1, 1, 1, 1, 0, 0, 1, 0, 0, 1]


def test_what_is_not_chosen_is_not_evaluated():
    """A random number that is drawn shows: the next one is another."""
    drawn = corners(run("(rect (random 9) 0 1 1)"))
    for unused in ["(if 1 0 (random 1))", "(if (or 1 (random 1)) 0 0)", "(if (and nil (random 1)) 0 0)"]:
        assert corners(run(f"(let [unused {unused}] (rect (random 9) 0 1 1))")) == drawn
    assert corners(run("(let [used (if (and 1 (random 1)) 0 0)] (rect (random 9) 0 1 1))")) != drawn


def test_arguments_are_evaluated_from_left_to_right():
    text = (
        "(rect (random 9) (if (< (random 9) 5) (random 9) (+ 1 (random 9))) (random 9) (random 9)) (point (random 9) 0)"
    )
    assert run(text) == interpret(parse(text))


def test_functions_see_globals_as_they_are_when_called():
    text = "(def x 1) (defn dab [] (rect x 0 1 1)) (dab) (def x 2) (dab) (let [x 3] (dab)) (dotimes [x 1] (dab))"
    assert corners(run(text)) == [(1, 0), (2, 0), (2, 0), (2, 0)]


def test_functions_call_functions_before_them():
    text = (
        "(defn half [x] (/ x 2)) (defn quarter [x] (+ (half (half x)))) (defn dab [x] (rect (quarter x) 0 1 1)) (dab 8)"
    )
    assert corners(run(text)) == [(2, 0)]


def test_loops_over_sequences_bind_afresh():
    text = "(doseq [x [3 1 2]] (rect x 0 1 1)) (doseq [x (range 5 0 -2)] (rect x 1 1 1)) (doseq [x []] (rect x 2 1 1))"
    assert corners(run(text)) == [(3, 0), (1, 0), (2, 0), (5, 1), (3, 1), (1, 1)]


def test_arithmetic_is_ieee():
    assert corners(run("(let [z (- 1 1)] (rect (/ 1 z) (- (/ 8 2 2)) 1 1))")) == [(float("inf"), -2)]


@pytest.mark.parametrize("form", ["dotimes [i 1]", "let [i 1]", "with-translation [1 1]"])
def test_deep_nesting(form):
    """Python allows 20 nested blocks and 1,000 frames; the language allows 60 brackets."""
    text = f"({form} " * 58 + "(line 1 2 3 4)" + ")" * 58
    assert run(text) == interpret(parse(text))


def test_a_long_chain_of_calls_through_deep_forms():
    deep, ends = "(when 1 " * 57, ")" * 57
    chain = "".join(f"(defn f{i + 1} [] {deep}(f{i}){ends})" for i in range(62))
    text = f"(defn f0 [] (rect 1 2 3 4)) {chain} (f62)"
    assert run(text) == interpret(parse(text)) and len(run(text).shapes) == 1
    more = f"(defn f0 [] (rect 1 2 3 4)) {''.join(f'(defn f{i + 1} [] (f{i}))' for i in range(64))} (f64)"
    for evaluator in (evaluate, interpret):
        with pytest.raises(RunError, match="more than 64 functions"):
            evaluator(parse(more))


def test_long_sums_do_not_nest():
    assert corners(run(f"(rect (+ {'1 ' * 5000}) 0 1 1)")) == [(5000, 0)]


# Limits


@pytest.mark.parametrize("body", ["", "(no-fill)", "(dotimes [j 1e6])"])
def test_endless_loops_end(body):
    with pytest.raises(RunError, match="steps"):
        run(f"(let [n (* 1e6 1e6)] (dotimes [i n] {body}))")


def test_too_many_shapes():
    with pytest.raises(RunError, match="shapes"):
        run("(dotimes [i (* 3 10000)] (rect i 0 1 1))")


# One form at a time


def test_runtime_goes_on_where_it_was():
    runtime = Runtime()
    runtime.run(parse("(fill 1 2 3)"))
    assert runtime.run(parse("(rect 0 0 1 1)").children[0]).shapes[0].fill == (1, 2, 3, 255)
    assert len(runtime.run(parse("(rect 0 0 1 1)")).shapes) == 2


def test_a_form_that_fails_leaves_the_canvas_as_it_was():
    runtime = Runtime(Limits(shapes=5))
    before = runtime.run(parse("(fill 9) (rect 0 0 1 1)"))
    with pytest.raises(RunError):
        runtime.run(parse("(fill 7) (dotimes [i 9] (rect i 0 1 1))"))
    assert runtime.run(parse("(no-stroke)")) == before
    assert runtime.run(parse("(rect 0 0 1 1)")).shapes[-1].fill == (9, 9, 9, 255)


def test_definitions_stay():
    runtime = Runtime()
    runtime.run(parse("(def side 5)"))
    runtime.run(parse("(defn dab [x] (rect x 0 side side))"))
    runtime.run(parse("(def side 6)"))
    assert runtime.run(parse("(dab 1)")).shapes[0].path.points[2] == (7, 6)
    assert runtime.value(parse("(* side 2)", start="number")) == 12


def test_what_fails_defines_nothing():
    runtime = Runtime(Limits(shapes=2))
    runtime.run(parse("(def side 5) (defn dab [] (rect 0 0 side side))"))
    with pytest.raises(RunError):
        runtime.run(parse("(def side 9) (def other 1) (dab) (dab) (dab)"))
    assert runtime.run(parse("(dab)")).shapes[0].path.points[2] == (5, 5)
    with pytest.raises(CheckError):
        runtime.run(parse("(rect other 0 1 1)"))


def test_a_value_changes_nothing():
    runtime = Runtime()
    first = runtime.value(parse("(random 1)", start="number"))
    assert runtime.value(parse("(random 1)", start="number")) == first
    assert runtime.run(parse("(rect (random 1) 0 1 1)")).shapes[0].path.points[0] == (first, 0)


def test_fuel_is_for_each_form():
    runtime = Runtime(Limits(fuel=20))
    for _ in range(10):
        scene = runtime.run(parse("(rect 0 0 1 1)"))
    assert len(scene.shapes) == 10


def test_value_of_a_number():
    assert Runtime().value(parse("(/ (+ 1 2) 4)", start="number")) == 0.75
    assert Runtime().value(parse("PI", start="number")) == 3.141592653589793
    assert Runtime().value(parse("7", start="number")) == 7


# The cache


def test_code_is_kept_by_the_tree():
    tree = parse("(rect 1 2 3 4)")
    assert runtime.compile_tree(tree) is runtime.compile_tree(parse("; moved\n\n(rect 1,2,3,4)"))
    for i in range(runtime.MOST_CACHED + 3):
        runtime.compile_tree(parse(f"(stroke {i})"))
    assert len(runtime._compiled) == runtime.MOST_CACHED


def test_zeros_of_either_sign_are_two_programs():
    def quotient(zero: float) -> Node:
        return Node("divide", (Node("literal", (), 1.0), Node("literal", (), zero)))

    assert [Runtime().value(quotient(zero)) for zero in (0.0, -0.0)] == [float("inf"), -float("inf")]


# One template a production


def test_a_production_without_a_template_is_an_error():
    more = load_language().source.replace("?mark: rect", "?mark: star | rect") + '\nstar: "(" "star" point ")"\n'
    with pytest.raises(AssertionError, match="star"):
        runtime.check_binding(read_language("sketch", more))


# Nothing of Python or Hy can be reached


@pytest.mark.parametrize(
    "text",
    [
        "(rect.__globals__ 1 2 3 4)",
        "(.append rect 1)",
        "(rect (. x y) 0 1 1)",
        "(rect x.y 0 1 1)",
        "(rect __import__ 0 1 1)",
        "(let [__builtins__ 1] (rect 0 0 1 1))",
        "(let [_x 1] (rect _x 0 1 1))",
        "(rect \uff3f\uff3fimport\uff3f\uff3f 0 1 1)",  # full-width underscores, which Python folds into ASCII ones
        "(let [\uff45val 1] (rect \uff45val 0 1 1))",
        '#(print "read")',
        "#=(print 1)",
        "(rect #^int 1 2 3 4)",
        "(import os)",
        "(require hyrule)",
        "(eval-when-compile (print 1))",
        "(do-mac (print 1))",
        "(defreader x 1)",
        "(eval 1)",
        "(hy.eval 1)",
        '(py "print(1)")',
        "(pys 1)",
        "(fn [] 1)",
        "(setv rect 1)",
        "(rect 'x 0 1 1)",
        "(rect `(+ 1 2) 0 1 1)",
        "(rect ~x 0 1 1)",
        '(rect "x" 0 1 1)',
        "(canvas.rect 1 2 3 4)",
        "(spend 1)",
        "(name-1-x)",
    ],
)
def test_parser_or_checker_refuse(text):
    try:
        errors = check(parse(text))
    except ParseError as error:
        errors = [error]
    assert errors and all("\n" not in str(error) and error.span for error in errors)


@pytest.mark.parametrize(
    "name",
    "print eval exec hy builtins import lambda None True fn setv canvas spend repeated add name-1-x answer "
    "globals is? del! quote unquote eval-and-compile".split(),
)
def test_any_name_is_only_a_name(name):
    text = f"(let [{name} 1] (rect {name} {name} 2 (+ {name} 3)) (dotimes [{name} 2] (line {name} 0 1 1)))"
    assert run(text) == interpret(parse(text))
    assert corners(run(text)) == [(1, 1), (0, 0), (1, 0)]


@pytest.mark.parametrize(
    "name", ["print", "spend", "called", "canvas", "choose", "compute-add", "function-f", "global-f"]
)
def test_any_name_of_a_definition_is_only_a_name(name):
    text = (
        f"(def x 3) (defn {name} [y] (rect x y 1 1)) ({name} 5) (defn twice [{name}] (* 2 {name})) ({name} (twice x))"
    )
    assert run(text) == interpret(parse(text))
    assert corners(run(text)) == [(3, 5), (3, 6)]
    assert corners(run(f"(def {name} 4) (rect {name} 0 1 1)")) == [(4, 0)]


@pytest.mark.parametrize("name", ["x", "canvas", "spend", "add", "print", "__builtins__", "canvas.shapes"])
def test_names_out_of_scope_never_reach_hy(name):
    """Even in a tree that no parser made."""
    with pytest.raises(CheckError, match="no name"):
        evaluate(Node("stroke_weight", (Node("reference", (), name),)))
    with pytest.raises(CheckError, match="no function"):
        evaluate(Node("call", (Node("callee", (), name),)))


def test_compiled_code_uses_only_our_words():
    text = "(let [print 1] (dotimes [i 2] (with-rotation [i] (rect print i (/ 1 2) (+ i 1)))))"
    code, names = [runtime.compile_tree(parse(text))], set()
    while code:
        names |= set(code[-1].co_names)
        code += [constant for constant in code.pop().co_consts if hasattr(constant, "co_names")]
    assert names <= {"canvas", "rect", "spend", "rotated", "counted", "repeated", "compute_divide", "compute_add"} | {
        name for name in names if name.startswith("_hy_anon_")
    }


def test_drawing_without_a_repl_never_loads_hy():
    program = (
        "import sys, treesketch.interpreter, treesketch.syntax, treesketch.check, treesketch.cli;"
        "treesketch.interpreter.interpret(treesketch.syntax.parse('(rect 1 2 3 4)'));"
        "sys.exit(any(name in sys.modules for name in ('hy', 'torch', 'prompt_toolkit')))"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0
