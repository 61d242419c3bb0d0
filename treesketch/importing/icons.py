"""Iconify's collections -> SVG documents. The bytes of an icons.json in; names and SVG text out.

https://iconify.design/docs/types/iconify-json.html says what is in one. Aliases, other names for the same icons, are
left out.
"""

import json
import re
from collections.abc import Iterator

from treesketch.errors import ParseError

MOST_BYTES = 256 * 1024 * 1024
SIDE = 16  # of an icon, where nothing says it
_NAME = re.compile(r"[A-Za-z0-9][\w-]{0,120}", re.ASCII)


def read_icons(data: bytes, file: str | None = None) -> Iterator[tuple[str, bytes]]:
    """Each icon's name and its SVG. Raises ParseError when it is not such a collection."""
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ParseError(f"not JSON: {str(error) or 'nested too deeply'}", file=file) from None
    icons = whole.get("icons") if isinstance(whole, dict) else None
    if not isinstance(icons, dict) or not all(isinstance(icon, dict) for icon in icons.values()):
        raise ParseError('not a collection of icons: it has no "icons" with a "body" each', file=file)
    for name, icon in icons.items():
        if not _NAME.fullmatch(name) or not isinstance(icon.get("body"), str):
            raise ParseError(
                f"icon {name[:40]!r}: a name of letters, digits and dashes and a body are needed", file=file
            )
        left, top, width, height = (
            icon.get(key, whole.get(key, default))
            for key, default in (("left", 0), ("top", 0), ("width", SIDE), ("height", SIDE))
        )
        if not all(isinstance(side, int | float) for side in (left, top, width, height)):
            raise ParseError(f"icon '{name}': its box is not made of numbers", file=file)
        yield (
            name,
            (
                '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
                f' width="{width}" height="{height}" viewBox="{left} {top} {width} {height}">{icon["body"]}</svg>'
            ).encode(),
        )
