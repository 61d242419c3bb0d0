"""Results on problems -> one HTML page that needs no network: shares over renders, and what was not solved."""

from collections.abc import Sequence
from html import escape

import numpy as np

from treesketch.charts import draw_chart
from treesketch.dialects import draw_picture
from treesketch.exam import BUDGET, HEADINGS, LEFT, Answer, Result, Summary, cells, pose_picture
from treesketch.language import load_language
from treesketch.page import line_class, write_document, write_figure
from treesketch.solving.judge import Picture
from treesketch.syntax import parse

_STYLE = f"""
h3 {{ margin-bottom: .4rem; }} svg {{ max-width: 42rem; }}
th:nth-child(-n + {LEFT}), td:nth-child(-n + {LEFT}) {{ text-align: left; }}
"""


def write_page(results: Sequence[Result], summaries: Sequence[Summary], grammar: str) -> str:
    """The page: the table, the share of each of its rows over renders, and the problems that one try left unsolved."""
    lines = {f"{one.kind}, {one.solver}, {one.test}": _curve(results, one) for one in summaries}
    failed = [(result, answer) for result in results for answer in _failures(result)[:1]]
    body = [
        f"<h1>{escape(grammar)}: problems solved by programs</h1>",
        f"<p>Percent solved within so many renders, of {BUDGET:,} at most, with intervals at 95 % (Wilson). Parts are "
        "those of the programs that solved, truth those of the problems that change a pixel; looks are parts that "
        "a solver laid over the picture by itself, seconds the processor's for a problem.</p>",
        _table(summaries),
        draw_chart(lines, "percent solved over renders"),
        f"<h2>Not solved, or not strictly: {len(failed)} of {len(results)}</h2>",
    ]
    body += [_entry(result, answer) for result, answer in failed]
    return write_document(grammar, _STYLE, body)


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
        row = f'<td class="{line_class(number)}">{escape(first)}</td>' + "".join(
            f"<td>{_lines(cell)}</td>" for cell in others
        )
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
    return write_figure(pixels, caption)
