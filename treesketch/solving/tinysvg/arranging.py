"""The short tree that puts leaves where they are: leaves with their places in, an element of tinysvg out. No pictures.

Sets of leaves are put together from smaller sets, all ways that the order of painting allows, and the cheapest trees of
each set are kept, by the box that it takes for itself. All lengths are half pixels, so that halves of boxes are whole.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from treesketch.dialects.evaluator import DIGITS
from treesketch.dialects.tinysvg import SIDE
from treesketch.solving.tinysvg.leaves import SIZE, Leaf, leaf_node
from treesketch.tree import Node

GAP = 2  # half pixels of a step between two elements
LARGEST = 9  # digit
FARTHEST = 2 * LARGEST  # steps of two moves
WIDEST = LARGEST * (GAP + SIZE)  # of a spacer with its gap
MOST_FREE = 9  # leaves that are put together in any order

# What a tree costs, in tenths of a node, so that among equals the likelier one is taken.
ARRANGE, MOVE, SPACER = 30, 50, 60
MOVED_GROUP = 3  # more, for moving what is not a leaf: problems of the sampler have no such moves

EXTRAS = (0, 60, 120, 180, 240, 320, 400, 500, 700, 1000)  # costs beyond the leaves' own, least first
MOST_PAIRS = 400_000  # of trees that are put together
FEWEST_KEPT, MOST_KEPT = 6, 40  # trees of a set
FARTHEST_BOX = 1 << 14  # more than any length

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Trees(NamedTuple):
    """The cheapest trees of one set of leaves, cheapest first."""

    boxes: Ints  # (n, 4): x, y, width, height
    costs: Ints  # (n,)
    plans: Ints  # (n, PLAN): how it was put together


class Pairs(NamedTuple):
    """Pairs of trees of two sets that have nothing in common, the first to be painted before the second."""

    boxes: Ints  # (n, 2, 4)
    costs: Ints  # (n,) of both and what arranges them
    picks: Ints  # (n, 2): the numbers of the trees
    sets: Ints  # (n, 2)

    def only(self, mask: Mask) -> "Pairs":
        return Pairs(*(part[mask] for part in self))


# Columns of a plan: the first set and the number of its tree, the second's, the axis, the gap; then the steps by which
# the first is moved, across and down, and the second; then spacers beside the first and the second across the axis.
FIRST, FIRST_TREE, SECOND, SECOND_TREE, AXIS, SPACE = range(6)
FIRST_MOVE, SECOND_MOVE, FIRST_SPACER, SECOND_SPACER, PLAN = 6, 8, 10, 11, 12


def arrange(choices: Sequence[Sequence[Leaf]], above: Sequence[set[int]]) -> Node | None:
    """The element that draws leaves, each one of its choices, where they are; None if no tree is found.

    above[i] are the leaves that have to be painted after leaf i. First trees that need nothing but the leaves are
    looked for, then those that need a move, and so on.
    """
    pairs = _pairs(above)
    kept = min(MOST_KEPT, max(FEWEST_KEPT, math.isqrt(MOST_PAIRS // max(1, len(pairs)))))
    least = (SPACER + ARRANGE) * len(choices) - ARRANGE
    for extra in EXTRAS:
        trees = {1 << i: _single(leaves) for i, leaves in enumerate(choices)}
        for size in range(2, len(choices) + 1):
            limit = (SPACER + ARRANGE) * size - ARRANGE + extra
            trees |= _join([pair for pair in pairs if pair[2].bit_count() == size], trees, limit, kept)
        element = _finish(trees, (1 << len(choices)) - 1, choices, least + extra)
        if element is not None:
            return element
    return None


def _single(leaves: Sequence[Leaf]) -> Trees:
    boxes = np.array([[leaf.x, leaf.y, SIZE * leaf.width, SIZE * leaf.height] for leaf in leaves], np.int64)
    plans = np.zeros((len(leaves), PLAN), np.int64)
    plans[:, FIRST_TREE] = np.arange(len(leaves))
    return Trees(boxes, np.full(len(leaves), SPACER), plans)


def _pairs(above: Sequence[set[int]]) -> list[tuple[int, int, int]]:
    """Pairs of sets of leaves that may be put together in this order, and what they make.

    Of many leaves, only sets that are painted one after another are looked at, which are far fewer.
    """
    count = len(above)
    if count > MOST_FREE:
        runs = [(1 << last) - (1 << first) for first in range(count) for last in range(first + 2, count + 1)]
        parts = [(run & ((1 << cut) - 1), run) for run in runs for cut in range(1, count)]
        return [(low, run ^ low, run) for low, run in parts if low not in (0, run)]
    later = {0: 0}  # what has to be painted after any leaf of a set
    for group in range(1, 1 << count):
        low = group & -group
        later[group] = later[group ^ low] | sum(1 << j for j in above[low.bit_length() - 1])
    pairs = []
    for group in range(1, 1 << count):
        first = group & (group - 1)
        while first:
            for a, b in ((first, group ^ first), (group ^ first, first)):
                if not later[b] & a:
                    pairs.append((a, b, group))
            first = (first - 1) & group & (group - 1)
    return pairs


def _join(sets: Sequence[tuple[int, int, int]], trees: dict[int, Trees], limit: int, kept: int) -> dict[int, Trees]:
    """The trees of sets of one size, from their pairs of smaller sets, that do not cost more than the limit."""
    parts: list[tuple[Ints, ...]] = []
    for a, b, _group in sets:
        if a not in trees or b not in trees:
            continue
        first, second = trees[a], trees[b]
        costs = first.costs[:, None] + second.costs + ARRANGE
        if costs[0, 0] <= limit:
            i, j = np.nonzero(costs <= limit)
            boxes = np.stack([first.boxes[i], second.boxes[j]], axis=1)
            parts.append((boxes, costs[i, j], np.stack([i, j], axis=1), np.broadcast_to([a, b], (len(i), 2))))
    if not parts:
        return {}
    both = Pairs(*(np.concatenate(part) for part in zip(*parts, strict=True)))
    found = [trees for axis in (0, 1) for trees in _beside(both, axis, limit)]
    if not found:
        return {}
    boxes, costs, plans = (np.concatenate(part) for part in zip(*found, strict=True))
    if not len(costs):
        return {}
    groups = plans[:, FIRST] + plans[:, SECOND]
    order = np.lexsort((*boxes.T, costs, groups))
    boxes, costs, plans, groups = boxes[order], costs[order], plans[order], groups[order]
    names, starts = np.unique(groups, return_index=True)
    result = {}
    for name, start, end in zip(names.tolist(), starts, [*starts[1:], len(groups)], strict=True):
        firsts = np.sort(np.unique(_keys(boxes[start:end]), return_index=True)[1])[:kept] + start
        result[name] = Trees(boxes[firsts], costs[firsts], plans[firsts])
    return result


def _keys(boxes: Ints) -> Ints:
    """A number for each of boxes (n, 4), different for different boxes."""
    keys = np.zeros(len(boxes), np.int64)
    for column in boxes.T:
        keys = keys * FARTHEST_BOX + column
    return keys


def _beside(pairs: Pairs, axis: int, limit: int) -> Iterator[Trees]:
    """All ways to put pairs beside each other along an axis."""
    along, across = axis, 1 - axis
    length = pairs.boxes[:, 1, along] - pairs.boxes[:, 0, along] - pairs.boxes[:, 0, 2 + along]  # between the two
    pairs, length = pairs.only(length % GAP == 0), length[length % GAP == 0]
    middles = 2 * pairs.boxes[:, :, across] + pairs.boxes[:, :, 2 + across]
    drift = middles[:, 1] - middles[:, 0]  # twice what their middles differ by
    yield from _shifts(pairs, axis, limit, length, drift)
    spare = (drift != 0) & (pairs.costs + SPACER + ARRANGE <= limit)
    if not spare.any():
        return
    pairs, length, drift = pairs.only(spare), length[spare], drift[spare]
    for side in (0, 1):
        whole = -drift if side else drift  # a side's middle moves by half of what its spacer takes
        small = (whole + SIZE) % (2 * SIZE) - SIZE
        for spacer, useful in ((whole, np.abs(whole) <= WIDEST), (small, (small != whole) & (small != 0))):
            if not useful.any():
                continue
            taken = spacer[useful]
            widened = pairs.only(useful)
            boxes = widened.boxes.copy()
            boxes[:, side, across] += np.minimum(taken, 0)
            boxes[:, side, 2 + across] += np.abs(taken)
            widened = widened._replace(boxes=boxes, costs=widened.costs + SPACER + ARRANGE)
            rest = drift[useful] + (taken if side else -taken)
            yield from _shifts(widened, axis, limit, length[useful], rest, spacer=(side, taken))


def _shifts(
    pairs: Pairs, axis: int, limit: int, length: Ints, drift: Ints, spacer: tuple[int, Ints] | None = None
) -> Iterator[Trees]:
    """The pairs whose middles are level, or will be when one side moves by whole steps."""
    still = (drift == 0) & (length >= 0) & (length <= GAP * LARGEST)
    no_steps = np.zeros((len(length), 2), np.int64)
    if still.any():
        yield _put(pairs, axis, limit, still, length // GAP, no_steps, 1, spacer)
    level = ~still & (drift % (2 * SIZE) == 0) & (pairs.costs + MOVE <= limit)
    if not level.any():
        return
    for more in (0, 1):  # of two gaps that differ by a step, the larger one may be too large
        gap = (length // GAP) % (SIZE // GAP) + more * (SIZE // GAP)
        steps = np.stack([(length - GAP * gap) // SIZE, drift // (2 * SIZE)], axis=1)
        good = level & (gap <= LARGEST) & (np.abs(steps).max(axis=1, initial=0) <= FARTHEST)
        if good.any():
            for mover in (0, 1):
                yield _put(pairs, axis, limit, good, gap, steps, mover, spacer)


def _put(
    pairs: Pairs,
    axis: int,
    limit: int,
    good: Mask,
    gap: Ints,
    steps: Ints,
    mover: int,
    spacer: tuple[int, Ints] | None,
) -> Trees:
    """Trees of the good ones of pairs: one side (mover) moves by steps (n, 2), along the axis and across."""
    along, across = axis, 1 - axis
    pairs, gap, steps = pairs.only(good), gap[good], steps[good] * (1 if mover else -1)
    farthest = np.abs(steps).max(axis=1, initial=0)
    moved = pairs.sets[:, mover]
    costs = pairs.costs + (farthest > 0) * (MOVE + MOVED_GROUP * (moved & (moved - 1) != 0))
    costs = costs + (farthest > LARGEST) * MOVE
    plans = np.zeros((len(gap), PLAN), np.int64)
    plans[:, [FIRST, SECOND]], plans[:, [FIRST_TREE, SECOND_TREE]] = pairs.sets, pairs.picks
    plans[:, AXIS], plans[:, SPACE] = axis, gap
    columns = SECOND_MOVE if mover else FIRST_MOVE
    plans[:, columns + along], plans[:, columns + across] = steps.T
    if spacer is not None:
        plans[:, SECOND_SPACER if spacer[0] else FIRST_SPACER] = spacer[1][good]
    sides = pairs.boxes.copy()
    sides[:, mover, [along, across]] -= SIZE * steps
    boxes = np.empty((len(gap), 4), np.int64)
    boxes[:, along] = sides[:, 0, along]
    boxes[:, 2 + along] = sides[:, 0, 2 + along] + GAP * gap + sides[:, 1, 2 + along]
    boxes[:, 2 + across] = sides[:, :, 2 + across].max(axis=1)
    boxes[:, across] = (2 * sides[:, 0, across] + sides[:, 0, 2 + across] - boxes[:, 2 + across]) // 2
    cheap = costs <= limit
    return Trees(boxes[cheap], costs[cheap], plans[cheap])


# The whole on its canvas


def _finish(trees: dict[int, Trees], whole: int, choices: Sequence[Sequence[Leaf]], limit: int) -> Node | None:
    """The cheapest tree of all leaves that can be brought to the middle of the canvas within a limit of cost."""
    found = trees.get(whole)
    if found is None:
        return None
    best = None
    for index, (box, cost) in enumerate(zip(found.boxes, found.costs.tolist(), strict=True)):
        off = [int(2 * box[axis] + box[2 + axis]) - 2 * SIDE for axis in (0, 1)]  # twice what its middle is off by
        for spare_x in (False, True):
            for spare_y in (False, True):
                plan = [_centered(value, spare) for value, spare in zip(off, (spare_x, spare_y), strict=True)]
                steps, spacers = zip(*plan, strict=True)
                if max(map(abs, steps)) > FARTHEST or max(map(abs, spacers)) > WIDEST:
                    continue
                total = cost + (SPACER + ARRANGE) * sum(map(bool, spacers)) + _move_cost(steps, whole)
                if total <= limit and (best is None or total < best[0]):
                    best = total, index, steps, spacers
    if best is None:
        return None
    _, index, steps, spacers = best
    element = _build(trees, whole, index, choices)
    for axis, spacer in enumerate(spacers):
        element = _spaced(element, spacer, axis)
    return _moved(element, *steps)


def _centered(off: int, spare: bool) -> tuple[int, int]:
    """Steps to move by and a spacer's length, so that a box whose middle is off (twice) is in the middle.

    Without a spacer what is left has to be whole steps; with one, the middle moves by half of it.
    """
    if not spare:
        return (off // (2 * SIZE), 0) if off % (2 * SIZE) == 0 else (FARTHEST + 1, 0)
    if abs(off) <= WIDEST:
        return 0, -off
    small = (off + SIZE) % (2 * SIZE) - SIZE
    return (off - small) // (2 * SIZE), -small


def _move_cost(steps: Sequence[int], group: int) -> int:
    farthest = max(map(abs, steps))
    if not farthest:
        return 0
    return MOVE + MOVED_GROUP * (group & (group - 1) != 0) + MOVE * (farthest > LARGEST)


def _build(trees: dict[int, Trees], group: int, index: int, choices: Sequence[Sequence[Leaf]]) -> Node:
    plan = trees[group].plans[index].tolist()
    if not group & (group - 1):
        return leaf_node(choices[group.bit_length() - 1][plan[FIRST_TREE]])
    sides = []
    for side, tree, move, spacer in (
        (FIRST, FIRST_TREE, FIRST_MOVE, FIRST_SPACER),
        (SECOND, SECOND_TREE, SECOND_MOVE, SECOND_SPACER),
    ):
        element = _build(trees, plan[side], plan[tree], choices)
        element = _moved(element, plan[move], plan[move + 1])
        sides.append(_spaced(element, plan[spacer], 1 - plan[AXIS]))
    return _arranged(plan[AXIS], sides[0], sides[1], plan[SPACE])


def _arranged(axis: int, first: Node, second: Node, gap: int) -> Node:
    return Node("arrange", (Node("vertical" if axis else "horizontal"), first, second, Node(DIGITS[gap])))


def _moved(element: Node, x: int, y: int) -> Node:
    """An element moved by steps, in two moves where one does not reach."""
    while x or y:
        part = [max(-LARGEST, min(LARGEST, steps)) for steps in (x, y)]
        numbers = [Node(DIGITS[abs(steps)]) for steps in part]
        signs = [Node("true" if steps < 0 else "false") for steps in part]
        element, x, y = Node("move", (element, *numbers, *signs)), x - part[0], y - part[1]
    return element


def _spaced(element: Node, length: int, axis: int) -> Node:
    """An element with a spacer of so many half pixels behind it along an axis; before it where that is negative."""
    if not length:
        return element
    gap = abs(length) // GAP
    size = max(0, -(-(gap - LARGEST) // (SIZE // GAP)))
    spacer = leaf_node(Leaf(False, 0, 0, *((0, size) if axis else (size, 0)), None, None, 0))
    sides = (element, spacer) if length > 0 else (spacer, element)
    return _arranged(axis, *sides, gap - size * (SIZE // GAP))
