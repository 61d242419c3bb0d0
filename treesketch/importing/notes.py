"""What an import could not carry, and the bounds on what one may cost. Places and words in, notes and errors out."""

from dataclasses import dataclass, field
from typing import NamedTuple

from treesketch.errors import SketchError, Span

MOST_ELEMENTS = 50_000  # visited, each as often as it is used
MOST_MARKS = 25_000  # shapes painted, what a program may draw
MOST_POINTS = 100_000  # in them; a program of more could not be read
MOST_CROSSINGS = 10_000  # pairs of segments that may meet, in all cutting of outlines together
MOST_NESTED = 150  # elements in one another, uses included
MOST_NOTES = 200  # of one file


class Source(NamedTuple):
    """The element that something comes from: its line in the file and its name."""

    line: int
    element: str


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that the program does not say as the file does, and what was done instead."""

    source: Source
    text: str

    def __str__(self) -> str:
        return f"{self.source.line}: {self.source.element}: {self.text}"


@dataclass(slots=True)
class Ledger:
    """The notes of one file, each once, and what is left of its bounds."""

    notes: dict[Note, None] = field(default_factory=dict)
    elements: int = MOST_ELEMENTS
    marks: int = MOST_MARKS
    points: int = MOST_POINTS
    crossings: int = MOST_CROSSINGS

    def note(self, source: Source, text: str) -> None:
        """Remember what is not carried as it is."""
        if len(self.notes) < MOST_NOTES:
            self.notes[Note(source, text)] = None

    def visit(self, source: Source, nested: int) -> None:
        """Count an element. Raises SketchError when there are too many, or too many in one another."""
        self.elements -= 1
        if self.elements < 0:
            raise _refusal(source, f"draws more than {MOST_ELEMENTS} elements, each use counted; draw fewer")
        if nested > MOST_NESTED:
            raise _refusal(source, f"is nested more than {MOST_NESTED} deep, each use counted; flatten its groups")

    def draw(self, source: Source, points: int) -> None:
        """Count a shape and its points. Raises SketchError when there are too many."""
        self.marks -= 1
        self.points -= points
        if self.marks < 0 or self.points < 0:
            raise _refusal(source, f"is more than {MOST_MARKS} shapes or {MOST_POINTS} points; simplify the drawing")

    def may_cross(self, pairs: int) -> bool:
        """Whether so many pairs of segments may still be cut with each other; they are then counted."""
        if pairs > self.crossings:
            return False
        self.crossings -= pairs
        return True


def _refusal(source: Source, reason: str) -> SketchError:
    return SketchError(f"{source.element}: {reason}", Span(source.line, 1, source.line, 2))
