"""CSS selectors and the elements that they mean: types, classes, ids, inside and child of. Tokens in, elements out.

Everything is looked at once, from the root down, so a selector costs no more than its length times the elements.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

# A user's pointer and keyboard are nowhere in a file; rules for these never hold.
_NEVER = frozenset("hover focus active visited link focus-within focus-visible target".split())


@dataclass(frozen=True, slots=True)
class Compound:
    """What one element has to be: its type ('' for any), its id (or ''), its classes.

    child says that it is right inside the one before, not anywhere inside.
    """

    type: str
    id: str
    classes: frozenset[str]
    child: bool

    def fits(self, element: Element, classes: frozenset[str]) -> bool:
        """Whether an element of these classes is one."""
        if (self.type and self.type != element.tag) or (self.id and self.id != element.attrib.get("id")):
            return False
        return self.classes <= classes


@dataclass(frozen=True, slots=True)
class Selector:
    """Elements within elements, the outermost first."""

    compounds: tuple[Compound, ...]

    @property
    def weight(self) -> tuple[int, int, int]:
        """How specific it is: ids, classes, types. The more specific rule wins."""
        return (
            sum(bool(compound.id) for compound in self.compounds),
            sum(len(compound.classes) for compound in self.compounds),
            sum(bool(compound.type) for compound in self.compounds),
        )


def read_selectors(tokens: Sequence[Any]) -> list[Selector] | None:
    """The selectors of a rule, from tinycss2's tokens; None where there is one of another kind.

    Selectors that never hold in a file, such as :hover, are left out.
    """
    found: list[Selector] = []
    part: list[Any] = []
    for token in [*tokens, None]:
        if token is not None and not (token.type == "literal" and token.value == ","):
            part.append(token)
            continue
        selector = _read_one(part)
        if selector is None:
            return None
        if selector.compounds:
            found.append(selector)
        part = []
    return found


def _read_one(tokens: list[Any]) -> Selector | None:
    """One selector; one without compounds where it never holds, None where it is not understood."""
    compounds: list[Compound] = []
    type_, id_, classes, child, begun, never = "", "", set[str](), False, False, False
    i = 0
    tokens = [token for token in tokens if token.type != "comment"]
    while i <= len(tokens):
        token = tokens[i] if i < len(tokens) else None
        following = tokens[i + 1] if i + 1 < len(tokens) else None
        kind, value = (token.type, getattr(token, "value", "")) if token else ("end", "")
        ends = kind in ("whitespace", "end") or (kind, value) == ("literal", ">")
        if ends and begun:
            compounds.append(Compound(type_, id_, frozenset(classes), child))
            type_, id_, classes, child, begun = "", "", set(), False, False
        if (kind, value) == ("literal", ">"):
            if child or not compounds:
                return None
            child = True
        elif kind == "ident" and not begun:
            type_, begun = value, True
        elif kind == "hash" and not id_:
            id_, begun = value, True
        elif (kind, value) == ("literal", "*") and not begun:
            begun = True
        elif (kind, value) == ("literal", ".") and following is not None and following.type == "ident":
            classes.add(following.value)
            begun, i = True, i + 1
        elif (kind, value) == ("literal", ":") and following is not None and following.type == "ident":
            if following.value == "root" and not type_:
                type_ = "svg"
            elif following.lower_value in _NEVER:
                never = True
            else:
                return None
            begun, i = True, i + 1
        elif not ends:
            return None
        i += 1
    if child or not compounds:
        return None
    return Selector(() if never else tuple(compounds))


def find_elements(root: Element, selectors: Sequence[Selector]) -> dict[Element, list[int]]:
    """For each element under a root, the selectors (by their places) that mean it, the weakest first."""
    order = sorted(range(len(selectors)), key=lambda i: (selectors[i].weight, i))
    found: dict[Element, list[int]] = {}
    # For each selector, bit n of a number: the first n + 1 compounds fit, the last of them here, or somewhere around.
    stack = [(root, [0] * len(selectors), [0] * len(selectors))]
    while stack:
        element, parent, around = stack.pop()
        classes = frozenset(element.attrib.get("class", "").split())
        here = [0] * len(selectors)
        for i, selector in enumerate(selectors):
            for n, compound in enumerate(selector.compounds):
                before = 1 if n == 0 else (parent if compound.child else around)[i] >> (n - 1) & 1
                if before and compound.fits(element, classes):
                    here[i] |= 1 << n
        found[element] = [i for i in order if here[i] >> (len(selectors[i].compounds) - 1) & 1]
        inside = [a | b for a, b in zip(around, here, strict=True)]
        stack.extend((child, here, inside) for child in element)
    return found
