"""Corners and curves where they pay: added where the picture asks for them and removed where it does not.

In: a painting as `Layer`s that is already polished, its target, and how many numbers it may cost. Out: the same
painting with its numbers better spent. What a new corner would save and what an old one is worth are both read off
the quadratic that the squared error is near an optimum; the worth of a corner allows for all others moving to make up
for its loss (the optimal brain surgeon of Hassibi and Stork, 1993, with geometry for weights).
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from treesketch.search.curves import refits
from treesketch.search.outline import STROKES, Layer, Outline
from treesketch.search.polish import Slope, linearise, polish, squared_error
from treesketch.search.segments import as_path, grow, growths, pieces, shrink, shrinkings, tidy

Array = NDArray[np.float64]

LEAST_REFITTED = 12  # numbers; an outline of fewer is plain enough
LEAST_SIDE = 3.0  # pixels; a shorter side gets no corner in its middle
POINTED = ("polygon", "polyline", "loop")
CLOSED = ("polygon", "path")  # filled shapes whose sides may be curves


def spend(
    layers: Sequence[Layer],
    pens: Sequence[int],
    ground: Array,
    target: NDArray[np.float32],
    numbers: int,
    price: float,
    deadline: float = math.inf,
) -> tuple[list[Layer], list[int], Array, float]:
    """Add the corners that save most, then remove what saves least, to end at no more than `numbers`.

    price is the squared error that a number must save. Past the deadline (time.monotonic seconds) nothing more is
    tried.
    Returns the layers, their pens, the ground colour and the rmse.
    """
    layers, pens = list(layers), list(pens)
    layers, ground, rmse = polish(layers, ground, target, rounds=2, pens=pens)
    if not layers:
        return layers, pens, ground, rmse
    layers = simplify(layers, ground, target, price)
    layers, ground, rmse = polish(layers, ground, target, rounds=2, pens=pens)
    best = (layers, pens, ground, rmse)
    for share in (1.15, 1.05):
        if time.monotonic() > deadline:
            return best
        layers, pens, ground, rmse = best
        more = add_corners(layers, ground, target, max(int(share * numbers) - cost(layers, pens), 0), price)
        layers, ground, rmse = polish(more, ground, target, rounds=4, pens=pens)
        for _ in range(5):
            if time.monotonic() > deadline:
                return best
            before = cost(layers, pens)
            layers, pens = remove_least(layers, pens, ground, target, before - numbers, price)
            if not layers or cost(layers, pens) == before:
                break
            layers = straighten(simplify(layers, ground, target, price), ground, target, price)
            layers, ground, rmse = polish(layers, ground, target, rounds=3, pens=pens)
            best = min(
                best, (layers, pens, ground, rmse), key=lambda state: _burden(state, target.size, numbers, price)
            )
    return best


def _burden(
    state: tuple[list[Layer], list[int], Array, float], size: int, numbers: int, price: float
) -> tuple[int, float]:
    """What a painting is judged by: numbers beyond those allowed, then squared error and numbers together."""
    layers, pens, _, rmse = state
    spent = cost(layers, pens)
    return max(spent - numbers, 0), rmse**2 * size + price * spent


def simplify(layers: list[Layer], ground: Array, target: NDArray[np.float32], price: float) -> list[Layer]:
    """Plainer shapes where they draw nearly the same: a turned ellipse as an upright one or a circle, a quad as a
    rect.
    """
    error = linearise(layers, ground, target).error
    for k, layer in enumerate(layers):
        for plain in _plainer(layer.outline):
            trial = [*layers[:k], Layer(plain, layer.color), *layers[k + 1 :]]
            worse = squared_error(trial, ground, target)
            # The polish that follows makes up for some of it.
            if worse - error < 3 * price * max(layer.outline.numbers - plain.numbers, 1):
                layers, error = trial, worse
                break
    return layers


def straighten(layers: list[Layer], ground: Array, target: NDArray[np.float32], price: float) -> list[Layer]:
    """Outlines of fewer segments where they draw nearly the same."""
    error = squared_error(layers, ground, target)
    for k, layer in enumerate(layers):
        if layer.outline.kind not in CLOSED or layer.outline.numbers < LEAST_REFITTED:
            continue
        for plain in refits(layer.outline):
            trial = [*layers[:k], Layer(plain, layer.color), *layers[k + 1 :]]
            worse = squared_error(trial, ground, target)
            # The polish that follows makes up for most of it.
            if worse - error < 6 * price * (layer.outline.numbers - plain.numbers):
                layers, error = trial, worse
                break
    return layers


def _plainer(outline: Outline) -> list[Outline]:
    p = outline.params
    if outline.kind == "rounded" and p[4] < 1:
        return [Outline("rect", p[:4])]
    if outline.kind == "ellipse" and abs(p[2] - p[3]) < 0.5:
        return [Outline("circle", np.array([p[0], p[1], (p[2] + p[3]) / 2]))]
    if outline.kind == "oval":
        found = [Outline("circle", np.array([p[0], p[1], (p[2] + p[3]) / 2]))] if abs(p[2] - p[3]) < 0.5 else []
        turns = p[4] / (np.pi / 2)
        radii = p[2:4] if round(turns) % 2 == 0 else p[3:1:-1]
        if abs(turns - round(turns)) < 0.1:
            found.append(Outline("ellipse", np.concatenate([p[:2], radii])))
        return found
    if outline.kind in ("polygon", "loop") and len(p) in (8, 9):
        p, weight = p[:8], p[8:]
        x, y = np.sort(p[::2]), np.sort(p[1::2])
        box = np.array([x[:2].mean(), y[:2].mean(), x[2:].mean(), y[2:].mean()])
        far = np.abs(np.sort(np.abs(p.reshape(-1, 2) - box[:2]), axis=0)[:2])
        if far.max() < 1.0 and x[1] - x[0] < 1.0 and x[3] - x[2] < 1.0:
            return [Outline("box" if outline.kind == "loop" else "rect", np.append(box, weight))]
    return []


def cost(layers: Sequence[Layer], pens: Sequence[int]) -> int:
    """The numbers that layers cost in a program; a pen's weight is counted once."""
    strokes = [pen for layer, pen in zip(layers, pens, strict=True) if layer.outline.kind in STROKES]
    return sum(layer.outline.numbers for layer in layers) - len(strokes) + len(set(strokes))


def _points(outline: Outline) -> tuple[Array, Array]:
    """The corners (n, 2) of an outline and the rest of its parameters."""
    end = len(outline.params) - (outline.kind in STROKES)
    return outline.params[:end].reshape(-1, 2), outline.params[end:]


def _with_points(layer: Layer, points: Array) -> Layer:
    rest = _points(layer.outline)[1]
    return Layer(Outline(layer.outline.kind, np.concatenate([points.ravel(), rest])), layer.color)


def add_corners(
    layers: Sequence[Layer], ground: Array, target: NDArray[np.float32], numbers: int, price: float
) -> list[Layer]:
    """New corners in the middles of sides, or curves in the place of sides, where one would lower the error most.

    They cost up to that many numbers; each must save its price.
    """
    ways = _new_corners(layers, ground, target) + _new_curves(layers, ground, target)
    ways.sort(key=lambda way: -way.gain / way.numbers)
    chosen: dict[int, dict[type, list[_Way]]] = {}
    left = numbers
    for way in ways:
        if way.gain > way.numbers * price and way.numbers <= left:
            chosen.setdefault(way.layer, {}).setdefault(type(way), []).append(way)
            left -= way.numbers
    result = list(layers)
    for k, kinds in chosen.items():
        # Corners and curves of one outline would be counted twice: the better of the two go in.
        best = max(kinds.values(), key=lambda found: sum(way.gain for way in found))
        result[k] = best[0].apply(layers[k], sorted(way.side for way in best))
    return result


@dataclass(frozen=True, slots=True)
class _Way:
    """A way to spend numbers on a side of a layer's outline, and the squared error that it may save."""

    layer: int
    side: int
    numbers: int
    gain: float

    def apply(self, layer: Layer, sides: list[int]) -> Layer:
        """The layer with that done to these sides, in order."""
        raise NotImplementedError


class _Corner(_Way):
    """A corner in the middle of a side."""

    __slots__ = ()

    def apply(self, layer: Layer, sides: list[int]) -> Layer:
        points, _ = _points(layer.outline)
        middles = (points + np.roll(points, -1, axis=0)) / 2
        return _with_points(layer, np.insert(points, [i + 1 for i in sides], middles[sides], axis=0))


class _Curve(_Way):
    """A side that becomes a curve, or a curve that becomes one of more freedom."""

    __slots__ = ()

    def apply(self, layer: Layer, sides: list[int]) -> Layer:
        return Layer(tidy(grow(as_path(layer.outline), sides)), layer.color)


def _new_corners(layers: Sequence[Layer], ground: Array, target: NDArray[np.float32]) -> list[_Way]:
    trial: list[Layer] = []
    where: list[tuple[int, int, int]] = []  # layer, side, place of the new point in the trial's points
    for k, layer in enumerate(layers):
        if layer.outline.kind not in POINTED:
            trial.append(layer)
            continue
        points, _ = _points(layer.outline)
        n = len(points)
        longer = []
        for i in range(n):
            longer.append(points[i])
            if i == n - 1 and layer.outline.kind == "polyline":
                break
            after = points[(i + 1) % n]
            if np.hypot(*(after - points[i])) > LEAST_SIDE:
                where.append((k, i, len(longer)))
                longer.append((points[i] + after) / 2)
        trial.append(_with_points(layer, np.array(longer)))
    slope = linearise(trial, ground, target)
    return [
        _Corner(k, side, 2, _gain(slope, int(slope.offsets[k]) + 2 * place + np.arange(2))) for k, side, place in where
    ]


def _new_curves(layers: Sequence[Layer], ground: Array, target: NDArray[np.float32]) -> list[_Way]:
    outlines = {k: as_path(layer.outline) for k, layer in enumerate(layers) if layer.outline.kind in CLOSED}
    trial = [
        Layer(grow(outlines[k], range(len(outlines[k].verbs))), layer.color) if k in outlines else layer
        for k, layer in enumerate(layers)
    ]
    slope = linearise(trial, ground, target)
    found: list[_Way] = []
    for k, outline in outlines.items():
        for (i, numbers, at), piece in zip(growths(outline), pieces(outline), strict=True):
            if np.hypot(*(piece[-1] - piece[0])) > LEAST_SIDE:
                found.append(_Curve(k, i, numbers, _gain(slope, int(slope.offsets[k]) + at)))
    return found


def _gain(slope: Slope, at: NDArray[np.int64]) -> float:
    """How much squared error parameters may save if they move and all others stay."""
    block = slope.normal[np.ix_(at, at)] + 0.05 * np.eye(len(at))
    return float(slope.right[at] @ np.linalg.solve(block, slope.right[at]))


def remove_least(
    layers: list[Layer], pens: list[int], ground: Array, target: NDArray[np.float32], excess: int, price: float
) -> tuple[list[Layer], list[int]]:
    """Without the corners and layers that are worth least: all below price, and more until `excess` numbers are
    gone.
    """
    slope = linearise(layers, ground, target)
    inverse = np.linalg.inv(slope.normal + 0.02 * np.eye(len(slope.normal)))
    options: list[tuple[float, int, int, int]] = []  # error a number, numbers, layer, corner (-1: the layer)
    for k, layer in enumerate(layers):
        shared = layer.outline.kind in STROKES and pens.count(pens[k]) > 1
        numbers = layer.outline.numbers - shared
        options.append(((float(slope.without[k]) - slope.error) / numbers, numbers, k, -1))
        base = int(slope.offsets[k])
        if layer.outline.kind == "path":
            for step in shrinkings(layer.outline):
                at = base + step.where
                held = step.aims @ inverse[np.ix_(at, at)] @ step.aims.T + 1e-9 * np.eye(len(step.off))
                worth = float(np.sum(step.off * np.linalg.solve(held, step.off)))
                worth = min(worth, _lost(slope, at, step.move))
                options.append((worth / step.numbers, step.numbers, k, step.segment))
        if layer.outline.kind not in POINTED:
            continue
        points, _ = _points(layer.outline)
        n, is_open = len(points), layer.outline.kind == "polyline"
        if n <= (2 if is_open else 3):
            continue
        for i in range(1, n - 1) if is_open else range(n):
            h, j = (i - 1) % n, (i + 1) % n
            chord = points[j] - points[h]
            length = max(float(np.hypot(*chord)), 1e-6)
            normal = np.array([-chord[1], chord[0]]) / length
            t = float(np.clip((points[i] - points[h]) @ chord / length**2, 0.0, 1.0))
            off = float((points[i] - points[h]) @ normal)
            at = np.array([base + 2 * m + c for m in (i, h, j) for c in (0, 1)])
            aim = np.concatenate([normal, -(1 - t) * normal, -t * normal])
            worth = off**2 / max(float(aim @ inverse[np.ix_(at, at)] @ aim), 1e-9)
            worth = min(worth, _lost(slope, at[:2], -off * normal))
            options.append((worth / 2, 2, k, i))
    options.sort()
    gone: dict[int, list[int]] = {}
    saved = 0.0
    # A corner's worth changes with its neighbours': a third of the excess at a time, and no two neighbours at once.
    enough = max(excess / 3, 8.0)
    for worth, numbers, k, i in options:
        if worth > price and saved >= min(enough, excess):
            break
        removed = gone.get(k, [])
        if -1 in removed or (i == -1 and removed):
            continue
        if i >= 0 and layers[k].outline.kind == "path":
            n = len(layers[k].outline.verbs)
            if {(i - 1) % n, (i + 1) % n} & set(removed) or not _is_whole(shrink(layers[k].outline, [*removed, i])):
                continue
        elif i >= 0:
            n = len(_points(layers[k].outline)[0])
            left = n - len(removed) - 1
            near = {(i - 1) % n, (i + 1) % n}
            if near & set(removed) or left < (2 if layers[k].outline.kind == "polyline" else 3):
                continue
        gone.setdefault(k, []).append(i)
        saved += numbers
        if saved >= enough and worth > price:
            break
    result, kept_pens = [], []
    for k, layer in enumerate(layers):
        removed = gone.get(k, [])
        if -1 in removed:
            continue
        if removed and layer.outline.kind == "path":
            layer = Layer(tidy(shrink(layer.outline, removed)), layer.color)
        elif removed:
            layer = _with_points(layer, np.delete(_points(layer.outline)[0], removed, axis=0))
        result.append(layer)
        kept_pens.append(pens[k])
    return result, kept_pens


def _lost(slope: Slope, at: NDArray[np.int64], move: Array) -> float:
    """The squared error that a move of some parameters adds, all others left: next to none where nothing is seen."""
    return max(float(move @ slope.normal[np.ix_(at, at)] @ move - 2 * slope.right[at] @ move), 0.0)


def _is_whole(outline: Outline) -> bool:
    """Whether a path still encloses anything."""
    return len(outline.verbs) >= (3 if set(outline.verbs) == {"L"} else 2)
