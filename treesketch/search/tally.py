"""How many renders a search spends: every drawing that is compared with the picture, however it is made.

A drawing of a whole program counts, by the exact renderer or by one of its differentiable twins, and so does one shape
drawn anew where the rest is known. Shapes fitted to a region's own map are not compared with the picture: they are
drawn inside `uncounted`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


class OutOfRenders(Exception):
    """No more renders may be spent; what was being tried is to be given up."""


@dataclass(slots=True)
class Tally:
    """Renders spent, and the most that may be (None: any number)."""

    renders: int = 0
    most: int | None = None


_current: ContextVar[Tally] = ContextVar("tally", default=Tally())  # noqa: B039  (what nobody counts)


@contextmanager
def counting(tally: Tally) -> Iterator[Tally]:
    """Renders within are counted by this tally."""
    token = _current.set(tally)
    try:
        yield tally
    finally:
        _current.reset(token)


@contextmanager
def uncounted() -> Iterator[None]:
    """What is drawn within is not compared with the picture."""
    with counting(Tally()):
        yield


def affords(renders: int = 1) -> bool:
    """Whether so many renders more may be spent."""
    tally = _current.get()
    return tally.most is None or tally.renders + renders <= tally.most


def charge(renders: int = 1) -> None:
    """Renders about to be made. Raises OutOfRenders where they would be too many."""
    if not affords(renders):
        raise OutOfRenders
    _current.get().renders += renders
