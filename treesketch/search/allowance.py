"""How much a search may take, and how much of it is used: wall seconds, renders, or both.

In: the limits and the tally of renders. Out: shares, 0 at the beginning and 1 at the end. Where only renders are
limited the clock has no say, so that a slow machine decides what a fast one does.
"""

import math
import time
from dataclasses import dataclass

from treesketch.search.tally import Tally


@dataclass(frozen=True, slots=True)
class Step:
    """The best program so far when it was found: after so many renders and wall seconds, with that rmse (0..1)."""

    renders: int
    seconds: float
    rmse: float


class Allowance:
    """The limits of one search that begins now: `seconds` may be infinite, `renders` None for any number."""

    def __init__(self, seconds: float, renders: int | None):
        self._start = time.monotonic()
        self._seconds, self._renders = seconds, renders
        self.tally = Tally(0, renders)

    def keep(self, share: float) -> None:
        """Let renders be spent until only that share of them is left, or two at least, for what comes at the end."""
        if self._renders is not None:
            self.tally.most = max(min(int(self._renders * (1 - share)), self._renders - 2), 0)

    def release(self) -> None:
        """Let all renders be spent."""
        self.tally.most = self._renders

    def step(self, rmse: float) -> Step:
        """That error now."""
        return Step(self.tally.renders, self._elapsed(), rmse)

    def used(self, more: int = 0) -> float:
        """The share that is used up, or would be after so many renders more; of two limits, that of the nearer one."""
        return max(self._elapsed() / self._seconds, self.share_of(self.tally.renders + more))

    def affords(self, renders: int) -> bool:
        """Whether so many renders more are within the limit of renders."""
        return self.share_of(self.tally.renders + renders) <= 1

    def share_of(self, renders: int) -> float:
        """The share that so many renders are: 0 where renders are not limited."""
        return 0.0 if self._renders is None else renders / self._renders

    def deadline(self, share: float) -> float:
        """When that share (above 0) of the seconds is over, on the clock of time.monotonic; never without a limit."""
        return math.inf if math.isinf(self._seconds) else self._start + share * self._seconds

    def _elapsed(self) -> float:
        return time.monotonic() - self._start
