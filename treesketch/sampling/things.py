"""Things from paper: food, plants, houses, vehicles, tools, vessels, weather, devices, tiles with a sign.

A pad and a random source in. A thing is a few large shapes with a few small ones on them.
"""

import math
from random import Random

from treesketch.layers import Channels
from treesketch.sampling import icons, outlines
from treesketch.sampling.outlines import arc, placed, spine
from treesketch.sampling.pad import Pad
from treesketch.sampling.palettes import BLACK, TOY, WHITE, other, palette, shade


def thing(pad: Pad, random: Random) -> None:
    """One thing, or now and then two."""
    u = random.random
    colors = palette(random, 4, TOY)
    _THINGS[int(len(_THINGS) * u())](pad, random, colors)


def _vessel(pad: Pad, random: Random, colors: list[Channels]) -> None:
    """A cup, pot, bowl or jar with a handle, a rim, a filling."""
    u = random.random
    w, h = 26 + 26 * u(), 24 + 26 * u()
    y, paint = 74.0, colors[0]
    foot = w * (0.5 + 0.5 * u())
    if u() < 0.5:
        pad.ellipse(64 + w, y, w * 0.9, h * 0.9, None, paint, 5 + 5 * u())
    if u() < 0.4:
        pad.polygon(
            [(px, 2 * (y - h) - py) for px, py in arc(64, y - h, w * 0.9, h * (0.5 + 0.6 * u()), 0, math.pi, 8)],
            colors[1],
        )
    kind = u()
    if kind < 0.5:
        pad.polygon([(64 - w, y - h), (64 + w, y - h), (64 + foot, y + h), (64 - foot, y + h)], paint)
    elif kind < 0.8:
        pad.slice(64, y - h, w, 2 * h, 0, math.pi, paint, pie=False)
    else:
        pad.rounded(64 - w, y - h, 2 * w, 2 * h, 10 + 8 * u(), paint)
    if u() < 0.6:
        pad.ellipse(64, y - h, 2 * w, w * (0.2 + 0.4 * u()), shade(paint, 0.8))
        if u() < 0.6:
            pad.ellipse(64, y - h, 1.7 * w, w * 0.25, colors[1])
    if u() < 0.5:
        pad.rect(64 - w * 0.85, y, w * 1.7, h * (0.15 + 0.3 * u()), colors[2])
    if u() < 0.3:
        for i in range(2 + int(2 * u())):
            x = 46 + 16 * i
            pad.polyline(
                [(x, y - h - 8), (x + 5, y - h - 16), (x, y - h - 24), (x + 5, y - h - 32)], shade(paint, 1.5), 3
            )


def _food(pad: Pad, random: Random, colors: list[Channels]) -> None:
    """Fruit, sweets and layered food: blobs, domes and slices with stalk and leaf."""
    u = random.random
    kind = u()
    if kind < 0.4:
        r = 36 + 18 * u()
        y = 128 - r - 8
        paint = colors[0]
        if u() < 0.6:
            pad.ellipse(64, y, 2 * r, 2 * r * (0.85 + 0.2 * u()), paint)
        else:
            pad.polygon(placed(outlines.BULGE if u() < 0.5 else outlines.HEART, 64, y, r, r), paint)
        stalk = shade(paint, 0.5)
        if u() < 0.6:
            pad.line(64, y - r + 4, 68 + 6 * u(), y - r - 12, stalk, 4 + 3 * u())
        for side in (-1, 1) if u() < 0.4 else (1,):
            pad.turned_ellipse(64 + side * 18, y - r - 2, 34, 16, -side * 0.4, fill=(95, 160, 70))
        if u() < 0.5:
            pad.turned_ellipse(64 - r * 0.5, y - r * 0.35, r * 0.3, r * 0.5, 0.5, fill=shade(paint, 1.4))
    elif kind < 0.7:
        y, w = 104.0, 40 + 20 * u()
        n = 2 + int(4 * u())
        for i in range(n):
            h = 8 + 16 * u()
            paint = other(random, colors, colors[i % len(colors)])
            if i == n - 1 and u() < 0.6:
                pad.dome(64, y - h, w, h, paint)
            elif u() < 0.5:
                pad.rounded(64 - w, y - h, 2 * w, h, h * 0.4, paint)
            else:
                pad.ellipse(64, y - h / 2, 2 * w * (0.8 + 0.2 * u()), h * 1.3, paint)
            y -= h * (0.7 + 0.3 * u())
        if u() < 0.5:
            pad.disc(64, y - 6, 7, colors[0])
    else:
        r = 50.0
        span = 0.8 + 0.8 * u()
        y = 18 + 10 * u()
        way = 1 if u() < 0.5 else -1
        down = way * math.pi / 2
        pad.slice(64, 64 + way * (y - 64), r * 1.9, r * 1.9, down - span / 2, down + span / 2, colors[0])
        for _ in range(2 + int(3 * u())):
            pad.disc(50 + 28 * u(), 50 + 30 * u(), 4 + 4 * u(), colors[1])


def _plant(pad: Pad, random: Random, colors: list[Channels]) -> None:
    """A tree, a flower or a cactus in a pot or on the ground."""
    u = random.random
    green = (60 + int(60 * u()), 130 + int(60 * u()), 60 + int(40 * u()))
    brown = (120, 75, 45)
    kind = u()
    if kind < 0.4:
        w = 5 + 7 * u()
        pad.rect(64 - w, 70, 2 * w, 54, brown)
        if u() < 0.4:
            n = 2 + int(2 * u())
            for i in range(n):
                y, r = 90.0 - i * 24, 42.0 - 8 * i
                pad.polygon([(64 - r, y), (64, y - 36), (64 + r, y)], green if i % 2 == 0 else shade(green, 0.85))
        else:
            for _ in range(1 + int(3 * u())):
                r = 20 + 18 * u()
                pad.disc(64 + 40 * (u() - 0.5), 40 + 20 * (u() - 0.5), r, shade(green, 0.8 + 0.4 * u()))
            for _ in range(int(4 * u())):
                pad.disc(40 + 48 * u(), 26 + 36 * u(), 4, colors[0])
    elif kind < 0.8:
        pad.line(64, 60, 64, 126, green, 4 + 4 * u())
        for side in (-1, 1):
            pad.turned_ellipse(64 + side * 18, 100 - 14 * u(), 34, 14, side * -0.5, fill=green)
        r, n = 20 + 14 * u(), 5 + int(3 * u())
        petal = colors[0]
        if u() < 0.5:
            pad.polygon(placed(outlines.flower(6, 0.65), 64, 46, r * 1.3, r * 1.3), petal)
        else:
            for i in range(n):
                a = 2 * math.pi * i / n
                pad.disc(64 + r * 0.8 * math.cos(a), 46 + r * 0.8 * math.sin(a), r * 0.5, petal)
        pad.disc(64, 46, r * 0.5, colors[1])
    else:
        for i in range(3 + int(3 * u())):
            angle = (u() - 0.5) * 2
            pad.turned_ellipse(
                64 + 34 * math.sin(angle), 86 - 34 * math.cos(angle), 18, 70, angle, fill=shade(green, 0.8 + 0.1 * i)
            )
        pad.polygon([(40, 88), (88, 88), (80, 124), (48, 124)], colors[0])
        pad.rect(37, 84, 54, 9, shade(colors[0], 0.85))


def _house(pad: Pad, random: Random, colors: list[Channels]) -> None:
    """A house or a tower: walls, roof, door, windows."""
    u = random.random
    w, h = 26 + 26 * u(), 36 + 36 * u()
    x, y = 64.0, 124.0
    wall, roof = colors[0], colors[1]
    pad.rect(x - w, y - h, 2 * w, h, wall)
    top = y - h
    kind = u()
    if kind < 0.6:
        over = 4 + 6 * u()
        pad.polygon([(x - w - over, top), (x, top - 18 - 24 * u()), (x + w + over, top)], roof)
    elif kind < 0.8:
        pad.rect(x - w - 4, top - 6, 2 * w + 8, 8, roof)
    else:
        pad.dome(x, top - 14, w, 16, roof)
    if u() < 0.8:
        d = 6 + 6 * u()
        pad.rect(x - d, y - d * 2.6, 2 * d, d * 2.6, colors[2])
    cols, rows = 2 + int(2 * u()), 1 + int(2 * u())
    size = min(8.0, w / cols * 0.6)
    for r in range(rows):
        for c in range(cols):
            at = x - w + 2 * w * (c + 0.5) / cols
            pad.rect(at - size, top + 8 + r * size * 3, 2 * size, size * 2, colors[3] if len(colors) > 3 else WHITE)


def _vehicle(pad: Pad, random: Random, colors: list[Channels]) -> None:
    """A car, bus, lorry, boat or plane from the side."""
    u = random.random
    paint, glass = colors[0], (150, 205, 240) if u() < 0.6 else colors[1]
    if u() < 0.75:
        low, w, h = 100.0, 50 + 12 * u(), 22 + 20 * u()
        if u() < 0.5:
            pad.polygon(
                [
                    (64 - w * 0.6, low - h),
                    (64 - w * 0.3, low - h - 24),
                    (64 + w * 0.3, low - h - 24),
                    (64 + w * 0.6, low - h),
                ],
                paint,
            )
            pad.polygon(
                [(64 - w * 0.48, low - h), (64 - w * 0.25, low - h - 18), (64, low - h - 18), (64, low - h)], glass
            )
            pad.rounded(64 - w, low - h, 2 * w, h, 6 + 4 * u(), paint)
        else:
            top = low - h - 26 * u() - 10
            pad.rounded(64 - w, top, 2 * w * (0.3 + 0.7 * u()), low - top, 6, other(random, colors, paint))
            pad.rect(64 - w, low - h * 0.7, 2 * w, h * 0.7, paint)
            for i in range(1 + int(3 * u())):
                pad.rect(64 - w + 8 + i * 24, top + 8, 16, 14, glass)
        if u() < 0.5:
            pad.rect(64 - w, low - 10, 2 * w, 4 + 4 * u(), other(random, colors, paint))
        r = 9 + 6 * u()
        for side in (-1, 1):
            x = 64 + side * w * 0.58
            pad.disc(x, low, r, (45, 50, 55))
            pad.disc(x, low, r * 0.5, (200, 210, 215))
    else:
        y = 88.0
        pad.rect(0, y + 18, 128, 24, (85, 170, 235))
        pad.polygon([(14, y), (114, y), (98, y + 26), (30, y + 26)], paint)
        pad.line(62, y, 62, 16, (110, 70, 40), 4)
        pad.polygon([(66, 18), (108, y - 10), (66, y - 10)], colors[1])
        if u() < 0.6:
            pad.polygon([(58, 28), (58, y - 10), (26, y - 10)], colors[2])


def _tool(pad: Pad, random: Random, colors: list[Channels]) -> None:
    """A long thing on the slant: a handle, a head, bands."""
    u = random.random
    angle = math.pi / 4 * (1 if u() < 0.5 else -1) if u() < 0.6 else (0.0 if u() < 0.5 else math.pi * (u() - 0.5))
    long, wide = 50 + 24 * u(), 7 + 12 * u()
    sin, cos = math.sin(angle), math.cos(angle)

    def at(along: float) -> tuple[float, float]:
        return 64 + sin * along, 64 - cos * along

    if u() < 0.5:
        pad.turned_rect(*at(-8), wide * 1.6, long * 1.6, angle, fill=colors[0])
    else:
        (ax, ay), (bx, by) = at(-long * 0.8), at(long * 0.7)
        pad.line(ax, ay, bx, by, colors[0], wide * 1.5)
    kind = u()
    hx, hy = at(long * 0.65)
    size = 14 + 20 * u()
    if kind < 0.3:
        pad.turned_rect(hx, hy, size * 2, size * 0.8, angle, fill=colors[1])
    elif kind < 0.55:
        pad.turned_ellipse(hx, hy, size * 1.2, size * 2, angle, fill=colors[1])
    elif kind < 0.75:
        pad.polygon(placed(outlines.REGULARS[3], hx, hy, size * 0.8, size * 1.3, angle), colors[1])
    elif kind < 0.9:
        pad.polygon(placed(outlines.figure(random), hx, hy, size, size, angle), colors[1])
    for i in range(int(3 * u())):
        pad.turned_rect(*at(-long * 0.5 + i * 16), wide * 1.6, 5 + 3 * u(), angle, fill=colors[2])


def _device(pad: Pad, random: Random, colors: list[Channels]) -> None:
    """A box with a screen, keys, lines of text or dials; a book, a sheet, a camera."""
    u = random.random
    w, h = 34 + 28 * u(), 30 + 30 * u()
    y, paint = 64 + 6 * u(), colors[0]
    if u() < 0.3:
        pad.rect(64 - w * 0.4, y - h - 8, w * (0.4 + 0.4 * u()), 12, shade(paint, 0.8))
    if u() < 0.7:
        pad.rounded(64 - w, y - h, 2 * w, 2 * h, 4 + 10 * u(), paint)
    else:
        pad.rect(64 - w, y - h, 2 * w, 2 * h, paint)
    kind = u()
    mark = other(random, colors, paint)
    if kind < 0.3:
        r = min(w, h) * (0.45 + 0.3 * u())
        for i in range(2 + int(2 * u())):
            pad.disc(64, y, r, mark if i % 2 == 0 else other(random, colors, mark))
            r *= 0.65
    elif kind < 0.6:
        inset = 6 + 4 * u()
        low = h * (0.3 + 0.6 * u())
        pad.rect(64 - w + inset, y - h + inset, 2 * (w - inset), h + low - inset, mark)
        n = int(4 * u())
        for i in range(n):
            pad.disc(64 + (i - (n - 1) / 2) * 14, y + h - 8, 3 + 2 * u(), other(random, colors, paint))
    elif kind < 0.8:
        n = 3 + int(3 * u())
        for i in range(n):
            at = y - h + 2 * h * (i + 0.7) / n
            pad.rect(64 - w * 0.7, at - 2, w * (0.8 + 0.6 * u()), 4 + 2 * u(), mark)
    else:
        cols, rows = 3 + int(2 * u()), 2
        for r_ in range(rows):
            for c in range(cols):
                pad.rect(64 - w * 0.8 + c * 1.6 * w / cols, y - h * 0.4 + r_ * h * 0.6, w / cols, h * 0.35, mark)


def _weather(pad: Pad, random: Random, colors: list[Channels]) -> None:
    """Sun, moon, cloud, rain, hills and water."""
    u = random.random
    sky = u() < 0.5
    if sky:
        pad.rounded(0, 0, 128, 128, 18, colors[0])
    sun = (255, 210, 70) if u() < 0.6 else colors[1]
    x, y, r = 30 + 68 * u(), 30 + 40 * u(), 14 + 22 * u()
    if u() < 0.7:
        if u() < 0.5:
            pad.polygon(placed(outlines.STARS[8], x, y, r * 1.6, r * 1.6), shade(sun, 0.9))
        pad.disc(x, y, r, sun)
    if u() < 0.5:
        for _ in range(1 + int(2 * u())):
            size = 24 + 26 * u()
            pad.polygon(
                placed(outlines.CLOUD, 30 + 68 * u(), 40 + 40 * u(), size, size * 0.6),
                WHITE if sky else (200, 215, 225),
            )
        if u() < 0.4:
            for i in range(3):
                pad.line(40 + 22 * i, 90, 34 + 22 * i, 108, (90, 160, 230), 5)
    if u() < 0.6:
        for _ in range(1 + int(2 * u())):
            peak = 30 + 68 * u()
            pad.polygon([(peak - 50, 128), (peak, 60 + 30 * u()), (peak + 50, 128)], other(random, colors, colors[0]))
    if u() < 0.5:
        low = 92 + 16 * u()
        pad.rect(0, low, 128, 128 - low, colors[2])
        if u() < 0.4:
            points = outlines.zigzag(10, 118, low + 8, low + 16, 3)
            pad.polyline(points, shade(colors[2], 1.3), 4)


def _sign(pad: Pad, random: Random, colors: list[Channels]) -> None:
    """A tile, disc or diamond with a sign in white or black."""
    u = random.random
    paint = colors[0]
    kind = u()
    if kind < 0.5:
        pad.rounded(0, 0, 128, 128, 14 + 6 * u(), paint)
    elif kind < 0.8:
        pad.disc(64, 64, 64 if u() < 0.6 else 54, paint)
        if u() < 0.4:
            pad.disc(64, 64, 44, WHITE if u() < 0.5 else shade(paint, 0.8))
    else:
        pad.turned_rect(64, 64, 88, 88, math.pi / 4, fill=paint)
    ink = WHITE if pad.under(64, 64, WHITE) != WHITE else BLACK
    way = u()
    if way < 0.35:
        icons.arrow(pad, 64, 64, 30 + 10 * u(), math.pi / 4 * int(8 * u()), ink, 8 + 6 * u())
    elif way < 0.7:
        r = 26 + 16 * u()
        pad.polygon(placed(outlines.figure(random), 64, 64, r, r), ink)
    else:
        for _ in range(2):
            icons.mark(pad, random, ink, 6 + 6 * u(), 64, 64, 38, 38)


def _creature(pad: Pad, random: Random, colors: list[Channels]) -> None:
    """An animal from the side: body, head, legs, tail, ear, eye."""
    u = random.random
    coat = colors[0]
    way = 1 if u() < 0.5 else -1
    y, w, h = 76.0, 32 + 12 * u(), 18 + 12 * u()
    hx, hy, r = 64 + way * w * 0.95, y - h * (0.3 + 1.2 * u()), 13 + 8 * u()
    kind = u()
    if kind < 0.6:
        tail = [(64 - way * w * 0.9, y), (64 - way * (w + 12), y - 10 * u()), (64 - way * (w + 16), y - 24)]
        if u() < 0.5:
            pad.polyline(tail, shade(coat, 0.85), 3 + 4 * u())
        else:
            pad.polygon(spine(tail, 12), shade(coat, 0.85))
        leg = 4 + 4 * u()
        for i in range(4):
            pad.rect(
                64 + w * (-0.8 + 0.45 * i), y + h * 0.4, leg, 112 - y - h * 0.4, coat if i % 2 else shade(coat, 0.85)
            )
    elif kind < 0.8:  # a fish
        tail_x = 64 - way * w
        pad.polygon(
            [(tail_x + way * 8, y), (tail_x - way * 16, y - 18), (tail_x - way * 16, y + 18)], shade(coat, 0.85)
        )
        pad.polygon([(50, y - h * 0.7), (78, y - h * 0.7), (60, y - h * 1.6)], shade(coat, 0.8))
        hx, hy, r = 64 + way * w * 0.6, y - h * 0.2, 0.0
    else:  # a bird
        pad.polygon(
            [(hx + way * r * 0.6, hy - 5), (hx + way * (r + 14), hy), (hx + way * r * 0.6, hy + 5)], (250, 165, 40)
        )
        pad.polygon(
            [(64 - way * w * 0.6, y), (64 - way * (w + 22), y - 16), (64 - way * (w + 14), y + 6)], shade(coat, 0.8)
        )
        for side in (-1, 1):
            pad.line(64 + side * 6, y + h * 0.8, 64 + side * 6, 116, (250, 165, 40), 3)
    pad.ellipse(64, y, 2 * w, 2 * h, coat)
    if kind >= 0.6 or u() < 0.3:
        pad.turned_ellipse(64 - way * 6, y, w * 0.9, h * 0.9, 0.4 * way, fill=shade(coat, 0.8))
    if r:
        if kind < 0.6:
            for side in (-1, 1) if u() < 0.5 else (-1,):
                pad.polygon(
                    [
                        (hx + side * r * 0.2, hy - r * 0.6),
                        (hx + side * r * 0.7, hy - r * 1.6),
                        (hx + side * r * 0.9, hy - r * 0.3),
                    ],
                    coat,
                )
        pad.disc(hx, hy, r, coat)
    pad.disc(hx + way * 4, hy - 3, 2 + 2 * u(), BLACK if max(coat) > 80 else WHITE)


def _stack(pad: Pad, random: Random, colors: list[Channels]) -> None:
    """A thing without a name: a few parts that touch, mirrored about the middle, with details on them."""
    u = random.random
    y = 14 + 14 * u()
    while y < 100:
        w, h = 10 + 44 * u(), 12 + 36 * u()
        paint = colors[int(len(colors) * u())]
        kind = u()
        if kind < 0.3:
            pad.rect(64 - w, y, 2 * w, h, paint)
        elif kind < 0.55:
            pad.ellipse(64, y + h / 2, 2 * w, h * 1.2, paint)
        elif kind < 0.75:
            pad.rounded(64 - w, y, 2 * w, h, h * 0.4, paint)
        else:
            a, b = w, w * (0.3 + u())
            pad.polygon([(64 - a, y), (64 + a, y), (64 + b, y + h), (64 - b, y + h)], paint)
        if u() < 0.5:
            mark, r = other(random, colors, paint), 3 + 6 * u()
            if u() < 0.5:
                for side in (-1, 1):
                    pad.disc(64 + side * w * 0.5, y + h / 2, r, mark)
            else:
                pad.rect(64 - w * 0.6, y + h * 0.35, w * 1.2, h * 0.3, mark)
        y += h * (0.7 + 0.3 * u())


_THINGS = (
    *(_vessel, _food, _plant, _house, _vehicle, _tool, _device, _weather, _sign, _creature, _stack),
    *(_food, _device, _creature, _tool),
)
