"""How well a folder of pictures is drawn. A folder in; rows of measurements and a table of their medians out.

Drawings are measured by this project's own renderer at the picture's size, and once more at the size of the larger
picture of the same name where a sibling folder `<folder>512` has one: a program should scale, a tracing does not. An
SVG is measured at one pixel a unit of the canvas and, as its own larger picture, at 512 pixels.
"""

import gzip
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from treesketch.batch import LONGEST, Drawn, Job, draw_each, list_pictures
from treesketch.errors import PictureError, SketchError
from treesketch.files import describe
from treesketch.picture import WHITE, Color, Picture, load_picture, resize

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from treesketch.search.allowance import Step

COLOR_HEADS = frozenset({"fill", "stroke", "background", "size", "color", "with-fill", "with-stroke"})
_TOKEN = re.compile(r';[^\n]*|"(?:\\.|[^"\\])*"|[()\[\]{}]|[^\s()\[\]{},;"]+')
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?:/\d+)?$")

Progress = Callable[[Iterable[tuple[Job, Drawn | SketchError]], int, str], Iterable[tuple[Job, Drawn | SketchError]]]


@dataclass(frozen=True, slots=True)
class ProgramSize:
    """How long a program is: numeric literals outside colours and `size`, parenthesised forms, bytes after gzip -9."""

    numbers: int
    forms: int
    gz: int


@dataclass(frozen=True, slots=True)
class Row:
    """One picture drawn once. tool says how; measurements are None where `error` says why there is no drawing.

    rmse is over all channels, 0..1; rmse512 the same against the larger picture, None where there is none. background
    is what the picture's alpha is laid over; course is the error while it was drawn, as the search measured it.
    """

    category: str
    name: str
    tool: str
    picture: Path
    program: str | None = None
    error: str | None = None
    rmse: float | None = None
    rmse512: float | None = None
    numbers: int | None = None
    forms: int | None = None
    gz: int | None = None
    renders: int | None = None
    seconds: float | None = None
    background: Color = WHITE
    course: "tuple[Step, ...]" = ()


COLUMNS = ("rmse", "rmse512", "numbers", "forms", "gz", "renders", "seconds")


@dataclass(frozen=True, slots=True)
class Summary:
    """The rows of one category and tool: medians by column (None without data), the mean rmse, how many are lost."""

    category: str
    tool: str
    count: int
    lost: int
    mean_rmse: float | None
    medians: dict[str, float | None]


def evaluate(
    folder: Path,
    *,
    options: tuple[tuple[str, Any], ...] = (),
    network: bool = True,
    weights: Path | None = None,
    background: Color = WHITE,
    seconds: Sequence[float] = (),
    processes: int = 1,
    ablation: bool = False,
    progress: Progress | None = None,
) -> list[Row]:
    """Draw every picture of a folder, or of its category folders. Returns the rows, by category, tool, worst first.

    ablation draws each picture a second time without the network; with several seconds each is drawn in each time, one
    tool a time ('network, 5 s'). Raises PictureError when there is no picture; a picture that cannot be drawn becomes a
    row with its error.
    """
    kinds = {"network": True, "no network": False} if ablation else {"network" if network else "no network": network}
    tools = {
        f"{kind}, {time:g} s" if len(seconds) > 1 else kind: (with_network, (*options, ("seconds", time)))
        for kind, with_network in kinds.items()
        for time in seconds
    } or {kind: (with_network, options) for kind, with_network in kinds.items()}
    categories = find_categories(folder)
    jobs: list[Job] = []
    places: dict[Job, tuple[str, str]] = {}
    for tool, (with_network, settings) in tools.items():
        for category, pictures in categories.items():
            for picture in pictures:
                job = Job(picture, settings, with_network, weights, background)
                jobs.append(job)
                places[job] = (category, tool)
    results = draw_each(jobs, processes)
    rows = []
    for job, result in progress(results, len(jobs), "drawing") if progress else results:
        category, tool = places[job]
        rows.append(measure(result, job.picture, category, tool, _larger(folder, job.picture), background))
    order = list(tools)
    rows.sort(key=lambda row: (row.category, order.index(row.tool), -_worst_first(row), row.name))
    return rows


def find_categories(folder: Path) -> dict[str, list[Path]]:
    """Category name -> its pictures: one for each sub-folder with pictures, or the folder itself as the only one."""
    try:
        inner = sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError as error:
        raise PictureError(describe(error), file=str(folder)) from error
    categories = {}
    for path in inner:
        try:
            categories[path.name] = list_pictures(path)
        except PictureError:
            continue  # a folder of something else
    return categories or {folder.resolve().name: list_pictures(folder)}


def measure(
    result: Drawn | SketchError,
    picture: Path,
    category: str,
    tool: str,
    larger: Path | None = None,
    background: Color = WHITE,
) -> Row:
    """The row of one result. An error, or a program that does not draw, makes a row with its reason."""
    if isinstance(result, SketchError):
        return Row(category, picture.stem, tool, picture, error=result.message)
    try:
        target = load_picture(picture, LONGEST, background)
        rmse = _distance(result.program, _measured(target))
        beside = target if target.vector else load_picture(larger, LONGEST, background) if larger else None
        rmse512 = _distance(result.program, beside.pixels) if beside else None
    except SketchError as error:
        return Row(category, picture.stem, tool, picture, result.program, error=error.message)
    size = measure_program(result.program)
    return Row(
        category=category,
        name=picture.stem,
        tool=tool,
        picture=picture,
        program=result.program,
        rmse=rmse,
        rmse512=rmse512,
        numbers=size.numbers,
        forms=size.forms,
        gz=size.gz,
        renders=result.renders,
        seconds=result.seconds,
        background=background,
        course=result.course,
    )


def compare(program: str, picture: Path) -> float:
    """Root of the mean squared difference, over pixels and channels (0..1), of a program's drawing and a picture."""
    return _distance(program, load_measured(picture))


def _distance(program: str, target: "NDArray[np.float32]") -> float:
    import numpy as np

    height, width = target.shape[:2]
    drawing = render_program(program, (height, width)).astype(np.float32) / 255
    return float(np.sqrt(np.mean((drawing - target) ** 2)))


def load_measured(picture: Path, background: Color = WHITE) -> "NDArray[np.float32]":
    """The pixels that drawings are compared with: (H, W, 3), 0..1, at most 1024 along the longer side."""
    return _measured(load_picture(picture, LONGEST, background))


def _measured(picture: Picture) -> "NDArray[np.float32]":
    if not picture.vector:
        return picture.pixels
    width, height = picture.canvas
    return resize(picture.pixels, (height, width))


def render_program(program: str, size: tuple[int, int]) -> "NDArray[np.uint8]":
    """A program's drawing at (height, width) pixels: (H, W, 3), 0..255. Raises SketchError when it does not draw."""
    from treesketch.check import check
    from treesketch.interpreter import interpret
    from treesketch.raster import rasterise
    from treesketch.syntax import parse

    tree = parse(program)
    for error in check(tree):
        raise error
    return rasterise(interpret(tree), size)


def measure_program(text: str) -> ProgramSize:
    """How long a program's text is. Comments do not count; numbers in colours and in `size` do not either.

    >>> size = measure_program("(size 128 128) (fill 191 10 48) (rect 0 (* 2 3) 128 9)")
    >>> size.numbers, size.forms
    (5, 4)
    """
    numbers = forms = 0
    heads: list[str | None] = []  # first words of the open brackets; None until it comes
    for token in _TOKEN.findall(text):
        if token[0] == ";":
            continue
        if token in "([{":
            forms += token == "("
            heads.append(None if token == "(" else "")
        elif token in ")]}":
            if heads:
                heads.pop()
        elif heads and heads[-1] is None:
            heads[-1] = token
        elif _NUMBER.match(token) and not COLOR_HEADS.intersection(heads):
            numbers += 1
    return ProgramSize(numbers, forms, len(gzip.compress(text.encode("utf-8"), 9, mtime=0)))


def summarise(rows: Iterable[Row]) -> list[Summary]:
    """Medians for each category and tool, in the order of the rows."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.category, row.tool), []).append(row)
    return [_summarise_group(category, tool, group) for (category, tool), group in groups.items()]


def _summarise_group(category: str, tool: str, rows: Sequence[Row]) -> Summary:
    values = {name: [getattr(row, name) for row in rows if getattr(row, name) is not None] for name in COLUMNS}
    return Summary(
        category=category,
        tool=tool,
        count=len(rows),
        lost=sum(row.error is not None for row in rows),
        mean_rmse=fmean(values["rmse"]) if values["rmse"] else None,
        medians={name: median(found) if found else None for name, found in values.items()},
    )


def error_at(course: "Sequence[Step]", renders: int) -> float | None:
    """The rmse of the best program after so many renders, the last one's if the search had ended; None before any."""
    found = bisect_right(course, renders, key=lambda step: step.renders)
    return course[found - 1].rmse if found else None


def print_table(summaries: Iterable[Summary]) -> None:
    """The summaries on standard output."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="medians by category", title_justify="left")
    for heading in ("category", "tool"):
        table.add_column(heading)
    for heading in ("n", "lost", *COLUMNS, "mean rmse"):
        table.add_column(heading, justify="right")
    for summary in summaries:
        cells = [format_cell(name, summary.medians[name]) for name in COLUMNS]
        counts = [str(summary.count), str(summary.lost)]
        table.add_row(summary.category, summary.tool, *counts, *cells, format_cell("rmse", summary.mean_rmse))
    Console(width=None if Console().is_terminal else 140).print(table)


def format_cell(column: str, value: float | None) -> str:
    """A measurement as tables show it: errors with four digits, times with two, counts whole where they are."""
    if value is None:
        return "-"
    if column.startswith("rmse"):
        return f"{value:.4f}"
    return f"{value:.2f}" if column == "seconds" else f"{value:g}"


def _larger(folder: Path, picture: Path) -> Path | None:
    base = folder.resolve()
    path = base.with_name(base.name + "512") / picture.resolve().relative_to(base)
    return path if path.is_file() else None


def _worst_first(row: Row) -> float:
    return float("inf") if row.rmse is None else row.rmse
