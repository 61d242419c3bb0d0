"""Samplers: every scene is a valid program in canonical order, the same for the same seed, and of every sort."""

import time
from collections import Counter

import numpy as np
import pytest

from treesketch.check import check
from treesketch.interpreter import interpret
from treesketch.layers import write_program
from treesketch.sampling import SAMPLERS, sample_layers, sample_mixed, sample_program
from treesketch.sampling.order import reading_order
from treesketch.scene import Scene, apply
from treesketch.syntax import parse, unparse
from treesketch.tree import walk

KINDS = sorted(SAMPLERS)


@pytest.mark.parametrize("kind", KINDS)
def test_programs_parse_check_and_draw(kind: str) -> None:
    rng = np.random.default_rng(11)
    for _ in range(300):
        program = sample_program(kind, rng)
        assert check(program) == []
        assert parse(unparse(program)) == program
        scene = interpret(program)
        assert (scene.width, scene.height) == (128, 128)
        assert scene.shapes


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_lie_on_the_grid(kind: str) -> None:
    rng = np.random.default_rng(12)
    for _ in range(50):
        layers, background = sample_layers(kind, rng)
        assert all(isinstance(c, int) and 0 <= c <= 255 for c in background)
        for layer in layers:
            assert layer.weight * 2 == int(layer.weight * 2)
            assert layer.fill is not None or layer.stroke is not None
            for _, node in walk(layer.shape):
                if node.production in ("point", "extent", "diameters"):
                    values = [child.value for child in node.children if child.production == "literal"]
                    assert all(value * 2 == int(value * 2) for value in values), unparse(layer.shape)
                    assert all(abs(value) <= 400 for value in values), unparse(layer.shape)


def test_a_seed_gives_one_scene() -> None:
    mixture = {"plain": 0.5, "flags": 0.3, "cutouts": 0.2}
    for kind in KINDS:
        first = [sample_program(kind, np.random.default_rng(seed)) for seed in range(20)]
        again = [sample_program(kind, np.random.default_rng(seed)) for seed in range(20)]
        assert first == again
        assert len(set(map(unparse, first))) == 20
    mixed = [sample_mixed(np.random.default_rng(3), mixture) for _ in range(2)]
    assert mixed[0] == mixed[1]


def test_a_mixture_of_one_kind_is_that_kind() -> None:
    one, two = np.random.default_rng(5), np.random.default_rng(5)
    layers, _ = sample_mixed(one, {"flags": 1.0, "plain": 0.0})
    assert layers
    with pytest.raises(KeyError):
        sample_layers("no such kind", two)


def test_every_form_occurs() -> None:
    rng = np.random.default_rng(13)
    programs = [sample_program(kind, rng) for kind in KINDS for _ in range(300)]
    seen = Counter(node.production for program in programs for _, node in walk(program))
    shapes = {"rect", "ellipse", "line", "triangle", "quad", "polygon", "polyline"}
    shapes |= {"rect_rounded", "arc", "arc_closed", "quadratic_vertex"}
    scopes = {"dotimes", "let", "with_translation", "with_rotation", "reference"}
    assert shapes | scopes <= set(seen)


@pytest.mark.parametrize("kind", ["plain", "flags"])
def test_some_scenes_hold_a_loop_or_a_name(kind: str) -> None:
    rng = np.random.default_rng(16)
    texts = [unparse(sample_program(kind, rng)) for _ in range(600)]
    looped = sum("(dotimes" in text or "(let" in text for text in texts)
    assert 0.08 < looped / len(texts) < 0.18


def test_reading_order_by_hand() -> None:
    left_low, right_high = (0, 50, 10, 60), (50, 0, 60, 10)
    assert reading_order([left_low, right_high]) == [1, 0]
    over_all = (0, 0, 128, 128)
    assert reading_order([left_low, right_high, over_all]) == [1, 0, 2]  # it covers both, so it stays last
    assert reading_order([(0, 10, 64, 20), (0, 0, 64, 10)]) == [1, 0]  # an edge in common is no overlap
    assert reading_order([(20, 0, 30, 5), (0, 0, 10, 5)]) == [1, 0]  # left to right


@pytest.mark.parametrize("kind", KINDS)
def test_layers_are_in_reading_order(kind: str) -> None:
    # Of two neighbours that do not overlap, the first stands higher. Boxes come from the drawn paths, not from the
    # sampler, so two units are granted for the grid and for boxes of turned shapes; loops may have looser boxes.
    rng = np.random.default_rng(14)
    compared = 0
    for _ in range(100):
        layers, background = sample_layers(kind, rng)
        if any(node.production in ("dotimes", "let") for layer in layers for _, node in walk(layer.shape)):
            continue
        boxes = [_box(interpret(write_program([layer], (128, 128), background))) for layer in layers]
        for (x0, y0, x1, y1), (u0, v0, u1, v1) in zip(boxes, boxes[1:], strict=False):
            if x1 + 2 < u0 or u1 + 2 < x0 or y1 + 2 < v0 or v1 + 2 < y0:
                assert y0 <= v0 + 2
                compared += 1
    assert compared > 20


def test_a_scene_takes_a_fraction_of_a_millisecond() -> None:
    rng = np.random.default_rng(15)
    best = 1.0
    for _ in range(5):
        start = time.perf_counter()
        for kind in KINDS:
            for _ in range(30):
                sample_layers(kind, rng)
        best = min(best, (time.perf_counter() - start) / (30 * len(KINDS)))
    assert best < 0.002  # seconds; about .0002 on an idle core


def _box(scene: Scene) -> tuple[float, float, float, float]:
    """Around all points of a scene (those of an ellipse lie on its box) and half the stroke, cut at the canvas."""
    xs, ys = [], []
    for shape in scene.shapes:
        out = shape.stroke.weight / 2 if shape.stroke else 0.0
        for point in shape.path.points:
            x, y = apply(shape.transform, point)
            xs += [x - out, x + out]
            ys += [y - out, y + out]
    return max(min(xs), 0), max(min(ys), 0), min(max(xs), 128), min(max(ys), 128)
