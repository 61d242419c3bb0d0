"""From a contour to straight and curved segments: the best cut of it for a price of a number.

In: the `Sides` of a closed contour, or an open line. Out: `Outline`s of kind path, or spline. Each stretch between two
of some forty places is fitted with a line, a quadratic and a cubic at once; dynamic programming finds the row of
stretches whose squared distances and numbers together cost least.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from treesketch.search.contour import Sides
from treesketch.search.outline import POINTS, Outline, bernstein
from treesketch.search.segments import as_path, pieces, tidy

Array = NDArray[np.float64]

PRICES = (0.02, 0.08, 0.3, 1.0, 4.0, 16.0)  # squared error that a number must save
SHARP = 0.75  # radians that a contour turns within REACH points on either side at a corner
REACH = 3
BENDS, EVEN = 30, 16  # places where a contour may be cut: where it bends, and at equal steps
SAMPLES = 10  # points of a stretch that are looked at
MOST_SEGMENTS = 40
STEP = 3.0  # pixels between the places where a path may be cut anew, and MOST_PLACES of these
MOST_PLACES = 90
HIDDEN = 0.01  # share of the largest weight that every point has


def paths(sides: Sides, prices: Sequence[float] = PRICES) -> list[Outline]:
    """The best path along a closed contour for each price, those without a curve or of too many segments left out."""
    ring, worth = sides.points, np.maximum(sides.weight, HIDDEN * sides.weight.max())
    n = len(ring) - 1
    if n < 12:
        return []
    # Where a polygon would have its corners is where the contour bends, and where a stretch may well end.
    cuts = sides.cuts(min(BENDS, n // 3, len(sides.cost) - 1))
    even = np.round(np.linspace(0, n, min(EVEN, n // 3) + 1)).astype(np.int64)
    places = np.unique(np.concatenate([even, cuts, _corners(ring[:-1]), [0, n]]))
    outlines = []
    for verbs, params in _rows(ring, worth, places, prices, around=True):
        if 2 <= len(verbs) <= MOST_SEGMENTS:
            outlines.append(tidy(Outline("path", params, verbs)))
    return outlines


def refits(outline: Outline, prices: Sequence[float] = PRICES) -> list[Outline]:
    """Paths that follow a polygon or a path more plainly: it is smooth by now, where a contour never is."""
    before = as_path(outline)
    points: list[Array] = []
    places = [0]
    for piece in pieces(before):
        length = float(np.hypot(*np.diff(piece, axis=0).T).sum())
        parts = int(np.clip(np.ceil(length / STEP), 1, 2 if len(piece) == 2 else 8))
        t = np.arange(1, parts + 1) / parts
        ends, inner = _basis("LQC"[len(piece) - 2], t)
        points.append(ends @ piece[[0, -1]] + inner @ piece[1:-1])
        places += range(places[-1] + 1, places[-1] + parts + 1)
    if len(places) > MOST_PLACES:
        return []
    ring = np.concatenate([points[-1][-1:], *points])
    found = _rows(ring, np.ones(len(ring)), np.array(places), prices, around=True)
    plainer = [tidy(Outline("path", params, verbs)) for verbs, params in found if len(verbs) > 1]
    return sorted((o for o in plainer if o.numbers < outline.numbers), key=lambda o: o.numbers)


def splines(line: Array, weight: float, prices: Sequence[float] = PRICES) -> list[Outline]:
    """The best stroke of this weight along an open line (n, 2) for each price, those without a curve left out."""
    if len(line) < 4:
        return []
    places = np.unique(np.round(np.linspace(0, len(line) - 1, min(EVEN, len(line) // 3) + 1)).astype(np.int64))
    found = _rows(line, np.ones(len(line)), places, prices, around=False)
    return [Outline("spline", np.concatenate([line[0], params, [weight]]), verbs) for verbs, params in found]


def _rows(
    line: Array, worth: Array, places: NDArray[np.int64], prices: Sequence[float], around: bool
) -> list[tuple[str, Array]]:
    """The cheapest row of segments along a line for each price: verbs, and the points behind the first. No lines only.

    around says that the line comes back to its start, so that no stretch goes all the way.
    """
    first, last = np.triu_indices(len(places), 1)
    if around:
        keep = (last - first) < len(places) - 1
        first, last = first[keep], last[keep]
    fits = _fit_all(line, worth, places[first], places[last])
    found: dict[tuple[str, int], tuple[str, Array]] = {}
    for price in prices:
        pieces = _cut(len(places), first, last, fits, price)
        verbs = "".join(verb for verb, _ in pieces)
        if set(verbs) != {"L"}:
            params = np.concatenate([fits[verb][0][stretch].ravel() for verb, stretch in pieces])
            found.setdefault((verbs, len(params)), (verbs, params))
    return list(found.values())


def _corners(points: Array) -> NDArray[np.int64]:
    """The points where a closed contour turns sharply, in order."""
    before, after = points - np.roll(points, REACH, axis=0), np.roll(points, -REACH, axis=0) - points
    sine = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    turn = np.abs(np.arctan2(sine, (before * after).sum(axis=1)))
    highest = np.max([np.roll(turn, k) for k in range(-REACH, REACH + 1)], axis=0)
    return np.flatnonzero((turn >= SHARP) & (turn == highest))


def _fit_all(
    ring: Array, worth: Array, first: NDArray[np.int64], last: NDArray[np.int64]
) -> dict[str, tuple[Array, Array]]:
    """For each verb, of every stretch: its control points and end (P, k, 2), and the squared distances it leaves."""
    steps = np.hypot(*np.diff(ring, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    share = np.linspace(0.0, 1.0, SAMPLES)
    length = along[last] - along[first]
    at = along[first][:, None] + length[:, None] * share  # (P, S)
    points = np.stack([np.interp(at, along, ring[:, 0]), np.interp(at, along, ring[:, 1])], axis=2)  # (P, S, 2)
    weight = np.interp(at, along, worth) * (length / SAMPLES)[:, None]
    start, end = points[:, :1], points[:, -1:]
    chord = end - start
    away = points - start
    off = away[..., 0] * chord[..., 1] - away[..., 1] * chord[..., 0]
    fits = {"L": (end, (weight * off**2).sum(axis=1) / np.maximum((chord**2).sum(axis=2)[:, 0], 1e-9))}
    for verb in "QC":
        t = np.broadcast_to(share, weight.shape)
        for _ in range(2):
            ends, inner = _basis(verb, t)
            rest = points - ends[..., :1] * start - ends[..., 1:] * end
            weighed = inner * weight[..., None]
            gram = np.einsum("psk,psl->pkl", weighed, inner) + 1e-9 * np.eye(inner.shape[2])
            controls = np.linalg.solve(gram, np.einsum("psk,psd->pkd", weighed, rest))
            drawn = points - rest + np.einsum("psk,pkd->psd", inner, controls)
            slope = np.gradient(drawn, axis=1) / np.maximum(np.gradient(t, axis=1), 1e-6)[..., None]
            squared = np.maximum((slope**2).sum(axis=2), 1e-9)
            step = ((drawn - points) * slope).sum(axis=2) / squared
            t = np.maximum.accumulate(np.clip(t - step, 0.0, 1.0), axis=1)
            t[:, 0], t[:, -1] = 0.0, 1.0
        off = (drawn - points)[..., 0] * slope[..., 1] - (drawn - points)[..., 1] * slope[..., 0]
        fits[verb] = (np.concatenate([controls, end], axis=1), (weight * off**2 / squared).sum(axis=1))
    return fits


def _basis(verb: str, t: Array) -> tuple[Array, Array]:
    """Bernstein's weights of a segment's two ends and of its control points, for parameters of any shape."""
    weights = bernstein(verb, t)
    return weights[..., [0, -1]], weights[..., 1:-1]


def _cut(
    places: int,
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    fits: dict[str, tuple[Array, Array]],
    price: float,
) -> list[tuple[str, int]]:
    """The verbs and stretches from the first place to the last that cost least."""
    costs = np.stack([fits[verb][1] + price * 2 * POINTS[verb] for verb in fits])
    cheapest, verb = costs.min(axis=0), costs.argmin(axis=0)
    table = np.full((places, places), np.inf)
    number = np.zeros((places, places), np.int64)
    table[first, last], number[first, last] = cheapest, np.arange(len(first))
    best, back = np.full(places, np.inf), np.zeros(places, np.int64)
    best[0] = 0.0
    for place in range(1, places):
        total = best[:place] + table[:place, place]
        back[place] = total.argmin()
        best[place] = total[back[place]]
    pieces = []
    place = places - 1
    while place:
        stretch = int(number[back[place], place])
        pieces.append((list(fits)[int(verb[stretch])], stretch))
        place = int(back[place])
    return pieces[::-1]
