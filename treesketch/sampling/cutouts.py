"""Paper cut-outs: emoji faces, heads of animals, portraits, whole figures and things, on simple backdrops.

A random source in; layers and a background out.
"""

import math
from random import Random

from treesketch.layers import Channels, Layer
from treesketch.sampling import faces, outlines, things
from treesketch.sampling.outlines import placed
from treesketch.sampling.pad import Pad
from treesketch.sampling.palettes import BLACK, HAIR, PASTEL, SKIN, TOY, WHITE, any_color, one_of, shade


def sample(random: Random) -> tuple[list[Layer], Channels]:
    """One scene."""
    u = random.random
    pad = Pad()
    background = WHITE if u() < 0.55 else one_of(random, PASTEL) if u() < 0.7 else any_color(random)
    if u() < 0.18:
        _backdrop(pad, random)
    kind = u()
    if kind < 0.2:
        _emoji(pad, random)
    else:
        if u() < 0.5:
            scale = 0.7 + 0.6 * u()
            pad.view = (scale if u() < 0.5 else -scale, 52 + 24 * u(), 64 + 14 * (u() - 0.5))
        if kind < 0.44:
            _portrait(pad, random)
        elif kind < 0.57:
            _animal(pad, random)
        elif kind < 0.66:
            _figure(pad, random)
        elif kind < 0.7:
            _robot(pad, random)
        elif kind < 0.96:
            things.thing(pad, random)
        else:  # two things side by side
            for x in (34, 94):
                scale = 0.4 + 0.2 * u()
                pad.view = (scale, x, 40 + 48 * u())
                things.thing(pad, random)
        pad.view = None
    if not pad:
        pad.disc(64, 64, 40, one_of(random, TOY))
    return pad.layers(), background


def _backdrop(pad: Pad, random: Random) -> None:
    """Ground, hill, tile, disc or a pair of halves behind."""
    u = random.random
    paint = one_of(random, PASTEL) if u() < 0.5 else one_of(random, TOY)
    kind = u()
    if kind < 0.35:
        y = 76 + 40 * u()
        pad.rect(0, y, 128, 128 - y, paint)
    elif kind < 0.5:
        pad.ellipse(64 + 60 * (u() - 0.5), 134, 140 + 100 * u(), 50 + 60 * u(), paint)
    elif kind < 0.75:
        pad.disc(64, 64, 64 if u() < 0.6 else 52, paint)
    else:
        pad.rounded(0, 0, 128, 128, 12 + 16 * u(), paint)


def _dark(random: Random) -> Channels:
    return faces.DARK[int(len(faces.DARK) * random.random())]


def _emoji(pad: Pad, random: Random) -> None:
    """A disc with a face, perhaps with hands or a hat; or a face alone on the ground."""
    u = random.random
    x, y, s = 64.0, 64.0, 64.0
    if u() < 0.5:
        s = 40 + 22 * u()
        x, y = 64 + (60 - s) * (2 * u() - 1) * 0.5, 64 + (60 - s) * (2 * u() - 1) * 0.5
    ink = _dark(random)
    sort = u()
    paint = (255, 204, 77) if u() < 0.3 else one_of(random, TOY)
    if sort < 0.7:
        pad.disc(x, y, s, paint)
        if u() < 0.1:
            pad.ellipse(x, y, 1.7 * s, 1.7 * s, shade(paint, 1.2))
    elif sort < 0.85:
        outlined = ink if u() < 0.3 else None
        unit = (outlines.BULGE, outlines.HEART, outlines.CLOUD, outlines.REGULARS[8], outlines.flower(6, 0.8))[
            int(5 * u())
        ]
        pad.polygon(placed(unit, x, y, s, s), paint, outlined, 3)
    elif sort < 0.93:  # a capsule that leans and leaves the canvas below
        width = 60 + 36 * u()
        pad.turned_rect(64, 120, width, 130, 0.6 * (u() - 0.5), fill=paint)
        pad.ellipse(64, 52, width, width * 0.9, paint)
        y, s = 60, width / 2
    else:
        s = 44
    if u() < 0.06:
        ink = WHITE
    faces.features(pad, random, x, y, s, ink, 0.12)
    if u() < 0.1:
        faces.hat(pad, random, x, y, s * 0.9, one_of(random, TOY), one_of(random, TOY))
    if u() < 0.08:
        for side in (-1, 1):
            pad.ellipse(x + side * s * 0.7, y + s * 0.75, s * 0.5, s * 0.45, shade(paint, 0.85))


def _portrait(pad: Pad, random: Random) -> None:
    """Shoulders, neck, head, hair behind and in front, features, clothes."""
    u = random.random
    s = 22 + 18 * u()
    x, y = 64 + (0.0 if u() < 0.7 else 16 * (u() - 0.5)), 46 + 20 * u()
    skin, hair = one_of(random, SKIN), one_of(random, HAIR)
    shirt = one_of(random, TOY) if u() < 0.8 else any_color(random)
    ink = _dark(random)
    drawn = u() < 0.15  # with ink outlines all over
    edge, weight = (BLACK, 1.5 + 2 * u()) if drawn else (None, 1.0)
    bald = u() < 0.12
    covered = u() < 0.12
    if not bald and u() < 0.5:
        faces.hair_behind(pad, random, x, y, s, hair, edge, weight)
    if u() < 0.85:
        width, top = s * (1.2 + 0.7 * u()), y + s * (1.2 + 0.4 * u())
        neck = s * (0.3 + 0.15 * u())
        order = u() < 0.7
        kind = u()
        for part in (0, 1) if order else (1, 0):
            if part == 0:
                pad.rect(x - neck, y + s * 0.6, 2 * neck, top - y - s * 0.5, skin if u() < 0.5 else shade(skin, 0.88))
            elif kind < 0.4:
                pad.rounded(
                    x - width,
                    top,
                    2 * width,
                    160 - top,
                    width * (0.3 + 0.4 * u()),
                    shirt,
                    edge,
                    weight,
                )
            elif kind < 0.75:
                pad.ellipse(x, 128 + 6 * u(), 2 * width, 2 * max(128 - top, 12), shirt, edge, weight)
            else:
                pad.polygon(
                    [(x - width * 0.5, top), (x + width * 0.5, top), (x + width, 130), (x - width, 130)],
                    shirt,
                    edge,
                    weight,
                )
        _collar(pad, random, x, top, neck, width, skin, shirt)
    if u() < 0.5:
        r, dy = s * (0.18 + 0.14 * u()), s * (0.25 * u() - 0.05)
        for side in (-1, 1):
            pad.ellipse(
                x + side * s,
                y + dy,
                2 * r,
                2 * r * (1 + 0.4 * u()),
                skin if u() < 0.7 else shade(skin, 0.88),
                edge,
                weight,
            )
    faces.head(pad, random, x, y, s, skin, edge, weight)
    if u() < 0.16:
        faces.beard(pad, random, x, y, s, hair)
    if not bald and not covered:
        faces.hair_before(pad, random, x, y, s, hair, edge, weight)
    aside = 0.0 if u() < 0.7 else s * 0.5 * (u() - 0.5)  # looks to one side
    faces.features(pad, random, x + aside, y + s * 0.1, s * (0.8 + 0.25 * u()), ink, 0.7)
    if covered:
        faces.hat(pad, random, x, y, s, one_of(random, TOY), one_of(random, TOY))


def _collar(
    pad: Pad, random: Random, x: float, top: float, neck: float, width: float, skin: Channels, shirt: Channels
) -> None:
    """What shows on a shirt: a neck line, a V, lapels, buttons, straps or nothing."""
    u = random.random
    kind = u()
    if kind < 0.25:
        pad.ellipse(x, top + 1, neck * 2.6, neck * (0.8 + 0.6 * u()), skin)
    elif kind < 0.4:
        pad.polygon([(x - neck, top), (x + neck, top), (x, top + neck * (1 + u()))], skin if u() < 0.5 else WHITE)
    elif kind < 0.52:
        paint = WHITE if u() < 0.5 else shade(shirt, 0.75)
        for side in (-1, 1):
            pad.polygon([(x, top + 2), (x + side * neck * 1.3, top), (x + side * neck * 0.9, top + neck * 1.4)], paint)
    elif kind < 0.62:
        paint = shade(shirt, 0.7)
        for i in range(1 + int(2 * u())):
            pad.disc(x, top + neck + i * 12, 2 + u(), paint)
    elif kind < 0.72:
        paint = one_of(random, TOY)
        for side in (-1, 1):
            pad.rect(x + side * width * 0.55 - 4, top, 8, 60, paint)
    elif kind < 0.8:
        pad.rounded(x - neck * 1.3, top - neck * 0.6, neck * 2.6, neck, neck * 0.3, shade(shirt, 0.8))


def _animal(pad: Pad, random: Random) -> None:
    """An animal's head: ears, head, muzzle, eyes, nose, whiskers, horns, stripes, beak."""
    u = random.random
    coat = one_of(random, TOY) if u() < 0.7 else any_color(random)
    light = shade(coat, 1.4) if u() < 0.6 else WHITE
    ink = _dark(random)
    s = 34 + 22 * u()
    x, y = 64.0, 64 + 12 * u()
    ear = u()
    d, size, lift = s * (0.55 + 0.35 * u()), s * (0.22 + 0.25 * u()), s * (0.6 + 0.3 * u())
    inner = one_of(random, PASTEL) if u() < 0.5 else shade(coat, 0.75)
    double = u() < 0.6
    for side in (-1, 1):
        ex, ey = x + side * d, y - lift
        if ear < 0.35:
            pad.ellipse(ex, ey, 2 * size, 2 * size, coat)
            if double:
                pad.disc(ex, ey, size * 0.55, inner)
        elif ear < 0.65:
            tip = (ex + side * size * 0.5, ey - size * 1.6)
            pad.polygon([(ex - size, ey + size * 0.6), tip, (ex + size, ey + size * 0.9)], coat)
            if double:
                pad.polygon(
                    [
                        (ex - size * 0.4, ey + size * 0.3),
                        (tip[0], tip[1] + size * 0.8),
                        (ex + size * 0.6, ey + size * 0.5),
                    ],
                    inner,
                )
        elif ear < 0.8:
            tall = size * (2.5 + 2 * u())
            pad.turned_ellipse(ex * 0.6 + x * 0.4, y - s * 0.9 - tall * 0.3, size * 1.2, tall, side * 0.35, fill=coat)
            if double:
                pad.turned_ellipse(
                    ex * 0.6 + x * 0.4, y - s * 0.9 - tall * 0.3, size * 0.6, tall * 0.7, side * 0.35, fill=inner
                )
        elif ear < 0.92:
            pad.turned_ellipse(
                x + side * s, y - s * 0.1, size * 1.3, s * (1 + 0.5 * u()), -side * 0.3, fill=shade(coat, 0.75)
            )
    if u() < 0.1:
        horn = one_of(random, PASTEL)
        for side in (-1, 1):
            pad.polygon(
                [
                    (x + side * s * 0.3, y - s * 0.7),
                    (x + side * s * 0.7, y - s * 1.5),
                    (x + side * s * 0.6, y - s * 0.6),
                ],
                horn,
            )
    faces.head(pad, random, x, y, s, coat, None, 1.0)
    if u() < 0.2:
        for side in (-1, 1):
            pad.ellipse(x + side * s * 0.4, y - s * 0.15, s * 0.6, s * 0.75, light)
    muzzle = u()
    my = y + s * (0.3 + 0.2 * u())
    if muzzle < 0.5:
        w = s * (0.7 + 0.6 * u())
        pad.ellipse(x, my, 2 * w * 0.7, w, light)
    elif muzzle < 0.65:
        beak = one_of(random, ((250, 160, 30), (255, 200, 40), (90, 90, 100)))
        w, h = s * (0.25 + 0.25 * u()), s * (0.25 + 0.3 * u())
        pad.polygon([(x - w, my - h * 0.4), (x + w, my - h * 0.4), (x, my + h)], beak)
    faces.eyes(pad, random, x, y - s * (0.05 + 0.2 * u()), s, ink, 1.1)
    if muzzle < 0.5 or muzzle > 0.65:
        if u() < 0.3:
            for side in (-1, 1):
                pad.ellipse(x + side * s * 0.15, my, s * 0.12, s * 0.16, ink)
        else:
            w = s * (0.12 + 0.12 * u())
            if u() < 0.5:
                pad.polygon([(x - w, my - w * 0.6), (x + w, my - w * 0.6), (x, my + w * 0.5)], ink)
            else:
                pad.ellipse(x, my - w * 0.3, 2 * w, 1.4 * w, ink)
        if u() < 0.7:
            faces.mouth(pad, random, x, my + s * 0.28, s * 0.7, ink)
    if u() < 0.25:
        weight = 1 + 1.5 * u()
        for side in (-1, 1):
            for i in (-1, 1):
                pad.line(x + side * s * 0.4, my + i * 3, x + side * s * 1.05, my + i * 8, ink, weight)
    if u() < 0.15:
        paint = shade(coat, 0.65)
        for i in (-1, 0, 1):
            pad.line(x + i * s * 0.22, y - s * 0.95, x + i * s * 0.15, y - s * 0.6, paint, s * 0.1)
    if u() < 0.1:
        faces.hat(pad, random, x, y, s, one_of(random, TOY), one_of(random, TOY))


def _figure(pad: Pad, random: Random) -> None:
    """A whole body: a person or a creature, standing or as a pose, small."""
    u = random.random
    skin, cloth, legs = one_of(random, SKIN), one_of(random, TOY), one_of(random, TOY)
    creature = u() < 0.4
    if creature:
        skin = legs = cloth
    x = 64 + 30 * (u() - 0.5)
    tall = 80 + 44 * u()
    top = 64 - tall / 2
    s = tall * (0.12 + 0.1 * u())
    body, w = top + 2 * s, tall * (0.12 + 0.12 * u())
    hip = body + tall * (0.3 + 0.1 * u())
    foot = top + tall
    limb = tall * (0.05 + 0.05 * u())
    for side in (-1, 1):
        fx = x + side * w * (0.4 + 0.8 * u())
        if creature:
            pad.ellipse(fx, foot - limb, limb * 3, limb * 2, shade(cloth, 0.8))
        elif u() < 0.5:
            pad.rect(x + side * w * 0.5 - limb, hip - 2, 2 * limb, foot - hip, legs)
        else:
            pad.line(x + side * w * 0.4, hip, fx, foot, legs, 2 * limb)
    for side in (-1, 1):
        hx, hy = x + side * w * (1.4 + 1.2 * u()), body + (hip - body) * (1.3 * u() - 0.3)
        way = u()
        if way < 0.5:
            pad.line(x + side * w * 0.8, body + limb, hx, hy, cloth if u() < 0.5 else skin, 1.6 * limb)
        elif way < 0.7:
            elbow = (x + side * w * 1.5, (body + hip) / 2)
            pad.polyline([(x + side * w * 0.8, body + limb), elbow, (hx, hy)], skin, 1.5 * limb)
        else:
            pad.turned_ellipse(
                x + side * w * 1.1,
                body + (hip - body) * 0.4,
                limb * 1.8,
                (hip - body) * 0.8,
                -side * (0.2 + 0.5 * u()),
                fill=cloth,
            )
    kind = u()
    if kind < 0.3:
        pad.rounded(x - w, body - limb, 2 * w, hip - body + 2 * limb, w * 0.6, cloth)
    elif kind < 0.6:
        pad.ellipse(x, (body + hip) / 2, 2.2 * w, (hip - body) * 1.25, cloth)
        if creature or u() < 0.3:
            pad.ellipse(x, (body + hip) / 2 + 3, 1.3 * w, (hip - body) * 0.8, shade(cloth, 1.5))
    elif kind < 0.85:
        pad.polygon(
            [(x - w * 0.6, body - limb), (x + w * 0.6, body - limb), (x + w * 1.3, hip + 2), (x - w * 1.3, hip + 2)],
            cloth,
        )
    else:
        pad.rect(x - w, body - limb, 2 * w, hip - body + limb, cloth)
    y = top + s
    if not creature and u() < 0.4:
        faces.hair_behind(pad, random, x, y, s, one_of(random, HAIR), None, 1)
    faces.head(pad, random, x, y, s, skin, None, 1)
    if not creature and u() < 0.7:
        faces.hair_before(pad, random, x, y, s, one_of(random, HAIR), None, 1)
    if s > 11 or u() < 0.5:
        faces.eyes(pad, random, x, y, s, _dark(random))
        if s > 12:
            faces.mouth(pad, random, x, y + s * 0.45, s, _dark(random))
    if u() < 0.25:
        faces.hat(pad, random, x, y, s, one_of(random, TOY), one_of(random, TOY))
    if u() < 0.3:
        r = 5 + 10 * u()
        pad.polygon(placed(outlines.figure(random), 14 + 100 * u(), 14 + 60 * u(), r, r), one_of(random, TOY))


def _robot(pad: Pad, random: Random) -> None:
    """A machine's head: a box with side knobs, a visor or lamps, a grille, an antenna."""
    u = random.random
    paint, trim = one_of(random, TOY), one_of(random, TOY)
    ink = _dark(random)
    w, h = 30 + 18 * u(), 28 + 18 * u()
    y = 70.0
    if u() < 0.7:
        for side in (-1, 1):
            pad.rect(64 + side * (w + 5) - 6, y - 10, 12, 18 + 8 * u(), trim)
    if u() < 0.6:
        tip = y - h - 10 - 14 * u()
        pad.line(64, y - h, 64, tip, trim, 2 + 3 * u())
        pad.disc(64, tip, 4 + 4 * u(), one_of(random, TOY))
    faces.head(pad, random, 64, y, w, paint, ink if u() < 0.15 else None, 2)
    way = u()
    if way < 0.4:
        pad.rounded(64 - w * 0.75, y - h * 0.45, w * 1.5, h * 0.5, h * 0.2, ink)
        r = h * (0.08 + 0.08 * u())
        for side in (-1, 1):
            pad.disc(64 + side * w * 0.35, y - h * 0.2, r, WHITE if u() < 0.6 else trim)
    else:
        faces.eyes(pad, random, 64, y - h * 0.2, w, ink, 1.3)
    n = 2 + int(4 * u())
    if u() < 0.5:
        for i in range(n):
            at = 64 + (i - (n - 1) / 2) * w * 0.22
            pad.line(at, y + h * 0.35, at, y + h * 0.6, ink, 1.5 + 1.5 * u())
    else:
        faces.mouth(pad, random, 64, y + h * 0.5, w, ink)
    if u() < 0.3:
        angle = math.pi / 4
        pad.turned_rect(64, 14 + 8 * u(), 12, 12, angle, fill=trim)
