"""Pictures with noise drawn by `draw`: `python benchmarks/noise.py FOLDER` tells how near to the clean ones it comes.

Each picture of the folder, or of its category folders, is compressed as a JPEG of quality 40, and gets noise of .04,
and both are drawn with networks and without, and by VTracer (polygons, its defaults) where that is installed. What
counts is the distance to the picture as it was before, which none of them sees. A page shows all side by side.
"""

import argparse
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory
from zlib import crc32

import numpy as np
from PIL import Image
from rich.console import Console
from rich.progress import track
from rich.table import Table

from treesketch.batch import Job, draw_each
from treesketch.errors import SketchError
from treesketch.evaluate import find_categories, measure_program, render_program
from treesketch.experiments.scoring import distance
from treesketch.files import write_whole
from treesketch.page import write_document, write_figure
from treesketch.picture import Pixels, load_picture, to_bytes
from treesketch.restoring.spoil import compress, to_levels

try:
    import vtracer
except ImportError:
    vtracer = None

LONGEST = 128  # pixels of a picture
QUALITY, NOISE = 40, 0.04
TOOLS = {"networks": True, "no network": False}
RIVAL = "VTracer"
_PLACES = re.compile(r'(?:\sd|transform)="([^"]*)"')
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


@dataclass(frozen=True, slots=True)
class Row:
    """One picture spoilt in one way and drawn in one way; rmse of both to the clean one."""

    category: str
    name: str
    way: str
    tool: str
    clean: Pixels
    spoilt: Pixels
    drawn: Pixels
    numbers: int

    @property
    def before(self) -> float:
        """What the spoilt picture differs."""
        return distance(self.spoilt, self.clean)

    @property
    def rmse(self) -> float:
        """What the drawing differs."""
        return distance(self.drawn, self.clean)


def spoil(clean: Pixels, name: str) -> dict[str, Pixels]:
    """The picture as a JPEG, and with noise, the same for the same name."""
    noise = np.random.default_rng(crc32(name.encode())).normal(0, NOISE, clean.shape).astype(np.float32)
    return {f"JPEG {QUALITY}": compress(clean, QUALITY), f"noise {NOISE:g}": to_levels(clean + noise)}


def draw_all(folder: Path, every: int, seconds: float, processes: int) -> list[Row]:
    """Spoil and draw every so-manieth picture. Raises SketchError where one cannot be drawn."""
    rows: list[Row] = []
    with TemporaryDirectory() as place:
        told: dict[Job, tuple[str, str, str, str, Pixels, Pixels]] = {}
        for category, pictures in find_categories(folder).items():
            for picture in pictures[::every]:
                clean = load_picture(picture, LONGEST).pixels
                for way, spoilt in spoil(clean, picture.stem).items():
                    file = Path(place) / f"{category} {picture.stem} {way}.png"
                    Image.fromarray(to_bytes(spoilt)).save(file)
                    if vtracer:
                        rows.append(trace(category, picture.stem, way, clean, spoilt, file))
                    for tool, network in TOOLS.items():
                        job = Job(file, (("seconds", seconds),), network)
                        told[job] = (category, picture.stem, way, tool, clean, spoilt)
        results = draw_each(list(told), processes)
        for job, result in track(results, "drawing", len(told), console=Console(stderr=True)):
            if isinstance(result, SketchError):
                raise result
            category, name, way, tool, clean, spoilt = told[job]
            drawn = (render_program(result.program, clean.shape[:2]) / np.float32(255)).astype(np.float32)
            numbers = measure_program(result.program).numbers
            rows.append(Row(category, name, way, tool, clean, spoilt, drawn, numbers))
    return rows


def trace(category: str, name: str, way: str, clean: Pixels, spoilt: Pixels, file: Path) -> Row:
    """The row of VTracer, whose SVG is drawn by resvg."""
    svg = vtracer.convert_raw_image_to_svg(file.read_bytes(), img_format="png", mode="polygon")
    traced = file.with_suffix(".svg")
    traced.write_text(svg, encoding="utf-8")
    drawn = load_picture(traced, max(clean.shape[:2])).pixels
    numbers = sum(len(_NUMBER.findall(part)) for part in _PLACES.findall(svg))
    return Row(category, name, way, RIVAL, clean, spoilt, drawn, numbers)


def print_table(rows: Sequence[Row]) -> None:
    """Means by category and way, with networks and without."""
    table = Table(title="rmse to the clean picture (median numbers)")
    tools = [*TOOLS, *((RIVAL,) if vtracer else ())]
    for heading in ("", "", "pictures", "as found", *tools):
        table.add_column(heading, justify="right" if heading else "left")
    for category, way in dict.fromkeys((row.category, row.way) for row in sorted(rows, key=lambda row: row.category)):
        group = [row for row in rows if (row.category, row.way) == (category, way)]
        cells = [category, way, str(len(group) // len(tools)), f"{fmean(row.before for row in group):.4f}"]
        for tool in tools:
            own = [row for row in group if row.tool == tool]
            cells.append(f"{fmean(row.rmse for row in own):.4f} ({median(row.numbers for row in own):.0f})")
        table.add_row(*cells)
    Console(width=120).print(table)


def write_page(rows: Iterable[Row], file: Path) -> None:
    """Each spoilt picture beside the clean one and its drawings."""
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row.category, row.name, row.way), []).append(row)
    body = ["<h1>Pictures with noise</h1>"]
    for (category, name, way), group in sorted(found.items()):
        figures = [write_figure(to_bytes(group[0].clean), "as it was")]
        figures.append(write_figure(to_bytes(group[0].spoilt), f"as found, rmse {group[0].before:.3f}"))
        figures += [write_figure(to_bytes(row.drawn), f"{row.tool}, rmse {row.rmse:.3f}") for row in group]
        title = f"<h3>{escape(f'{category} {name}, {way}')}</h3>"
        body.append(f'<article>{title}<div class="pictures">{"".join(figures)}</div></article>')
    write_whole(file, write_document("pictures with noise", "", body))


def write_picture(rows: Sequence[Row], file: Path) -> None:
    """The compressed pictures, one below the other, each with its drawings at its right."""
    shown = [row for row in rows if row.way.startswith("JPEG")]
    lines = []
    for name in dict.fromkeys((row.category, row.name) for row in sorted(shown, key=lambda row: row.name)):
        group = [row for row in shown if (row.category, row.name) == name]
        drawn = sorted(group, key=lambda row: [*TOOLS, RIVAL].index(row.tool))
        lines.append([group[0].spoilt, *(row.drawn for row in drawn)])
    side = LONGEST + 8
    grid = Image.new("RGB", (side * max(map(len, lines)) - 8, side * len(lines) - 8), "white")
    for y, line in enumerate(lines):
        for x, pixels in enumerate(line):
            grid.paste(Image.fromarray(to_bytes(pixels)), (side * x, side * y))
    png = io.BytesIO()
    grid.save(png, "PNG", optimize=True)
    write_whole(file, png.getvalue())


def main() -> None:
    """Spoil, draw, print the table and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="draw every Nth picture")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each")
    parser.add_argument("--jobs", type=int, default=1, help="drawn at once")
    parser.add_argument("-o", type=Path, default=Path("noise.html"), metavar="REPORT.html")
    parser.add_argument("--picture", type=Path, metavar="PNG", help="a picture of the compressed ones and drawings")
    chosen = parser.parse_args()
    rows = draw_all(chosen.folder, chosen.every, chosen.seconds, chosen.jobs)
    print_table(rows)
    write_page(rows, chosen.o)
    if chosen.picture:
        write_picture(rows, chosen.picture)
    print(f"report: {chosen.o}")


if __name__ == "__main__":
    main()
