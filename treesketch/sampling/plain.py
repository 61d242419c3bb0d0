"""Plain scenes: one to twelve flat shapes of every sort, in the arrangements that pictures are made of.

A random source in; layers and a background out. A fifth are icons of one colour.
"""

import math
from random import Random

from treesketch.layers import Channels, Layer
from treesketch.sampling import icons, loops, outlines
from treesketch.sampling.outlines import placed
from treesketch.sampling.pad import Pad
from treesketch.sampling.palettes import BLACK, BOLD, PASTEL, TOY, WHITE, other, palette


def sample(random: Random) -> tuple[list[Layer], Channels]:
    """One scene."""
    u = random.random
    pad = Pad()
    sort = u()
    if sort < 0.22:
        paper, ink = WHITE, BLACK
        if sort > 0.17:
            paper, ink = (
                palette(random, 2, (TOY, BOLD, None)[int(3 * u())])
                if u() < 0.5
                else (WHITE, palette(random, 1, TOY)[0])
            )
        if sort > 0.195:  # a tile of the other colour behind
            pad.rounded(0, 0, 128, 128, 14 + 14 * u(), ink)
            ink, paper = (WHITE, ink) if u() < 0.8 else (paper, ink)
            background = WHITE
        else:
            background = paper
        if u() < 0.55:
            icons.outline_icon(pad, random, ink)
        else:
            icons.filled_icon(pad, random, ink, paper)
        if not pad:
            pad.disc(64, 64, 40, ink)
        return pad.layers(), background
    colors = palette(random, 2 + int(5 * u()), (None, BOLD, TOY, TOY, PASTEL + BOLD)[int(5 * u())])
    background = WHITE if u() < 0.42 else colors[0]
    wanted = 1 + int(12 * u())
    if u() < 0.17:
        _loop(pad, random, colors, background)
        wanted = min(wanted, 5)
    if u() < 0.25:
        _ground(pad, random, colors, background)
    size = 72 * (0.3 + 0.7 * u())
    tries = 0
    while len(pad) < wanted and tries < 14:
        tries += 1
        group = u()
        x, y = 128 * u(), 128 * u()
        if tries == 1 and u() < 0.5:
            x, y = 40 + 48 * u(), 40 + 48 * u()
        rx = size * (0.35 + 0.65 * u())
        size = max(4.5, size * (0.68 + 0.34 * u()))
        fill = other(random, colors, pad.under(x, y, background))
        if group < 0.58:
            shape(pad, random, x, y, rx, rx * _aspect(random), colors, fill)
        elif group < 0.7:
            _nested(pad, random, x, y, max(rx, 12), colors, fill)
        elif group < 0.82:
            _series(pad, random, colors, fill, wanted - len(pad))
        elif group < 0.92:
            _mirrored(pad, random, y, min(rx, 26), colors, fill)
        else:
            _concentric(pad, random, x, y, max(rx, 14), colors, fill)
    if not pad:
        pad.disc(64, 64, 30, other(random, colors, background))
    return pad.layers(), background


def _aspect(random: Random) -> float:
    u = random.random
    if u() < 0.45:
        return 1.0
    return 2 ** (2.6 * u() - 1.3)


def shape(
    pad: Pad, random: Random, x: float, y: float, rx: float, ry: float, colors: list[Channels], fill: Channels
) -> None:
    """One shape of any sort with its middle at (x, y) and about these half extents, filled, outlined or both."""
    u = random.random
    inside: Channels | None = fill
    outline: Channels | None = None
    weight = 1.0
    paint = u()
    if paint < 0.24:
        weight = 1.5 + min(12.0, 0.3 * min(rx, ry)) * u()
        if paint < 0.12:
            outline, inside = fill, None
        else:
            outline = other(random, colors, fill)
    kind = u()
    if kind < 0.15:
        pad.rect(x - rx, y - ry, 2 * rx, 2 * ry, inside, outline, weight)
    elif kind < 0.37:
        if u() < 0.5:
            ry = rx
        pad.ellipse(x, y, 2 * rx, 2 * ry, inside, outline, weight)
    elif kind < 0.45:
        angle = math.pi / 2 * int(4 * u()) if u() < 0.5 else 6.28 * u()
        points = outlines.REGULARS[3] if u() < 0.4 else outlines.jagged(random, 3)
        pad.polygon(placed(points, x, y, rx, ry, angle), inside, outline, weight)
    elif kind < 0.53:
        angle = math.pi / 2 * int(4 * u()) if u() < 0.6 else 6.28 * u()
        points = (outlines.DIAMOND, *outlines.SKEWS, outlines.jagged(random, 4))[int(6 * u())]
        pad.polygon(placed(points, x, y, rx, ry, angle), inside, outline, weight)
    elif kind < 0.74:
        angle = 0.0 if u() < 0.5 else math.pi / 2 * int(4 * u()) if u() < 0.4 else 6.28 * u()
        if u() < 0.15:
            pad.rounded(x - rx, y - ry, 2 * rx, 2 * ry, (0.2 + 0.8 * u()) * min(rx, ry), inside, outline, weight)
        elif u() < 0.35:
            pad.curve(placed(outlines.hull(random), x, y, rx, ry, angle), inside, outline, weight)
        elif u() < 0.2:
            start = math.pi / 4 * int(8 * u()) if u() < 0.6 else 6.28 * u()
            stop = start + (math.pi / 2 * (1 + int(3 * u())) if u() < 0.6 else 0.5 + 5 * u())
            pad.slice(x, y, rx, ry, start, stop, inside, outline, weight, pie=u() < 0.5)
        else:
            pad.polygon(placed(outlines.figure(random), x, y, rx, ry, angle), inside, outline, weight)
    elif kind < 0.83:
        ry = ry if ry != rx or u() < 0.4 else rx * (0.15 + 0.6 * u())
        pad.turned_rect(x, y, 2 * rx, 2 * ry, _angle(random), fill=inside, stroke=outline, weight=weight)
    elif kind < 0.9:
        ry = rx * (0.2 + 0.6 * u())
        pad.turned_ellipse(x, y, 2 * rx, 2 * ry, _angle(random), fill=inside, stroke=outline, weight=weight)
    elif kind < 0.95:
        a = math.pi / 4 * int(8 * u()) if u() < 0.6 else 6.28 * u()
        c, s = rx * math.cos(a), rx * math.sin(a)
        pad.line(x - c, y - s, x + c, y + s, fill, 1.5 + 10 * u() * u())
    elif u() < 0.5:
        start = 6.28 * u()
        pad.arc(x, y, rx, ry, start, start + 0.8 + 4 * u(), fill, 1.5 + 8 * u())
    else:
        n = 3 + int(5 * u())
        points = [(x - rx + 2 * rx * i / (n - 1), y + ry * (2 * u() - 1)) for i in range(n)]
        if u() < 0.5:
            points = [(a, y + ry * (0.5 if i % 2 else -0.5)) for i, (a, _) in enumerate(points)]
        if n > 3 and u() < 0.5:
            pad.curve(points, None, fill, 1.5 + 8 * u(), closed=False)
        else:
            pad.polyline(points, fill, 1.5 + 8 * u(), inside if u() < 0.1 else None)


def _angle(random: Random) -> float:
    """A turn that shows: often an eighth, else any, in radians from -pi / 2 to pi / 2."""
    u = random.random
    if u() < 0.3:
        return math.pi / 4 * (1 if u() < 0.5 else -1)
    return math.pi * (u() - 0.5)


def _ground(pad: Pad, random: Random, colors: list[Channels], background: Channels) -> None:
    """A large part of the canvas in another colour: a half, a floor, a tile, a disc, a corner."""
    u = random.random
    fill = other(random, colors, background)
    kind = u()
    if kind < 0.3:
        y = 40 + 70 * u()
        pad.rect(0, y, 128, 128 - y, fill)
    elif kind < 0.45:
        x = 30 + 68 * u()
        left, right = (0.0, x) if u() < 0.5 else (x, 128.0)
        pad.rect(left, 0, right - left, 128, fill)
    elif kind < 0.65:
        pad.rounded(0, 0, 128, 128, 10 + 20 * u(), fill)
    elif kind < 0.8:
        pad.disc(64, 64, 64 if u() < 0.6 else 50 + 40 * u(), fill)
    elif kind < 0.9:
        pad.polygon([(0, 128), (128, 0), (128, 128)] if u() < 0.5 else [(0, 0), (128, 128), (0, 128)], fill)
    else:
        pad.ellipse(64 + 60 * (u() - 0.5), 130, 150 + 80 * u(), 60 + 60 * u(), fill)


def _nested(pad: Pad, random: Random, x: float, y: float, rx: float, colors: list[Channels], fill: Channels) -> None:
    """A parent with one to three children inside."""
    u = random.random
    ry = rx * (0.6 + 0.6 * u())
    shape(pad, random, x, y, rx, ry, colors, fill)
    for _ in range(1 + int(3 * u())):
        r = min(rx, ry) * (0.15 + 0.4 * u())
        dx, dy = (rx - r) * 0.8 * (2 * u() - 1), (ry - r) * 0.8 * (2 * u() - 1)
        shape(pad, random, x + dx, y + dy, r, r * _aspect(random), colors, other(random, colors, fill))


def _series(pad: Pad, random: Random, colors: list[Channels], fill: Channels, room: int) -> None:
    """Equal shapes in a row, a column or a small raster."""
    u = random.random
    n = min(max(2, room), 2 + int(4 * u()))
    r = min(4 + 12 * u(), 58 / n)
    step = r * (2.1 + 1.5 * u())
    if (n - 1) * step > 120:
        step = 120 / (n - 1)
    x, y = 4 + r + u() * max(0.0, 120 - 2 * r - (n - 1) * step), 8 + r + u() * (112 - 2 * r)
    upright = u() < 0.4
    kind, ratio, aside = u(), _aspect(random), fill if u() < 0.8 else other(random, colors, fill)
    unit = outlines.figure(random) if kind > 0.75 else None
    for i in range(n):
        px, py = (y, x + i * step) if upright else (x + i * step, y)
        paint = aside if i % 2 else fill
        if unit is not None:
            pad.polygon(placed(unit, px, py, r, r), paint)
        elif kind < 0.4:
            pad.ellipse(px, py, 2 * r, 2 * r * ratio, paint)
        elif kind < 0.6:
            pad.rect(px - r, py - r * ratio, 2 * r, 2 * r * ratio, paint)
        elif upright:
            pad.line(px - 2 * r, py, px + 2 * r, py, paint, 1.5 + 0.6 * r)
        else:
            pad.line(px, py - 2 * r * ratio, px, py + 2 * r, paint, 1.5 + 0.6 * r)


def _mirrored(pad: Pad, random: Random, y: float, r: float, colors: list[Channels], fill: Channels) -> None:
    """A pair of equal shapes on both sides of the middle, perhaps each with a child."""
    u = random.random
    d = r * (1.1 + u()) if u() < 0.8 else 64 - r
    ratio = _aspect(random)
    kind, angle = u(), math.pi * (u() - 0.5)
    unit = outlines.figure(random) if kind > 0.6 else None
    child = u() < 0.35
    inner = other(random, colors, fill)
    for side in (-1, 1):
        x = 64 + side * d
        if unit is not None:
            pad.polygon(placed([(side * a, b) for a, b in unit], x, y, r, r * ratio), fill)
        elif kind < 0.3:
            pad.ellipse(x, y, 2 * r, 2 * r * ratio, fill)
        elif kind < 0.4:
            pad.rect(x - r, y - r * ratio, 2 * r, 2 * r * ratio, fill)
        else:
            pad.turned_ellipse(x, y, 2 * r, r * 1.1, side * angle, fill=fill)
        if child:
            pad.disc(x, y, r * 0.45, inner)


def _concentric(pad: Pad, random: Random, x: float, y: float, r: float, colors: list[Channels], fill: Channels) -> None:
    """Two to four shapes of one sort around one middle."""
    u = random.random
    kind = u()
    unit = outlines.figure(random)
    for _ in range(2 + int(3 * u())):
        if kind < 0.55:
            pad.disc(x, y, r, fill)
        elif kind < 0.75:
            pad.rect(x - r, y - r, 2 * r, 2 * r, fill)
        else:
            pad.polygon(placed(unit, x, y, r, r), fill)
        r *= 0.45 + 0.4 * u()
        fill = other(random, colors, fill)
        if r < 3:
            break


def _loop(pad: Pad, random: Random, colors: list[Channels], background: Channels) -> None:
    """One repetition written as code."""
    u = random.random
    fill = other(random, colors, background)
    kind = u()
    if kind < 0.25:
        x0, y0 = (0, 0) if u() < 0.5 else (40 * u(), 40 * u())
        box = (x0, y0, 128 - x0, 128 - y0) if u() < 0.6 else (x0, y0, x0 + 30 + 50 * u(), y0 + 30 + 50 * u())
        loops.stripes(pad, random, fill, box)
    elif kind < 0.55:
        if u() < 0.75:
            loops.row(pad, random, fill, None, 1.0)
        else:
            loops.row(pad, random, None, fill, 1.5 + 3 * u())
    elif kind < 0.7:
        outer = 16 + 44 * u()
        inside, line = (fill, None) if u() < 0.7 else (None, fill)
        loops.rays(
            pad, random, 30 + 68 * u(), 30 + 68 * u(), outer * (0.1 + 0.5 * u()), outer, inside, line, 1.5 + 5 * u()
        )
    elif kind < 0.76:
        loops.rings(pad, random, fill)
    else:
        loops.twins(pad, random, fill)
