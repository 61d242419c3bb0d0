"""Bencode, the wire format of nREPL: integers, byte strings, lists and dictionaries. Bytes in, values out, and back.

Byte strings are taken as UTF-8 text. What is malformed, too deep or too long raises ValueError.
"""

from typing import Any, Protocol

MOST_BYTES = 4_000_000  # of one message
MOST_DEPTH = 16
MOST_DIGITS = 20  # of a number


class Reader(Protocol):
    """A stream of bytes, as a socket's file is one."""

    def read(self, count: int, /) -> bytes: ...


def encode(value: Any) -> bytes:
    """A value of int, str, bytes, list and dict as bytes; the keys of a dictionary are sorted."""
    match value:
        case bool():
            raise TypeError("bencode has no truth values")
        case int():
            return b"i%de" % value
        case str():
            return encode(value.encode("utf-8", "replace"))
        case bytes():
            return b"%d:%s" % (len(value), value)
        case list() | tuple():
            return b"l" + b"".join(map(encode, value)) + b"e"
        case dict():
            return b"d" + b"".join(encode(key) + encode(value[key]) for key in sorted(value)) + b"e"
    raise TypeError(f"bencode has no {type(value).__name__}")


def read(stream: Reader) -> Any:
    """The next value of a stream, None at its end. Raises ValueError for what is no bencode or beyond the limits."""
    first = stream.read(1)
    return _read(stream, first, [MOST_BYTES], MOST_DEPTH) if first else None


def _read(stream: Reader, first: bytes, left: list[int], depth: int) -> Any:
    """A value whose first byte was read; left holds how many bytes the message may still have."""
    if not depth:
        raise ValueError("nested too deep")
    if first == b"i":
        return int(_digits(stream, b"", b"e", left))
    if first.isdigit():
        count = int(_digits(stream, first, b":", left))
        text = _take(stream, count, left)
        return text.decode("utf-8", "replace")
    if first == b"l":
        items = []
        while (byte := _take(stream, 1, left)) != b"e":
            items.append(_read(stream, byte, left, depth - 1))
        return items
    if first == b"d":
        pairs = {}
        while (byte := _take(stream, 1, left)) != b"e":
            key = _read(stream, byte, left, depth - 1)
            if not isinstance(key, str):
                raise ValueError("a key is no text")
            pairs[key] = _read(stream, _take(stream, 1, left), left, depth - 1)
        return pairs
    raise ValueError("no bencode")


def _digits(stream: Reader, digits: bytes, end: bytes, left: list[int]) -> bytes:
    while (byte := _take(stream, 1, left)) != end:
        digits += byte
        if len(digits) > MOST_DIGITS or not (byte.isdigit() or digits == b"-"):
            raise ValueError("no number")
    return digits


def _take(stream: Reader, count: int, left: list[int]) -> bytes:
    left[0] -= count
    if left[0] < 0:
        raise ValueError(f"a message has at most {MOST_BYTES} bytes")
    found = stream.read(count)
    if len(found) < count:
        raise ValueError("the message ends early")
    return found
