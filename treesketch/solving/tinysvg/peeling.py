"""Reading a picture: a picture in; the leaves that paint it out, the topmost first.

Leaves that show where they end are taken off while there are any. Where none is left, several that are less certain are
followed, the most promising first, and white ones that may hide something.
"""

import heapq
from bisect import insort
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import NamedTuple

from treesketch.solving.judge import Judge
from treesketch.solving.tinysvg.ellipses import ellipses, lines
from treesketch.solving.tinysvg.leaves import WHITE, Leaf
from treesketch.solving.tinysvg.rectangles import rectangles
from treesketch.solving.tinysvg.sheet import Bytes, Fit, Sheet, fit, lay_out, may_meet, peel

LEAST = 3.0  # pixels that a leaf explains
MOST_LEAVES = 10
MOST_STATES = 24  # ways of reading that are followed
MOST_LOOKS = 60_000  # after which no further way is followed
BRANCHES = 4  # leaves that are tried where none is certain, of each sort
LEAF_COST = 12  # pixels that a leaf must explain to be worth it

Source = Callable[[Sheet], Iterable[Leaf]]


class Match(NamedTuple):
    """A leaf and how it agrees with a sheet."""

    leaf: Leaf
    fit: Fit


class Reading(NamedTuple):
    """Leaves, the topmost first, and the visible pixels that they do not explain."""

    leaves: tuple[Leaf, ...]
    unread: int


class _State(NamedTuple):
    """A way of reading that is to be followed: what is left of a sheet below one more leaf."""

    cost: float
    tick: int
    sheet: Sheet
    leaves: tuple[Leaf, ...]
    leaf: Leaf | None


def read(picture: Bytes, judge: Judge) -> Iterator[Reading]:
    """Ways to read a picture, the most promising first. The judge is told of each leaf that is laid over it."""
    tick = count()
    waiting = [_State(0.0, next(tick), lay_out(picture), (), None)]
    seen, spent = set[int](), judge.looks
    for _ in range(MOST_STATES):
        if not waiting or judge.looks - spent > MOST_LOOKS:
            return
        _, _, sheet, leaves, leaf = heapq.heappop(waiting)
        if leaf is not None:
            sheet, leaves = peel(sheet, leaf), (*leaves, leaf)
        pile = _Pile(sheet, leaves, judge)
        matches = pile.take_certain()
        yield Reading(pile.leaves, pile.sheet.unread)
        if len(pile.leaves) >= MOST_LEAVES:
            continue
        for promising in _most_promising(matches):
            judge.look()
            below = peel(pile.sheet, promising)
            mark = hash(below.labels.tobytes())
            if mark not in seen:
                seen.add(mark)
                cost = below.unread + LEAF_COST * (len(pile.leaves) + 1)
                heapq.heappush(waiting, _State(cost, next(tick), pile.sheet, pile.leaves, promising))


class _Pile:
    """Leaves that were taken off, and the sheet below them; what is known of others that may be the next one."""

    def __init__(self, sheet: Sheet, leaves: tuple[Leaf, ...], judge: Judge):
        self.sheet, self.leaves, self._judge = sheet, leaves, judge
        self._fits: dict[Leaf, Fit | None] = {}

    def take_certain(self) -> list[Match]:
        """Take leaves off while some show where they end; returns those that may be topmost then."""
        while self.sheet.unread and len(self.leaves) < MOST_LEAVES:
            matches: list[Match] = []
            for source in (rectangles, ellipses, lines):
                matches += self._match(source)
                certain = sorted((match for match in matches if _is_certain(match.fit)), key=_rank)
                if certain and (source is not rectangles or not all(map(_can_wait, certain))):
                    break
            else:
                return matches
            self._take(certain)
        return []

    def _take(self, certain: list[Match]) -> None:
        """Take leaves off, the last first, until what is left of them may be a part of others."""
        before = self.leaves
        while certain:
            match = certain.pop()
            found = self.fit(match.leaf)
            if found is None or not _is_certain(found):
                continue
            match = match._replace(fit=found)
            if certain and _rank(match) < _rank(certain[-1]):  # another leaf took some of it
                insort(certain, match, key=_rank)
                continue
            if self.leaves != before and _can_wait(match):
                break
            self._peel(match.leaf)

    def _match(self, source: Source) -> list[Match]:
        found = ((leaf, self.fit(leaf)) for leaf in dict.fromkeys(source(self.sheet)))
        return [Match(leaf, match) for leaf, match in found if match]

    def fit(self, leaf: Leaf) -> Fit | None:
        """How a leaf agrees with the sheet; a look, unless it is known."""
        if leaf not in self._fits:
            self._judge.look()
            self._fits[leaf] = fit(self.sheet, leaf)
        return self._fits[leaf]

    def _peel(self, leaf: Leaf) -> None:
        self._judge.look()
        self.sheet, self.leaves = peel(self.sheet, leaf), (*self.leaves, leaf)
        self._fits = {other: found for other, found in self._fits.items() if not may_meet(leaf, other)}


def _can_wait(match: Match) -> bool:
    """Whether a leaf may be a part of one that shows when others are off.

    It may be a core without its stroke, or the reverse, or what others leave to be seen of something larger.
    """
    leaf, found = match
    is_plain = leaf.stroke is None or leaf.stroke == leaf.fill
    return found.enclosed or leaf.fill is None or (is_plain and 2 * found.edge > found.rim)


def _rank(match: Match) -> tuple[bool, float, int, bool, bool]:
    """What is taken last comes first: what can wait, what explains little, what has a stroke that does not show.

    A white stroke shows where it lies between the leaf and something else.
    """
    leaf, found = match
    return not _can_wait(match), found.gain, found.edge, leaf.stroke != WHITE, leaf.stroke is None


def _is_certain(match: Fit) -> bool:
    """Whether a leaf shows where it ends, and explains enough."""
    ends = match.open <= 0.1 * match.rim and match.doubtful <= min(4 + 0.08 * match.rim, match.gain / 4)
    return match.gain >= LEAF_COST and ends


def _most_promising(matches: list[Match]) -> list[Leaf]:
    """The best leaves that may be the topmost, and the best white ones."""
    colored, white = [], []
    for leaf, match in matches:
        if match.gain >= LEAST:
            bad = 1 + match.open + match.doubtful
            colored.append((match.gain * max(0.0, 1 - bad / (1 + match.rim)) ** 2, leaf))
        elif match.edge >= LEAST:
            white.append((match.edge - match.doubtful, leaf))
    return [leaf for pool in (colored, white) for _, leaf in heapq.nlargest(BRANCHES, pool, key=lambda item: item[0])]
