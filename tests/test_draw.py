"""The search as a whole and its parts: judge, sources, paintings, rounding."""

import time
from dataclasses import replace
from math import inf

import numpy as np
import pytest
import torch

from treesketch.actions import load_vocabulary
from treesketch.check import check
from treesketch.interpreter import interpret
from treesketch.layers import Layer, ellipse, line, polygon, rect, turned, write_program
from treesketch.model.network import ModelConfig, Network
from treesketch.picture import Picture, canvas_of
from treesketch.raster import rasterise
from treesketch.search.allowance import Allowance, Step
from treesketch.search.draw import Options, draw_picture
from treesketch.search.finish import finish, outlined, plain_colors
from treesketch.search.improve import insert
from treesketch.search.judge import Judge, Sketch, count_numbers
from treesketch.search.painting import Painting, same_weights, scaled, to_outline, to_sketch
from treesketch.search.polish import Opening, fit_alone
from treesketch.search.sources import Situation, Writer, to_square
from treesketch.search.tally import Tally, charge, counting
from treesketch.syntax import parse, unparse
from treesketch.tree import Node

UNIT = np.ones(2)


def never() -> bool:
    return False


def picture_of(layers, background=(255, 255, 255), canvas=(128, 128)) -> Picture:
    scene = interpret(write_program(layers, canvas, background))
    pixels = rasterise(scene, (canvas[1], canvas[0])).astype(np.float32) / 255
    return Picture(pixels, "test", canvas)


def shape_of(corners: str) -> Node:
    return parse(f"(begin-shape) {corners} (end-shape :close)").children[0]


JAPAN = [Layer(ellipse(64, 64, 76, 76), (188, 0, 45))]
SCENE = [
    Layer(rect(0, 0, 128, 50), (20, 90, 200)),
    Layer(ellipse(40, 70, 50, 40), (240, 200, 30)),
    Layer(polygon([(70, 60), (120, 70), (90, 120)]), (200, 30, 40)),
]


@pytest.fixture(scope="module")
def untrained() -> Network:
    torch.manual_seed(0)
    return Network(load_vocabulary(), ModelConfig(width=32, heads=2, grid_layers=1, tree_layers=1)).eval()


def test_a_disc_comes_back_as_a_circle() -> None:
    drawing = draw_picture(picture_of(JAPAN), Options(seconds=2))
    forms = [node.production for node in drawing.tree.children]
    assert forms.count("ellipse") == 1 and drawing.rmse < 0.004
    assert "(ellipse 64 64 76 76)" in unparse(drawing.tree)


@pytest.mark.parametrize("with_network", [False, True])
def test_a_drawing_is_a_valid_program_near_the_picture(with_network, untrained) -> None:
    drawing = draw_picture(picture_of(SCENE), Options(seconds=2), untrained if with_network else None)
    assert parse(unparse(drawing.tree)) == drawing.tree and not check(drawing.tree)
    assert drawing.rmse < 0.02 and drawing.renders > 10


def test_limits_of_forms_and_numbers_hold() -> None:
    rng = np.random.default_rng(0)
    spots = [
        Layer(ellipse(*rng.uniform(10, 118, 2), 12, 12), tuple(map(int, rng.integers(0, 200, 3)))) for _ in range(20)
    ]
    drawing = draw_picture(picture_of(spots), Options(seconds=2, numbers=24, forms=5))
    sketch_numbers = unparse(drawing.tree)
    shapes = [n for n in drawing.tree.children if n.production in ("ellipse", "rect", "quad", "triangle", "polygon")]
    assert 1 <= len(shapes) <= 5, sketch_numbers
    from treesketch.evaluate import measure_program

    assert measure_program(unparse(drawing.tree)).numbers <= 24


def test_a_picture_keeps_its_aspect() -> None:
    wide = picture_of([Layer(rect(20, 10, 60, 30), (10, 120, 60))], canvas=canvas_of(200, 100))
    drawing = draw_picture(wide, Options(seconds=1))
    assert unparse(drawing.tree).startswith("(size 128 64)") and drawing.rmse < 0.004


def test_progress_is_told_programs_and_errors() -> None:
    heard = []
    draw_picture(
        picture_of(SCENE), Options(seconds=1), progress=lambda tree, rmse: heard.append((tree.production, rmse))
    )
    assert heard and all(production == "program" and 0 <= rmse < 1 for production, rmse in heard)


@pytest.mark.parametrize("renders", [1, 2, 13, 60, 250, 1000])
def test_no_more_renders_than_allowed(renders) -> None:
    drawing = draw_picture(picture_of(SCENE), Options(seconds=inf, renders=renders))
    assert drawing.renders <= renders and drawing.rmse < 0.02
    assert parse(unparse(drawing.tree)) == drawing.tree and not check(drawing.tree)


@pytest.mark.parametrize("with_network", [False, True])
def test_renders_alone_let_time_decide_nothing(with_network, untrained, monkeypatch) -> None:
    rng = np.random.default_rng(3)
    spots = [
        Layer(ellipse(*rng.uniform(10, 118, 2), *rng.uniform(8, 40, 2)), tuple(map(int, rng.integers(0, 255, 3))))
        for _ in range(12)
    ]
    options = Options(seconds=inf, renders=1500, numbers=40, seed=7)

    def draw() -> tuple[str, list[tuple[int, float]]]:
        found = draw_picture(picture_of(spots), options, untrained if with_network else None)
        return unparse(found.tree), [(step.renders, step.rmse) for step in found.course]

    usual = draw()
    ticks = iter(range(10**9))
    monkeypatch.setattr(time, "monotonic", lambda: 1e4 * next(ticks))  # hours between one look and the next
    assert draw() == usual
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    assert draw() == usual


def test_the_course_leads_to_the_program() -> None:
    drawing = draw_picture(picture_of(SCENE), Options(seconds=inf, renders=600))
    renders, seconds, errors = zip(*((step.renders, step.seconds, step.rmse) for step in drawing.course), strict=True)
    assert drawing.course[0].renders < 100 and drawing.course[-1] == Step(
        drawing.renders, drawing.seconds, drawing.rmse
    )
    assert list(renders) == sorted(renders) and list(seconds) == sorted(seconds)
    whole = rasterise(interpret(drawing.tree), (128, 128)).astype(np.float32) / 255
    target = picture_of(SCENE).pixels
    assert errors[-1] == pytest.approx(float(((whole - target) ** 2).mean() ** 0.5), abs=1e-3)


def test_an_allowance_counts_the_nearer_of_two_limits(monkeypatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    both, timed, counted = (Allowance(*limits) for limits in ((10, 40), (10, None), (inf, 40)))
    now = 103.0
    for allowance in (both, timed, counted):
        with counting(allowance.tally):
            charge(8)
    assert (both.used(), timed.used(), counted.used()) == pytest.approx((0.3, 0.3, 0.2))
    assert (both.used(8), timed.used(8), counted.used(8)) == pytest.approx((0.4, 0.3, 0.4))
    assert (timed.deadline(0.5), counted.deadline(0.5)) == (105.0, inf)
    assert counted.affords(32) and not counted.affords(33) and timed.affords(10**9)
    assert both.step(0.25) == Step(8, 3.0, 0.25)


def test_the_judge_agrees_with_the_renderer() -> None:
    sketch = Sketch((255, 255, 255), tuple(SCENE))
    judge = Judge(picture_of(SCENE).pixels, (128, 128), 128)
    assert judge.error(sketch) < 1e-5  # the target was rounded to bytes
    without = judge.stack(sketch).gone[1]
    left_out = judge.error(Sketch((255, 255, 255), (SCENE[0], SCENE[2])))
    assert without.sum() / judge.target.size == pytest.approx(left_out, rel=1e-3)


def test_a_tried_layer_gets_its_colour_and_its_gain() -> None:
    judge = Judge(picture_of(SCENE).pixels, (128, 128), 64)
    short = Sketch((255, 255, 255), (SCENE[0], SCENE[2]))
    stack = judge.stack(short)
    trial = judge.try_layer(Layer(SCENE[1].shape, (0, 0, 0)), stack, 1, False)
    assert trial is not None and np.abs(np.subtract(trial.layer.fill, SCENE[1].fill)).max() <= 1
    whole = judge.error(Sketch((255, 255, 255), (SCENE[0], trial.layer, SCENE[2])))
    assert trial.gain == pytest.approx(judge.error(short) - whole, rel=1e-3)
    assert (1, True) not in judge.places(Layer(rect(0, 0, 20, 20), (0, 0, 0)), stack)  # it does not touch the triangle


def test_a_place_promises_what_is_wrong_there_and_can_be_seen() -> None:
    black = np.zeros((128, 128, 3), np.float32)
    black[:40, :40] = 1  # 1600 pixels that a black ground has wrong by 3 each
    judge = Judge(black, (128, 128), 128)
    stack = judge.stack(Sketch((0, 0, 0), (Layer(rect(20, 0, 60, 128), (0, 0, 0)),)))
    square = Layer(rect(0, 0, 40, 50), (9, 9, 9))
    with counting(Tally()) as tally:
        assert judge.promise(square, stack, 1, False) == pytest.approx(3 * 1600 - 0.3 * 400)
        assert judge.promise(square, stack, 0, False) == pytest.approx(3 * 800 - 0.3 * 200)  # half under the layer
        assert judge.promise(square, stack, 0, True) == pytest.approx(3 * 1600 - 0.3 * 400)  # which hides nothing
        assert judge.promise(Layer(rect(200, 200, 9, 9), (9, 9, 9)), stack, 1, False) == 0
    assert tally.renders == 0


@pytest.mark.parametrize(
    "layer",
    [
        Layer(rect(10, 20, 30, 40), (1, 2, 3)),
        Layer(ellipse(50, 60, 30, 20), (1, 2, 3)),
        Layer(turned(60, 60, 0.5, rect(-20, -10, 40, 20)), (1, 2, 3)),
        Layer(turned(60, 60, 0.5, ellipse(0, 0, 40, 20)), (1, 2, 3)),
        Layer(polygon([(10, 10), (90, 20), (50, 80), (20, 70), (5, 40)]), (1, 2, 3)),
        Layer(shape_of("(vertex 9 9) (quadratic-vertex 50 0 90 20) (vertex 80 90) (vertex 20 70)"), (1, 2, 3)),
        Layer(shape_of("(vertex 9 9) (quadratic-vertex 50 0 90 20) (bezier-vertex 90 60 9 90 9 9)"), (1, 2, 3)),
        Layer(line(10, 20, 90, 60), None, (1, 2, 3), 6.0),
    ],
)
def test_layers_and_outlines_draw_the_same(layer) -> None:
    piece = to_outline(layer, UNIT)
    assert piece is not None
    back = to_sketch(Painting((piece,), same_weights([piece]), np.ones(3), 0.0), UNIT)
    judge = Judge(np.ones((128, 128, 3), np.float32), (128, 128), 128)
    difference = judge.draw(Sketch((255, 255, 255), (layer,))) - judge.draw(back)
    assert np.abs(difference).mean() < 1e-3


def test_a_layer_finds_its_place_alone() -> None:
    true = to_outline(Layer(ellipse(30, 34, 28, 20), (200, 40, 60)), UNIT)
    off = to_outline(Layer(ellipse(32, 32, 24, 24), (0, 0, 0)), UNIT)
    assert true and off
    judge = Judge(np.ones((64, 64, 3), np.float32), (64, 64), 64)
    target = judge.draw(to_sketch(Painting((true,), (0,), np.ones(3), 0.0), UNIT))
    white, clear, nothing = np.ones_like(target), np.ones((64, 64), np.float32), np.zeros_like(target)
    fitted, error = fit_alone(off, Opening(white, clear, nothing), target, rounds=12)
    assert np.abs(fitted.outline.params - true.outline.params).max() < 0.2 and error < 0.5


def test_inserting_counts_places_in_the_old_painting() -> None:
    pieces = [to_outline(Layer(rect(i, 0, 5, 5), (i, i, i)), UNIT) for i in range(5)]
    painting = Painting(tuple(pieces[:3]), (0, 1, 2), np.ones(3), 0.0)
    grown = insert(painting, [(0, False, pieces[3]), (2, True, pieces[4])])
    assert [layer.outline.params[0] for layer in grown.layers] == [3, 0, 1, 4]
    assert len(set(grown.pens)) == 4


def test_rounding_writes_what_a_person_would() -> None:
    judge = Judge(picture_of(SCENE).pixels, (128, 128), 128)
    rough = [
        Layer(rect(0.02, -0.03, 127.98, 50.04), (20, 90, 200)),
        Layer(ellipse(40.03, 69.97, 50.02, 39.96), (240, 200, 30)),
        SCENE[2],
    ]
    tidy = finish(Sketch((255, 255, 255), tuple(rough)), judge, never)
    assert tidy.layers == tuple(SCENE)


def test_an_inside_and_its_outline_become_one_shape() -> None:
    target = picture_of([Layer(ellipse(64, 64, 80, 80), (200, 180, 20), (0, 0, 0), 6.0)])
    judge = Judge(target.pixels, (128, 128), 128)
    parts = (Layer(ellipse(64, 64, 79, 81), (200, 180, 20)), Layer(ellipse(64, 64, 80, 80), None, (0, 0, 0), 6.0))
    found = outlined(Sketch((255, 255, 255), parts), judge, never)
    assert found.layers == (Layer(ellipse(64, 64, 80, 80), (200, 180, 20), (0, 0, 0), 6.0),)
    apart = (Layer(ellipse(64, 64, 50, 50), (200, 180, 20)), parts[1])
    assert outlined(Sketch((255, 255, 255), apart), judge, never).layers == apart


def test_colors_are_written_as_a_person_would() -> None:
    true = [
        Layer(rect(0, 0, 40, 40), (0, 0, 0)),
        Layer(rect(60, 0, 20, 20), (200, 30, 40)),
        Layer(rect(60, 60, 20, 20), (200, 30, 40)),
        Layer(rect(0, 60, 30, 30), (0, 0, 40)),
    ]
    judge = Judge(picture_of(true).pixels, (128, 128), 128)
    colors = [(1, 0, 2), (200, 30, 40), (201, 29, 40), (0, 0, 40)]
    rough = Sketch((254, 255, 254), tuple(replace(layer, fill=c) for layer, c in zip(true, colors, strict=True)))
    tidy = plain_colors(rough, judge, never)
    assert [layer.fill for layer in tidy.layers] == [(0, 0, 0), (200, 30, 40), (200, 30, 40), (0, 0, 40)]
    assert tidy.ground == (255, 255, 255)
    # What shows stays: a large area three levels off is no rounding.
    judge = Judge(np.full((64, 64, 3), 3 / 255, np.float32), (128, 128), 128)
    assert plain_colors(Sketch((3, 3, 3)), judge, never).ground == (3, 3, 3)


def test_the_writer_offers_layers_that_draw(untrained) -> None:
    picture = picture_of(SCENE)
    writer = Writer(untrained, np.random.default_rng(0), samples=8)
    sketch = Sketch((255, 255, 255), tuple(SCENE[:1]))
    judge = Judge(picture.pixels, picture.canvas, 64)
    offered = writer.propose(Situation(picture.pixels, picture.canvas, sketch, judge.draw(sketch)))
    assert offered and not check(write_program(offered, (128, 128), (255, 255, 255)))
    again = Writer(untrained, np.random.default_rng(0), samples=8)
    assert again.propose(Situation(picture.pixels, picture.canvas, sketch, judge.draw(sketch))) == offered


def test_the_network_sees_a_square() -> None:
    pixels = np.zeros((32, 64, 3), np.float32)
    square = to_square(pixels, (128, 64), (255, 0, 0))
    assert square.shape == (64, 64, 3) and square[:32].max() == 0 and (square[32:, :, 0] == 1).all()


def test_numbers_are_counted_as_the_program_writes_them() -> None:
    sketch = Sketch((0, 0, 0), (*SCENE, Layer(line(0, 0, 9, 9), None, (1, 2, 3), 2.0)))
    assert count_numbers(sketch, (128, 128)) == 4 + 4 + 6 + 4 + 1


def test_a_layer_keeps_its_place_at_another_scale() -> None:
    factor = np.array([2.0, 1.5])
    shapes = [rect(10, 20, 30, 40), ellipse(50, 60, 30, 20), polygon([(10, 10), (90, 20), (50, 80)])]
    for shape in shapes:
        piece = to_outline(Layer(shape, (1, 2, 3)), np.ones(2))
        assert piece is not None
        again = to_outline(Layer(shape, (1, 2, 3)), 1 / factor)
        assert again is not None and np.allclose(scaled(piece, factor).outline.params, again.outline.params)


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (300, 7), (10, 20_000)])
def test_odd_pictures_are_drawn(size) -> None:
    pixels = np.full((*size, 3), 0.4, np.float32)
    pixels[: size[0] // 2] = (0.9, 0.1, 0.2)
    drawing = draw_picture(Picture(pixels, "odd", canvas_of(size[1], size[0])), Options(seconds=1))
    assert not check(drawing.tree) and drawing.rmse < 0.05
