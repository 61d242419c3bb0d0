"""What programs mean: scenes worked out by hand, names, loops, limits, and the rule of one method a production."""

import math

import pytest

from treesketch.canvas import Limits
from treesketch.errors import RunError
from treesketch.interpreter import Interpreter, check_binding, interpret
from treesketch.language import load_language, read_language
from treesketch.scene import Path, Scene, Shape, Stroke, apply
from treesketch.syntax import parse

WHITE, BLACK = (255, 255, 255, 255), (0, 0, 0, 255)


def draw(text: str, **limits: int) -> Scene:
    return interpret(parse(text), Limits(**limits))


def only(text: str) -> Shape:
    (shape,) = draw(text).shapes
    return shape


def on_canvas(shape: Shape) -> list[tuple[float, float]]:
    """A shape's points after its transform, rounded to a billionth."""
    return [(round(x, 9), round(y, 9)) for x, y in (apply(shape.transform, point) for point in shape.path.points)]


# Defaults and settings (Processing's reference: 100 x 100, background 204, fill 255, stroke 0, weight 1)


def test_an_empty_program():
    assert draw("") == Scene(100, 100, (204, 204, 204, 255))


def test_default_paint():
    shape = only("(rect 1 2 3 4)")
    assert shape == Shape(Path("MLLLZ", ((1, 2), (4, 2), (4, 6), (1, 6))), WHITE, Stroke(BLACK, 1.0))


def test_size_and_background():
    assert draw("(size 30 20) (background 9)") == Scene(30, 20, (9, 9, 9, 255))
    assert draw("(rect 1 2 3 4) (background 1 2 3 4)") == Scene(100, 100, (1, 2, 3, 255))


@pytest.mark.parametrize(
    ("channels", "color"),
    [
        ("7", (7, 7, 7, 255)),
        ("7 8", (7, 7, 7, 8)),
        ("1 2 3", (1, 2, 3, 255)),
        ("1 2 3 4", (1, 2, 3, 4)),
        ("99.9 -5 300", (99, 0, 255, 255)),
        ("(/ 1 (- 1 1)) (- (/ 1 (- 1 1))) 0", (255, 0, 0, 255)),
    ],
)
def test_colors(channels, color):
    shape = only(f"(fill {channels}) (stroke {channels}) (rect 0 0 1 1)")
    assert shape.fill == color and shape.stroke and shape.stroke.color == color


def test_paint_on_and_off():
    paints = ["(no-stroke)", "(stroke 1) (no-fill)", "(no-stroke)", "(fill 2)"]
    text = " ".join(f"{paint} (rect 0 0 1 1)" for paint in paints)
    assert [(s.fill, s.stroke and s.stroke.color) for s in draw(text).shapes] == [
        (WHITE, None),
        (None, (1, 1, 1, 255)),
        ((2, 2, 2, 255), None),
    ]


def test_stroke_weight():
    shape = only("(stroke-weight 2.5) (line 0 0 1 1)")
    assert shape.stroke == Stroke(BLACK, 2.5, "round", "miter")


# Shapes


def test_line_has_no_inside():
    assert only("(line 1 2 3 4)") == Shape(Path("ML", ((1, 2), (3, 4))), None, Stroke(BLACK, 1.0))
    assert draw("(no-stroke) (line 1 2 3 4)").shapes == ()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("(triangle 1 2 3 4 5 6)", Path("MLLZ", ((1, 2), (3, 4), (5, 6)))),
        ("(quad 1 2 3 4 5 6 7 8)", Path("MLLLZ", ((1, 2), (3, 4), (5, 6), (7, 8)))),
        ("(begin-shape) (vertex 1 2) (vertex 3 4) (end-shape :close)", Path("MLZ", ((1, 2), (3, 4)))),
        ("(begin-shape) (vertex 1 2) (vertex 3 4) (end-shape)", Path("ML", ((1, 2), (3, 4)))),
        ("(rect 9 9 -3 -4)", Path("MLLLZ", ((9, 9), (6, 9), (6, 5), (9, 5)))),
    ],
)
def test_paths(text, path):
    assert only(text).path == path


def test_ellipse_is_four_cubics_through_its_ends():
    path = only("(ellipse 10 20 8 4)").path
    assert path.verbs == "MCCCCZ" and len(path.points) == 13
    assert [path.points[i] for i in (0, 3, 6, 9, 12)] == [(14, 20), (10, 22), (6, 20), (10, 18), (14, 20)]
    start, one, two, end = path.points[:4]
    x, y = ((a + 3 * b + 3 * c + d) / 8 for a, b, c, d in zip(start, one, two, end, strict=True))  # its middle
    assert math.hypot((x - 10) / 4, (y - 20) / 2) == pytest.approx(1, abs=3e-4)


# Transforms


def test_translation_then_rotation():
    shape = only("(with-translation [10 20] (with-rotation [HALF-PI] (line 1 0 0 2)))")
    assert on_canvas(shape) == [(10, 21), (8, 20)]  # clockwise on a screen: east becomes south, south becomes west


def test_rotation_then_translation():
    assert on_canvas(only("(with-rotation [PI] (with-translation [10 20] (line 0 0 1 0)))")) == [(-10, -20), (-11, -20)]


def test_transforms_end_with_their_form_and_paint_does_not():
    first, second = draw("(with-translation [5 5] (fill 1) (rect 0 0 1 1)) (rect 0 0 1 1)").shapes
    assert on_canvas(first)[0] == (5, 5) and on_canvas(second)[0] == (0, 0)
    assert first.fill == second.fill == (1, 1, 1, 255)


# Names and loops


def corners(text: str) -> list[tuple[float, float]]:
    return [shape.path.points[0] for shape in draw(text).shapes]


def test_let_is_sequential_and_ends():
    assert corners("(let [a 1 b (+ a 1) a (* b 10)] (rect a b 1 1))") == [(20, 2)]
    assert corners("(let [x 1] (let [x 2 x 3] (rect x 0 1 1)) (rect x 0 1 1))") == [(3, 0), (1, 0)]


def test_loops():
    assert corners("(dotimes [i 3] (rect i 0 1 1))") == [(0, 0), (1, 0), (2, 0)]
    assert corners("(dotimes [i 2] (dotimes [j 2] (rect i j 1 1)))") == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert corners("(let [i 2] (dotimes [i i] (rect i 0 1 1)) (rect i 9 1 1))") == [(0, 0), (1, 0), (2, 9)]


@pytest.mark.parametrize(
    ("count", "turns"), [("0", 0), ("2.9", 2), ("(- 3)", 0), ("(/ 0 (- 1 1))", 0), ("(+ 1 1)", 2), ("0.999", 0)]
)
def test_turns(count, turns):
    assert len(draw(f"(let [n {count}] (dotimes [i n] (rect i 0 1 1)))").shapes) == turns


# Arithmetic


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("(+ 1 2 3.5)", 6.5),
        ("(+ 4)", 4),
        ("(- 10 2 3)", 5),
        ("(- 4)", -4),
        ("(* 2 3 4)", 24),
        ("(/ 12 3 2)", 2),
        ("(/ 1 4)", 0.25),
        ("PI", math.pi),
        ("TWO-PI", 2 * math.pi),
        ("HALF-PI", math.pi / 2),
        ("QUARTER-PI", math.pi / 4),
        ("(/ 1 (- 1 1))", math.inf),
        ("(/ -1 (- 1 1))", -math.inf),
        ("(* 1e6 1e6 1e6)", 1e18),
    ],
)
def test_numbers(number, value):
    assert corners(f"(rect {number} 0 1 1)") == [(value, 0)]


def test_nothing_by_nothing_is_not_a_number():
    assert math.isnan(corners("(rect (/ 0 (- 1 1)) 0 1 1)")[0][0])


# Limits


@pytest.mark.parametrize(
    ("text", "limits", "message"),
    [
        ("(dotimes [i 9999] (dotimes [j 9999]))", {}, "more than 1000000 steps"),
        ("(let [n (* 1e6 1e6)] (dotimes [i n]))", {}, "more than 1000000 steps"),
        ("(dotimes [i 4] (rect i 0 1 1))", {"shapes": 3}, "more than 3 shapes"),
        ("(dotimes [i 4] (rect i 0 1 1))", {"points": 15}, "15 points"),
        ("(size 30 20)", {"side": 25}, "the canvas is 30 x 20; each side takes 1 to 25"),
    ],
)
def test_limits(text, limits, message):
    with pytest.raises(RunError, match=message):
        draw(text, **limits)


def test_fuel_is_a_unit_a_node_and_a_unit_a_turn():
    text = (
        "(dotimes [i 3] (fill i))"  # program, dotimes, counter, binder, literal; 3 turns of turn, fill, gray, reference
    )
    assert draw(text, fuel=5 + 3 * 4)
    with pytest.raises(RunError):
        draw(text, fuel=5 + 3 * 4 - 1)


def test_the_error_says_which_form():
    with pytest.raises(RunError) as error:
        draw("(fill 1)\n(dotimes [i 9]\n  (rect i 0 1 1))", shapes=4)
    assert str(error.value).startswith("3:3: ")


# One method a production


def test_interpreter_and_grammar_belong_together():
    check_binding(load_language(), Interpreter)


def test_a_form_without_a_method_is_an_error():
    more = load_language().source.replace("?mark: rect", "?mark: star | rect") + '\nstar: "(" "star" point ")"\n'
    with pytest.raises(AssertionError, match="star"):
        check_binding(read_language("sketch", more), Interpreter)


def test_a_method_without_a_form_is_an_error():
    class More(Interpreter):
        def star(self) -> None:
            pass

    with pytest.raises(AssertionError, match="star"):
        check_binding(load_language(), More)


def test_forms_one_by_one_draw_on_one_canvas():
    interpreter = Interpreter()
    interpreter.run(parse("(fill 1)").children[0])
    assert interpreter.run(parse("(rect 0 0 1 1)").children[0]).shapes[0].fill == (1, 1, 1, 255)
