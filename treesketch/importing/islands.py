"""One filled path -> outlines that are filled by non-zero winding, each with its holes. Paths in canvas units in, out.

Contours that do not cross are sorted by what lies in what: each piece of paint becomes a group of its own, its holes
going round the other way, where it is far enough from the others to be painted alone. Contours that cross stay
together as they are, or, under the even-odd rule, are made anew without crossings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from matplotlib.path import Path as Polygon
from scipy.spatial import cKDTree

from treesketch.importing import areas
from treesketch.importing.notes import Ledger
from treesketch.importing.paths import Path, Points, area, contours, flatten, is_closed, reverse

GAP = 0.75  # canvas units between pieces that are painted alone: nearer, they would share pixels at the usual size
STEP = 0.25  # canvas units between the points by which that is seen
MOST_CONTOURS = 300  # that are sorted
MOST_MEETING = 10_000  # pairs of contours that may cross
MOST_PAIRS = 16_000_000  # of chords of two contours that are held against each other
AT_ONCE = 500  # chords that are

Group = list[Path]
Chords = npt.NDArray[np.float64]  # (n, 2 ends, 2)


@dataclass(slots=True)
class _Ring:
    """A contour: its polygon, the box around it, the ring around it, and whether its two sides are filled."""

    path: Path
    line: Points
    low: Points
    high: Points
    parent: "_Ring | None" = None
    inside: bool = False
    outside: bool = False

    @property
    def is_edge(self) -> bool:
        """Whether paint ends here."""
        return self.inside != self.outside


def islands(path: Path, even_odd: bool, ledger: Ledger) -> list[Group]:
    """Groups of closed contours to be filled together (non-zero winding), the outer one first.

    What covers next to nothing is left out. Raises Unsure.
    """
    rings = [_ring(contour) for contour in contours(path)]
    rings = [ring for ring in rings if not _is_line(ring.line)]
    if not rings or (len(rings) == 1 and not even_odd):
        return [[ring.path for ring in rings]] if rings else []
    if len(rings) <= MOST_CONTOURS and not _crossing(rings):
        _nest(rings, even_odd)
        return _merged([_wound(ring, rings) for ring in rings if ring.is_edge and ring.inside])
    if even_odd:
        return islands(areas.without_crossings(path, True, ledger), False, ledger)
    return [[ring.path for ring in rings]]


def _ring(contour: Path) -> _Ring:
    path = contour if is_closed(contour) else Path(contour.verbs + "Z", contour.points)
    line = flatten(path)
    return _Ring(path, line, line.min(axis=0), line.max(axis=0))


def _is_line(line: Points) -> bool:
    """Whether all points lie on a line, or nearly so."""
    return len(line) < 3 or float(np.linalg.svd(line - line.mean(axis=0), compute_uv=False)[1]) < areas.THINNEST


def _crossing(rings: Sequence[_Ring]) -> bool:
    """Whether any contour crosses itself or another, or too many may; touching is not crossing."""
    low, high = np.array([ring.low for ring in rings]), np.array([ring.high for ring in rings])
    meet = np.triu(((low[:, None] <= high) & (high[:, None] >= low)).all(axis=2))
    if meet.sum() > MOST_MEETING:
        return True
    for one, other in ((rings[i], rings[j]) for i, j in np.argwhere(meet)):
        first, second = _chords_in(one, other), _chords_in(other, one)
        if len(first) * len(second) > MOST_PAIRS or _cross(first, second):
            return True
    return False


def _chords_in(ring: _Ring, other: _Ring) -> Chords:
    """The chords of a ring that may lie in the box around another."""
    chords = np.stack((ring.line, np.roll(ring.line, -1, axis=0)), axis=1)
    near = (chords.max(axis=1) >= other.low).all(axis=1) & (chords.min(axis=1) <= other.high).all(axis=1)
    return np.asarray(chords[near])


def _cross(one: Chords, other: Chords) -> bool:
    """Whether any chord of one set has the ends of one of the other on both sides, and the other way."""
    low, high = other.min(axis=1), other.max(axis=1)
    for start in range(0, len(one), AT_ONCE):
        some = one[start : start + AT_ONCE]
        near = np.ones((len(some), len(other)), np.bool_)
        for axis in (0, 1):
            near &= some[:, :, axis].min(axis=1)[:, None] <= high[None, :, axis]
            near &= some[:, :, axis].max(axis=1)[:, None] >= low[None, :, axis]
        i, j = np.nonzero(near)
        if (_parts(some[i], other[j]) & _parts(other[j], some[i])).any():
            return True
    return False


def _parts(chords: Chords, others: Chords) -> npt.NDArray[np.bool_]:
    """Whether the line of each chord has the other's ends on both sides: (n,)."""
    along = chords[:, 1] - chords[:, 0]
    away = others - chords[:, :1]
    side = along[:, None, 0] * away[..., 1] - along[:, None, 1] * away[..., 0]
    slack = 1e-6 * np.abs(along).sum(axis=1)
    return np.asarray((side.min(axis=1) < -slack) & (side.max(axis=1) > slack))


def _nest(rings: Sequence[_Ring], even_odd: bool) -> None:
    """Find what lies in what, and which sides are filled."""
    order = sorted(rings, key=lambda ring: -abs(area(ring.line)))  # a ring after all that may be around it
    windings: dict[int, int] = {}
    for i, ring in enumerate(order):
        for other in reversed(order[:i]):
            if (other.low <= ring.low).all() and (other.high >= ring.high).all():
                if Polygon(other.line).contains_points(ring.line).mean() > 0.5:
                    ring.parent = other
                    break
        around = windings[id(ring.parent)] if ring.parent else 0
        own = 1 if even_odd or area(ring.line) > 0 else -1
        windings[id(ring)] = around + own
        filled = [bool(value % 2) if even_odd else value != 0 for value in (around, around + own)]
        ring.outside, ring.inside = filled


def _wound(outer: _Ring, rings: Sequence[_Ring]) -> Group:
    """A ring, clockwise on the screen, and its holes the other way around."""
    holes = [ring for ring in rings if ring.is_edge and not ring.inside and _edge_around(ring) is outer]
    return [ring.path if (area(ring.line) > 0) is ring.inside else reverse(ring.path) for ring in (outer, *holes)]


def _edge_around(ring: _Ring) -> _Ring | None:
    """The nearest ring around another at which paint ends."""
    around = ring.parent
    while around and not around.is_edge:
        around = around.parent
    return around


def _merged(groups: list[Group]) -> list[Group]:
    """The groups, those together that are too near for being painted alone."""
    if len(groups) == 1:
        return groups
    edges = [np.concatenate([_spread(flatten(contour)) for contour in group]) for group in groups]
    boxes = [(points.min(axis=0) - GAP, points.max(axis=0)) for points in edges]
    trees = [cKDTree(points) for points in edges]
    leader = list(range(len(groups)))

    def find(i: int) -> int:
        while leader[i] != i:
            i = leader[i]
        return i

    for i, j in combinations(range(len(groups)), 2):
        (low, high), (other_low, other_high) = boxes[i], boxes[j]
        if find(i) == find(j) or (low > other_high).any() or (other_low > high).any():
            continue
        if trees[i].query(edges[j], distance_upper_bound=GAP)[0].min() < GAP:
            leader[find(j)] = find(i)
    together: dict[int, Group] = {}
    for i, group in enumerate(groups):
        together.setdefault(find(i), []).extend(group)
    return list(together.values())


def _spread(line: Points) -> Points:
    """Points all along a closed line, none further than STEP from the next."""
    ends = np.roll(line, -1, axis=0)
    counts = np.maximum(1, np.ceil(np.hypot(*(ends - line).T) / STEP)).astype(int)
    counts = np.minimum(counts, 4_000)
    starts, steps = np.repeat(line, counts, axis=0), np.repeat(ends - line, counts, axis=0)
    place = np.concatenate([np.arange(count) / count for count in counts])
    return np.asarray(starts + steps * place[:, None])
