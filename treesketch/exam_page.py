"""Results on problems -> one HTML page that needs no network: shares over renders, and what was not solved."""

import base64
import io
from collections.abc import Sequence
from html import escape

import numpy as np
from PIL import Image

from treesketch.charts import draw_chart
from treesketch.dialects import draw_picture
from treesketch.exam import BUDGET, HEADINGS, LEFT, Answer, Result, Summary, cells, pose_picture
from treesketch.language import load_language
from treesketch.solving.judge import Picture
from treesketch.syntax import parse

_STYLE = f"""
:root {{ color-scheme: light dark; --line: #8884; --c0: #2a6fdb; --c1: #d4540a; --c2: #2b8a3e; --c3: #a03cb5;
  --c4: #9a6b00; --c5: #0b7b8a; }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 74rem; padding: 1.5rem; }}
h1 {{ font-size: 1.5rem; margin: 0 0 .25rem; }} h2 {{ font-size: 1.2rem; margin: 2rem 0 .5rem; }}
h3 {{ font-size: 1rem; margin: 0 0 .4rem; }} .scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }}
th:nth-child(-n + {LEFT}), td:nth-child(-n + {LEFT}) {{ text-align: left; }}
article {{ padding: .9rem 0; border-bottom: 1px solid var(--line); }}
.pictures {{ display: flex; flex-wrap: wrap; gap: .6rem; }}
figure {{ margin: 0; }} figcaption {{ font-size: .85rem; opacity: .8; }}
img {{ display: block; width: 128px; border: 1px solid var(--line); background: #fff; }}
pre {{ margin: .4rem 0 0; overflow: auto; font: 13px/1.45 ui-monospace, monospace; }}
svg {{ display: block; max-width: 42rem; fill: none; }}
svg text {{ fill: currentColor; font-size: 11px; opacity: .75; }}
.end {{ text-anchor: end; }} .middle {{ text-anchor: middle; }} .grid {{ stroke: var(--line); }}
.line {{ stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }} .kept {{ stroke-width: 1; }}
.dashed {{ stroke-dasharray: 5 3; }} td.line::before {{ content: ""; display: inline-block; width: 1rem;
  margin-right: .5rem; vertical-align: .25em; border-top: 3px solid var(--c); }}
td.dashed::before {{ border-top-style: dashed; }}
""" + "".join(f".line{number} {{ --c: var(--c{number}); }}\n" for number in range(6))


def write_page(results: Sequence[Result], summaries: Sequence[Summary], grammar: str) -> str:
    """The page: the table, the share of each of its rows over renders, and the problems that one try left unsolved."""
    lines = {f"{one.kind}, {one.solver}, {one.test}": _curve(results, one) for one in summaries}
    failed = [(result, answer) for result in results for answer in _failures(result)[:1]]
    body = [
        f"<h1>{escape(grammar)}: problems solved by programs</h1>",
        f"<p>Percent solved within so many renders, of {BUDGET:,} at most, with intervals at 95 % (Wilson). Parts are "
        "those of the programs that solved, truth those of the problems that change a pixel; seconds are the "
        "processor's for a problem.</p>",
        _table(summaries),
        draw_chart(lines, "percent solved over renders"),
        f"<h2>Not solved, or not strictly: {len(failed)} of {len(results)}</h2>",
    ]
    body += [_entry(result, answer) for result, answer in failed]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>treesketch: {escape(grammar)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _failures(result: Result) -> list[Answer]:
    """The answers that did not pass the strict test, those that passed none first."""
    failed = [answer for answer in result.answers if answer.exact_at is None]
    return sorted(failed, key=lambda answer: answer.solved_at is not None)


def _curve(results: Sequence[Result], summary: Summary) -> list[tuple[float, float]]:
    """Renders and the percentage that is solved within them, at each render that solved one."""
    group = [result for result in results if (result.task.kind, result.task.solver) == (summary.kind, summary.solver)]
    costs = sorted(answer.cost(summary.test) for result in group for answer in result.answers)
    points = {cost: 100 * (i + 1) / len(costs) for i, cost in enumerate(costs) if cost <= BUDGET}
    return list(points.items())


def _table(summaries: Sequence[Summary]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in HEADINGS)
    rows = []
    for number, summary in enumerate(summaries):
        first, *others = cells(summary)
        color = f"line line{number % 6}" + (" dashed" if number // 6 % 2 else "")
        row = f'<td class="{color}">{escape(first)}</td>' + "".join(f"<td>{_lines(cell)}</td>" for cell in others)
        rows.append(f"<tr>{row}</tr>")
    body = "\n".join(rows)
    return f'<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _entry(result: Result, answer: Answer) -> str:
    task = result.task
    _, target = pose_picture(task)
    figures, program = [_figure(target, "target")], "no program"
    if answer.program:
        program = answer.program
        drawn = draw_picture(parse(program, load_language(task.grammar)), task.grammar)
        figures.append(_figure(drawn, "best drawing"))
    state = "solved, not strictly" if answer.solved_at else "not solved"
    title = f"{task.kind} {task.number}, {task.solver}, seed {answer.seed}: {state}, {answer.renders:,} renders"
    return (
        f'<article>\n<h3>{escape(title)}</h3>\n<div class="pictures">{"".join(figures)}</div>\n'
        f"<pre>{escape(program)}</pre>\n</article>"
    )


def _figure(picture: Picture, caption: str) -> str:
    """A picture of a problem, or a coverage in black on white, as an inline PNG with its caption."""
    pixels = picture if picture.dtype == np.uint8 else np.round(255 * (1 - picture)).astype(np.uint8)
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, "PNG", optimize=True)
    data = base64.b64encode(png.getvalue()).decode("ascii")
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'
    )
