"""The colour regions of a flat picture, seen through its anti-aliased edges.

In: pixels (H, W, 3), 0..1. Out: `Region`s: connected areas of one colour, each with a membership map that says how much
of every pixel belongs to it. Edge pixels are unmixed: a pixel between two colours is so much of one and the rest of
the other, which places edges far below a pixel. Also: areas that are likely whole shapes behind others, and areas
where a drawing is wrong.
"""

import heapq
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull, QhullError

Pixels = NDArray[np.float32]  # (H, W, 3), 0..1
Mask = NDArray[np.bool_]  # (H, W)

SPLIT = 8
ONE_COLOR = 0.06  # distance (0..1 a channel) below which two regions may be parts of one
_PLUS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=bool)
_SQUARE = np.ones((3, 3), dtype=bool)


@dataclass(slots=True, eq=False)
class Region:
    """A connected area of one colour.

    color is (3,) in 0..1, mask (H, W) the pixels that are mostly its own, member (H, W) how much of each pixel it is,
    origin how it was found: component, filled, hull, joined, ground or residual.
    """

    color: NDArray[np.float64]
    mask: Mask
    member: NDArray[np.float32]
    origin: str = "component"
    area: float = field(init=False)

    def __post_init__(self) -> None:
        self.area = float(self.member.sum())


@dataclass(slots=True, eq=False)
class Segmentation:
    """A picture as regions without overlap: label (H, W) says which region each pixel mostly is."""

    regions: list[Region]
    label: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """A picture's pixels as mixtures of two colours: (K, 3) palette; main, other colour and its share, each (H, W).

    sure (H, W) is the palette index of pixels in flat areas, -1 elsewhere.
    """

    palette: NDArray[np.float64]
    sure: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    share: NDArray[np.float64]


def unmix(picture: Pixels) -> Mixture:
    """The colours that a picture is made of, and how its pixels are made of them."""
    palette, sure = _palette(picture)
    return Mixture(palette, sure, *_unmix(picture, palette, sure))


def segment(picture: Pixels, most: int = 64, mixture: Mixture | None = None) -> Segmentation:
    """Split a picture into at most `most` regions; what is too small or too faint joins its most similar neighbour.

    Where thin lines run into wide areas of their colour, these are up to SPLIT regions more. mixture is what `unmix`
    gives, where that is known.
    """
    mixed = mixture or unmix(picture)
    label = _components(mixed.first, mixed.sure)
    label = _merge(picture, label, most)
    label = _split_blots(label, most + SPLIT)
    return _describe(picture, label, mixed.palette, mixed.first, mixed.second, mixed.share)


def join_grounds(found: Segmentation, most: int = 2) -> list[Segmentation]:
    """The picture with what may be one ground as one region, the first, for each colour that may be the ground's.

    A colour may be if several regions of it lie at the picture's border. All regions of it belong to the ground but
    those that another region encloses. The likelier ground, by the corners and the border, comes first; at most `most`.
    """
    label, n = found.label, len(found.regions)
    border = np.concatenate([label[0], label[-1], label[1:-1, 0], label[1:-1, -1]])
    length = np.bincount(border, minlength=n) + 0.0
    for corner in (label[0, 0], label[0, -1], label[-1, 0], label[-1, -1]):
        length[corner] += border.size / 8
    alike = _of_one_color(found)
    outer = np.flatnonzero(length)
    joined: dict[tuple[int, ...], float] = {}
    for i in outer:
        if len(same := outer[alike[i, outer]]) > 1:
            joined[tuple(same.tolist())] = max(float(length[same].sum()), joined.get(tuple(same.tolist()), 0.0))
    enclosed = _enclosed(found) if joined else np.zeros(n, bool)
    result = []
    for same in sorted(joined, key=lambda group: -joined[group])[:most]:
        free = alike[list(same)].any(axis=0) & ~enclosed
        result.append(_join(found, sorted({*same, *np.flatnonzero(free).tolist()})))
    return result


def join_pieces(found: Segmentation) -> Segmentation | None:
    """The picture with regions of one colour as one where another region lies between them; None if there are none.

    They may be what shows of one shape behind it. Regions at the border that may be the ground's are left alone.
    """
    label = found.label
    alike = _of_one_color(found)
    back = int(np.bincount(np.concatenate([label[0], label[-1], label[:, 0], label[:, -1]])).argmax())
    between = touching(found) & ~alike  # what touches two pieces of one colour may hide what joins them
    between[:, back] = False
    linked = alike & ((between.astype(np.int64) @ between.T.astype(np.int64)) > 0)
    linked[back] = linked[:, back] = False
    count, group = connected_components(csr_matrix(linked), directed=False)
    joined = found
    for k in range(count):
        members = np.flatnonzero(group == k)
        if len(members) > 1:
            names = [id(found.regions[i]) for i in members]
            joined = _join(joined, [i for i, region in enumerate(joined.regions) if id(region) in names], "joined")
    return joined if joined is not found else None


def _of_one_color(found: Segmentation) -> NDArray[np.bool_]:
    """Which regions may be parts of one, by their colours: (n, n)."""
    colors = np.array([region.color for region in found.regions])
    return np.asarray(np.sqrt(((colors[:, None] - colors[None]) ** 2).sum(axis=2)) < ONE_COLOR)


def touching(found: Segmentation) -> NDArray[np.bool_]:
    """Which regions have pixels side by side, one above the other or in one row: (n, n); none touches itself."""
    label, n = found.label, len(found.regions)
    touch = np.zeros((n, n), bool)
    for one, other in ((label[:, 1:], label[:, :-1]), (label[1:], label[:-1])):
        touch[one.ravel(), other.ravel()] = touch[other.ravel(), one.ravel()] = True
    np.fill_diagonal(touch, False)
    return touch


def _enclosed(found: Segmentation) -> NDArray[np.bool_]:
    """Which regions lie in a hole of another."""
    enclosed = np.zeros(len(found.regions), bool)
    for i, region in enumerate(found.regions):
        holes = fill_holes(region.mask) & ~region.mask
        inside = np.unique(found.label[holes])
        enclosed[inside[inside != i]] = True
    return enclosed


def _join(found: Segmentation, joined: list[int], origin: str = "ground") -> Segmentation:
    """The picture with these regions as one, the first."""
    parts = [found.regions[i] for i in joined]
    largest = max(parts, key=lambda part: part.area)
    mask = np.any([part.mask for part in parts], axis=0)
    member = np.minimum(np.sum([part.member for part in parts], axis=0), np.float32(1))
    rest = [i for i in range(len(found.regions)) if i not in joined]
    numbers = np.zeros(len(found.regions), np.int64)
    numbers[rest] = np.arange(1, len(rest) + 1)
    first = Region(largest.color, mask, member, origin)
    return Segmentation([first, *(found.regions[i] for i in rest)], numbers[found.label])


def _split_blots(label: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Where thin lines run into wide areas of their colour, make the wide areas regions of their own.

    A line has one width; what survives an opening with a disc wider than the lines is no line.
    """
    label = label.copy()
    total = int(label.max()) + 1
    for index, box in enumerate(ndimage.find_objects(label + 1)):
        own = np.pad(label[box] == index, 1)
        depth = ndimage.distance_transform_edt(own)
        ridge = own & (depth >= ndimage.maximum_filter(depth, size=3) - 1e-6)
        typical = float(np.median(depth[ridge]))
        # Lines must make up most of the ridge, and the widest place must be far wider.
        if typical > 2.5 or depth.max() < 1.8 * typical + 1.0 or ridge.sum() < 20:
            continue
        core = depth > 1.3 * typical + 0.5
        blot = own & (ndimage.distance_transform_edt(~core) <= 1.3 * typical + 0.5)
        thin = own & ~blot
        if thin.sum() < 12 or thin.sum() < 0.2 * own.sum():
            continue
        parts, n = ndimage.label(blot, structure=_SQUARE)
        if total + n > most:
            continue
        inner = (slice(1, -1), slice(1, -1))
        window = label[box]
        window[parts[inner] > 0] = total - 1 + parts[inner][parts[inner] > 0]
        total += n
    return label


def _noise(picture: Pixels) -> float:
    """How much neighbouring pixels differ where nothing is drawn: the median, 0 for a clean flat picture."""
    steps = np.abs(np.diff(picture, axis=1)).max(axis=2)
    return float(np.quantile(steps, 0.5)) if steps.size else 0.0


def _palette(picture: Pixels) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The colours (K, 3) of flat areas, and for each pixel the colour of the flat area it is in or -1 (H, W)."""
    height, width = picture.shape[:2]
    limit = max(7 / 255, min(2.5 * _noise(picture), 20 / 255))
    right = np.zeros((height, width), dtype=bool)
    down = np.zeros((height, width), dtype=bool)
    right[:, :-1] = np.abs(np.diff(picture, axis=1)).max(axis=2) < limit
    down[:-1] = np.abs(np.diff(picture, axis=0)).max(axis=2) < limit
    # A flat block is 2 x 2: one row of equal mixed pixels along a straight edge is not flat.
    block = np.zeros((height, width), dtype=bool)
    block[:-1, :-1] = right[:-1, :-1] & right[1:, :-1] & down[:-1, :-1] & down[:-1, 1:]
    flat = block.copy()
    flat[1:] |= block[:-1]
    flat[:, 1:] |= block[:, :-1]
    flat[1:, 1:] |= block[:-1, :-1]
    # Flat pixels fall into cells of colour space, and cells that are near one another become one palette colour.
    colors = picture[flat].astype(np.float64)
    if not len(colors):
        colors = picture.reshape(-1, 3).astype(np.float64)
    cells, counts = _cells(colors)
    palette = _agglomerate(cells, counts, max(0.028, 0.7 * limit), 40)
    index = np.full((height, width), -1, dtype=np.int64)
    if flat.any():
        distance = ((picture[flat][:, None, :] - palette[None].astype(np.float32)) ** 2).sum(axis=2)
        nearest = distance.argmin(axis=1)
        index[flat] = nearest
    # What no two colours explain gets colours of its own, the largest lack first.
    for _ in range(3):
        first, second, share = _unmix(picture, palette, index)
        mixed = palette[first] * (1 - share)[..., None] + palette[second] * share[..., None]
        lack = ((picture - mixed) ** 2).sum(axis=2)
        poor = lack > 0.012
        if poor.sum() < 4 or len(palette) >= 48:
            break
        cells, counts = _cells(picture[poor].astype(np.float64), lack[poor])
        extra = _agglomerate(cells, counts, 0.15, 48)
        weight = np.bincount(
            ((picture[poor][:, None] - extra[None]) ** 2).sum(axis=2).argmin(axis=1), lack[poor], len(extra)
        )
        extra = extra[np.argsort(-weight)][: min(4, 48 - len(palette))]
        palette = np.concatenate([palette, extra])
    return palette, index


def _cells(
    colors: NDArray[np.float64], weight: NDArray[np.floating] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean colour and weight of each occupied cell of a 32 x 32 x 32 grid."""
    weight = np.ones(len(colors)) if weight is None else np.asarray(weight, dtype=np.float64)
    key = (np.clip(colors, 0, 0.9999) * 32).astype(np.int64) @ np.array([1024, 32, 1])
    _, cell = np.unique(key, return_inverse=True)
    total = np.bincount(cell, weight)
    mean = (
        np.stack([np.bincount(cell, weight * colors[:, c]) for c in range(3)], axis=1)
        / np.maximum(total, 1e-12)[:, None]
    )
    return mean, total.astype(np.float64)


def _agglomerate(
    colors: NDArray[np.float64], weight: NDArray[np.float64], near: float, most: int
) -> NDArray[np.float64]:
    """Greedy: the heaviest colour takes all within `near` of it, and so on; then each is the mean of what is nearest
    to it.
    """
    order = np.argsort(-weight)
    colors, weight = colors[order], weight[order]
    chosen: list[int] = []
    for i in range(len(colors)):
        if weight[i] < 3 and len(chosen) >= most // 2:
            break
        # Pixels that an edge barely touches look like a colour of their own, but are few beside the true one.
        reach = np.where(weight[chosen] > 30 * weight[i], 2 * near, near)
        if not chosen or (((colors[chosen] - colors[i]) ** 2).sum(axis=1) > reach**2).all():
            chosen.append(i)
            if len(chosen) >= most:
                break
    centers = colors[chosen]
    nearest = ((colors[:, None] - centers[None]) ** 2).sum(axis=2)
    own = nearest.argmin(axis=1)
    close = nearest.min(axis=1) < (near * 1.5) ** 2
    for k in range(len(centers)):
        mine = (own == k) & close
        centers[k] = np.average(colors[mine], axis=0, weights=weight[mine]) if mine.any() else centers[k]
    return centers


def _unmix(
    picture: Pixels, palette: NDArray[np.float64], sure: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Each pixel as a mixture of two palette colours: (main, other, share of the other, at most half), each (H, W).

    sure (H, W) is the palette index of pixels in flat areas, -1 elsewhere. Colours of flat areas within two pixels are
    preferred; others cost extra, so that a thin black line between white and pink is black, not a new grey.
    """
    height, width = picture.shape[:2]
    first, second = np.maximum(sure, 0), np.maximum(sure, 0)
    share = np.zeros((height, width))
    open_pixels = sure < 0
    if not open_pixels.any():
        return first, second, share
    k = len(palette)
    colors = picture[open_pixels].astype(np.float32)
    near = np.zeros((k, len(colors)), dtype=bool)
    for i in range(k):
        near[i] = ndimage.maximum_filter(sure == i, size=5)[open_pixels]
    far = np.where(near, np.float32(0), np.float32(0.012))  # (K, N) cost of a colour that is not near
    p32 = palette.astype(np.float32)
    offset = colors[None] - p32[:, None]  # (K, N, 3)
    squared = (offset**2).sum(axis=2)
    best = squared + far
    one = best.argmin(axis=0)
    n = np.arange(len(colors))
    cost = best[one, n]
    two, part = one.copy(), np.zeros(len(colors), dtype=np.float32)
    for a in range(k):
        for b in range(a + 1, k):
            use = np.flatnonzero((near[a] | near[b]) & (cost > 1e-4))
            if not len(use):
                continue
            span = p32[b] - p32[a]
            length = float((span**2).sum())
            t = np.clip(offset[a, use] @ span / max(length, 1e-9), 0.0, 1.0)
            rest = squared[a, use] - 2 * t * (offset[a, use] @ span) + t * t * length + far[a, use] + far[b, use] + 5e-4
            better = rest < cost[use]
            u = use[better]
            cost[u], part[u], one[u], two[u] = rest[better], t[better], a, b
    swap = part > 0.5
    one[swap], two[swap], part[swap] = two[swap], one[swap], 1 - part[swap]
    first, second = first.copy(), second.copy()
    first[open_pixels], second[open_pixels], share[open_pixels] = one, two, part
    return first, second, share


def _components(color: NDArray[np.int64], sure: NDArray[np.int64]) -> NDArray[np.int64]:
    """Connected areas of equal colour, numbered from 0 (H, W)."""
    label = np.zeros(color.shape, dtype=np.int64)
    total = 0
    for k in np.unique(color):
        parts, n = ndimage.label(color == k, structure=_PLUS)
        label[parts > 0] = parts[parts > 0] + total - 1
        total += n
    return label


def _merge(picture: Pixels, label: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Join regions to the neighbour that is most alike, cheapest first, until at most `most` remain and none is a
    speck.

    The cost of a merge is Ward's: the squared error that one mean colour for both adds.
    """
    n = int(label.max()) + 1
    area = np.bincount(label.ravel(), minlength=n).astype(np.float64).tolist()
    total = np.stack([np.bincount(label.ravel(), picture[..., c].ravel(), n) for c in range(3)], axis=1).tolist()
    pairs = np.concatenate(
        [
            np.stack([label[:, 1:].ravel(), label[:, :-1].ravel()], axis=1),
            np.stack([label[1:].ravel(), label[:-1].ravel()], axis=1),
        ]
    )
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    neighbors: list[set[int]] = [set() for _ in range(n)]
    for a, b in pairs.tolist():
        neighbors[a].add(b)
        neighbors[b].add(a)
    parent = list(range(n))

    def cost(a: int, b: int) -> float:
        m, n = area[a], area[b]
        (ra, ga, ba), (rb, gb, bb) = total[a], total[b]
        gap = (ra / m - rb / n) ** 2 + (ga / m - gb / n) ** 2 + (ba / m - bb / n) ** 2
        return float(m * n / (m + n) * gap)

    heap = [(cost(a, b), a, b, area[a], area[b]) for a, b in pairs.tolist()]
    heapq.heapify(heap)
    alive = n
    while heap and alive > 1:
        price, a, b, area_a, area_b = heapq.heappop(heap)
        if parent[a] != a or parent[b] != b or area[a] != area_a or area[b] != area_b:
            continue
        if alive <= most and price > 0.25:
            break
        parent[b] = a
        area[a] += area[b]
        total[a] = [x + y for x, y in zip(total[a], total[b], strict=True)]
        neighbors[a] |= neighbors[b]
        neighbors[a] -= {a, b}
        for other in neighbors[b]:
            if other != a:
                neighbors[other].discard(b)
                neighbors[other].add(a)
        alive -= 1
        for other in neighbors[a]:
            heapq.heappush(heap, (cost(a, other), a, other, area[a], area[other]))
    roots = np.empty(n, dtype=np.int64)
    for i in range(n):
        root = i
        while parent[root] != root:
            root = parent[root]
        roots[i] = root
    _, compact = np.unique(roots, return_inverse=True)
    return np.asarray(compact[label], dtype=np.int64)


def _describe(
    picture: Pixels,
    label: NDArray[np.int64],
    palette: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    share: NDArray[np.float64],
) -> Segmentation:
    """Regions with colour and membership from labels and mixtures."""
    n = int(label.max()) + 1
    k = len(palette)
    height, width = label.shape
    # The colour of a region is that of its palette entry which most of its pixels have.
    votes = np.zeros((n, k))
    np.add.at(votes, (label.ravel(), first.ravel()), (1 - 2 * share).ravel() + 1e-3)
    regions = []
    for index, box in enumerate(ndimage.find_objects(label + 1)):
        # Room of two pixels around the region.
        y0, y1 = max(box[0].start - 2, 0), min(box[0].stop + 2, height)
        x0, x1 = max(box[1].start - 2, 0), min(box[1].stop + 2, width)
        window = (slice(y0, y1), slice(x0, x1))
        own = label[window] == index
        main = palette[votes[index].argmax()]
        mine = (votes[index] > 0.02 * votes[index].sum()) | (((palette - main) ** 2).sum(axis=1) < 0.06**2)
        reach = ndimage.binary_dilation(own, structure=_SQUARE)
        is_first, is_second = mine[first[window]], mine[second[window]]
        part = share[window]
        amount = is_first * (1 - part) + is_second * part
        member = np.zeros((height, width), dtype=np.float32)
        member[window] = np.where(own, np.maximum(amount, 0.5), np.where(reach, np.minimum(amount, 0.5), 0.0))
        mask = np.zeros((height, width), dtype=bool)
        mask[window] = own
        core = own & (amount > 0.95)
        if not core.any():
            core = own
        color = np.median(picture[window][core], axis=0) if core.sum() > 2 else picture[window][core].mean(axis=0)
        regions.append(Region(np.asarray(color, dtype=np.float64), mask, member))
    return Segmentation(regions, label)


def fill_holes(mask: Mask) -> Mask:
    """The mask with all that it encloses; canvas borders do not enclose."""
    return np.asarray(ndimage.binary_fill_holes(mask))


def hull_mask(mask: Mask) -> Mask:
    """The pixels whose centres are in the convex hull of the mask's pixels."""
    rows, columns = np.nonzero(mask)
    if len(rows) < 3:
        return mask.copy()
    points = np.stack([columns, rows], axis=1).astype(np.float64)
    try:
        hull = ConvexHull(points)
    except QhullError:
        return mask.copy()
    box = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
    y, x = np.mgrid[box]
    inside = np.ones(y.shape, dtype=bool)
    for nx, ny, c in hull.equations:
        inside &= nx * x + ny * y + c <= 1e-6
    result = np.zeros_like(mask)
    result[box] = inside
    return result | mask


def residual_regions(target: Pixels, drawing: Pixels, most: int = 12, mixture: Mixture | None = None) -> list[Region]:
    """Connected areas where the drawing is wrong and the target has one colour, the largest error first.

    mixture is what `unmix` gives of the target, where that is known.
    """
    error = ((target - drawing) ** 2).sum(axis=2)
    wrong = error > 0.01
    if not wrong.any():
        return []
    mixed = mixture or unmix(target)
    first = mixed.first
    label = _components(first, mixed.sure) + 1
    label[~wrong] = 0
    # A thin rim of wrong pixels is an edge slightly off, not a shape: opening a component must leave something,
    # unless the rim's own colour is nowhere near in the drawing.
    parts: list[tuple[float, Mask]] = []
    for k in np.unique(first[wrong]):
        pieces, n = ndimage.label((first == k) & wrong, structure=_SQUARE)
        sums = ndimage.sum_labels(error, pieces, np.arange(1, n + 1))
        parts += [(float(total), pieces == i + 1) for i, total in enumerate(sums) if total > 0.15]
    parts.sort(key=lambda part: -part[0])
    regions = []
    for _, mask in parts[:most]:
        color = np.median(target[mask], axis=0).astype(np.float64)
        reach = ndimage.binary_dilation(mask, structure=_SQUARE)
        # How much of each pixel has changed from what the drawing has there to the new colour.
        span = color - drawing
        amount = ((target - drawing) * span).sum(axis=2) / np.maximum((span**2).sum(axis=2), 1e-4)
        member = np.where(reach, np.clip(amount, 0.0, 1.0), 0.0).astype(np.float32)
        member = np.where(mask, np.maximum(member, 0.5), np.minimum(member, 0.5)).astype(np.float32)
        regions.append(Region(color, mask, member, "residual"))
    return regions


def whole_regions(found: Segmentation) -> list[Region]:
    """Likely whole shapes behind others: regions with holes filled, convex hulls, same colours joined, the ground."""
    regions = found.regions
    result: list[Region] = []
    height, width = found.label.shape

    def add(color: NDArray[np.float64], mask: Mask, member: NDArray[np.float32], origin: str) -> None:
        grown = np.where(mask, np.maximum(member, 0.5), member)
        inner = ndimage.binary_erosion(mask, structure=_SQUARE, border_value=1)
        # Where the union is bounded by what lies on top there is no colour edge to unmix: the pixel border stands in.
        foreign = mask & (member < 0.5)
        grown = np.where(inner | foreign, 1.0, grown).astype(np.float32)
        result.append(Region(color, mask, grown, origin))

    for region in regions:
        filled = fill_holes(region.mask)
        if filled.sum() > region.mask.sum():
            add(region.color, filled, region.member, "filled")
        hull = hull_mask(region.mask)
        if region.area >= 12 and filled.sum() * 1.04 < hull.sum():
            add(region.color, hull, region.member, "hull")
    used: set[int] = set()
    for i, region in enumerate(regions):
        if i in used or region.area < 12:
            continue
        same = [
            j for j, other in enumerate(regions) if other.area >= 12 and np.abs(other.color - region.color).max() < 0.03
        ]
        used.update(same)
        if len(same) > 1:
            mask = np.any([regions[j].mask for j in same], axis=0)
            member = np.max([regions[j].member for j in same], axis=0)
            add(region.color, hull_mask(mask), member, "joined")
    border = np.concatenate([found.label[0], found.label[-1], found.label[:, 0], found.label[:, -1]])
    ground = int(np.bincount(border).argmax())
    everything = np.ones((height, width), dtype=bool)
    add(regions[ground].color, everything, everything.astype(np.float32), "ground")
    return result
