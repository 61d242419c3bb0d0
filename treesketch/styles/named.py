"""The named hand: flat, with a name for each colour and number that recurs. Layers in, a program out.

A name says what its numbers have in common: `pen` a weight, `diameter` both diameters of circles, `left` a place in the
left third, `dark-red-r`, `-g`, `-b` the channels of a colour. Definitions stand in the order in which they are needed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from treesketch.layers import channels_of, literal
from treesketch.styles.carry import value
from treesketch.styles.flat import Drawn, write_flat
from treesketch.styles.words import color_word, fresh
from treesketch.tree import Node, Path, replace, walk

FEWEST_USES = 3  # of a number,
FEWEST_FORMS = 2  # in so many forms; a colour is named when it is set that often
MOST_NAMES = 40
_CHANNELS = {"gray": ("",), "gray_alpha": ("",), "rgb": ("-r", "-g", "-b"), "rgb_alpha": ("-r", "-g", "-b")}
_WRAPPERS = ("with_translation", "with_rotation", "matrix")


@dataclass(frozen=True, slots=True)
class _Use:
    """One place of what may get a name: the word for it, and a suffix, a value and a path for each of its numbers."""

    word: str
    values: tuple[float, ...]
    paths: tuple[Path, ...]
    suffixes: tuple[str, ...] = ("",)
    is_color: bool = False


def write_named(picture: Drawn) -> Node:
    """The program with names; the flat one where nothing recurs."""
    tree = write_flat(picture)
    uses: dict[tuple[str, tuple[float, ...]], list[_Use]] = {}
    for place, form in enumerate(tree.children):
        for use in _uses(form, (place,), picture.canvas):
            uses.setdefault((use.word, use.values), []).append(use)
    taken: set[str] = set()
    definitions: list[Node] = []
    recurring = [found for found in uses.values() if _recurs(found)]
    for found in sorted(recurring, key=lambda found: -len(found))[:MOST_NAMES]:
        word = fresh(found[0].word, taken)
        taken.add(word)
        for i, (suffix, number) in enumerate(zip(found[0].suffixes, found[0].values, strict=True)):
            definitions.append(Node("def", (Node("binder", (), word + suffix), literal(number))))
            for use in found:
                tree = replace(tree, use.paths[i], Node("reference", (), word + suffix))
    size, *forms = tree.children
    return Node("program", (size, *definitions, *forms))


def _recurs(uses: list[_Use]) -> bool:
    """Whether it is worth a name: a colour, or a number that several forms share."""
    forms = {use.paths[0][0] for use in uses}
    return len(forms) >= FEWEST_FORMS and len(uses) >= (FEWEST_FORMS if uses[0].is_color else FEWEST_USES)


def _uses(form: Node, place: Path, canvas: tuple[int, int]) -> Iterator[_Use]:
    """What in a form may get a name."""
    if form.production in ("background", "fill", "stroke"):
        color = form.children[0]
        suffixes = _CHANNELS[color.production]
        values = tuple(map(value, color.children[: len(suffixes)]))
        paths = tuple((*place, 0, i) for i in range(len(suffixes)))
        yield _Use(color_word(channels_of(color)), values, paths, suffixes, is_color=True)
    elif form.production == "stroke_weight":
        yield from _number("pen", form, place, 0)
    for path, node in walk(form, place):
        match node.production:
            case "point" if form.production not in _WRAPPERS or path == (*place, 0):
                for axis in (0, 1):
                    yield from _number(_place_word(node.children[axis], axis, canvas), node, path, axis)
            case "extent" | "diameters":
                round_word = "side" if node.production == "extent" else "diameter"
                alike = node.children[0] == node.children[1]
                for axis, word in enumerate(("across", "down")):
                    yield from _number(round_word if alike else word, node, path, axis)
            case "rect_rounded":
                yield from _number("corner", node, path, 2)


def _number(word: str, node: Node, path: Path, child: int) -> Iterator[_Use]:
    """A child of a node, if it is a number other than nought."""
    number = node.children[child]
    if number.production == "literal" and value(number):
        yield _Use(word, (value(number),), ((*path, child),))


def _place_word(number: Node, axis: int, canvas: tuple[int, int]) -> str:
    """What a place along an axis is called."""
    if number.production != "literal":
        return ""
    share = value(number) / canvas[axis]
    if share == 0.5:
        return "middle" if canvas[0] == canvas[1] else ("middle", "level")[axis]
    low, between, high = (("left", "center", "right"), ("top", "center", "bottom"))[axis]
    return low if share < 1 / 3 else high if share > 2 / 3 else between
