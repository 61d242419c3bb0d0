"""Where an error is and what it says; every error that a user can cause descends from `SketchError`.

Nothing flows in; all other modules raise these. Exceptions are for users' mistakes, asserts for ours.
"""

from typing import NamedTuple


class Span(NamedTuple):
    """A stretch of source text: lines and columns count from 1, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class SketchError(Exception):
    """A mistake in the input: `file:line:column: message`, on one line.

    span is where in the program, or None when the whole input is at fault; file is the name shown before it.
    """

    def __init__(self, message: str, span: Span | None = None, file: str | None = None):
        super().__init__(message)
        self.message = message
        self.span = span
        self.file = file

    def __str__(self) -> str:
        place = [self.file] if self.file else []
        if self.span:
            place += [str(self.span.line), str(self.span.column)]
        return ":".join(place) + (": " if place else "") + self.message


class ParseError(SketchError):
    """The text is not in the language."""


class CheckError(SketchError):
    """The text parses but cannot mean anything: an unknown name, a number that no form takes."""


class RunError(SketchError):
    """The program ran into a limit while it was drawn: fuel, shapes, canvas."""


class PictureError(SketchError):
    """A picture cannot be read, or is not a picture."""


class ConfigError(SketchError):
    """A training config or one of its values is wrong."""


class CheckpointError(SketchError):
    """Weights are missing, truncated, or were made for another grammar."""


class ExportError(SketchError):
    """The program uses what another language cannot say."""
