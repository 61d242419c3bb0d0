"""All outlines and colours of a painting moved together until it is as near its target as it can get.

Levenberg-Marquardt on the exact anti-aliased picture. In: `Layer`s and a target; out: the layers moved, or what a move
would do (`Slope`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from treesketch.search.coverage import Slopes, cover, cover_with_slopes
from treesketch.search.outline import STROKES, Array, Layer, Outline, tame
from treesketch.search.tally import affords, charge


def paint(layers: Sequence[Layer], ground: Array, height: int, width: int) -> NDArray[np.float32]:
    """The layers painted over a ground colour (3,), back to front: (height, width, 3)."""
    picture = np.broadcast_to(ground.astype(np.float32), (height, width, 3)).copy()
    if layers:
        for coverage, layer in zip(cover([x.outline for x in layers], height, width), layers, strict=True):
            picture += coverage[..., None] * (layer.color.astype(np.float32) - picture)
    return picture


def squared_error(layers: Sequence[Layer], ground: Array, target: NDArray[np.float32]) -> float:
    """The squared error of a painting of `target` (H, W, 3), summed over pixels and channels."""
    charge()
    return float(((paint(layers, ground, *target.shape[:2]) - target) ** 2).sum())


def solve_colors(coverage: NDArray[np.float32], target: NDArray[np.float32], prior: Array) -> Array:
    """The colours (K + 1, 3), ground first, that bring the painting nearest the target (least squares, kept in 0..1).

    coverage is (K, H, W), back to front; prior (K + 1, 3) decides where a layer is hardly seen.
    """
    k, pixels = len(coverage), target.shape[0] * target.shape[1]
    seen = np.empty((k + 1, pixels), dtype=np.float32)
    clear = np.ones(pixels, dtype=np.float32)
    for i in range(k, 0, -1):
        flat = coverage[i - 1].ravel()
        seen[i] = clear * flat
        clear = clear * (1 - flat)
    seen[0] = clear
    gram = (seen @ seen.T).astype(np.float64) + 0.05 * np.eye(k + 1)
    right = (seen @ target.reshape(-1, 3).astype(np.float32)).astype(np.float64) + 0.05 * prior
    return np.clip(np.linalg.solve(gram, right), 0.0, 1.0)


def polish(
    layers: Sequence[Layer],
    ground: Array,
    target: NDArray[np.float32],
    rounds: int = 8,
    colors: bool = True,
    pens: Sequence[int] | None = None,
) -> tuple[list[Layer], Array, float]:
    """Move every outline (and colour) to lower the squared error of the painting.

    target is (H, W, 3). Strokes of layers with the same number in `pens` must have one weight, and keep one. Returns
    the layers, the ground colour and the root mean square error (0..1). Moves no further when renders run out.
    """
    height, width = target.shape[:2]
    outlines = [layer.outline for layer in layers]
    tint = np.concatenate([ground[None], *(layer.color[None] for layer in layers)])
    offsets = np.cumsum([0] + [len(o.params) for o in outlines])
    tie = _tie(outlines, offsets, pens) if pens is not None else None
    damping = 1e-2
    charge()
    coverage, slopes = cover_with_slopes(outlines, height, width, rounds > 0)
    if colors:
        tint = solve_colors(coverage, target, tint)
    picture, gains = _composite(coverage, tint)
    error = float(((target - picture) ** 2).sum())
    for step in range(rounds if outlines else 0):
        normal, right = _normal_equations(slopes, gains, target - picture, offsets)
        if tie is not None:
            normal, right = tie.T @ normal @ tie, tie.T @ right
        accepted = False
        for _ in range(3 if affords(3) else 0):
            bound = damping * np.diag(normal) + 1e-4 + damping * 1e-2
            move = np.clip(np.linalg.solve(normal + np.diag(bound), right), -1.5, 1.5)
            if tie is not None:
                move = tie @ move
            moved = [replace(o, params=o.params + move[offsets[k] : offsets[k + 1]]) for k, o in enumerate(outlines)]
            moved = [tame(o, height, width) for o in moved]
            charge()
            new_coverage, new_slopes = cover_with_slopes(moved, height, width, step + 1 < rounds)
            new_tint = solve_colors(new_coverage, target, tint) if colors and step % 2 else tint
            new_picture, new_gains = _composite(new_coverage, new_tint)
            new_error = float(((target - new_picture) ** 2).sum())
            if new_error < error:
                accepted = True
                break
            damping *= 6
        if not accepted:
            break
        gain = error - new_error
        outlines, coverage, slopes, tint = moved, new_coverage, new_slopes, new_tint
        picture, gains, error = new_picture, new_gains, new_error
        damping = max(damping / 4, 1e-5)
        if gain < 2e-3 * error:
            break
    result = [Layer(o, c) for o, c in zip(outlines, tint[1:], strict=True)]
    return result, tint[0], float(np.sqrt(error / target.size))


@dataclass(frozen=True, slots=True, eq=False)
class Slope:
    """A painting near where it is: squared error as a quadratic of all parameters, and what each layer adds.

    error is the squared error; the error after a small move m of the parameters is about error - 2 right m + m normal
    m. offsets (K + 1) says where each layer's parameters begin; without (K) is the squared error if a layer were left
    out.
    """

    error: float
    normal: Array
    right: Array
    offsets: NDArray[np.int64]
    without: Array


def linearise(layers: Sequence[Layer], ground: Array, target: NDArray[np.float32]) -> Slope:
    """The slope of the squared error of a painting of `target` (H, W, 3)."""
    outlines = [layer.outline for layer in layers]
    offsets = np.cumsum([0] + [len(o.params) for o in outlines])
    height, width = target.shape[:2]
    charge()
    coverage, slopes = cover_with_slopes(outlines, height, width, True)
    picture, gains = _composite(coverage, np.concatenate([ground[None], *(layer.color[None] for layer in layers)]))
    residual = target - picture
    error = float((residual**2).sum())
    normal, right = _normal_equations(slopes, gains, residual, offsets)
    gains *= coverage[..., None]
    without = error + np.einsum("khwc,khwc->k", gains, 2 * residual[None] + gains)
    return Slope(error, normal, right, offsets, without)


def settle(outline: Outline, member: NDArray[np.float32], cost: NDArray[np.float32], rounds: int = 3) -> Outline:
    """Move one outline to lower its squared error against a membership map, weighted by the cost of a wrong pixel.

    member and cost are (H, W). Gauss-Newton with a little damping; never returns anything worse than it was given.
    """
    height, width = member.shape
    weight = cost.ravel()
    best, least = outline, np.inf
    for step in range(rounds + 1):
        coverage, slopes = cover_with_slopes([outline], height, width, step < rounds)
        off = (member - coverage[0]).ravel()
        error = float((weight * off**2).sum())
        if error >= least:
            break
        best, least = outline, error
        if step < rounds:
            touched, part = slopes[0].pixel, slopes[0].value
            normal = part.T @ (part * weight[touched, None])
            right = part.T @ (weight[touched] * off[touched])
            bound = 1e-3 * np.trace(normal) / len(normal) * np.eye(len(normal)) + 1e-9 * np.eye(len(normal))
            move = np.clip(np.linalg.solve(normal + bound, right), -1.0, 1.0)
            outline = tame(replace(outline, params=outline.params + move), height, width)
    return best


def _tie(outlines: Sequence[Outline], offsets: NDArray[np.int64], pens: Sequence[int]) -> Array | None:
    """(parameters, free parameters): 1 where a parameter is a free one; strokes of one pen share their weight."""
    first: dict[int, int] = {}
    free = np.arange(offsets[-1])
    for k, outline in enumerate(outlines):
        if outline.kind in STROKES:
            weight = int(offsets[k + 1]) - 1
            free[weight] = first.setdefault(pens[k], weight)
    kept, free = np.unique(free, return_inverse=True)
    if len(kept) == len(free):
        return None
    tie = np.zeros((len(free), len(kept)))
    tie[np.arange(len(free)), free] = 1.0
    return tie


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """A place between the layers of a painting: the picture there is tint + clear * (what lies at that depth).

    under is what lies below it; under and tint are (H, W, 3), clear (H, W).
    """

    under: NDArray[np.float32]
    clear: NDArray[np.float32]
    tint: NDArray[np.float32]


def fit_alone(layer: Layer, opening: Opening, target: NDArray[np.float32], rounds: int = 5) -> tuple[Layer, float]:
    """Move one layer, and solve its colour, while all others stay. Returns it and the squared error of the painting."""
    height, width = target.shape[:2]
    rest, clear = target - opening.tint, opening.clear[..., None]
    best, least, damping = layer, np.inf, 1e-2
    outline = layer.outline
    for step in range(rounds + 1):
        charge()
        coverage, slopes = cover_with_slopes([outline], height, width, step < rounds)
        weight = clear * coverage[0][..., None]
        bare = rest - (clear - weight) * opening.under
        seen = float((weight**2).sum())
        color = np.clip((weight * bare).sum(axis=(0, 1)) / seen, 0.0, 1.0) if seen > 0.25 else best.color
        residual = bare - weight * color.astype(np.float32)
        error = float((residual**2).sum())
        if error < least * (1 - 1e-3):
            best, least, damping = Layer(outline, color), error, damping / 4
            if step == rounds:
                break
            gain = clear * (color.astype(np.float32) - opening.under)
            touched, slope = slopes[0].pixel, slopes[0].value
            gain = gain.reshape(-1, 3)[touched]
            normal = slope.T @ ((gain**2).sum(axis=1)[:, None] * slope)
            right = slope.T @ (gain * residual.reshape(-1, 3)[touched]).sum(axis=1)
        else:
            damping *= 8
            if damping > 10:
                break
        bound = damping * np.diag(normal) + 1e-4 + damping * 1e-2
        move = np.clip(np.linalg.solve(normal + np.diag(bound), right), -2.0, 2.0)
        outline = tame(replace(best.outline, params=best.outline.params + move), height, width)
    return best, least


def _composite(coverage: NDArray[np.float32], tint: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The painting (H, W, 3) and, for each layer, d painting / d its coverage (K, H, W, 3)."""
    k, height, width = coverage.shape
    colors = tint.astype(np.float32)
    gains = np.empty((k, height, width, 3), dtype=np.float32)
    picture = np.broadcast_to(colors[0], (height, width, 3)).copy()
    for i in range(k):
        np.subtract(colors[i + 1], picture, out=gains[i])
        picture += coverage[i][..., None] * gains[i]
    clear = np.ones((height, width), dtype=np.float32)
    for i in range(k - 1, -1, -1):
        gains[i] *= clear[..., None]
        clear *= 1 - coverage[i]
    return picture, gains


def _normal_equations(
    slopes: Sequence[Slopes], gains: NDArray[np.float32], residual: NDArray[np.float32], offsets: NDArray[np.int64]
) -> tuple[Array, Array]:
    """J'J and J'r of the painting's pixels with respect to all parameters."""
    pixels = residual.shape[0] * residual.shape[1]
    rows, columns, values = [], [], []
    for k, slope in enumerate(slopes):
        row, param = np.nonzero(slope.value)
        pixel = slope.pixel[row]
        gain = gains[k].reshape(-1, 3)[pixel]
        rows.append((pixel[:, None] * 3 + np.arange(3)).ravel())
        columns.append(np.repeat(param + offsets[k], 3))
        values.append((gain * slope.value[row, param][:, None]).ravel())
    shape = (pixels * 3, int(offsets[-1]))
    jacobian = sparse.csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)
    normal = (jacobian.T @ jacobian).toarray()
    return np.asarray(normal, dtype=np.float64), np.asarray(jacobian.T @ residual.ravel().astype(np.float64))
