"""Numbers as columns and rows of the picture: which places in it a number of a program stands for. A vocabulary in.

Of a grammar's own kinds these mean something here: `x` and `y` go along the picture, from 0 to as many as there are
numbers; `width` and `height` reach half to each side of the `x` and `y` of the same node, `radius` all the way to each
side of both. The network may point with them; where a grammar means something else by them, it learns not to.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from treesketch.actions import Vocabulary
from treesketch.derivation import Decision
from treesketch.model.encoder import GRID

Spot = tuple[int, int]  # indices into `Spots.table`, of what adds up; (0, 0) is nowhere
ALONG = {"x": 0, "y": GRID}  # where the columns and the rows begin
AROUND = {"width": (("x", 0.5),), "height": (("y", 0.5),), "radius": (("x", 1.0), ("y", 1.0))}


class Spots:
    """The numbers of a vocabulary that may be pointed with.

    actions (U,) are their indices; table (S, U, 2 GRID) says how much of each column and row each of them stands for.
    """

    def __init__(self, vocabulary: Vocabulary):
        kinds = vocabulary.language.kinds
        self._kinds = [hole.kind if not hole.listing else "" for hole in vocabulary.holes]
        self._options = {
            kind: [vocabulary.action_index.get(f"production:{name}", -1) for name in kinds[kind]]
            for kind in (*ALONG, *AROUND)
            if kind in kinds
        }
        self.actions = sorted({action for options in self._options.values() for action in options if action >= 0})
        self._index: dict[tuple[str, str, int], int] = {}
        tables = [torch.zeros(len(self.actions), 2 * GRID)]
        for kind, options in self._options.items():
            for axis, reach in ((kind, 1.0),) if kind in ALONG else AROUND[kind]:
                anchors = [-1] if kind in ALONG else self._options.get(axis, [])
                for place, anchor in enumerate(anchors):
                    self._index[kind, axis, anchor] = len(tables)
                    middle = 0.0 if kind in ALONG else place / len(anchors) * GRID
                    sides = (1,) if kind in ALONG else (1, -1)
                    tables.append(self._fill(options, axis, middle, [side * reach for side in sides]))
        self.table = torch.stack(tables)

    def _fill(self, options: Sequence[int], axis: str, middle: float, reaches: Sequence[float]) -> Tensor:
        """(U, 2 GRID): number k of n lies at middle + reach x k / n of the picture, between two cells."""
        table = torch.zeros(len(self.actions), 2 * GRID)
        for k, action in enumerate(options):
            for reach in reaches:
                place = middle + reach * k / len(options) * GRID - 0.5
                low = math.floor(place)
                for cell, share in ((low, low + 1 - place), (low + 1, place - low)):
                    if 0 <= cell < GRID and action >= 0:
                        table[self.actions.index(action), ALONG[axis] + cell] += share / len(reaches)
        return table

    def find(self, decision: Decision, siblings: Sequence[Decision]) -> Spot:
        """What the numbers of a hole stand for, where these holes of the same node have been decided."""
        kind = self._kinds[decision.hole]
        if kind in ALONG:
            return self._index[kind, kind, -1], 0
        if kind not in AROUND:
            return 0, 0
        chosen = {self._kinds[other.hole]: other.answer.action for other in siblings if other.answer}
        found = [self._index.get((kind, axis, chosen.get(axis, -1)), 0) for axis, _ in AROUND[kind]]
        return found[0], found[1] if len(found) > 1 else 0


@lru_cache(maxsize=8)
def spots_of(vocabulary: Vocabulary) -> Spots:
    """The spots of a vocabulary, made once."""
    return Spots(vocabulary)


def siblings_of(context: Sequence[Decision], site: int, decisions: Sequence[Decision], number: int) -> list[Decision]:
    """The other decided holes of the node that a rewrite's decision belongs to."""
    decision = decisions[number]
    if decision.parent >= 0:
        return [other for other in decisions[decision.parent + 1 : number] if other.parent == decision.parent]
    if site < 0 or context[site].parent < 0:
        return []
    above = context[site].parent
    return [other for k, other in enumerate(context) if k != site and other.parent == above]
