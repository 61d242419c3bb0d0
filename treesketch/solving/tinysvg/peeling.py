"""Reading a picture: a picture in; the leaves that paint it out, the topmost first.

Leaves that show where they end are taken off while there are any. Where none is left, several that are less certain are
followed, the most promising first, and white ones that may hide something.
"""

import heapq
from bisect import insort
from collections.abc import Iterable, Iterator
from itertools import chain, count
from typing import NamedTuple

from treesketch.solving.tinysvg.ellipses import ellipses, lines
from treesketch.solving.tinysvg.leaves import WHITE, Leaf
from treesketch.solving.tinysvg.rectangles import rectangles
from treesketch.solving.tinysvg.sheet import Bytes, Fit, Sheet, fit, lay_out, peel

LEAST = 3.0  # pixels that a leaf explains
MOST_STATES = 24  # ways of reading that are followed
BRANCHES = 4  # leaves that are tried where none is certain, of each sort
LEAF_COST = 12  # pixels that a leaf must explain to be worth it


class Match(NamedTuple):
    """A leaf and how it agrees with a sheet."""

    leaf: Leaf
    fit: Fit


class Reading(NamedTuple):
    """Leaves, the topmost first, and the visible pixels that they do not explain."""

    leaves: tuple[Leaf, ...]
    unread: int


def read(picture: Bytes) -> Iterator[Reading]:
    """Ways to read a picture, each better than those before or as good."""
    tick = count()
    waiting: list[tuple[float, int, Sheet, tuple[Leaf, ...]]] = [(0.0, next(tick), lay_out(picture), ())]
    least = None
    for _ in range(MOST_STATES):
        if not waiting:
            return
        _, _, sheet, leaves = heapq.heappop(waiting)
        sheet, leaves, matches = _take_certain(sheet, leaves)
        if least is None or sheet.unread <= least:
            least = sheet.unread
            yield Reading(leaves, least)
        for leaf in _most_promising(matches):
            below = peel(sheet, leaf)
            cost = below.unread + LEAF_COST * (len(leaves) + 1)
            heapq.heappush(waiting, (cost, next(tick), below, (*leaves, leaf)))


def _take_certain(sheet: Sheet, leaves: tuple[Leaf, ...]) -> tuple[Sheet, tuple[Leaf, ...], list[Match]]:
    """Take leaves off while some show where they end; last are those that may be topmost then."""
    while sheet.unread:
        matches = _match(sheet, chain(rectangles(sheet), ellipses(sheet)))
        certain = sorted((match for match in matches if _is_certain(match.fit)), key=_rank)
        if not certain:
            matches += _match(sheet, lines(sheet))
            certain = sorted((match for match in matches if _is_certain(match.fit)), key=_rank)
        if not certain:
            return sheet, leaves, matches
        before = leaves
        while certain:
            match = certain.pop()
            found = fit(sheet, match.leaf)
            if found is None or not _is_certain(found):
                continue
            match = match._replace(fit=found)
            if certain and _rank(match) < _rank(certain[-1]):  # another leaf took some of it
                insort(certain, match, key=_rank)
                continue
            if leaves != before and _can_wait(match):
                break
            sheet, leaves = peel(sheet, match.leaf), (*leaves, match.leaf)
    return sheet, leaves, []


def _can_wait(match: Match) -> bool:
    """Whether a leaf may be a part of one that shows when others are off: a core without its stroke, or the reverse."""
    return match.fit.enclosed or match.leaf.fill is None


def _rank(match: Match) -> tuple[bool, float, bool, bool]:
    """What is taken last comes first: what can wait, what explains little, what has a stroke that does not show."""
    return not _can_wait(match), match.fit.gain, match.leaf.stroke != WHITE, match.leaf.stroke is None


def _match(sheet: Sheet, leaves: Iterable[Leaf]) -> list[Match]:
    found = ((leaf, fit(sheet, leaf)) for leaf in dict.fromkeys(leaves))
    return [Match(leaf, match) for leaf, match in found if match]


def _is_certain(match: Fit) -> bool:
    return match.gain >= LEAST and match.open <= 0.1 * match.rim and match.doubtful <= 4 + 0.08 * match.rim


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
