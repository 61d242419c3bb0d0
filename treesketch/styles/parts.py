"""Which shapes of a picture belong together. Layers with boxes in, parts within parts out, back to front.

Shapes are put down from the smallest to the largest. One that touches several heaps is what these are parts of; one
that touches a single heap, or nothing, goes on it. So a face is its disc with two eyes on it, an eye its white with a
pupil; and what lies apart is apart. A heap of several shapes is a part, if it can be painted in one go.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

import numpy as np
import numpy.typing as npt

from treesketch.sampling.order import Box
from treesketch.styles.flat import Drawn, grown, paints_of

DEEPEST = 6  # parts within parts
Bools = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Part:
    """Shapes that belong together, as indices of layers and parts, in the order in which they are painted."""

    items: "list[int | Part]"


@dataclass(slots=True)
class _Heap:
    """Shapes that touch one another: the largest, and the heaps that it lies under or over."""

    largest: int
    below: "list[_Heap]" = field(default_factory=list)


def parts_of(picture: Drawn) -> list[int | Part]:
    """The picture's layers, those that belong together in parts; painted in this order they give the same picture."""
    if not picture.layers:
        return []
    paints = paints_of(picture.layers)
    kinds: dict[object, int] = {}
    kind = np.array([kinds.setdefault(paint, len(kinds)) for paint in paints])
    overlap = _touch([grown(box, picture.near) for box in picture.boxes])
    before = np.triu(overlap & (kind[:, None] != kind), 1)  # before[a, b]: a must be painted before b
    width, height = picture.canvas
    grounds = {
        i
        for i, (x0, y0, x1, y1) in enumerate(picture.seen)
        if picture.layers[i].shape.production == "rect" and x0 <= 0 and y0 <= 0 and x1 >= width and y1 >= height
    }
    sizes = np.array([(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in picture.seen])
    touch = _touch([grown(box, picture.near) for box in picture.seen])
    heaps = _heaps([i for i in range(len(sizes)) if i not in grounds], touch, sizes)
    items = _items(heaps[0], 0) if len(heaps) == 1 else [item for heap in heaps for item in _as_item(heap, 0)]
    if len(items) > 1 and not any(isinstance(item, Part) for item in items) and len(heaps) == 1:
        items = [Part(items)]
    return _painted([*grounds, *items], before)


def _touch(boxes: Sequence[Box]) -> Bools:
    """Which of the boxes share a place, (n, n)."""
    left, top, right, bottom = np.array(boxes).T
    return np.asarray(
        (left[:, None] < right) & (left < right[:, None]) & (top[:, None] < bottom) & (top < bottom[:, None])
    )


def _heaps(members: Sequence[int], touch: Bools, sizes: npt.NDArray[np.float64]) -> list[_Heap]:
    """The heaps that shapes form when they are put down from the smallest to the largest."""
    heaps: dict[int, _Heap] = {}  # by a number of their own
    of = np.full(len(touch), -1)  # the heap of each shape that is down
    for i in sorted(members, key=lambda i: (sizes[i], -i)):
        met = sorted(set(of[touch[i]].tolist()) - {-1})
        heap = _Heap(i, [heaps.pop(number) for number in met])
        of[np.isin(of, met)] = i
        of[i] = i
        heaps[i] = heap
    return list(heaps.values())


def _items(heap: _Heap, depth: int) -> list[int | Part]:
    """What a heap is made of; heaps that lie apart on its largest shape are parts."""
    items: list[int | Part] = [heap.largest]
    while len(heap.below) == 1:
        heap = heap.below[0]
        items.append(heap.largest)
    for part in heap.below:
        items += _as_item(part, depth)
    return items


def _as_item(heap: _Heap, depth: int) -> list[int | Part]:
    """A heap as one item: a shape alone, or a part; deep inside others as its shapes."""
    if depth >= DEEPEST:
        return list(_shapes(heap))
    items = _items(heap, depth + 1)
    return items if len(items) == 1 else [Part(items)]


def _shapes(heap: _Heap) -> Iterator[int]:
    """All shapes of a heap."""
    heaps = [heap]
    while heaps:
        heap = heaps.pop()
        yield heap.largest
        heaps += heap.below


def _painted(items: Sequence[int | Part], before: Bools) -> list[int | Part]:
    """The items in an order in which they may be painted; a part that others would have to be painted within goes."""
    rest = list(items)
    while True:
        members = [_members(item) for item in rest]
        order = _order(members, before)
        if len(order) == len(rest):
            break
        stuck = set(range(len(rest))) - set(order)
        rest = [
            inner
            for i, item in enumerate(rest)
            for inner in (item.items if isinstance(item, Part) and i in stuck else [item])
        ]
    ordered = [rest[i] for i in order]
    return [Part(_painted(item.items, before)) if isinstance(item, Part) else item for item in ordered]


def _members(item: int | Part) -> list[int]:
    """All layers of an item."""
    return [item] if isinstance(item, int) else [member for inner in item.items for member in _members(inner)]


def _order(members: Sequence[Sequence[int]], before: Bools) -> list[int]:
    """The items, as lists of their layers, from back to front: as they came where it does not matter.

    Items that would each have to be painted before the other, and what comes behind them, are missing.
    """
    of = {member: i for i, some in enumerate(members) for member in some}
    behind: list[set[int]] = [set() for _ in members]
    for i, some in enumerate(members):
        for member in some:
            behind[i].update(of[j] for j in np.flatnonzero(before[member]).tolist() if j in of)
        behind[i].discard(i)
    waiting = [0] * len(members)
    for later in behind:
        for i in later:
            waiting[i] += 1
    ready = [(min(some), i) for i, some in enumerate(members) if not waiting[i]]
    heapify(ready)
    order = []
    while ready:
        _, i = heappop(ready)
        order.append(i)
        for j in behind[i]:
            waiting[j] -= 1
            if not waiting[j]:
                heappush(ready, (min(members[j]), j))
    return order
