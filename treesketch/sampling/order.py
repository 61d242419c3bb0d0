"""The canonical order of shapes: boxes in paint order in, a permutation out.

Paint order matters only between shapes that overlap; among the others a program reads top to bottom, left to right.
One picture then has one order, which is what a learner needs.
"""

from collections.abc import Sequence
from heapq import heappop, heappush

Box = tuple[float, float, float, float]  # left, top, right, bottom in canvas units


def reading_order(boxes: Sequence[Box], paints: Sequence[object] | None = None) -> list[int]:
    """Indices of the boxes, given back to front, in canonical order.

    The first in reading order (top, then left) of all boxes of which no overlapped one further back is still to come.
    Boxes that share no more than an edge do not overlap, nor do boxes of equal paints, where these are given.
    """
    return painted_order(boxes, [(box[1], box[0]) for box in boxes], paints)


def painted_order(
    boxes: Sequence[Box], keys: Sequence[tuple[float, ...]], paints: Sequence[object] | None = None
) -> list[int]:
    """The same with keys instead of places: the box of the least key first, as far as the paint order allows."""
    n = len(boxes)
    waiting = [0] * n  # how many overlapped boxes further back are still to come
    above: list[list[int]] = []
    for i in range(n):
        left, top, right, bottom = boxes[i]
        over = []
        for j in range(i + 1, n):
            x0, y0, x1, y1 = boxes[j]
            alike = paints is not None and paints[i] == paints[j]
            if x0 < right and left < x1 and y0 < bottom and top < y1 and not alike:
                over.append(j)
                waiting[j] += 1
        above.append(over)
    heap: list[tuple[tuple[float, ...], int]] = []
    for i in range(n):
        if not waiting[i]:
            heappush(heap, (keys[i], i))
    order = []
    while heap:
        i = heappop(heap)[1]
        order.append(i)
        for j in above[i]:
            waiting[j] -= 1
            if not waiting[j]:
                heappush(heap, (keys[j], j))
    return order
