"""Faces from paper: eyes, brows, noses, mouths, hair, hats and what else a head wears.

A pad and a random source in. (x, y) is the middle of a head and s about half its width in canvas units.
"""

import math
from random import Random

from treesketch.layers import Channels
from treesketch.sampling import outlines
from treesketch.sampling.outlines import arc, placed
from treesketch.sampling.pad import Pad
from treesketch.sampling.palettes import BLACK, TOY, WHITE, one_of, shade

DARK: tuple[Channels, ...] = (BLACK, (40, 30, 30), (100, 50, 30), (50, 40, 80), (45, 50, 55))
BLUSH: Channels = (240, 140, 140)


def eyes(pad: Pad, random: Random, x: float, y: float, s: float, ink: Channels, small: float = 1.0) -> None:
    """A pair of eyes around (x, y): dots, whites with pupils, closed arcs, crosses, hearts or stars."""
    u = random.random
    d = s * (0.3 + 0.25 * u())
    r = s * (0.08 + 0.12 * u()) * small
    kind = u()
    wink = u() < 0.08
    tall = 1.0 if u() < 0.5 else 1 + 0.6 * u()
    look = (r * 0.5 * (2 * u() - 1), r * 0.4 * (2 * u() - 1)) if u() < 0.5 else (0.0, 0.0)
    iris = one_of(random, TOY) if u() < 0.3 else ink
    white = 1.4 + 0.8 * u()
    pupil = r * (0.5 + 0.3 * u())
    weight = max(1.5, s * (0.04 + 0.06 * u()))
    up = -1 if u() < 0.6 else 1
    angry = 0.5 * (u() - 0.5)
    unit = outlines.HEART if u() < 0.5 else outlines.STARS[5]
    tint = one_of(random, TOY)
    for side in (-1, 1):
        ex = x + side * d
        if wink and side == 1:
            pad.line(ex - r, y, ex + r, y, ink, weight)
        elif kind < 0.4:
            pad.ellipse(ex, y, 2 * r, 2 * r * tall, iris)
            if kind < 0.08:
                pad.disc(ex - r * 0.3, y - r * 0.3 * tall, max(1.0, r * 0.35), WHITE)
        elif kind < 0.7:
            big = r * white
            pad.ellipse(ex, y, 2 * big, 2 * big * tall, WHITE)
            pad.disc(ex + look[0], y + look[1], max(1.0, pupil * white), iris)
        elif kind < 0.85:
            w = r * 1.5
            start, stop = (math.pi, 2 * math.pi) if up < 0 else (0.0, math.pi)
            pad.arc(ex, y, w, w * 0.9, start, stop, ink, weight)
        elif kind < 0.89:
            pad.line(ex - r, y - side * r * angry * 3, ex + r, y + side * r * angry * 3, ink, weight * 1.2)
        elif kind < 0.93:
            pad.line(ex - r, y - r, ex + r, y + r, ink, weight)
            pad.line(ex - r, y + r, ex + r, y - r, ink, weight)
        else:
            big = r * 1.9
            pad.polygon(placed(unit, ex, y, big, big), tint)
    if u() < 0.15 and kind < 0.8:  # lids
        for side in (-1, 1):
            pad.rect(x + side * d - r * 1.6, y - r * 2.0, r * 3.2, r * 1.2, ink if u() < 0.2 else one_of(random, DARK))


def brows(pad: Pad, random: Random, x: float, y: float, s: float, ink: Channels) -> None:
    """A pair of brows: slanted bars or arcs."""
    u = random.random
    d, w = s * (0.3 + 0.22 * u()), s * (0.14 + 0.12 * u())
    slant = 0.6 * (u() - 0.5)
    weight = max(1.5, s * (0.04 + 0.08 * u()))
    kind = u()
    for side in (-1, 1):
        bx = x + side * d
        if kind < 0.4:
            pad.arc(bx, y + w * 0.5, w, w * 0.8, math.pi * 1.15, math.pi * 1.85, ink, weight)
        elif kind < 0.8:
            pad.line(bx - w, y + side * slant * w, bx + w, y - side * slant * w, ink, weight)
        else:
            pad.turned_rect(bx, y, 2 * w, weight * 1.4, -side * slant, fill=ink)


def nose(pad: Pad, random: Random, x: float, y: float, s: float, ink: Channels) -> None:
    """A nose: a spot, a triangle or a stroke."""
    u = random.random
    r = s * (0.06 + 0.1 * u())
    kind = u()
    if kind < 0.4:
        pad.ellipse(x, y, 2 * r * (0.8 + 0.6 * u()), 1.6 * r, ink)
    elif kind < 0.65:
        flip = 1 if u() < 0.5 else -1
        pad.polygon([(x, y - flip * r), (x + r, y + flip * r), (x - r, y + flip * r)], ink)
    else:
        weight = max(1.5, s * 0.05)
        if u() < 0.5:
            pad.polyline([(x, y - r), (x + r * 0.8, y + r), (x - r * 0.3, y + r)], ink, weight)
        else:
            pad.arc(x, y, r, r * 0.8, 0.2, math.pi - 0.2, ink, weight)


def mouth(pad: Pad, random: Random, x: float, y: float, s: float, ink: Channels) -> None:
    """A mouth: arcs up or down, lines, open mouths with teeth and tongue, lips."""
    u = random.random
    w = s * (0.18 + 0.34 * u())
    h = w * (0.3 + 0.6 * u())
    weight = max(1.5, s * (0.05 + 0.06 * u()))
    kind = u()
    if kind < 0.25:
        pad.arc(x, y - h * 0.5, w, h, 0.15, math.pi - 0.15, ink, weight)
    elif kind < 0.36:
        pad.arc(x, y + h * 0.5, w, h, math.pi + 0.15, 2 * math.pi - 0.15, ink, weight)
    elif kind < 0.43:
        slant = w * 0.5 * (u() - 0.5)
        pad.line(x - w, y + slant, x + w, y - slant, ink, weight)
    elif kind < 0.68:  # open, smiling or sad
        flip = 1 if u() < 0.8 else -1
        start = 0.0 if flip == 1 else math.pi
        pad.slice(x, y, w, h * 1.4, start, start + math.pi, ink, pie=False)
        if u() < 0.5 and flip == 1:
            pad.rect(x - w * 0.75, y, w * 1.5, max(1.5, h * 0.35), WHITE)
        if u() < 0.4 and flip == 1:
            pad.ellipse(x, y + h * 1.1, w * 0.9, h * 0.5, (230, 80, 90))
    elif kind < 0.82:
        w *= 0.6
        pad.ellipse(x, y, 2 * w, 2 * w * (0.5 + 0.9 * u()), ink)
        if u() < 0.3:
            pad.ellipse(x, y + w * 0.5, w, w * 0.6, (230, 80, 90))
    elif kind < 0.9:  # teeth
        pad.rounded(x - w, y - h * 0.4, 2 * w, h * 0.9, h * 0.4, WHITE, ink if u() < 0.5 else None, weight * 0.6)
        n = 1 + int(3 * u())
        for i in range(n):
            at = x - w + 2 * w * (i + 1) / (n + 1)
            pad.line(at, y - h * 0.4, at, y + h * 0.5, ink, max(1.0, weight * 0.4))
    elif kind < 0.95:
        lips = (200, 60, 80) if u() < 0.6 else ink
        pad.ellipse(x, y, 1.6 * w, h * 0.8, lips)
        pad.line(x - w * 0.7, y, x + w * 0.7, y, shade(lips, 0.6), max(1.0, weight * 0.4))
    else:
        n = 5 + int(3 * u())
        pad.polyline([(x - w + 2 * w * i / (n - 1), y + h * 0.3 * (1 if i % 2 else -1)) for i in range(n)], ink, weight)


def extras(pad: Pad, random: Random, x: float, y: float, s: float, ink: Channels) -> None:
    """Now and then cheeks, glasses, tears, freckles, a band over the eyes or a spot on the brow."""
    u = random.random
    kind = u()
    if kind < 0.14:
        r = s * (0.1 + 0.08 * u())
        for side in (-1, 1):
            pad.ellipse(x + side * s * 0.6, y + s * 0.3, 2 * r * 1.2, 2 * r, BLUSH)
    elif kind < 0.26:
        glasses(pad, random, x, y - s * 0.12, s, ink)
    elif kind < 0.33:
        size = s * (0.12 + 0.15 * u())
        blue = (90, 170, 235)
        for side in (-1, 1) if u() < 0.5 else (-1,):
            pad.polygon(placed(outlines.DROP, x + side * s * 0.45, y + s * 0.25, size, size * 1.4), blue)
    elif kind < 0.37:
        pad.rect(x - s * 0.9, y - s * 0.3, s * 1.8, s * 0.36, one_of(random, TOY))


def glasses(pad: Pad, random: Random, x: float, y: float, s: float, ink: Channels) -> None:
    """Round or square glasses with a bridge; dark or clear."""
    u = random.random
    d, r = s * (0.36 + 0.06 * u()), s * (0.2 + 0.12 * u())
    dark = u() < 0.35
    weight = max(1.5, s * (0.05 + 0.05 * u()))
    square = u() < 0.35
    for side in (-1, 1):
        gx = x + side * d
        if square:
            pad.rounded(
                gx - r,
                y - r * 0.7,
                2 * r,
                1.5 * r,
                r * 0.4,
                ink if dark else None,
                None if dark else ink,
                weight,
            )
        else:
            pad.ellipse(gx, y, 2 * r, 2 * r, ink if dark else None, None if dark else ink, weight)
    pad.line(x - d + r, y, x + d - r, y, ink, weight)


def features(pad: Pad, random: Random, x: float, y: float, s: float, ink: Channels, nosed: float = 0.5) -> None:
    """All of a face's inside: eyes, perhaps brows and a nose, a mouth, extras."""
    u = random.random
    line = y - s * (0.02 + 0.22 * u())
    eyes(pad, random, x, line, s, ink)
    if u() < 0.4:
        brows(pad, random, x, line - s * (0.25 + 0.12 * u()), s, ink)
    if u() < nosed:
        nose(pad, random, x, y + s * (0.1 + 0.1 * u()), s, ink)
    if u() < 0.94:
        mouth(pad, random, x + (0.0 if u() < 0.8 else s * 0.2), y + s * (0.38 + 0.14 * u()), s, ink)
    extras(pad, random, x, y, s, ink)


def head(
    pad: Pad, random: Random, x: float, y: float, s: float, skin: Channels, ink: Channels | None, weight: float
) -> None:
    """A head of any shape; ink None leaves it without an outline."""
    u = random.random
    tall = 0.95 + 0.3 * u()
    kind = u()
    if kind < 0.5:
        pad.ellipse(x, y, 2 * s, 2 * s * tall, skin, ink, weight)
    elif kind < 0.72:
        pad.rounded(x - s, y - s * tall, 2 * s, 2 * s * tall, s * (0.4 + 0.6 * u()), skin, ink, weight)
    elif kind < 0.85:
        pad.polygon(placed(outlines.BULGE, x, y, s, s * tall), skin, ink, weight)
    elif kind < 0.95:  # round above, a narrower chin below
        points = arc(x, y - s * 0.1, s, s, math.pi, 2 * math.pi, 6)
        chin = s * (0.35 + 0.3 * u())
        points += [
            (x + s * 0.9, y + s * 0.5),
            (x + chin, y + s * tall),
            (x - chin, y + s * tall),
            (x - s * 0.9, y + s * 0.5),
        ]
        pad.polygon(points, skin, ink, weight)
    else:
        pad.rect(x - s, y - s * tall, 2 * s, 2 * s * tall, skin, ink, weight)


def hair_behind(
    pad: Pad, random: Random, x: float, y: float, s: float, hair: Channels, ink: Channels | None, weight: float
) -> None:
    """Long or curly hair, painted before the head."""
    u = random.random
    kind = u()
    if kind < 0.35:
        r = s * (1.15 + 0.35 * u())
        pad.ellipse(x, y - s * 0.15, 2 * r, 2 * r * (0.9 + 0.3 * u()), hair, ink, weight)
    elif kind < 0.65:
        w, low = s * (1.1 + 0.3 * u()), s * (0.8 + 1.2 * u())
        points = arc(x, y - s * 0.1, w, s * 1.2, math.pi, 2 * math.pi, 6)
        flare = w * (0.85 + 0.35 * u())
        pad.polygon([*points, (x + flare, y + low), (x - flare, y + low)], hair, ink, weight)
    elif kind < 0.85:
        n = 5 + int(2 * u())
        r = s * (1.2 + 0.3 * u())
        pad.polygon(placed(outlines.flower(n, 0.8), x, y - s * 0.2, r, r), hair, ink, weight)
    else:
        for side in (-1, 1):
            pad.ellipse(
                x + side * s * 1.1, y - s * (0.7 * u() - 0.1), s * 0.8, s * (0.8 + 0.8 * u()), hair, ink, weight
            )


def hair_before(
    pad: Pad, random: Random, x: float, y: float, s: float, hair: Channels, ink: Channels | None, weight: float
) -> None:
    """A fringe, a cap of hair, a tuft, spikes, a parting or a bun, painted over the head."""
    u = random.random
    kind = u()
    top = y - s
    if kind < 0.35:
        low = s * (0.25 + 0.35 * u())
        points = arc(x, y, s * 1.05, s * 1.15, math.pi * 1.02, math.pi * 1.98, 6)
        if u() < 0.5:
            points += [(x + s * 0.7, y - low), (x - s * 0.7, y - low)]
        else:
            points += [(x + s * 0.8 * (2 * u() - 1), y - low * (0.6 + u()))]
        pad.polygon(points, hair, ink, weight)
    elif kind < 0.5:
        pad.dome(x, top + s * 0.15, s * 1.02, s * (0.35 + 0.2 * u()), hair, ink, weight)
    elif kind < 0.62:
        pad.ellipse(
            x + s * 0.5 * (u() - 0.5), top + s * 0.1, s * (0.6 + 1.2 * u()), s * (0.4 + 0.4 * u()), hair, ink, weight
        )
    elif kind < 0.74:
        edge = outlines.zigzag(x - s, x + s, top - s * 0.35, y - s * 0.45, 3)
        pad.polygon(
            edge if u() < 0.5 else [(px, 2 * (y - s * 0.65) - py) for px, py in edge] + [(x, top - s * 0.1)],
            hair,
            ink,
            weight,
        )
    elif kind < 0.86:
        for side in (-1, 1):
            wide = s * (0.5 + 0.4 * u())
            pad.turned_ellipse(
                x + side * s * 0.5, y - s * 0.75, 2 * wide * 0.8, wide, side * (0.3 + 0.4 * u()), fill=hair
            )
    else:
        pad.disc(x + s * 0.4 * (u() - 0.5), top - s * 0.2, s * (0.25 + 0.2 * u()), hair)
        pad.dome(x, top + s * 0.15, s * 0.95, s * 0.3, hair, ink, weight)


def beard(pad: Pad, random: Random, x: float, y: float, s: float, hair: Channels) -> None:
    """A full beard or a moustache."""
    u = random.random
    if u() < 0.55:
        w, low = s * (0.7 + 0.35 * u()), s * (1.05 + 0.35 * u())
        pad.polygon(
            [(x + px * w, y + s * 0.2 + py * (low - s * 0.2)) for px, py in arc(0, 0, 1, 1, 0, math.pi, 7)], hair
        )
    else:
        w = s * (0.2 + 0.25 * u())
        for side in (-1, 1):
            pad.turned_ellipse(x + side * w * 0.8, y + s * 0.32, 2 * w, w * 0.7, side * 0.3, fill=hair)


def hat(pad: Pad, random: Random, x: float, y: float, s: float, paint: Channels, trim: Channels) -> None:
    """A hat on top: brimmed, dome with a band, cone with a ball, crown, cap with a peak, bow or antenna."""
    u = random.random
    top = y - s * (0.55 + 0.2 * u())
    kind = u()
    if kind < 0.25:
        h, w = s * (0.5 + 0.6 * u()), s * (0.6 + 0.3 * u())
        pad.rect(x - w, top - h, 2 * w, h, paint)
        if u() < 0.6:
            pad.rect(x - w, top - h * 0.3, 2 * w, h * 0.2, trim)
        pad.rect(x - w * 1.5, top, 3 * w, max(2.0, s * 0.14), paint)
    elif kind < 0.5:
        w, h = s * (0.9 + 0.2 * u()), s * (0.35 + 0.25 * u())
        pad.dome(x, top - h + s * 0.1, w, h, paint)
        if u() < 0.7:
            pad.rounded(x - w * 1.05, top - s * 0.05, 2.1 * w, s * 0.28, s * 0.12, trim)
        if u() < 0.5:
            pad.disc(x, top - 2 * h + s * 0.05, s * 0.16, trim)
        if u() < 0.3:
            pad.ellipse(x + w, top + s * 0.12, w, s * 0.18, paint)
    elif kind < 0.68:
        h = s * (0.8 + 0.7 * u())
        pad.polygon([(x - s * 0.7, top), (x + s * 0.6 * (u() - 0.5), top - h), (x + s * 0.7, top)], paint)
        if u() < 0.6:
            pad.disc(x, top - h, s * 0.15, trim)
    elif kind < 0.84:
        pad.polygon(placed(outlines.CROWN, x, top - s * 0.3, s * 0.7, s * 0.38), paint)
        if u() < 0.5:
            pad.disc(x, top - s * 0.15, s * 0.1, trim)
    elif kind < 0.92:
        for side in (-1, 1):
            pad.polygon([(x, top), (x + side * s * 0.5, top - s * 0.3), (x + side * s * 0.5, top + s * 0.3)], paint)
        pad.disc(x, top, s * 0.13, trim)
    else:
        pad.line(x, top, x, top - s * 0.5, paint, max(1.5, s * 0.08))
        pad.disc(x, top - s * 0.55, s * 0.14, trim)
