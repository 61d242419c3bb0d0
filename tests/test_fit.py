"""Fitted shapes: coverage against areas worked out by hand, and pictures of known shapes given back as those shapes."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from treesketch.search.coverage import cover
from treesketch.search.fit import Candidate, propose, shape_node, trace
from treesketch.search.outline import Layer, Outline
from treesketch.search.polish import paint, polish
from treesketch.tree import Node, walk

SIZE = (128, 128)


def outline(kind: str, *params: float) -> Outline:
    return Outline(kind, np.array(params, dtype=np.float64))


def picture(*layers: tuple[Outline, tuple[float, float, float]]) -> NDArray[np.float32]:
    return paint([Layer(o, np.array(color)) for o, color in layers], np.ones(3), *SIZE)


def numbers_of(node: Node) -> list[float]:
    return [float(n.value) for _, n in walk(node) if n.production == "literal" and n.value is not None]


def only(candidates: list[Candidate]) -> Candidate:
    assert len(candidates) == 2  # the background and the shape
    return candidates[1]


RED, BLUE, GREEN = (0.8, 0.1, 0.1), (0.1, 0.2, 0.7), (0.0, 0.6, 0.2)


def test_coverage_of_a_triangle_by_hand() -> None:
    # Half of the square (0, 0)-(2, 2): the diagonal halves two pixels and leaves one whole.
    coverage = cover([outline("polygon", 0, 0, 2, 0, 0, 2)], 2, 3)[0]
    np.testing.assert_allclose(coverage, [[1.0, 0.5, 0.0], [0.5, 0.0, 0.0]], atol=1e-6)


def test_coverage_is_cut_at_the_canvas() -> None:
    coverage = cover([outline("rect", -50, 1.25, 1.5, 90)], 3, 4)[0]
    np.testing.assert_allclose(coverage, [[0, 0, 0, 0], [0.75, 0.375, 0, 0], [1, 0.5, 0, 0]], atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        (outline("circle", 60, 61, 20.5), math.pi * 20.5**2),
        (outline("oval", 60, 61, 30, 11, 0.7), math.pi * 330),
        (outline("polyline", 20, 30, 90, 70, 7), 7 * math.hypot(70, 40) + math.pi * 3.5**2),  # with two round caps
        (outline("ring", 60, 60, 30, 30, 5), math.pi * (32.5**2 - 27.5**2)),
        (outline("loop", 30, 30, 90, 30, 90, 80, 30, 80, 4), 64 * 54 - 56 * 46),  # mitred corners
    ],
)
def test_areas(shape: Outline, area: float) -> None:
    assert abs(cover([shape], *SIZE)[0].sum() - area) < 0.004 * area


def test_polish_finds_the_true_shapes() -> None:
    true = [(outline("polygon", 20, 20.3, 60, 25.2, 90, 64, 30, 80), RED), (outline("circle", 64.3, 60.1, 20.7), BLUE)]
    start = [Layer(Outline(o.kind, o.params + 0.6), np.array(color) + 0.05) for o, color in true]
    layers, ground, rmse = polish(start, np.full(3, 0.95), picture(*true), rounds=12)
    assert rmse < 1e-4
    for layer, (o, color) in zip(layers, true, strict=True):
        np.testing.assert_allclose(layer.outline.params, o.params, atol=0.01)
        np.testing.assert_allclose(layer.color, color, atol=0.002)
    np.testing.assert_allclose(ground, 1.0, atol=0.002)


@pytest.mark.parametrize(
    ("shape", "form", "numbers"),
    [
        (outline("rect", 20.25, 30.5, 90.75, 77.2), "rect", [20.25, 30.5, 70.5, 46.7]),
        (outline("circle", 60.3, 64.8, 25.4), "ellipse", [60.3, 64.8, 50.8, 50.8]),
        (outline("ellipse", 60.3, 64.8, 40.4, 19.2), "ellipse", [60.3, 64.8, 80.8, 38.4]),
    ],
)
def test_trace_gives_back_the_shape(shape: Outline, form: str, numbers: list[float]) -> None:
    found = only(trace(picture((shape, RED)), SIZE))
    assert found.shape.production == form and found.stroke is None
    assert found.fill == pytest.approx(tuple(255 * c for c in RED), abs=1)
    np.testing.assert_allclose(numbers_of(found.shape), numbers, atol=0.05)


def test_trace_gives_back_a_star_with_ten_corners() -> None:
    turn = np.pi / 5 * np.arange(10) - np.pi / 2
    radius = np.where(np.arange(10) % 2 == 0, 50, 20)
    corners = np.stack([64 + radius * np.cos(turn), 64 + radius * np.sin(turn)], axis=1)
    found = only(trace(picture((Outline("polygon", corners.ravel()), RED)), SIZE))
    got = np.array(numbers_of(found.shape)).reshape(-1, 2)
    assert found.shape.production == "polygon" and found.numbers == 20
    nearest = np.sqrt(((got[:, None] - corners[None]) ** 2).sum(axis=2)).min(axis=0)
    assert nearest.max() < 0.1


def test_trace_draws_a_line_with_a_pen() -> None:
    found = only(trace(picture((outline("polyline", 20.4, 30.7, 100.2, 90.1, 8), BLUE)), SIZE))
    assert found.shape.production == "line" and found.fill is None
    assert found.stroke == pytest.approx(tuple(255 * c for c in BLUE), abs=1)
    assert found.weight == pytest.approx(8, abs=0.1)
    ends = np.array(numbers_of(found.shape)).reshape(2, 2)
    np.testing.assert_allclose(ends[np.argsort(ends[:, 0])], [[20.4, 30.7], [100.2, 90.1]], atol=0.15)


def test_a_shape_behind_another_is_whole() -> None:
    behind, before = outline("rect", 20, 40, 108, 80), outline("circle", 64, 84, 20)
    candidates = trace(picture((behind, RED), (before, BLUE)), SIZE)
    assert [c.shape.production for c in candidates] == ["rect", "rect", "ellipse"]
    np.testing.assert_allclose(numbers_of(candidates[1].shape), [20, 40, 88, 40], atol=0.05)


def test_trace_keeps_to_its_numbers() -> None:
    rng = np.random.default_rng(0)
    shapes = [(Outline("polygon", rng.uniform(0, 128, 12)), tuple(rng.random(3))) for _ in range(12)]
    assert sum(c.numbers for c in trace(picture(*shapes), SIZE, numbers=40)) <= 44


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (3, 5), (128, 7), (300, 200)])
def test_any_size_and_one_colour(size: tuple[int, int]) -> None:
    plain = np.full((*size, 3), 0.5, dtype=np.float32)
    assert len(trace(plain, (128, 128))) == 1
    assert propose(plain, None, (128, 128)) == []


def test_propose_offers_what_is_missing_first() -> None:
    old, new = (outline("rect", 10, 10, 60, 50), GREEN), (outline("circle", 90, 90, 20), BLUE)
    found = propose(picture(old, new), picture(old), SIZE)
    assert found[0].fill == pytest.approx(tuple(255 * c for c in BLUE), abs=1)
    assert found[0].shape.production == "ellipse"
    np.testing.assert_allclose(numbers_of(found[0].shape), [90, 90, 40, 40], atol=0.3)
    assert found[0].gain > 0.95 * math.pi * 400 * ((1 - np.array(BLUE)) ** 2).sum()


def test_nodes_are_in_canvas_units() -> None:
    node = shape_node(outline("oval", 10, 20, 8, 4, 0.5), np.array([2.0, 2.0]))
    assert numbers_of(node) == [20.0, 40.0, 0.5, 0.0, 0.0, 32.0, 16.0]
    assert [n.production for _, n in walk(node)][:4] == ["with_translation", "point", "literal", "literal"]
