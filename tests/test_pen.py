"""Strokes as the search models them, beside the exact renderer and beside finite differences."""

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

from treesketch.layers import Layer
from treesketch.search.coverage import cover, cover_with_slopes
from treesketch.search.fit import shape_node
from treesketch.search.judge import Judge
from treesketch.search.outline import Outline
from treesketch.search.pen import widen

SIDE = 96
BOUND = 0.003  # rmse of coverage: the renderer's has 8 bits (.0011 over the pixels of an edge) and chords of its own
KINDS = ("line", "polyline", "hairpins", "loop", "cubic", "cusp", "spline", "ring", "arc", "box", "frame")
SEGMENT = {"L": 1, "Q": 2, "C": 3}  # points


def exact(outline: Outline) -> NDArray[np.float32]:
    judge = Judge(np.zeros((SIDE, SIDE, 3), np.float32), (SIDE, SIDE), SIDE)
    stroke = Layer(shape_node(outline, np.ones(2)), None, (0, 0, 0), float(outline.params[-1]))
    return judge.paints(stroke)[0][0]


def somewhere(random: Generator, count: int) -> NDArray[np.float64]:
    return random.uniform(16, 80, 2 * count)


def stroke(kind: str, random: Generator) -> Outline:
    """A random stroke of a kind, its numbers as a program has them."""
    weight = random.uniform(1, 20)
    verbs = ""
    match kind:
        case "line":
            params = somewhere(random, 2)
        case "polyline" | "loop":
            params = somewhere(random, random.integers(3, 7))
        case "hairpins":  # to and fro, the turns .5 to 8 pixels apart
            angle = random.uniform(0, 2 * np.pi)
            along = np.array([np.cos(angle), np.sin(angle)])
            aside = np.array([-along[1], along[0]]) * random.uniform(0.5, 8)
            count = random.integers(3, 6)
            params = np.concatenate([48 + (-25, 25)[k % 2] * along + (k - count / 2) * aside for k in range(count)])
        case "cubic":
            verbs, params = "C", somewhere(random, 4)
        case "cusp":  # control points crossed, so that the curve turns back in a point or nearly
            verbs, params = "C", np.array([20, 60, 76, 20, 20, 20, 76, 60]) + random.normal(0, 6, 8)
        case "spline":
            verbs = "".join(random.choice(list(SEGMENT), random.integers(2, 5)))
            params = somewhere(random, 1 + sum(SEGMENT[verb] for verb in verbs))
        case "ring":
            params = np.array([*random.uniform(30, 66, 2), *random.uniform(2, 28, 2)])
        case "arc":
            start = random.uniform(-3, 3)
            ends = start, start + random.uniform(0.3, 6)
            params = np.array([*random.uniform(30, 66, 2), *random.uniform(4, 28, 2), *ends])
        case "box":
            params = np.array([*random.uniform(16, 45, 2), *random.uniform(46, 80, 2)])
        case "frame":
            params = np.array([*random.uniform(16, 40, 2), *random.uniform(50, 80, 2), random.uniform(1, 4)])
    form = {"line": "polyline", "hairpins": "polyline", "cubic": "spline", "cusp": "spline"}.get(kind, kind)
    return Outline(form, np.append(params, weight).round(2), verbs)


@pytest.mark.parametrize("kind", KINDS)
def test_strokes_cover_what_the_renderer_draws(kind: str) -> None:
    random = np.random.default_rng(7)
    for _ in range(30):
        outline = stroke(kind, random)
        off = cover([outline], SIDE, SIDE)[0] - exact(outline)
        assert np.sqrt((off**2).mean()) < BOUND, outline
        assert np.abs(off).max() < 0.1, outline


def test_a_mitre_beyond_the_limit_is_cut_off() -> None:
    # Two edges of 40 px, 8 px wide. Their mitre is 1 / sin(half the angle between them) weights long, at most 10: of
    # an angle of 12 degrees it ends 8 / 2 / sin(6 deg) = 38.3 px beyond the corner, one of 11 degrees is cut off there.
    for degrees, length in ((12, 38.27), (11, 4 * np.sin(np.radians(5.5)))):
        half = np.radians(degrees / 2)
        back, aside = 40 * np.cos(half), 40 * np.sin(half)
        line = np.array([[60 - back, 48 - aside], [60, 48], [60 - back, 48 + aside]])
        (rim,), _ = widen(line, None, np.zeros(3, bool), False, 8.0)
        assert rim[:, 0].max() - 60 == pytest.approx(length, abs=0.01)


def test_a_line_of_no_length_is_a_dot() -> None:
    outline = Outline("polyline", np.array([20.0, 20, 20, 20, 9]))
    area = cover([outline], SIDE, SIDE)[0].sum()
    assert area == pytest.approx(np.pi * 4.5**2, rel=7e-3)  # chords .02 px within it
    assert np.isfinite(cover_with_slopes([outline], SIDE, SIDE, True)[1][0].value).all()


@pytest.mark.parametrize("kind", KINDS)
def test_slopes_of_strokes_are_those_of_finite_differences(kind: str) -> None:
    random = np.random.default_rng(8)
    for _ in range(3):
        outline = stroke(kind, random)
        outline.params[:] += random.uniform(0, 0.004, len(outline.params))  # no edge just between two pixels
        wanted = random.normal(size=SIDE * SIDE)
        found = cover_with_slopes([outline], SIDE, SIDE, True)[1][0]
        slopes = wanted[found.pixel] @ found.value
        step = 1e-4
        for k in range(len(outline.params)):
            ahead, behind = (
                Outline(outline.kind, outline.params + step * sign * np.eye(len(slopes))[k], outline.verbs)
                for sign in (1, -1)
            )
            high, low = cover([ahead, behind], SIDE, SIDE).astype(float).reshape(2, -1)
            assert slopes[k] == pytest.approx((high - low) @ wanted / (2 * step), rel=2e-2, abs=0.1)


def test_an_edge_between_two_pixels_is_felt_in_the_one_that_it_may_enter() -> None:
    (found,) = cover_with_slopes([Outline("rect", np.array([10.0, 12, 20, 30]))], SIDE, SIDE, True)[1]
    right = found.pixel % SIDE == 20
    assert right.sum() >= 18 and found.value[right][:, 2].sum() == pytest.approx(18)
    left = found.pixel % SIDE == 10
    assert found.value[left][:, 0].sum() == pytest.approx(-18)
