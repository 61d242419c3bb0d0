"""A whole flat picture as a few layers, back to front: the start that the search improves on.

In: pixels (H, W, 3) in 0..1 and how many numbers may be spent. Out: a ground colour and `Layer`s. Regions are put in
painter's order; each is completed under what lies above it; for each, shapes of rising cost are fitted; the numbers
go where they lower the error most; then all shapes are polished together against the picture.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from treesketch.search import centerline, contour, regions
from treesketch.search.corners import CLOSED, spend
from treesketch.search.coverage import cover
from treesketch.search.curves import paths, splines
from treesketch.search.outline import CUT_ROUND, ROUND, SIDED, STROKES, Layer, Outline
from treesketch.search.plain import prefer_plain
from treesketch.search.polish import polish, settle
from treesketch.search.tally import OutOfRenders, uncounted

Array = NDArray[np.float64]
Pixels = NDArray[np.float32]

PRICE = 0.03  # squared error, summed over pixels and channels, that one more number must save
QUICK_POINTS = 80  # of a contour, where time is short
SMALL = 30.0  # pixels; regions below that keep their place in the painter's order
PLAIN = 8  # numbers of a shape that is tried in the place of an outline of more
PLAIN_ERROR = 0.3  # squared error below which a plain shape is what a region is
EXPECTED_NUMBERS = 150  # by which two ways to divide a picture are compared
FEWEST_NUMBERS = 4  # of a shape
FINEST = 160  # regions, before those of the ground are joined
CORNERS = (3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 18, 20, 24, 28, 34, 40)


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One way to draw a region: its outlines (none: leave it out), what they cost and the squared error they leave.

    cuts are painted over them, in the colour of what surrounds the region: a crescent is a disc cut by a disc.
    """

    outlines: tuple[Outline, ...]
    numbers: int
    error: float
    area: float = 0.0  # of the symmetric difference with what was fitted, in square pixels
    cuts: tuple[Layer, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A region in painter's order with the ways to draw it, cheapest first, each better than the last.

    polygons are the ways with straight sides alone, whether they are better than the others or not: a polygon may look
    worse than a path and be better, once it is polished.
    """

    color: Array
    place: int
    choices: tuple[Choice, ...]
    polygons: tuple[Choice, ...] = ()

    def layers(self, choice: Choice) -> list[Layer]:
        """What one of the choices paints, back to front."""
        return [*(Layer(outline, self.color) for outline in choice.outlines), *choice.cuts]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A picture's regions in painter's order (indices, back to front), and the pen drawings of those that are
    strokes.
    """

    found: regions.Segmentation
    order: list[int]
    pens: dict[int, list[list[Choice]]]


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What is known of a picture before anything is drawn: its regions in order, and the ways to draw each."""

    plan: Plan
    parts: list[Part]


def survey(
    target: Pixels, most: int = 37, deadline: float = math.inf, mixture: regions.Mixture | None = None
) -> Survey:
    """Divide a picture into at most that many regions and fit shapes to each.

    Where several regions of one colour lie at the picture's border, they may be what shows of one ground, and others of
    one colour what shows of one shape behind another. Past the
    deadline (time.monotonic seconds) only the quickest shapes are fitted to what is left, the smaller regions.
    mixture is what `regions.unmix` gives of the target, where that is known.
    """
    mixture = mixture or regions.unmix(target)
    found = regions.segment(target, most, mixture)
    # Many small regions may be few once those of the ground are one.
    fine = regions.segment(target, FINEST, mixture) if len(found.regions) >= most else found
    grounds = [joined for joined in regions.join_grounds(fine) if len(joined.regions) <= most + regions.SPLIT]
    best: Survey | None = None
    least = math.inf
    divisions = sorted([*grounds, found], key=lambda division: len(division.regions))
    divisions += [joined for division in divisions if (joined := regions.join_pieces(division))]
    enough = math.inf  # regions: with as many nothing is left wrong
    for division in divisions:
        if best and time.monotonic() > deadline:
            break
        if len(division.regions) >= enough:
            continue
        origins = [region.origin for region in division.regions]
        ground = origins.index("ground") if "ground" in origins else None
        surveyed = _survey(make_plan(division, ground, quick=time.monotonic() > deadline), deadline)
        if len(divisions) == 1:
            return surveyed
        try:
            error, price = _burden(surveyed, target)
        except OutOfRenders:
            return best or surveyed
        if error + price < least:
            best, least = surveyed, error + price
        if error < PRICE * FEWEST_NUMBERS:
            enough = len(division.regions)
    assert best is not None
    return best


def _survey(plan: Plan, deadline: float) -> Survey:
    parts = []
    for place in range(1, len(plan.order)):
        parts += ways(plan, place, time.monotonic() > deadline)
    return Survey(plan, parts)


def _burden(surveyed: Survey, target: Pixels) -> tuple[float, float]:
    """The squared error that the best choices leave when they are polished together, and the price of their numbers."""
    layers, ground, chosen = draft(surveyed, EXPECTED_NUMBERS, PRICE)
    rmse = polish(layers, ground, target, rounds=4)[2]
    return rmse**2 * target.size, PRICE * sum(choice.numbers for choice in chosen)


def draft(surveyed: Survey, numbers: int, price: float) -> tuple[list[Layer], Array, list[Choice]]:
    """The layers of the best choices for about that many numbers, as they were fitted one by one; the ground; they."""
    chosen = allocate([part.choices for part in surveyed.parts], numbers, price)
    layers = [layer for part, choice in zip(surveyed.parts, chosen, strict=True) for layer in part.layers(choice)]
    return layers, surveyed.plan.found.regions[surveyed.plan.order[0]].color, chosen


def decompose(
    target: Pixels,
    numbers: int,
    price: float = PRICE,
    surveyed: Survey | None = None,
    deadline: float = math.inf,
) -> tuple[list[Layer], Array, float]:
    """Layers for a picture, back to front, for about that many numbers; the ground colour (3,); the rmse (0..1).

    Past the deadline (time.monotonic seconds) corners are no longer moved to where they pay most.
    """
    surveyed = surveyed or survey(target, most=int(np.clip(numbers // 4, 4, 48)))
    layers, ground, chosen = draft(surveyed, numbers, price)
    parts = surveyed.parts
    pens = [part.place for part, choice in zip(parts, chosen, strict=True) for _ in part.layers(choice)]
    layers, ground, rmse = polish(layers, ground, target, rounds=6, pens=pens)
    try:
        plainer, tint = layers, ground
        if options := _plainer(parts, chosen):
            plainer = prefer_plain(layers, options, ground, target, price)
            plainer, tint, _ = polish(plainer, ground, target, rounds=3, pens=pens)
        shared, pens = _share_weights(plainer, pens)
        layers, _, ground, rmse = spend(shared, pens, tint, target, numbers, price, deadline)
    except OutOfRenders:
        return layers, ground, rmse
    return layers, ground, rmse


def _plainer(parts: Sequence[Part], chosen: Sequence[Choice]) -> dict[int, list[Outline]]:
    """For the layers of outlines of many numbers: the plainer shapes that their regions may be, the cheapest first."""
    options: dict[int, list[Outline]] = {}
    place = 0
    for part, choice in zip(parts, chosen, strict=True):
        if len(part.layers(choice)) == 1 and choice.outlines[0].kind in CLOSED:
            single = [other.outlines[0] for other in part.choices if len(part.layers(other)) == 1]
            found = [o for o in single if o.numbers <= PLAIN and o.numbers < choice.numbers]
            if choice.outlines[0].kind == "path":
                near = [c for c in part.polygons if c.numbers <= choice.numbers and c.error < 4 * choice.error + 0.1]
                found += [min(near, key=lambda c: c.error).outlines[0]] if near else []
            if found:
                options[place] = sorted(found, key=lambda outline: outline.numbers)
        place += len(part.layers(choice))
    return options


def _share_weights(layers: list[Layer], pens: list[int]) -> tuple[list[Layer], list[int]]:
    """Strokes of nearly one weight (8 %, or .3 pixel) get one pen: a person drew them so, and it costs fewer
    numbers.
    """
    strokes = [k for k, layer in enumerate(layers) if layer.outline.kind in STROKES]
    if len({pens[k] for k in strokes}) < 2:
        return layers, pens
    strokes.sort(key=lambda k: float(layers[k].outline.params[-1]))
    layers, pens = list(layers), list(pens)
    group: list[int] = []
    for k in [*strokes, None]:
        weight = float(layers[k].outline.params[-1]) if k is not None else np.inf
        if group and weight > max(
            float(layers[group[0]].outline.params[-1]) * 1.08, 0.3 + float(layers[group[0]].outline.params[-1])
        ):
            mean = float(np.mean([layers[g].outline.params[-1] for g in group]))
            for g in group:
                outline = layers[g].outline
                layers[g] = Layer(replace(outline, params=np.append(outline.params[:-1], mean)), layers[g].color)
                pens[g] = -group[0] - 1
            group = []
        if k is not None:
            group.append(k)
    return layers, pens


def make_plan(found: regions.Segmentation, ground: int | None = None, quick: bool = False) -> Plan:
    """Painter's order: the larger with its holes filled is further back; what a pen drew lies on top.

    Of two that touch, one that is a whole plain shape lies on one that is none: that may be covered in part (this takes
    time, and is left out where it must be quick).
    ground is the region at the very back, if that is known.
    """
    border = np.concatenate([found.label[0], found.label[-1], found.label[:, 0], found.label[:, -1]])
    sides = np.bincount(border, minlength=len(found.regions))
    size = np.array([float(regions.fill_holes(region.mask).sum()) for region in found.regions]) + sides
    if ground is not None:
        size[ground] = np.inf
    for i, region in enumerate(found.regions):
        if region.origin == "joined":  # it lies behind what is between its pieces
            near = np.unique(found.label[ndimage.binary_dilation(region.mask)])
            size[i] = max([size[i], *(size[j] + 1 for j in near if np.isfinite(size[j]) and size[j] < size.max())])
    order = [int(i) for i in np.argsort(-size, kind="stable")]
    order = order if quick else _whole_on_top(found, order)
    pens: dict[int, list[list[Choice]]] = {}
    for index in order[1:]:
        region = found.regions[index]
        drawn = [] if _is_bar(region) else _draw_with_pen(region)
        if drawn:
            pens[index] = drawn
    return Plan(found, [i for i in order if i not in pens] + [i for i in order if i in pens], pens)


def _whole_on_top(found: regions.Segmentation, order: list[int]) -> list[int]:
    """The order with plain shapes moved in front of those that touch them and are none; the ground stays."""
    near = [np.flatnonzero(row).tolist() for row in regions.touching(found)]
    plain: dict[int, bool] = {}

    def is_plain(i: int) -> bool:
        if i not in plain:
            plain[i] = _is_plain(found.regions[i])
        return plain[i]

    rank = {index: float(place) for place, index in enumerate(order)}
    for i in order[1:]:
        region = found.regions[i]
        in_front = [j for j in near[i] if rank[j] > rank[i] and found.regions[j].area > SMALL]
        if not in_front or region.area < SMALL or not is_plain(i):
            continue
        hollow = regions.fill_holes(region.mask)
        covered = [j for j in in_front if not (found.regions[j].mask & hollow).any() and not is_plain(j)]
        if covered:
            rank[i] = max(rank[j] for j in covered) + 0.5
    return sorted(order, key=lambda index: rank[index])


def _is_plain(region: regions.Region) -> bool:
    """Whether a rectangle or an ellipse is what a region is, holes aside."""
    filled = regions.fill_holes(region.mask)
    member = np.where(filled & ~region.mask, np.float32(1), region.member)
    lines = contour.contours(member)
    if not lines:
        return False
    points = contour.resample(lines[0], 100)
    box, weight = contour.fit_rect(points, np.ones(len(points))), np.ones(len(points))
    found = [*([box] if box else []), *contour.fit_rounds(points, weight)]
    _, _, area = _errors(found, member, np.ones_like(member))
    return bool(len(area) and area.min() < 0.15 * len(points))  # of the contour's length, in pixels


def _is_bar(region: regions.Region) -> bool:
    """Whether a region is an upright rectangle at the picture's border, where a line's round ends would not show."""
    rows, columns = np.flatnonzero(region.mask.any(axis=1)), np.flatnonzero(region.mask.any(axis=0))
    height, width = region.mask.shape
    if rows[0] > 0 and columns[0] > 0 and rows[-1] < height - 1 and columns[-1] < width - 1:
        return False
    lines = contour.contours(region.member)
    points = contour.resample(lines[0]) if lines else np.zeros((0, 2))
    box = contour.fit_rect(points, np.ones(len(points))) if len(points) else None
    if box is None:
        return False
    off = np.abs(cover([box], height, width)[0] - region.member).sum()
    return bool(off < 0.02 * len(points) + 0.3)


def _draw_with_pen(region: regions.Region) -> list[list[Choice]]:
    """For each line of a region drawn with a pen: leave it out, or strokes for it, coarse to fine. Empty: no pen.

    The finest are polished together against the region's membership. A choice's error is for a contrast of 1.
    """
    pen = centerline.find_pen(region.member)
    if pen is None:
        return []
    rows, columns = np.nonzero(region.member > 0)
    height, width = region.member.shape
    # What encloses others can be drawn filled, under them: strokes must be good to be preferred to that.
    hollow = regions.fill_holes(region.mask).sum() > region.mask.sum()
    if hollow and pen.weight > 0.2 * min(np.ptp(rows), np.ptp(columns)):
        return []
    y0, x0 = max(rows.min() - 3, 0), max(columns.min() - 3, 0)
    window = (slice(y0, min(rows.max() + 4, height)), slice(x0, min(columns.max() + 4, width)))
    member = region.member[window]
    lines = [(line - (x0, y0), closed) for line, closed in pen.lines]
    fine = [centerline.draw_line(line, closed, pen.weight, 0.15, member) for line, closed in lines]
    picture = np.array([-x0, -y0, width - x0, height - y0], float)
    fine = [[centerline.run_out(outline, picture) for outline in outlines] for outlines in fine]
    owner = [i for i, outlines in enumerate(fine) for _ in outlines]
    if not owner:
        return []
    layers, rmse = _fit_together([o for outlines in fine for o in outlines], [1] * len(owner), member, same_pen=True)
    # Edges a quarter of a pixel off (half a pixel where there is no danger in it) are what a pen may leave.
    if rmse**2 * member.size > (0.14 if hollow else 0.5) / max(pen.weight, 1.5) * region.area:
        return []
    weight = float(layers[0].outline.params[-1])
    polished = [[layer.outline for layer, o in zip(layers, owner, strict=True) if o == i] for i in range(len(lines))]
    coverage = np.stack([_union(outlines, member.shape) for outlines in polished])
    # Where lines cross, the skeleton may have a stub that they cover.
    needed = [i for i in range(len(lines)) if len(lines) == 1 or _adds(i, coverage, member)]
    lines, polished, coverage = [lines[i] for i in needed], [polished[i] for i in needed], coverage[needed]
    if not lines:
        return []
    # Pixels belong to the line that covers them most; pixels beside all lines to the nearest of their neighbours.
    belongs = ndimage.uniform_filter(coverage, size=(0, 5, 5)).argmax(axis=0)
    curves = []
    for i, (line, closed) in enumerate(lines):
        own = np.where(belongs == i, np.float32(1), np.float32(0))
        curve = [Choice((), 0, float((own * member**2).sum()))]
        for tolerance in (None, 0.3, 0.6, 1.2):
            outlines = (
                polished[i] if tolerance is None else centerline.draw_line(line, closed, weight, tolerance, member)
            )
            numbers = sum(o.numbers - 1 for o in outlines)
            if not outlines or any(numbers >= choice.numbers > 0 for choice in curve):
                continue
            off = np.abs((coverage[i] if tolerance is None else _union(outlines, member.shape)) - member) * own
            moved = tuple(_shift(o, np.array([x0, y0])) for o in outlines)
            curve.append(Choice(moved, numbers, float((off**2).sum()), float(off.sum())))
        for spline in [] if closed else [*centerline.arcs(line, weight), *splines(line, weight)]:
            if any(spline.numbers - 1 >= choice.numbers > 0 and choice.error < 1 for choice in curve):
                continue
            settled = settle(spline, member, own)
            off = np.abs(cover([settled], *member.shape)[0] - member) * own
            moved = (_shift(settled, np.array([x0, y0])),)
            curve.append(Choice(moved, spline.numbers - 1, float((off**2).sum()), float(off.sum())))
        curves.append(curve)
    return curves


def _fit_together(
    outlines: Sequence[Outline], levels: Sequence[int], member: NDArray[np.float32], same_pen: bool = False
) -> tuple[list[Layer], float]:
    """Outlines moved together until they are near a region's map (H, W), each adding to it (1) or cutting (0); rmse."""
    layers = [Layer(outline, np.full(3, float(level))) for outline, level in zip(outlines, levels, strict=True)]
    target = np.repeat(member[..., None], 3, axis=2)
    pens = [0] * len(layers) if same_pen else None
    with uncounted():
        layers, _, rmse = polish(layers, np.zeros(3), target, rounds=4, colors=False, pens=pens)
    return layers, rmse


def _adds(i: int, coverage: NDArray[np.float32], member: NDArray[np.float32]) -> bool:
    """Whether a line covers anything of a region that the others (K, H, W) do not."""
    others = 1 - np.prod(1 - np.delete(coverage, i, axis=0), axis=0)
    return float((np.clip(member - others, 0, None) * coverage[i]).sum()) > 0.5


def _union(outlines: Sequence[Outline], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The coverage (H, W) of all outlines together."""
    if not outlines:
        return np.zeros(shape, dtype=np.float32)
    return np.asarray(1 - np.prod(1 - cover(outlines, *shape), axis=0), dtype=np.float32)


def allocate(curves: Sequence[Sequence[Choice]], numbers: int, price: float) -> list[Choice]:
    """One choice a curve, the least total error for the numbers: steps along the lower hulls, the steepest first."""
    hulls = [_hull(curve) for curve in curves]
    steps = []
    for c, hull in enumerate(hulls):
        for i in range(1, len(hull)):
            gain = (hull[i - 1].error - hull[i].error) / (hull[i].numbers - hull[i - 1].numbers)
            steps.append((-gain, c, i))
    at = [0] * len(hulls)
    spent = sum(hull[0].numbers for hull in hulls)
    stuck: set[int] = set()
    for gain, c, i in sorted(steps):
        if c in stuck or -gain < price:
            continue
        cost = hulls[c][i].numbers - hulls[c][i - 1].numbers
        if spent + cost > numbers:
            stuck.add(c)
            continue
        at[c] = i
        spent += cost
    return [hull[i] for hull, i in zip(hulls, at, strict=True)]


def _hull(curve: Sequence[Choice]) -> list[Choice]:
    """The choices on the lower convex hull of error over numbers."""
    result: list[Choice] = []
    for choice in sorted(curve, key=lambda c: (c.numbers, c.error)):
        if result and choice.error >= result[-1].error:
            continue
        if result and choice.numbers == result[-1].numbers:
            continue
        while len(result) > 1:
            a, b = result[-2:]
            if (a.error - b.error) * (choice.numbers - b.numbers) > (b.error - choice.error) * (b.numbers - a.numbers):
                break
            result.pop()
        result.append(choice)
    return result


def ways(plan: Plan, place: int, quick: bool = False) -> list[Part]:
    """The ways to draw the region at that place in the order, completed under those after it; quick for no curves.

    Fewer points of its contour are looked at then, too.
    """
    found, order = plan.found, plan.order
    index = order[place]
    region = found.regions[index]
    height, width = found.label.shape
    rank = np.empty(len(order), dtype=np.int64)
    rank[list(order)] = np.arange(len(order))
    ranks = rank[found.label]
    above = ranks > place
    upper = np.zeros((height, width), dtype=np.float32)
    for j in order[place + 1 :]:
        upper += found.regions[j].member
    upper = np.minimum(upper, 1.0)
    colors = np.array([r.color for r in found.regions])
    contrast = ((colors[found.label] - region.color) ** 2).sum(axis=2).astype(np.float32)
    ring = ndimage.binary_dilation(region.mask, iterations=2) & ~region.mask & ~above
    around = float(contrast[ring if ring.any() else _beyond(region.mask, above)].mean())
    cost = np.where(region.mask | above, around, contrast) * (1.0 - upper)
    choices = [Choice((), 0, float((cost * region.member**2).sum()))]
    if index in plan.pens:
        curves = [[replace(c, error=c.error * around) for c in curve] for curve in plan.pens[index]]
        if regions.fill_holes(region.mask).sum() > region.mask.sum():
            # A filled shape would hide what it encloses: only strokes can draw it here, each for itself.
            return [Part(region.color, place, tuple(curve)) for curve in curves]
        for level in range(1, max(len(curve) for curve in curves)):
            drawn = [curve[min(level, len(curve) - 1)] for curve in curves]
            choices.append(
                Choice(
                    tuple(o for c in drawn for o in c.outlines),
                    sum(c.numbers for c in drawn) + 1,
                    sum(c.error for c in drawn),
                    sum(c.area for c in drawn),
                )
            )
    supports = _supports(region, found, rank, place, upper)
    for support in supports:
        lines = contour.contours(support)
        if not lines:
            continue
        points = contour.resample(lines[0], QUICK_POINTS) if quick else contour.resample(lines[0])
        out = np.floor(points + contour.normals(points) * 1.2).astype(np.int64)
        beyond = (out < 0).any(axis=1) | (out[:, 0] >= width) | (out[:, 1] >= height)
        x, y = np.clip(out[:, 0], 0, width - 1), np.clip(out[:, 1], 0, height - 1)
        hidden = beyond | above[y, x]
        weight = np.where(hidden, 0.02 * around, np.where(found.label[y, x] == index, around, contrast[y, x])) + 1e-4
        choices += _single(_plain(points, weight, support), support, cost)
        if any(choice.outlines and choice.numbers <= PLAIN and choice.error < 2 * PRICE for choice in choices):
            continue  # nothing of more numbers can be worth them
        sides = contour.Sides(points, weight)
        outlines = contour.polygons(sides, CORNERS)
        choices += _single(outlines if quick else outlines + paths(sides), support, cost)
        if not any(choice.outlines and choice.numbers <= PLAIN and choice.error < PLAIN_ERROR for choice in choices):
            choices += _blocks(support, cost)
    if not any(choice.outlines and choice.numbers <= PLAIN and choice.error < PLAIN_ERROR for choice in choices):
        choices += _crescents(region, found, above, cost)
    polygons = tuple(c for c in choices if len(c.outlines) == 1 and c.outlines[0].kind == "polygon")
    return [Part(region.color, place, tuple(_hull(choices)), polygons)]


def _beyond(mask: NDArray[np.bool_], above: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels nearest to a region that lie behind it: where others cover all its border, they show what is there."""
    behind = ~mask & ~above
    if not behind.any():
        return ~mask
    rows, columns = ndimage.distance_transform_edt(~behind, return_distances=False, return_indices=True)
    found = np.zeros_like(mask)
    found[rows[mask], columns[mask]] = True
    return found


def _single(outlines: Sequence[Outline], support: NDArray[np.float32], cost: NDArray[np.float32]) -> list[Choice]:
    """The ways to draw a region with one of these outlines."""
    if not outlines:
        return []
    moved, error, area = _errors(outlines, support, cost)
    return [Choice((o,), o.numbers, float(e), float(a)) for o, e, a in zip(moved, error, area, strict=True)]


def _blocks(support: NDArray[np.float32], cost: NDArray[np.float32]) -> list[Choice]:
    """The region as the rectangles that it is made of, if it is."""
    found = contour.blocks(support)
    if len(found) < 2:
        return []
    layers, _ = _fit_together(found, [1] * len(found), support)
    outlines = tuple(layer.outline for layer in layers)
    off = np.abs(_union(outlines, support.shape) - support)
    return [Choice(outlines, 4 * len(outlines), float((cost * off**2).sum()), float(off[cost > 0].sum()))]


def _crescents(
    region: regions.Region, found: regions.Segmentation, above: NDArray[np.bool_], cost: NDArray[np.float32]
) -> list[Choice]:
    """The region as a disc cut by a disc in the colour around it, if it is nearly that."""
    lines = contour.contours(region.member)
    if not lines:
        return []
    pair = contour.fit_crescent(contour.resample(lines[0], 120))
    if pair is None:
        return []
    ring = ndimage.binary_dilation(region.mask, iterations=2) & ~region.mask & ~above
    if not ring.any():
        return []
    around = found.regions[int(np.bincount(found.label[ring]).argmax())].color
    layers, _ = _fit_together(pair, [1, 0], region.member)
    disc, cut = layers[0].outline, layers[1].outline
    whole, gone = cover([disc, cut], *region.member.shape)
    off = np.abs(whole * (1 - gone) - region.member)
    wrong = ((np.array([r.color for r in found.regions])[found.label] - around) ** 2).sum(axis=2)
    hidden = np.where(above | region.mask, 0.0, wrong * gone)  # what else the cut paints over
    error = float((cost * off**2).sum() + hidden.sum())
    numbers = disc.numbers + cut.numbers
    return [Choice((disc,), numbers, error, float(off[cost > 0].sum()), (Layer(cut, around),))]


def _supports(
    region: regions.Region, found: regions.Segmentation, rank: NDArray[np.int64], place: int, upper: NDArray[np.float32]
) -> list[NDArray[np.float32]]:
    """Memberships that a shape for the region may have: reaching a little, or all the way, under what is above it."""
    ranks = rank[found.label]
    above = ranks > place
    touching = ndimage.binary_dilation(region.mask, iterations=2) & above
    if not touching.any():
        return [region.member]
    near = ndimage.binary_dilation(region.mask, iterations=3)
    little = np.minimum(region.member + upper * near, 1.0)
    over = np.isin(found.label, np.unique(found.label[touching]))
    over = regions.fill_holes(over | region.mask)
    full = np.minimum(region.member + upper * ndimage.binary_dilation(over), 1.0)
    filled = regions.fill_holes(little > 0.5)
    little = np.where(filled & (little < 0.5) & above, 1.0, little).astype(np.float32)
    return [little, full.astype(np.float32)]


def fit_region(region: regions.Region) -> list[tuple[Outline, float]]:
    """Shapes for one region by itself, with the area (square pixels) where each differs from it."""
    lines = contour.contours(region.member)
    if not lines:
        return []
    points = contour.resample(lines[0], 120)
    weight = np.ones(len(points))
    sides = contour.Sides(points, weight, most=16)
    outlines = _plain(points, weight, region.member)
    outlines += contour.polygons(sides, (3, 4, 5, 6, 8, 10, 12, 16)) + paths(sides)
    outlines, error, area = _errors(outlines, region.member, np.ones_like(region.member))
    curve = _hull([Choice((o,), o.numbers, float(e), float(a)) for o, e, a in zip(outlines, error, area, strict=True)])
    return [(choice.outlines[0], choice.area) for choice in curve]


def _plain(points: Array, weight: Array, support: NDArray[np.float32]) -> list[Outline]:
    """The rectangles, ellipses and slices of discs nearest to a contour."""
    box = contour.fit_rect(points, weight)
    rects = [box, contour.fit_rounded(box, support)] if box else []
    rounds = contour.fit_rounds(points, weight)
    if not any(_is_along(outline, points, weight) for outline in rounds):
        rounds += contour.fit_slices(points, weight)
    return [outline for outline in [*rects, *rounds] if outline]


def _is_along(outline: Outline, points: Array, weight: Array) -> bool:
    """Whether a circle or an upright ellipse runs along all of a contour that can be seen."""
    if outline.kind not in ("circle", "ellipse"):
        return False
    x, y, rx, ry = (*outline.params, outline.params[-1])[:4]
    away = np.abs(np.hypot((points[:, 0] - x) / rx, (points[:, 1] - y) / ry) - 1) * min(rx, ry)
    return bool((away[weight > 0.1 * weight.max()] < 0.5).all())


def _errors(
    outlines: Sequence[Outline], support: NDArray[np.float32], cost: NDArray[np.float32]
) -> tuple[list[Outline], Array, Array]:
    """Each outline with its squared error against a membership map, weighted by the cost of a wrong pixel, and the area
    it is off. Rectangles and ellipses that come near are settled first: a polygon can bend to small errors, they
    cannot.
    """
    rows, columns = np.nonzero(support > 0)
    height, width = support.shape
    # No fitted shape reaches far beyond its contour, so a window is enough.
    y0, y1 = max(rows.min() - 4, 0), min(rows.max() + 5, height)
    x0, x1 = max(columns.min() - 4, 0), min(columns.max() + 5, width)
    shift = np.array([x0, y0])
    moved = [_shift(o, -shift) for o in outlines]
    window = (slice(y0, y1), slice(x0, x1))
    member, price = support[window], cost[window]
    coverage = cover(moved, y1 - y0, x1 - x0)
    inside = np.einsum("khw,hw->k", (coverage - member) ** 2, price)
    bent = [float(error) for o, error in zip(moved, inside, strict=True) if o.kind == "polygon"]
    near = max(4 * min(bent, default=0.0), 0.1 * float((price * member**2).sum()))
    for k, outline in enumerate(moved):
        if outline.kind != "polygon" and inside[k] < near:
            moved[k] = settle(outline, member, price)
            coverage[k] = cover(moved[k : k + 1], y1 - y0, x1 - x0)[0]
    off = np.abs(coverage - member)
    inside = np.einsum("khw,hw->k", off**2, price)
    area = np.einsum("khw,hw->k", off, (price > 0).astype(np.float32))
    return [_shift(o, shift) for o in moved], inside.astype(np.float64), area.astype(np.float64)


def _shift(outline: Outline, by: NDArray[np.integer]) -> Outline:
    """The outline moved by whole pixels."""
    params = outline.params.copy()
    if outline.kind in ROUND or outline.kind in CUT_ROUND:
        params[:2] += by
    else:
        end = 4 if outline.kind in SIDED else len(params) - (outline.kind in STROKES)
        params[:end] += np.tile(by, end // 2)
    return replace(outline, params=params)
