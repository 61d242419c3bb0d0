"""Lines that fall in steps, over a logarithmic axis: named points in, inline SVG out.

Colours and type are the page's: a line has the class `line0`, `line1` and so on, in the order of the names; ticks and
grid have classes too, so that one style sheet serves light and dark.
"""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10

Points = Sequence[tuple[float, float]]  # (x, y) by x, which is at least 1: y holds from x to the next

LINES = 6  # colours there are; further lines begin again, dashed
_SIZES = {True: (640, 220), False: (128, 44)}  # width and height of a chart and of a sparkline, in CSS pixels
_MARGINS = {True: (46, 12, 14, 34), False: (1, 2, 1, 2)}  # left, top, right, bottom


def draw_chart(lines: Mapping[str, Points], label: str, *, axes: bool = True) -> str:
    """An SVG element with one stepped line a name, from x = 1 and y = 0; without axes, a sparkline.

    label is what a screen reader says. Behind its last point a line goes on to the right, thinner.
    """
    width, height = _SIZES[axes]
    left, top, right, bottom = _MARGINS[axes]
    points = [point for line in lines.values() for point in line]
    decades = max(log10(max((x for x, _ in points), default=1)), 0.5)
    step = _step(max((y for _, y in points), default=0) or 1)
    most = step * ceil(max((y for _, y in points), default=0) / step - 1e-9) or step

    def across(x: float) -> str:
        return f"{left + (width - left - right) * log10(x) / decades:.1f}"

    def down(y: float) -> str:
        return f"{height - bottom - (height - top - bottom) * y / most:.1f}"

    parts = []
    if axes:
        for tick in range(round(most / step) + 1):
            level = down(tick * step)
            parts.append(f'<path class="grid" d="M{left} {level}H{width - right}"/>')
            parts.append(f'<text class="end" x="{left - 6}" y="{level}" dy=".32em">{tick * step:.4g}</text>')
        for decade in range(floor(decades) + 1):
            place = across(10**decade)
            parts.append(f'<path class="grid" d="M{place} {top}V{height - bottom}"/>')
            parts.append(f'<text class="middle" x="{place}" y="{height - bottom + 15}">{10**decade:,}</text>')
        parts.append(f'<text class="middle" x="{(left + width - right) / 2:g}" y="{height - 4}">renders</text>')
    for number, line in enumerate(lines.values()):
        if line:
            (x, y), *rest = line
            path = f"M{across(x)} {down(y)}" + "".join(f"H{across(x)}V{down(y)}" for x, y in rest)
            dashed = " dashed" if number // LINES % 2 else ""
            parts.append(f'<path class="line line{number % LINES}{dashed}" d="{path}"/>')
            end, last = line[-1]
            if across(end) != across(10**decades):
                kept = f"M{across(end)} {down(last)}H{width - right}"
                parts.append(f'<path class="line line{number % LINES} kept" d="{kept}"/>')
    kind = "chart" if axes else "sparkline"
    shape = f'viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}"'
    return f'<svg class="{kind}" {shape}>{"".join(parts)}</svg>'


def _step(most: float) -> float:
    """The distance of ticks, 1, 2 or 5 times a power of ten, so that two to five reach `most`."""
    unit = 10.0 ** floor(log10(most))
    return next(unit * part for part in (0.2, 0.5, 1, 2) if most <= 5 * unit * part + 1e-12)
