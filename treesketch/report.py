"""Measured rows -> one HTML page that needs no network: pictures are data URIs, nothing is loaded from elsewhere."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from treesketch.charts import Points, draw_chart
from treesketch.errors import SketchError
from treesketch.evaluate import COLUMNS, Row, Summary, error_at, format_cell, load_measured, render_program
from treesketch.page import line_class, write_document, write_figure

LONGEST_SHOWN = 256  # pixels
MILESTONES = (100, 1_000, 10_000)  # renders after which the tools are compared
A_DECADE = 24  # points of a median's line

_STYLE = """
th:first-child, td:first-child, .summary :is(th, td):nth-child(2) { text-align: left; }
article { display: grid; grid-template-columns: 130px 1fr; gap: .25rem 1.25rem; }
h3 { grid-column: 1 / -1; }
.tool { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; align-items: start; }
.tool + .tool { margin-top: .9rem; } .tool > div:last-child { flex: 1 1 18rem; }
article > .pictures { flex-direction: column; }
article > div, .tool > div { min-width: 0; } p { margin: 0 0 .3rem; }
.measures { font-size: .85rem; opacity: .8; }
.error { color: #c22; }
details { min-width: 0; } summary { cursor: pointer; }
.course { display: flex; flex-wrap: wrap; gap: .5rem 2rem; align-items: center; margin: .75rem 0 .5rem; }
.course > figure { flex: 1 1 26rem; max-width: 42rem; } .course > .scroll { flex: 0 1 auto; }
svg { width: 100%; }
.sparkline { width: 128px; height: 44px; border-bottom: 1px solid var(--line); }
@media (max-width: 48rem) {
  article { grid-template-columns: 1fr; } article > .pictures { flex-direction: row; } }
"""


def write_page(rows: Sequence[Row], summaries: Sequence[Summary], title: str) -> str:
    """The page: the summary on top, then each category with its pictures in the order of the rows.

    A row of a second tool (an ablation) for the same picture is shown inside the first one's entry.
    """
    entries: dict[str, dict[Path, list[Row]]] = {}
    for row in rows:
        entries.setdefault(row.category, {}).setdefault(row.picture, []).append(row)
    body = [
        f"<h1>{escape(title)}: {sum(map(len, entries.values()))} pictures drawn by programs</h1>",
        "<p>Medians by category; within a category the worst drawing comes first. In a difference, white is equal.</p>",
        _summary_table(summaries),
    ]
    for category, pictures in entries.items():
        body.append(f'<h2 id="{escape(category)}">{escape(category)}</h2>')
        body.append(_course([row for group in pictures.values() for row in group]))
        body += [_entry(group) for group in pictures.values()]
    return write_document(title, _STYLE, body)


def _summary_table(summaries: Iterable[Summary]) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("category", "tool", "pictures", "lost", *COLUMNS, "mean rmse"))
    lines = []
    for summary in summaries:
        category = escape(summary.category)
        cells = [f'<a href="#{category}">{category}</a>', escape(summary.tool), str(summary.count), str(summary.lost)]
        cells += [format_cell(name, summary.medians[name]) for name in COLUMNS]
        cells.append(format_cell("rmse", summary.mean_rmse))
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    body = "\n".join(lines)
    table = f'<table class="summary">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>'
    return f'<div class="scroll">{table}</div>'


def _course(rows: Sequence[Row]) -> str:
    """How the error of a category fell while its pictures were drawn: a line a tool, and a table of milestones."""
    tools: dict[str, list[Row]] = {}
    for row in rows:
        tools.setdefault(row.tool, []).extend([row] if row.course else [])
    drawn = [row for group in tools.values() for row in group]
    if not drawn:
        return ""
    chart = draw_chart({tool: _median_line(group) for tool, group in tools.items()}, "median rmse over renders")
    longest = max(row.course[-1].renders for row in drawn)
    marks = [mark for mark in MILESTONES if mark <= longest]
    head = "".join(f"<th>{name}</th>" for name in ("rmse at", *(f"{mark:,}" for mark in marks), "the end"))
    lines = []
    for number, (tool, group) in enumerate(tools.items()):
        cells = [_milestone(group, mark) for mark in marks]
        cells.append(format_cell("rmse", median(row.course[-1].rmse for row in group) if group else None))
        kind = line_class(number)
        lines.append(f'<tr><td class="{kind}">{escape(tool)}</td>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>')
    begin = max(row.course[0].renders for row in drawn)
    late = f" Before {begin:,} renders some pictures had no program yet." if begin > 1 else ""
    caption = (
        "Median rmse, at 128 pixels, of the best program after so many renders, from the traced picture to the program "
        "polished and rounded. Fewer numbers may be worth a higher rmse. A search that ended keeps its program." + late
    )
    return (
        f'<div class="course">\n<figure>{chart}<figcaption>{caption}</figcaption></figure>\n<div class="scroll"><table>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{''.join(lines)}</tbody></table></div>\n</div>"
    )


def _median_line(rows: Sequence[Row]) -> Points:
    """The median error from where every picture has a program to the end of the longest search."""
    if not rows:
        return []
    begin = max(row.course[0].renders for row in rows)
    end = max(row.course[-1].renders for row in rows)
    marks = {round(begin * 10 ** (k / A_DECADE)) for k in range(int(A_DECADE * np.log10(end / begin)) + 1)} | {end}
    line: list[tuple[float, float]] = []
    for mark in sorted(marks):
        found = [error for row in rows if (error := error_at(row.course, mark)) is not None]
        if not line or line[-1][1] != median(found) or mark == end:
            line.append((mark, median(found)))
    return line


def _milestone(rows: Sequence[Row], renders: int) -> str:
    """The median error after so many renders, and of how many pictures if not all had a program."""
    if all(row.course[-1].renders < renders for row in rows):  # also where nothing was drawn
        return "not reached"
    found = [error for row in rows if (error := error_at(row.course, renders)) is not None]
    if not found:
        return "no program yet"
    some = "" if len(found) == len(rows) else f" ({len(found)} of {len(rows)})"
    return format_cell("rmse", median(found)) + some


def _entry(rows: Sequence[Row]) -> str:
    """One picture: itself and its error over renders, then what each tool made of it, a row a tool."""
    target = _load(rows[0])
    figures = [_figure(target, "picture")] if target is not None else []
    courses = {row.tool: [(step.renders, step.rmse) for step in row.course] for row in rows}
    if any(courses.values()):
        label = "rmse by renders"
        figures.append(f"<figure>{draw_chart(courses, label, axes=False)}<figcaption>{label}</figcaption></figure>")
    body = (
        f'<div class="pictures">{"".join(figures)}</div>\n<div>{"".join(_drawing(row, target) for row in rows)}</div>'
    )
    return f"<article>\n<h3>{escape(rows[0].name)}</h3>\n{body}\n</article>"


def _drawing(row: Row, target: NDArray[np.float32] | None) -> str:
    """What one tool made of a picture: drawing, difference from the target, measurements and program."""
    if row.program is None or row.error is not None or target is None:
        return f'<p class="error">{escape(row.tool)}: {escape(row.error or "the picture can no longer be read")}</p>\n'
    height, width = target.shape[:2]
    drawing = render_program(row.program, (height, width)).astype(np.float32) / 255
    figures = _figure(drawing, "drawing") + _figure(1 - np.abs(drawing - target), "difference")
    measures = ", ".join(
        f"{name} {format_cell(name, getattr(row, name))}" for name in COLUMNS if getattr(row, name) is not None
    )
    return (
        f'<div class="tool"><div class="pictures">{figures}</div>\n'
        f'<div><p class="measures">{escape(row.tool)}: {measures}</p>\n'
        f"<details><summary>program</summary><pre>{escape(row.program)}</pre></details></div></div>\n"
    )


def _load(row: Row) -> NDArray[np.float32] | None:
    try:
        return load_measured(row.picture, row.background)
    except SketchError:
        return None


def _figure(pixels: NDArray[np.floating], caption: str) -> str:
    """NDArray[np.float32] (H, W, 3), 0..1, as an inline PNG with its caption."""
    return write_figure((np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8), caption, LONGEST_SHOWN)
