"""SVG files -> programs of the sketch language: bytes of an untrusted file in; a tree and notes of what it lacks out.

`document` reads the XML, `style` the CSS, `walk` follows the elements and gives marks (fills and lines on the canvas),
`program` says these as forms with their paint. What a program cannot say is done as nearly as may be, and noted.
"""

from dataclasses import dataclass

from treesketch.errors import SketchError
from treesketch.importing.document import read_document
from treesketch.importing.notes import Ledger, Note
from treesketch.importing.program import layers_of
from treesketch.importing.walk import walk
from treesketch.layers import Channels, Layer, write_program
from treesketch.syntax import MAX_CHARACTERS, unparse
from treesketch.tree import Node

__all__ = ["Imported", "Note", "Painted", "import_layers", "import_svg"]


@dataclass(frozen=True, slots=True)
class Imported:
    """A program, as a tree and as text, and what of the file it does not say as it was."""

    tree: Node
    text: str
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Painted:
    """What an SVG paints: layers on a ground, on a canvas of (width, height) units; and what of it they do not say."""

    layers: list[Layer]
    ground: Channels
    canvas: tuple[int, int]
    notes: tuple[Note, ...]


def import_svg(data: bytes, file: str | None = None) -> Imported:
    """The program that draws an SVG on white, its longer side 128 units. file is the name in errors.

    Raises SketchError, one line with the place, for what is not SVG and for a drawing beyond the bounds of `notes`.
    """
    found = import_layers(data, file)
    tree = write_program(found.layers, found.canvas, found.ground)
    text = unparse(tree)
    if len(text) > MAX_CHARACTERS:
        reason = f"its program would have {len(text)} characters, and {MAX_CHARACTERS} are read; simplify the drawing"
        raise SketchError(reason, file=file)
    return Imported(tree, text, found.notes)


def import_layers(data: bytes, file: str | None = None) -> Painted:
    """The layers of the program that `import_svg` writes. Raises SketchError as it does."""
    ledger = Ledger()
    try:
        drawing = walk(read_document(data, file), ledger)
        layers, ground = layers_of(drawing, ledger)
    except SketchError as error:
        error.file = error.file or file
        raise
    return Painted(layers, ground, drawing.canvas, tuple(ledger.notes))
