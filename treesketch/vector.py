"""An SVG that a stranger made becomes a PNG, by resvg in a process of its own that can be stopped.

In: the bytes of a file. Out: the bytes of a PNG with alpha. resvg would read files that an SVG names, overflow its
stack on deep ones and work for hours on others, so it is only given what this module has copied, element by element,
and its process has a limit of time, and of memory where the system knows such limits.
"""

import binascii
import contextlib
import io
import re
import subprocess
import sys
import threading
import warnings
from base64 import b64decode, b64encode
from urllib.parse import unquote_to_bytes
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from PIL import Image

from treesketch.errors import PictureError, Span

MOST_BYTES = 16 * 1024 * 1024  # of an SVG, as a file and with its entities written out
MOST_DEPTH = 200  # elements inside each other; resvg's stack holds about a thousand
MOST_EMBEDDED = 32_000_000  # pixels of all pictures inside an SVG together
SECONDS = 10.0  # for one picture; an icon takes .1
MEMORY = 2 << 30  # bytes of address space
NO_PICTURE = "is not a picture; PNG, JPEG, WebP, GIF, BMP and SVG can be read"
REFUSED, EXHAUSTED = 1, 2  # what the child answers beside 0

_EMBEDDED = {"png": "PNG", "jpeg": "JPEG", "jpg": "JPEG", "gif": "GIF", "webp": "WEBP"}
_DATA = re.compile(r"\s*data:image/(\w+)(;[^,;]*)*?(;base64)?,", re.IGNORECASE)
_LOADS = frozenset({"image", "feImage", "use"})  # elements whose href is drawn
_PLACE = re.compile(r" at \d+:\d+$")  # in a message of resvg; it would be one in our copy


def is_svg(data: bytes) -> bool:
    """Whether a file can only be read as an SVG: it begins as XML does.

    >>> is_svg(b'\\xef\\xbb\\xbf <?xml version="1.0"?><svg/>'), is_svg(b"(size 128 128)")
    (True, False)
    """
    return data[:200].lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] == b"<"


def draw_svg(data: bytes, side: int, file: str) -> bytes:
    """A PNG with alpha of an SVG, as large as fits a square of `side` pixels with the SVG's aspect.

    Raises PictureError, one line with the file, the place where there is one, and a fix: for what is no SVG, is
    damaged, names other files, has text (whose look depends on the machine's fonts), or costs too much.
    """
    with Painter(side) as painter:
        return painter.draw(data, file)


class Painter:
    """resvg in a process of its own that draws one SVG after another, each as `draw_svg` does. To be used in a `with`.

    The process begins with the first SVG; one that dies, or has to be stopped, is replaced for the next.
    """

    def __init__(self, side: int):
        self.side = side
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Painter":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def draw(self, data: bytes, file: str) -> bytes:
        """A PNG with alpha of an SVG. Raises PictureError as `draw_svg` does."""
        text = _Copy(data, file).text.encode("utf-8", "replace")
        fresh = self._child is None
        answer = self._ask(text, file)
        if answer is None and not fresh:  # its bounds hold for all that it drew: once more, with a new one
            answer = self._ask(text, file)
        if answer is None or answer[0] == EXHAUSTED:
            raise PictureError("takes too much memory to draw; take out filters and nested <use>", file=file)
        status, said = answer
        if status == REFUSED:
            reason = _PLACE.sub("", said.decode("utf-8", "replace"))
            raise PictureError(f"is no SVG that can be drawn: {reason}; save it again", file=file)
        return said

    def _ask(self, text: bytes, file: str) -> tuple[int, bytes] | None:
        """What the process answers; None where it died of the question."""
        try:
            child = self._child = self._child or subprocess.Popen(
                [sys.executable, "-P", "-m", "treesketch.vector", str(self.side)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as problem:
            raise PictureError(f"cannot be drawn: {problem.strerror or problem}; try again", file=file) from None
        assert child.stdin and child.stdout
        late = threading.Event()

        def stop() -> None:
            late.set()
            child.kill()

        clock = threading.Timer(SECONDS, stop)
        clock.start()
        try:
            with contextlib.suppress(OSError):  # it died before it had read all
                child.stdin.write(len(text).to_bytes(8, "big") + text)
                child.stdin.flush()
            head = child.stdout.read(9)
            size = int.from_bytes(head[1:], "big")
            said = child.stdout.read(size)
        finally:
            clock.cancel()
        if len(head) == 9 and len(said) == size:
            return head[0], said
        self._stop()
        if late.is_set():
            message = f"takes more than {SECONDS:g} seconds to draw; take out filters and nested <use>"
            raise PictureError(message, file=file)
        return None

    def _stop(self) -> None:
        if self._child is None:
            return
        self._child.kill()
        with contextlib.suppress(OSError):  # what it did not read
            self._child.communicate()
        self._child = None


class _Copy:
    """An SVG written anew as plain XML: entities written out; no DTD, comment or instruction; links looked at."""

    def __init__(self, data: bytes, file: str):
        self._file = file
        self._parts: list[str] = []
        self._size = self._depth = self._embedded = 0
        self._texts = 0  # <text> elements that are open
        self._references = data.count(b"&")
        if len(data) > MOST_BYTES:
            raise self._wrong(f"is larger than {MOST_BYTES >> 20} MiB; simplify it", None)
        parser = self._parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._entity
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            if not self._parts and b"<svg" not in data:
                raise self._wrong(NO_PICTURE, None) from None
            place = Span(error.lineno, error.offset + 1, error.lineno, error.offset + 2)
            reason = expat.ErrorString(error.code)
            raise self._wrong(f"the SVG is damaged or cut short ({reason}); save it again", place) from None
        self.text = "".join(self._parts)

    def _here(self) -> Span:
        line, column = self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1
        return Span(line, column, line, column + 1)

    def _wrong(self, message: str, span: Span | None) -> PictureError:
        return PictureError(message, span, self._file)

    def _write(self, part: str) -> None:
        self._size += len(part)
        if self._size > MOST_BYTES:
            message = f"grows beyond {MOST_BYTES >> 20} MiB when its entities are written out; write it without them"
            raise self._wrong(message, self._here())
        self._parts.append(part)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if not self._depth and local != "svg":
            raise self._wrong(f"is not a picture but XML of another kind (<{name[:40]}>); give an SVG", None)
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise self._wrong(f"more than {MOST_DEPTH} elements are inside each other; flatten it", self._here())
        self._texts += local == "text"
        words = [name]
        for key, value in attributes.items():
            if local in _LOADS and key.rpartition(":")[2] == "href" and not value.lstrip().startswith("#"):
                value = self._inside(value)
            words.append(f"{key}={quoteattr(value)}")
        self._write(f"<{' '.join(words)}>")

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._texts -= name.rpartition(":")[2] == "text"
        self._write(f"</{name}>")

    def _characters(self, text: str) -> None:
        if self._texts and text.strip():
            message = f"has text ('{' '.join(text.split())[:20]}'), which would need fonts; turn it into paths"
            raise self._wrong(message, self._here())
        self._write(escape(text))

    def _entity(
        self, name: str, of_dtd: bool, value: str | None, base: str | None, system: str | None, *rest: object
    ) -> None:
        if value is None:
            raise self._wrong(f"the entity '{name[:40]}' is another file; write its text in its place", self._here())
        if "&" in value or of_dtd:
            raise self._wrong(f"the entity '{name[:40]}' holds others; write the SVG without it", self._here())
        if len(value) * self._references > MOST_BYTES:
            raise self._wrong(f"the entity '{name[:40]}' is too long; write the SVG without it", self._here())

    def _inside(self, link: str) -> str:
        """The link of an element that draws it, if what it draws is a picture in the SVG itself."""
        found = _DATA.match(link)
        if not found or found[1].lower() not in _EMBEDDED:
            shown = link if len(link) <= 40 else link[:37] + "..."
            raise self._wrong(f"draws '{shown}', which is not in it; embed it as a PNG or JPEG", self._here())
        try:
            data = unquote_to_bytes(link[found.end() :])
            if found[3]:
                data = b64decode(data)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow's own bomb warning
                width, height = Image.open(io.BytesIO(data), formats=[_EMBEDDED[found[1].lower()]]).size
        except (binascii.Error, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            raise self._wrong("the picture inside it is damaged; embed it again", self._here()) from None
        self._embedded += width * height
        if self._embedded > MOST_EMBEDDED:
            limit = MOST_EMBEDDED // 1_000_000
            raise self._wrong(f"the pictures inside it have more than {limit} megapixels; shrink them", self._here())
        return f"data:image/{found[1].lower()};base64,{b64encode(data).decode('ascii')}"


def _limit() -> None:
    """Bound this process's memory and time, where the system knows such limits."""
    if sys.platform == "win32":
        return
    import resource

    seconds = int(SECONDS) + 1
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, seconds),  # for when nobody is left to stop it
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError):
            continue  # macOS has no limit of address space; elsewhere a lower one may hold already


def _serve(side: int) -> None:
    """The whole of the child: SVGs on standard input, each behind its length; for each a status, a length and bytes.

    These are the PNG, or why there is none.
    """
    _limit()
    import resvg_py

    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while head := source.read(8):
        text = source.read(int.from_bytes(head, "big")).decode("utf-8")
        try:
            png = resvg_py.svg_to_bytes(
                svg_string=text, width=side, height=side, dpi=96.0, languages=["en"], skip_system_fonts=True
            )
            status, answer = 0, bytes(png)
        except ValueError as error:
            status, answer = REFUSED, " ".join(str(error).split()).encode()
        except MemoryError:
            status, answer = EXHAUSTED, b""
        sink.write(bytes([status]) + len(answer).to_bytes(8, "big") + answer)
        sink.flush()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
