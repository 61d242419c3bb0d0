"""What all HTML pages share: one document that needs no network, its style, pictures in it, the colours of lines."""

import base64
import io
from collections.abc import Iterable
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from treesketch.charts import LINES

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881;
  --c0: #2a6fdb; --c1: #d4540a; --c2: #2b8a3e; --c3: #a03cb5; --c4: #9a6b00; --c5: #0b7b8a; }
@media (prefers-color-scheme: dark) {
  :root { --c0: #6ea8ff; --c1: #ff9455; --c2: #63d17a; --c3: #d893ee; --c4: #e8c04a; --c5: #4fd0e0; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 74rem; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
article { padding: .9rem 0; border-bottom: 1px solid var(--line); }
.pictures { display: flex; flex-wrap: wrap; gap: .6rem; align-items: start; }
figure { margin: 0; } img { display: block; width: 128px; border: 1px solid var(--line); background: #fff; }
figcaption { font-size: .85rem; opacity: .8; }
pre { margin: .4rem 0 0; padding: .6rem .8rem; background: var(--soft); overflow: auto; max-height: 28rem;
  font: 13px/1.45 ui-monospace, monospace; }
svg { display: block; fill: none; } svg text { fill: currentColor; font-size: 11px; opacity: .75; }
.end { text-anchor: end; } .middle { text-anchor: middle; } .grid { stroke: var(--line); }
.line { stroke: var(--c); stroke-width: 2; stroke-linejoin: round; } .kept { stroke-width: 1; }
.dashed { stroke-dasharray: 5 3; } td.line::before { content: ""; display: inline-block; width: 1rem;
  margin-right: .5rem; vertical-align: .25em; border-top: 3px solid var(--c); }
td.dashed::before { border-top-style: dashed; }
""" + "".join(f".line{number} {{ --c: var(--c{number}); }}\n" for number in range(LINES))


def write_document(title: str, style: str, body: Iterable[str]) -> str:
    """An HTML document of these pieces; style is added to what all pages share."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>treesketch: {escape(title)}</title>\n<style>{_STYLE}{style}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def write_figure(pixels: NDArray[np.uint8], caption: str, longest: int | None = None) -> str:
    """Pixels (H, W) or (H, W, 3) as an inline PNG with its caption, shrunk to at most `longest` pixels a side."""
    image = Image.fromarray(pixels)
    if longest is not None:
        image.thumbnail((longest, longest))
    png = io.BytesIO()
    image.save(png, "PNG", optimize=True)
    data = base64.b64encode(png.getvalue()).decode("ascii")
    text = escape(caption)
    return f'<figure><img alt="{text}" src="data:image/png;base64,{data}"><figcaption>{text}</figcaption></figure>'


def line_class(number: int) -> str:
    """The classes of a table's cell that names a chart's line, which take the line's colour."""
    return f"line line{number % LINES}" + (" dashed" if number // LINES % 2 else "")
