"""Icon scenes of one colour: outlines of one stroke weight with round caps, or filled figures with cut-outs.

A pad and a random source in; paper and ink are the two colours of the picture.
"""

import math
from random import Random

from treesketch.layers import Channels
from treesketch.sampling import outlines
from treesketch.sampling.outlines import TAU, Outline, placed
from treesketch.sampling.pad import Pad

UNIT = 128 / 24  # icons are mostly drawn on a raster of 24


def outline_icon(pad: Pad, random: Random, ink: Channels) -> None:
    """Two to seven strokes of one weight: a body (frame, ring, open path) with marks in it or beside it."""
    u = random.random
    weight = (5.5, 7, 8, 8, 10.5, 10.5, 10.5, 13)[int(8 * u())]
    body = u()
    if body < 0.48:
        x, y, rx, ry = _body(pad, random, None, ink, weight)
        _signs(pad, random, ink, weight, x, y, rx, ry, int(3.3 * u()))
        if u() < 0.35:
            _limbs(pad, random, ink, weight, (x, y, rx, ry))
    elif body < 0.6:
        for _ in range(1 + int(2.5 * u())):
            _path(pad, random, ink, weight)
    elif body < 0.7:
        _mirrored(pad, random, ink, weight)
    elif body < 0.77:
        _graph(pad, random, ink, weight)
    elif body < 0.88:
        _signs(pad, random, ink, weight, 64, 64, 52, 52, 1 + int(4 * u()))
    else:
        _lines(pad, random, ink, weight)


def _signs(
    pad: Pad, random: Random, ink: Channels, weight: float, x: float, y: float, rx: float, ry: float, n: int
) -> None:
    """Up to four marks that share a box: one below the other, side by side, or two by two."""
    u = random.random
    cols = 2 if n == 4 or (n == 2 and u() < 0.5) else 1
    rows = (n + cols - 1) // cols
    for i in range(n):
        col, row = i % cols, i // cols
        at_x, at_y = x + rx * ((2 * col + 1) / cols - 1), y + ry * ((2 * row + 1) / rows - 1)
        mark(pad, random, ink, weight, at_x, at_y, rx / cols * 0.9, ry / rows * 0.9)


def _mirrored(pad: Pad, random: Random, ink: Channels, weight: float) -> None:
    """One path that is its own mirror image, closed or open, and perhaps a line down the middle."""
    u = random.random
    n = 2 + int(3 * u())
    y = 14 + 24 * u()
    step = (112 - y) / (n - 1 if n > 1 else 1)
    right = []
    for i in range(n):
        right.append((_snap(64 + 8 + 42 * u()), _snap(y + i * step)))
    points = right[::-1] + [(128 - px, py) for px, py in right]
    if u() < 0.4:
        points = [(px, 128 - py) for px, py in points]
    if u() < 0.5:
        pad.polygon(points, None, ink, weight)
    else:
        pad.polyline(points, ink, weight)
    if u() < 0.4:
        pad.line(64, 20 + 40 * u(), 64, 70 + 44 * u(), ink, weight)
    if u() < 0.4:
        at = 24 + 80 * u()
        pad.line(30, at, 98, at, ink, weight)


def _graph(pad: Pad, random: Random, ink: Channels, weight: float) -> None:
    """Lines between a few places, with dots or rings at them."""
    u = random.random
    n = 3 + int(2 * u())
    turn = TAU * u() if u() < 0.5 else -math.pi / 2
    r = 34 + 14 * u()
    spots = [(64 + r * math.cos(turn + TAU * i / n), 64 + r * math.sin(turn + TAU * i / n)) for i in range(n)]
    middle = u() < 0.3
    for i in range(n - (u() < 0.5)):
        (ax, ay), (bx, by) = spots[i], (64.0, 64.0) if middle else spots[(i + 1) % n]
        pad.line(ax, ay, bx, by, ink, weight)
    dots = u()
    for x, y in spots if dots < 0.7 else ():
        if dots < 0.4:
            pad.disc(x, y, weight * 1.2, ink)
        else:
            pad.ellipse(
                x, y, weight * 2.4, weight * 2.4, (255, 255, 255) if ink != (255, 255, 255) else None, ink, weight * 0.7
            )


def filled_icon(pad: Pad, random: Random, ink: Channels, paper: Channels) -> None:
    """A filled body or two, with marks cut out of it in the colour of the paper."""
    u = random.random
    x, y, rx, ry = _body(pad, random, ink, None, 0.0)
    for _ in range(int(2.2 * u())):
        _body(pad, random, ink, None, 0.0, 0.25 + 0.3 * u())
    weight = 4 + 9 * u()
    full = rx > 60 and ry > 40
    for _ in range(int(3.5 * u()) + (full or u() < 0.5)):
        if u() < 0.4:
            mark(pad, random, paper, weight, x, y, rx * 0.75, ry * 0.75)
        else:
            _hole(pad, random, paper, x, y, rx * 0.7, ry * 0.7)


def _snap(value: float) -> float:
    """The value on the icon raster's halves."""
    return round(value / UNIT * 2) * UNIT / 2


def _body(
    pad: Pad, random: Random, fill: Channels | None, stroke: Channels | None, weight: float, scale: float = 1.0
) -> tuple[float, float, float, float]:
    u = random.random
    rx = _snap((20 + 36 * u()) * scale)
    ry = rx if u() < 0.5 else _snap((18 + 38 * u()) * scale)
    x, y = 64.0, 64.0
    if scale < 1 or u() < 0.3:
        x, y = _snap(6 + rx + u() * (116 - 2 * rx)), _snap(6 + ry + u() * (116 - 2 * ry))
    if fill is not None and scale == 1 and u() < 0.35:  # logos fill their square
        rx, ry, x, y = 64.0, 64.0 if u() < 0.7 else 44.0, 64.0, 64.0
    kind = u()
    if kind < 0.3:
        pad.rounded(
            x - rx,
            y - ry,
            2 * rx,
            2 * ry,
            (0.15 + 0.5 * u()) * min(rx, ry),
            fill,
            stroke,
            weight,
        )
    elif kind < 0.4 and rx < 60:
        pad.rect(x - rx, y - ry, 2 * rx, 2 * ry, fill, stroke, weight)
    elif kind < 0.62:
        pad.ellipse(x, y, 2 * rx, 2 * rx if u() < 0.8 else 2 * ry, fill, stroke, weight)
    elif kind < 0.7:
        angle = math.pi / 4 * (1 if u() < 0.5 else -1)
        if u() < 0.4:
            pad.turned_rect(x, y, 1.4 * rx, 1.4 * rx, angle, fill=fill, stroke=stroke, weight=weight)
        else:
            pad.turned_rect(x, y, 2 * rx, rx * (0.3 + 0.6 * u()), angle, fill=fill, stroke=stroke, weight=weight)
    elif kind < 0.78:
        points = outlines.SKEWS[int(4 * u())] if u() < 0.5 else outlines.REGULARS[3]
        pad.polygon(placed(points, x, y, rx, ry, math.pi / 2 * int(4 * u())), fill, stroke, weight)
    else:
        angle = math.pi / 2 * int(4 * u()) if u() < 0.3 else 0.0
        pad.polygon(placed(outlines.figure(random), x, y, rx, ry, angle), fill, stroke, weight)
    inset = weight if stroke is not None else 0.0
    return x, y, max(rx - inset, 4.0), max(ry - inset, 4.0)


def mark(pad: Pad, random: Random, ink: Channels, weight: float, x: float, y: float, rx: float, ry: float) -> None:
    """A small sign in a box: lines, plus, cross, check, chevron, arrow, arc, dots, bars, zigzag."""
    u = random.random
    r = min(rx, ry) * (0.4 + 0.5 * u())
    kind = int(11 * u())
    if kind == 0:
        pad.line(x - r, y, x + r, y, ink, weight)
        if u() < 0.6:
            pad.line(x, y - r, x, y + r, ink, weight)
    elif kind == 1:
        pad.line(x - r, y - r, x + r, y + r, ink, weight)
        pad.line(x + r, y - r, x - r, y + r, ink, weight)
    elif kind == 2:
        pad.polyline([(x - r, y), (x - r * 0.3, y + r * 0.7), (x + r, y - r * 0.7)], ink, weight)
    elif kind == 3:
        angle = math.pi / 2 * int(4 * u())
        pad.polyline(placed([(-1, -0.5), (0, 0.5), (1, -0.5)], x, y, r, r, angle), ink, weight)
    elif kind == 4:
        arrow(pad, x, y, r, math.pi / 4 * int(8 * u()), ink, weight)
    elif kind == 5:
        start = math.pi / 2 * int(4 * u()) + (0 if u() < 0.6 else u())
        pad.arc(
            x,
            y,
            r,
            r * (0.6 + 0.4 * u()),
            start,
            start + math.pi * (0.5 + 1.1 * u()),
            ink,
            weight,
        )
    elif kind == 6:
        n = 1 + int(3 * u())
        for i in range(n):
            pad.disc(x + (i - (n - 1) / 2) * weight * 2.2, y, weight * (0.5 + 0.3 * u()), ink)
    elif kind == 7:
        n = 2 + int(2 * u())
        for i in range(n):
            right = x + r * (1 if u() < 0.7 else 0.3)
            at = y + (i - (n - 1) / 2) * max(weight * 1.9, 2 * ry / (n + 1))
            pad.line(x - r, at, right, at, ink, weight)
    elif kind == 8:
        pad.ellipse(x, y, 2 * r * 0.7, 2 * r * 0.7, None, ink, weight)
    elif kind == 9:
        n = 3 + int(3 * u())
        pad.polyline(
            [(x - r + 2 * r * i / (n - 1), y + r * (0.6 if i % 2 else -0.4) * (0.4 + 0.6 * u())) for i in range(n)],
            ink,
            weight,
        )
    else:
        pad.rect(x - r * 0.7, y - r * 0.7, 1.4 * r, 1.4 * r, None, ink, weight)


def arrow(pad: Pad, x: float, y: float, r: float, angle: float, ink: Channels, weight: float) -> None:
    """A shaft and an open head, r from the middle to the tip."""
    (ax, ay), (bx, by) = placed([(-1, 0), (1, 0)], x, y, r, r, angle)
    pad.line(ax, ay, bx, by, ink, weight)
    pad.polyline(placed([(0.35, -0.6), (1, 0), (0.35, 0.6)], x, y, r, r, angle), ink, weight)


def _limbs(pad: Pad, random: Random, ink: Channels, weight: float, inside: tuple[float, float, float, float]) -> None:
    """Short strokes that stick out of a body: handle, antennae, legs, stand."""
    u = random.random
    x, y, rx, ry = inside
    if u() < 0.5:
        d = rx * (0.2 + 0.6 * u())
        up = -1 if u() < 0.5 else 1
        far = y + up * (ry + weight + 8 + 12 * u())
        for side in (-1, 1):
            pad.line(
                x + side * d, y + up * (ry + weight * 0.5), x + side * d * (1 + 0.5 * (u() < 0.3)), far, ink, weight
            )
    else:
        angle = math.pi / 4 * int(8 * u())
        c, s = math.cos(angle), math.sin(angle)
        start, stop = 1.05, 1.35 + 0.3 * u()
        pad.line(x + c * rx * start, y + s * ry * start, x + c * rx * stop, y + s * ry * stop, ink, weight)


def _path(pad: Pad, random: Random, ink: Channels, weight: float) -> None:
    """An open path of three to eight points on the icon raster, mostly with square turns, or an arc."""
    u = random.random
    if u() < 0.3:
        start = TAU * u()
        r = 16 + 34 * u()
        pad.arc(20 + 88 * u(), 20 + 88 * u(), r, r, start, start + 1 + 4 * u(), ink, weight)
        return
    n = 3 + int(5 * u() * u())
    straight = u() < 0.75
    x, y = 16 + 96 * u(), 16 + 96 * u()
    points: Outline = []
    for i in range(n):
        points.append((_snap(x), _snap(y)))
        if straight:
            if i % 2:
                y = 12 + 104 * u()
            else:
                x = 12 + 104 * u()
        else:
            x, y = 12 + 104 * u(), 12 + 104 * u()
    pad.polyline(points, ink, weight)


def _lines(pad: Pad, random: Random, ink: Channels, weight: float) -> None:
    """Lines that belong together: parallel rows with dots or checks, an asterisk, a fan, a big arrow."""
    u = random.random
    kind = u()
    if kind < 0.4:
        n = 2 + int(3 * u())
        lead = u()
        for i in range(n):
            y = 64 + (i - (n - 1) / 2) * 84 / n
            left = 20.0 if lead < 0.3 else 52.0
            pad.line(left, y, 108 if u() < 0.7 else 84, y, ink, weight)
            if lead >= 0.65:
                pad.disc(24, y, weight * 0.7, ink)
            elif lead >= 0.3:
                pad.polyline([(14, y), (22, y + 7), (36, y - 8)], ink, weight)
    elif kind < 0.7:
        n = 3 + int(6 * u())
        r, inner = 34 + 18 * u(), (0.0 if u() < 0.4 else 18 * u())
        for i in range(n):
            a = TAU * i / n - math.pi / 2
            c, s = math.cos(a), math.sin(a)
            pad.line(64 + inner * c, 64 + inner * s, 64 + r * c, 64 + r * s, ink, weight)
        if inner > 8 and u() < 0.6:
            pad.ellipse(64, 64, inner, inner, None, ink, weight * 0.7)
    else:
        angle = math.pi / 4 * int(8 * u())
        n = 1 + int(2 * u())
        for i in range(n):
            offset = (i - (n - 1) / 2) * 44
            arrow(pad, 64 - offset * math.sin(angle), 64 + offset * math.cos(angle), 30 + 16 * u(), angle, ink, weight)


def _hole(pad: Pad, random: Random, paper: Channels, x: float, y: float, rx: float, ry: float) -> None:
    """A figure cut out of a body, perhaps twice, mirrored."""
    u = random.random
    r = min(rx, ry) * (0.15 + 0.6 * u())
    dx, dy = (rx - r) * (2 * u() - 1), (ry - r) * (2 * u() - 1)
    if u() < 0.4:
        dx = dy = 0.0
    pair_ = u() < 0.3
    kind = u()
    for side in (-1, 1) if pair_ else (1,):
        at = x + side * (max(abs(dx), r * 1.3) if pair_ else dx)
        if kind < 0.4:
            pad.disc(at, y + dy, r, paper)
        elif kind < 0.6:
            pad.rect(at - r, y + dy - r * 0.5, 2 * r, r, paper)
        elif kind < 0.75:
            pad.rounded(at - r, y + dy - r, 2 * r, 2 * r, r * 0.5, paper)
        else:
            pad.polygon(placed(outlines.figure(random) if not pair_ else outlines.STARS[4], at, y + dy, r, r), paper)
