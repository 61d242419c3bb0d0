"""SVG text -> its elements. Bytes of an untrusted file in; a tree with plain names, lines and ids out.

Expat reads it. Nothing is fetched, entities cannot be declared, and depth, elements and attributes are bounded.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element
from xml.parsers import expat

from treesketch.errors import ParseError, Span
from treesketch.importing.notes import MOST_NESTED, Source

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
MOST_TAGS = 100_000
MOST_ATTRIBUTES = 200  # of one element


@dataclass(slots=True)
class Document:
    """The elements of a file. Tags are SVG's own names, `{namespace}name` for all others; `href` may be xlink's."""

    root: Element
    lines: dict[Element, int] = field(default_factory=dict)
    ids: dict[str, Element] = field(default_factory=dict)
    parents: dict[Element, Element] = field(default_factory=dict)
    styles: list[Element] = field(default_factory=list)  # style elements, in order

    def source(self, element: Element) -> Source:
        """Where an element stands."""
        return Source(self.lines[element], element.tag)


def read_document(data: bytes, name: str | None = None) -> Document:
    """Parse an SVG file's bytes. Raises ParseError, with `name` as the file's, for anything that is not one."""
    if data[:2] == b"\x1f\x8b":
        raise ParseError("is compressed; unpack it first: gunzip -S .svgz", file=name)
    reader = _Reader(name)
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError as error:
        line, column = error.lineno, error.offset + 1
        reason = expat.errors.messages.get(error.code, str(error.code))
        raise ParseError(f"not XML: {reason}", Span(line, column, line, column + 1), name) from None
    except (LookupError, ValueError) as error:  # an encoding that Python does not know, or expat not from Python
        raise ParseError(f"not XML: {error}", Span(1, 1, 1, 2), name) from None
    assert reader.document
    return reader.document


class _Reader:
    """Expat's handlers, and what they have built so far."""

    def __init__(self, name: str | None):
        self.name = name
        self.document: Document | None = None
        self.open: list[Element] = []
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text
        self.parser.EntityDeclHandler = self.refuse_entity

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = _plain(name)
        if len(attributes) > MOST_ATTRIBUTES:
            raise self.error(f"'{tag}' has more than {MOST_ATTRIBUTES} attributes")
        if len(self.open) >= MOST_NESTED:
            raise self.error(f"'{tag}' is nested more than {MOST_NESTED} deep; flatten the groups")
        element = Element(tag)
        for key, value in attributes.items():
            element.attrib.setdefault("href" if key == f"{XLINK}}}href" else _plain(key), value)
        if "href" in attributes:  # SVG 2's own comes first
            element.attrib["href"] = attributes["href"]
        if self.document is None:
            if tag != "svg":
                raise self.error(f"the outermost element is '{tag}'; an SVG file has 'svg' there")
            self.document = Document(element)
        document = self.document
        if len(document.lines) >= MOST_TAGS:
            raise self.error(f"more than {MOST_TAGS} elements; simplify the drawing")
        document.lines[element] = self.parser.CurrentLineNumber
        if element.attrib.get("id"):
            document.ids.setdefault(element.attrib["id"], element)
        if tag == "style":
            document.styles.append(element)
        if self.open:
            self.open[-1].append(element)
            document.parents[element] = self.open[-1]
        self.open.append(element)

    def end(self, name: str) -> None:
        self.open.pop()

    def text(self, data: str) -> None:
        if self.open[-1].tag == "style":
            self.open[-1].text = (self.open[-1].text or "") + data

    def refuse_entity(self, name: str, *_: object) -> None:
        raise self.error(f"entity '{name}' is declared, which is refused; save the file as plain SVG")

    def error(self, message: str) -> ParseError:
        line, column = self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1
        return ParseError(message, Span(line, column, line, column + 1), self.name)


def _plain(name: str) -> str:
    """Expat's `namespace}name` as the name alone where it is SVG's or none, else as `{namespace}name`."""
    namespace, bracket, local = name.rpartition("}")
    return local if namespace in ("", SVG) else f"{{{namespace}{bracket}{local}"


def drawn(element: Element) -> Iterator[Element]:
    """The children of an element that are SVG's own; editors' data are not."""
    return (child for child in element if not child.tag.startswith("{"))
