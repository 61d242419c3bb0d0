"""Pictures that are the same on both sides: folded, cut at the axis, unfolded, and drawn."""

from dataclasses import replace
from math import inf, pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treesketch.check import check
from treesketch.interpreter import interpret
from treesketch.layers import Layer, ellipse, line, polygon, polyline, rect
from treesketch.picture import Picture
from treesketch.raster import rasterise
from treesketch.search.clip import cut_off
from treesketch.search.coverage import cover
from treesketch.search.draw import Options, draw_picture
from treesketch.search.judge import Judge, Sketch, program_numbers
from treesketch.search.mirror import Fold, confine, fold, unfold
from treesketch.search.outline import Outline
from treesketch.syntax import parse, unparse
from treesketch.tree import Node

WHITE, SKIN, HAIR, RED = (255, 255, 255), (230, 190, 150), (70, 40, 20), (200, 20, 30)
PRICE = 0.015

EAR = Layer(ellipse(33, 70, 14, 22), (200, 150, 110))
HEAD = Layer(ellipse(0, 68, 70, 84), SKIN)
FRINGE = Layer(polygon([(0, 22), (30, 30), (36, 60), (20, 46), (0, 50)]), HAIR)
EYE = Layer(ellipse(15, 68, 10, 7), WHITE)
BROW = Layer(line(9, 58, 21, 57), None, HAIR, 2.5)
MOUTH = Layer(rect(-12, 90, 24, 6), RED)
FACE = (EAR, HEAD, FRINGE, EYE, BROW, MOUTH)


def never() -> bool:
    return False


def pixels_of(program: Node, size: int = 128) -> np.ndarray:
    return rasterise(interpret(program), (size, size)).astype(np.float32) / 255


def half_of(layers: tuple[Layer, ...]) -> np.ndarray:
    """What layers of a half draw there: (128, 64, 3)."""
    return Judge(np.zeros((128, 64, 3), np.float32), (64, 128), 128).draw(Sketch(WHITE, layers))


def folded(layers: tuple[Layer, ...]) -> tuple[Fold, Judge]:
    """A picture of which these layers draw the right half, folded, and the judge of it."""
    half = half_of(layers)
    target = np.concatenate([half[:, ::-1], half], axis=1)
    found = fold(target, (128, 128))
    assert found is not None
    return found, Judge(target, (128, 128), 128)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_picture_is_folded_where_its_halves_are_alike(axis: int) -> None:
    half = half_of(FACE)
    target = np.concatenate([half[:, ::-1], half], axis=1)
    found = fold(target if axis == 0 else target.transpose(1, 0, 2), (128, 128))
    assert found is not None and found.axis == axis and found.asymmetry == 0
    assert np.array_equal(found.half, half if axis == 0 else half.transpose(1, 0, 2))
    assert (found.canvas, found.origin) == (((64, 128), (64, 0)) if axis == 0 else ((128, 64), (0, 64)))


def test_the_half_with_less_in_it_stands_for_both() -> None:
    half = half_of(FACE)
    target = np.concatenate([half[:, ::-1], half], axis=1)
    marked = target.copy()
    marked[100:108, 100:110] = 0
    found = fold(marked, (128, 128))
    assert found is not None and np.array_equal(found.half, half)
    assert found.asymmetry == pytest.approx(float(((marked - target) ** 2).sum()))


def test_what_has_no_middle_between_two_pixels_is_not_folded() -> None:
    assert fold(np.ones((127, 127, 3), np.float32), (127, 127)) is None


def outlines() -> st.SearchStrategy[Outline]:
    """Outlines of every kind that is cut, at about the middle of 48 pixels."""
    place, size, angle = st.floats(4, 44), st.floats(3, 20), st.floats(0, pi)

    def made(kind: str, *parts: st.SearchStrategy[float], verbs: str = "") -> st.SearchStrategy[Outline]:
        return st.tuples(*parts).map(lambda values: Outline(kind, np.array(values), verbs))

    return st.one_of(
        made("rect", st.floats(2, 20), st.floats(2, 20), st.floats(28, 46), st.floats(28, 46)),
        made("circle", place, place, size),
        made("ellipse", place, place, size, size),
        made("oval", place, place, size, size, angle),
        made("polygon", *[place] * 10),
        made("path", *[place] * 12, verbs="LQC"),
    )


@given(outline=outlines(), axis=st.sampled_from([0, 1]), least=st.integers(8, 40))
def test_a_shape_is_cut_off_exactly(outline: Outline, axis: int, least: int) -> None:
    before = cover([outline], 48, 48)[0]
    before[(slice(None), slice(least)) if axis == 0 else (slice(least), slice(None))] = 0
    cut = cut_off(outline, axis, float(least))
    after = cover([cut], 48, 48)[0] if cut else np.zeros((48, 48))
    # A crossing outline winds otherwise along the cut; curves are drawn with chords of their own.
    assert np.abs(after - before).sum() < 0.02 * before.sum() + 1.0


@given(
    points=st.lists(st.tuples(st.floats(4, 44), st.floats(4, 44)), min_size=2, max_size=5),
    verb=st.sampled_from("LQC"),
    axis=st.sampled_from([0, 1]),
)
def test_what_is_left_of_a_line_lies_on_its_side(points: list, verb: str, axis: int) -> None:
    many = {"L": 1, "Q": 2, "C": 3}[verb]
    rows = np.array(points * 3)[: 1 + many * (len(points) * 3 - 1) // many // many * many]
    segments = (len(rows) - 1) // many
    params = np.append(rows[: 1 + segments * many].ravel(), 2.0)
    outline = Outline("polyline", params) if verb == "L" else Outline("spline", params, verb * segments)
    cut = cut_off(outline, axis, 24.0)
    if cut is None:
        assert rows[0, axis] <= 24
        return
    assert cut.params[-1] == 2
    ends = cut.params[:-1].reshape(-1, 2)[[0, -1]]
    assert (ends[:, axis] >= 24 - 1e-6).all()
    if (rows[:, axis] >= 24).all():
        assert np.array_equal(cut.params, params)


def test_the_rest_of_a_stroked_box_and_ring_is_a_line_and_an_arc() -> None:
    box = cut_off(Outline("box", np.array([10.0, 10, 30, 30, 2])), 0, 20.0)
    assert box is not None and box.kind == "polyline" and sorted(box.params[:-1:2]) == [20, 20, 30, 30]
    ring = cut_off(Outline("ring", np.array([20.0, 20, 8, 6, 2])), 0, 20.0)
    assert ring is not None and ring.kind == "arc" and np.allclose(ring.params[4:6], [-pi / 2, pi / 2])
    assert cut_off(Outline("rect", np.array([1.0, 1, 5, 5])), 0, 6.0) is None


def test_the_program_draws_the_half_on_both_sides() -> None:
    found, judge = folded(FACE)
    program = unfold(Sketch(WHITE, FACE), found, judge)
    assert not check(program)
    # The head and the mouth lie across the axis and are drawn once, in their places between what is drawn twice.
    order = [form.production for form in program.children if form.production in ("ellipse", "rect", "dotimes")]
    assert order == ["dotimes", "ellipse", "rect", "dotimes"]
    text = unparse(program)
    assert "(translate 64 0)" in text and text.count("(dotimes [side 2]") == text.count("(scale -1 1)") == 2
    assert judge.program_error(program) ** 0.5 < 0.003


def test_the_axes_are_left_as_they_were() -> None:
    twice = (EAR, EYE, BROW, FRINGE)
    found, judge = folded(twice)
    program = unfold(Sketch(WHITE, twice), found, judge)
    marked = replace(program, children=(*program.children, *parse("(rect 10 10 20 5)").children))
    half = pixels_of(marked)[12, :]
    assert not np.allclose(half[76], half[51])  # only on the right, where no scale is left


@given(seed=st.integers(0, 2**32 - 1))
def test_whatever_lies_in_the_half_is_drawn_on_both_sides(seed: int) -> None:
    rng = np.random.default_rng(seed)
    layers = []
    for _ in range(rng.integers(1, 7)):
        color = tuple(int(channel) for channel in rng.integers(0, 256, 3))
        points = [(float(x + 4), float(y)) for x, y in rng.integers(1, 60, (4, 2))]
        x, y, w, h = (float(v) for v in (*rng.integers(14, 60, 2), *rng.integers(4, 20, 2)))
        shapes = [
            rect(x, y, w, h),
            rect(-x, y, 2 * x, h),
            ellipse(x + 4, y, w, h),
            ellipse(0, y, w, h),
            polygon(points),
            polygon([(0, y), (x, y), (x, y + h), (0, y + h)]),
            polyline([(x + 2, y) for x, y in points[:3]]),
        ]
        shape = shapes[rng.integers(len(shapes))]
        is_line = shape.production == "polyline"
        layers.append(Layer(shape, None, color, 3.0) if is_line else Layer(shape, color))
    found, judge = folded(tuple(layers))
    program = unfold(Sketch(WHITE, tuple(layers)), found, judge)
    assert not check(program)
    assert judge.program_error(program) ** 0.5 < 0.001


@pytest.mark.parametrize("size", [96, 101, 257])
def test_no_seam_shows_at_any_size(size: int) -> None:
    skin = Layer(polygon([(0, 20), (40, 20), (40, 110), (0, 110)]), SKIN)
    bib = Layer(polygon([(0, 60), (20, 60), (20, 90), (0, 90)]), RED)
    found, judge = folded((skin, bib))
    program = unfold(Sketch((0, 0, 255), (skin, bib)), found, judge)
    picture = pixels_of(program, size)
    middle, beside = size // 2, size // 2 + round(size * 0.08)
    for y in (0.3, 0.6):
        row = picture[round(size * y)]
        assert np.abs(row[middle - 2 : middle + 3] - row[beside]).max() < 0.02


def test_what_reaches_over_the_axis_is_laid_evenly_or_cut() -> None:
    fringe = Layer(polygon([(-30, 22), (30, 30), (36, 60), (20, 46), (-20, 54)]), HAIR)
    tip = Layer(ellipse(-20, 110, 60, 10), RED)
    found, judge = folded((HEAD, fringe, MOUTH, tip))
    half = Judge(found.half, found.canvas, 128)
    loose = [Layer(ellipse(0.6, 68, 69, 84), SKIN), fringe, Layer(rect(-3, 90, 15, 6), RED), tip]
    kept = confine(Sketch(WHITE, tuple(loose)), found, (half, judge), PRICE, never)
    assert abs(half.error(kept) ** 0.5 - half.error(Sketch(WHITE, tuple(loose))) ** 0.5) < 0.004
    head, hair, mouth, rest = (layer.shape for layer in kept.layers)
    assert (head, mouth) == (ellipse(0, 68, 70.2, 84), rect(-12, 90, 24, 6))
    assert hair.production == "polygon" and min(corner.children[0].children[0].value for corner in hair.children) == 0
    assert rest.production == "arc_closed"  # laid evenly it would be twice as wide
    assert confine(kept, found, (half, judge), PRICE, never) == kept


def picture_of(program: str) -> Picture:
    return Picture(pixels_of(parse(f"(size 128 128) (background 255) (no-stroke) {program}")), "test", (128, 128))


FACES = (
    "(fill 90 60 40) (ellipse 64 50 110 90) (fill 230 190 150) (ellipse 64 70 80 90)"
    "(fill 70 40 20) (triangle 30 60 56 52 52 60) (triangle 98 60 72 52 76 60)"
    "(fill 255) (quad 34 68 44 62 54 70 44 76) (quad 94 68 84 62 74 70 84 76)"
    "(fill 20) (ellipse 45 69 6 8) (ellipse 83 69 6 8)"
    "(fill 200 90 90) (begin-shape) (vertex 40 92) (vertex 64 98) (vertex 88 92) (vertex 76 106) (vertex 52 106)"
    "(end-shape :close)"
)


def test_a_picture_of_two_sides_takes_fewer_numbers() -> None:
    options = Options(seconds=inf, renders=600)
    picture = picture_of(FACES)
    drawn = draw_picture(picture, options)
    assert "(scale -1 1)" in unparse(drawn.tree)
    assert drawn.rmse < 0.01 and program_numbers(drawn.tree) <= 90
    assert drawn.renders <= 600 and drawn.course[-1].rmse == drawn.rmse
    with_style = draw_picture(picture, replace(options, style="flat"))
    assert "scale" not in unparse(with_style.tree)


def test_the_limits_hold_for_a_fold_too() -> None:
    picture = picture_of(FACES)
    for renders in (1, 5, 60, 300):
        drawn = draw_picture(picture, Options(seconds=inf, renders=renders, numbers=40, forms=10))
        assert not check(drawn.tree)
        assert drawn.renders <= renders
        if renders >= 60:
            assert program_numbers(drawn.tree) <= 40


def test_what_differs_is_not_folded() -> None:
    drawn = draw_picture(picture_of("(fill 200 20 30) (ellipse 40 60 40 40) (rect 90 20 20 70)"), Options(seconds=1))
    assert "scale" not in unparse(drawn.tree) and drawn.rmse < 0.01
