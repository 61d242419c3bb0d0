"""How well SVG files are imported: `python benchmarks/importing.py FOLDER|icons.json ...` prints a row for each.

Every file's program is held against resvg's picture of the file on white, 128 px along the longer side (root of the
mean squared difference over pixels and channels, 0..1). Our picture of it differs from resvg's for three reasons, so
there are three columns, medians and worst of the files without a warning:

- ours: our picture of the program; what a user sees.
- own: resvg's picture beside the mean of its own, eight times as large. It counts only four places across a pixel, and
  this is what that alone makes.
- same: resvg's picture of the program's SVG. Both are drawn by one rasteriser then, and what is left is the import.
"""

import argparse
import io
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table

from treesketch.errors import SketchError
from treesketch.evaluate import measure_program
from treesketch.importing import import_svg
from treesketch.importing.icons import read_icons
from treesketch.interpreter import interpret
from treesketch.raster import rasterise
from treesketch.svg import to_svg

SVG = "http://www.w3.org/2000/svg"
FINER = 8  # how much larger the picture is that has nearly exact coverage when it is averaged

Pixels = NDArray[np.float32]  # (H, W, 3), 0..1


@dataclass(frozen=True, slots=True)
class Row:
    """One file: its three errors, the program's numbers, the seconds that the import took, whether it had warnings."""

    name: str
    ours: float
    own: float
    same: float
    numbers: int
    seconds: float
    warned: bool


def read(source: Path) -> Iterator[tuple[str, bytes]]:
    """The names and SVG texts of a folder or of an Iconify collection."""
    if source.suffix == ".json":
        yield from read_icons(source.read_bytes(), str(source))
    else:
        for path in sorted(source.glob("*.svg")):
            yield path.stem, path.read_bytes()


def draw(svg: bytes, size: tuple[int, int]) -> Pixels:
    """resvg's picture of an SVG on white, stretched to (height, width) pixels."""
    root = ElementTree.fromstring(svg)
    sides = [root.get(name, "").removesuffix("px") for name in ("width", "height")]
    if "viewBox" not in root.attrib and all(sides):
        root.set("viewBox", f"0 0 {sides[0]} {sides[1]}")
    height, width = size
    root.attrib |= {"width": str(width), "height": str(height), "preserveAspectRatio": "none"}
    text = ElementTree.tostring(root, encoding="unicode")
    png = resvg_py.svg_to_bytes(svg_string=text, background="#ffffff", skip_system_fonts=True, dpi=96, languages=["en"])
    return np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGB"), np.float32) / 255


def rmse(one: Pixels, other: Pixels) -> float:
    """The root of the mean squared difference."""
    return float(np.sqrt(((one - other) ** 2).mean()))


def measure(name: str, svg: bytes) -> Row:
    """Import one file and hold it against resvg. Raises SketchError where it is refused."""
    began = time.process_time()
    found = import_svg(svg, name)
    seconds = time.process_time() - began
    scene = interpret(found.tree)
    size = (scene.height, scene.width)
    wanted = draw(svg, size)
    fine = draw(svg, (FINER * size[0], FINER * size[1]))
    fine = fine.reshape(size[0], FINER, size[1], FINER, 3).mean(axis=(1, 3))
    ours = rasterise(scene).astype(np.float32) / 255
    same = draw(to_svg(scene).encode(), size)
    numbers = measure_program(found.text).numbers
    return Row(name, rmse(wanted, ours), rmse(wanted, fine), rmse(wanted, same), numbers, seconds, bool(found.notes))


def spread(values: list[float]) -> str:
    """Median, the value that 95 % are below, and the largest."""
    return " ".join(f"{value:.4f}" for value in np.percentile(values, (50, 95, 100))) if values else "-"


def main() -> None:
    """Measure each source and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+", type=Path, metavar="FOLDER|icons.json")
    parser.add_argument("--each", type=int, default=1, help="take every N-th file only")
    parser.add_argument("--worst", type=int, default=0, help="name so many files that are worst")
    options = parser.parse_args()
    heads = ("", "files", "refused", "no warning", "numbers", "ms", "ours", "own", "same", "same, with warnings")
    table = Table(*heads, title="rmse: median, 95 %, worst", title_justify="left")
    for source in options.sources:
        rows, refused = list[Row](), 0
        for name, svg in list(read(source))[:: options.each]:
            try:
                rows.append(measure(name, svg))
            except SketchError as error:
                refused += 1
                print(error)
        clean, warned = [row for row in rows if not row.warned], [row for row in rows if row.warned]
        table.add_row(
            str(source),
            str(len(rows) + refused),
            str(refused),
            f"{100 * len(clean) / max(len(rows) + refused, 1):.1f} %",
            f"{np.median([row.numbers for row in rows]):.0f}" if rows else "-",
            f"{1000 * np.mean([row.seconds for row in rows]):.0f}" if rows else "-",
            *(spread([getattr(row, name) for row in clean]) for name in ("ours", "own", "same")),
            spread([row.same for row in warned]),
        )
        for group in (clean, warned):
            for row in sorted(group, key=lambda row: -row.same)[: options.worst]:
                print(f"{row.same:.4f} {source}: {row.name}{' (warned)' if row.warned else ''}")
    Console(width=200).print(table)


if __name__ == "__main__":
    main()
