"""Programs read from disk and results written to it, whole or not at all. Paths in, text out; data in, files out.

A result is written beside its place under another name and moved there when complete, so an interruption, a full
disk or a crash leaves what was there before.
"""

import contextlib
import os
import secrets
from pathlib import Path

from treesketch.errors import ParseError, SketchError, Span

MOST_BYTES = 8 * 1024 * 1024  # of a file that is read at all


def read_bytes(path: Path, most: int, fix: str) -> bytes:
    """A file's bytes. Raises SketchError when it is missing or unreadable, and with a fix when larger than `most`."""
    try:
        with open(path, "rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise SketchError(describe(error), file=str(path)) from error
    if len(data) > most:
        raise SketchError(f"larger than {most >> 20} MiB; {fix}", file=str(path))
    return data


def read_program(path: Path) -> str:
    """The text of a program file, UTF-8 with or without a byte-order mark.

    Raises SketchError when it is missing, unreadable or enormous, ParseError when it is not text.
    """
    data = read_bytes(path, MOST_BYTES, "split the program")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        message = f"byte 0x{data[error.start]:02x} is not UTF-8 text; save the program as UTF-8"
        raise ParseError(message, Span(line, column, line, column + 1), str(path)) from error


def write_whole(path: Path, data: str | bytes) -> None:
    """Write a file whole or not at all; what was there is replaced and keeps its permissions.

    A link is followed; a device or pipe is written to directly. Raises SketchError with the reason when it fails.
    """
    content = data.encode("utf-8") if isinstance(data, str) else data
    place = Path(os.path.realpath(path))
    try:
        if place.exists() and not place.is_file():
            place.write_bytes(content)  # a folder raises here, a device takes it
            return
        beside = place.with_name(f".{place.name[:200]}.{secrets.token_hex(4)}")
        try:
            with open(beside, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if place.exists():
                beside.chmod(place.stat().st_mode & 0o7777)
            os.replace(beside, place)
        finally:
            with contextlib.suppress(FileNotFoundError):
                beside.unlink()
    except OSError as error:
        raise SketchError(f"cannot write: {describe(error)}", file=str(path)) from error


def describe(error: OSError) -> str:
    """The reason in a few words, with a fix where there is one: 'no such file'."""
    reasons = {
        FileNotFoundError: "no such file or folder",
        IsADirectoryError: "this is a folder, not a file",
        NotADirectoryError: "a part of this path is a file, not a folder",
        PermissionError: "permission denied",
    }
    return reasons.get(type(error), (error.strerror or str(error)).lower())
