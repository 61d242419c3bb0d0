"""Scenes drawn in torch so that pixels have gradients: in control points, stroke weights, colours. Scenes in, pixels
out.

Coverage is exact and costs O(perimeter). Forward, every edge is cut at the pixel grid and its signed area scattered
into an accumulation buffer that one cumulative sum turns into winding (the method of font-rs and of FreeType's smooth
rasteriser). Backward is not autograd through the scatter but the boundary integral that it stands for (Li et al.,
Differentiable Vector Graphics Rasterization, 2020): what a pixel's coverage gains when an edge moves is the area that
the edge sweeps, so each piece of edge passes on the gradient of the pixel it lies in times its normal.

`pack` fixes the topology of some scenes once (which points make which edges of which layer); `outline`, `coverage`
and `composite` then run for any points, which is what `search.refine` does step after step. Unlike `raster`, strokes
are not snapped to pixel centres: snapping has no gradient.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treesketch.polygons import THINNEST_STROKE
from treesketch.scene import Path, Scene, Shape, Stroke
from treesketch.strokes import MITER_LIMIT

FLATNESS = 0.02  # pixels that a chord may stray from its curve
FURTHEST = 1e5  # units; a program may divide by zero, single precision is not to lose the canvas then
FAR = 1e9  # stands for infinity where a product with zero must stay a number
_BEVEL, _ROUND, _MITER, _SMOOTH = range(4)  # kinds of joins; smooth is one point a side, inside a curve
_JOINS = {"bevel": _BEVEL, "round": _ROUND, "miter": _MITER}


@dataclass(frozen=True)
class Strokes:
    """Which points outline the strokes. K segments, Q fixed points (caps, ends), J join points, S strokes.

    A fixed point is its vertex + half * (normal * along[0] + direction * along[1]) of one segment; a join point leaves
    its vertex between the normals of two segments, `turn` (0..1) of the way, on the side +-1 of the line. In a corner
    the middle one (turn 1/2) steps back to the vertex on the inner side if there is no room for a miter: then the
    outline is that of the bars and wedges one by one, and winding stays positive however much they overlap.
    """

    ends: Tensor  # (2, K) flat vertices that a segment joins
    fixed: Tensor  # (3, Q) flat vertex, segment, stroke
    along: Tensor  # (Q, 2)
    joins: Tensor  # (4, J) flat vertex, segment before, segment after, stroke
    turn: Tensor  # (J, 1)
    side: Tensor  # (J, 1)
    join: Tensor  # (J, 1) the kind of join, below


@dataclass(frozen=True)
class Layers:
    """B scenes as layers of paint, back to front, padded to L a scene; topology is constant, the points are not.

    P control points, F flat vertices (curves cut into chords), E edges between outline vertices.
    """

    points: Tensor  # (P, 2) control points on the canvas, in units
    weights: Tensor  # (S,) stroke weights in units
    colors: Tensor  # (B, L, 4) straight RGBA, 0..1; layers that pad have alpha 0
    background: Tensor  # (B, 3) 0..1
    size: tuple[int, int]  # (H, W) in pixels
    scale: Tensor  # (P, 2) pixels a unit
    half: Tensor  # (S,) pixels of half a stroke a unit of weight
    control: Tensor  # (F, 4) control points of each flat vertex
    basis: Tensor  # (F, 4, 1) their Bernstein weights: vertices are linear in the control points
    strokes: Strokes | None
    edges: Tensor  # (3, E) outline vertex at the start, at the end, layer in 0..B*L-1
    paints: tuple[tuple[int, bool], ...]  # first scene: (shape, is it the stroke) of each layer


def control_points(scene: Scene) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The (P, 2) control points of all shapes on the canvas and the (S,) weights of all strokes, in units."""
    counts = [len(shape.path.points) for shape in scene.shapes]
    local = np.array([point for shape in scene.shapes for point in shape.path.points], dtype=float).reshape(-1, 2)
    a, b, c, d, e, f = np.repeat(np.array([s.transform for s in scene.shapes], dtype=float).reshape(-1, 6), counts, 0).T
    x, y = local.T
    weights = [s.stroke.weight * _stretch(s) for s in scene.shapes if s.stroke is not None]
    with np.errstate(invalid="ignore"):  # a shape with infinite points is put out of sight
        points = np.stack((a * x + c * y + e, b * x + d * y + f), 1)
    points = np.clip(np.where(np.isfinite(points), points, -FURTHEST), -FURTHEST, FURTHEST)
    return points, np.clip(weights, THINNEST_STROKE, FURTHEST)


def _stretch(shape: Shape) -> float:
    """How a transform widens strokes: the mean scale (exact for turns, moves and even scaling)."""
    a, b, c, d, _, _ = shape.transform
    return math.sqrt(abs(a * d - b * c))


# Topology


def pack(
    scenes: Sequence[Scene],
    size: tuple[int, int],
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    flatness: float = FLATNESS,
) -> Layers:
    """Scenes -> layers for pictures of (height, width) pixels, whatever their canvases' units.

    flatness, in pixels, is how far a chord may stray from its curve at the present points. Raises ValueError when
    there is no scene.
    """
    if not scenes:
        raise ValueError("pack takes at least one scene")
    builder = _Builder(flatness)
    points, weights, scales, halves = [], [], [], []
    for scene in scenes:
        scale = np.array((size[1] / scene.width, size[0] / scene.height))
        control, weight = control_points(scene)
        half = math.sqrt(scale[0] * scale[1]) / 2
        builder.add(scene, control * scale, weight * half)
        points.append(control)
        weights.append(weight)
        scales.append(np.broadcast_to(scale, control.shape))
        halves.append(np.full(len(weight), half))

    depth = max(1, max(map(len, builder.colors)))
    colors = np.zeros((len(scenes), depth, 4))
    for row, own in zip(colors, builder.colors, strict=True):
        row[: len(own)] = np.array(own, dtype=float).reshape(-1, 4) / 255

    def number(array: Any) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(array), dtype=dtype, device=device)

    def index(arrays: list[NDArray], axis: int) -> Tensor:
        return torch.as_tensor(np.concatenate(arrays, axis), device=device)

    turn, side, join = np.concatenate(builder.bends, 1)[..., None]
    strokes = None
    if builder.strokes:
        strokes = Strokes(
            ends=index(builder.ends, 1),
            fixed=index(builder.fixed, 1),
            along=number(np.concatenate(builder.along)),
            joins=index(builder.joins, 1),
            turn=number(turn),
            side=number(side),
            join=number(join),
        )
    return Layers(
        points=number(np.concatenate(points)),
        weights=number(np.concatenate(weights)),
        colors=number(colors),
        background=number([[c / 255 for c in scene.background[:3]] for scene in scenes]),
        size=size,
        scale=number(np.concatenate(scales)),
        half=number(np.concatenate(halves)),
        control=index(builder.control, 0),
        basis=number(np.concatenate(builder.basis)[..., None]),
        strokes=strokes,
        edges=torch.as_tensor(builder.edges(depth), device=device),
        paints=tuple(builder.paints[0]),
    )


@dataclass(frozen=True)
class _Contour:
    vertices: NDArray  # (n,) flat vertices
    places: NDArray  # (n, 2) where they are, in pixels
    smooth: NDArray  # (n,) bool: inside a curve
    closed: bool


class _Builder:
    """Collects the topology of scene after scene; coordinates here are pixels, and only decide how finely to cut."""

    def __init__(self, flatness: float):
        self.flatness = flatness
        self.colors: list[list[tuple[int, ...]]] = []  # by scene
        self.paints: list[list[tuple[int, bool]]] = []  # by scene
        self.rings: list[tuple[NDArray, int, int]] = []  # outline vertices of a closed ring, scene, layer of the scene
        self.control: list[NDArray] = [np.zeros((0, 4), np.int64)]
        self.basis: list[NDArray] = [np.zeros((0, 4))]
        self.ends: list[NDArray] = [np.zeros((2, 0), np.int64)]
        self.fixed: list[NDArray] = [np.zeros((3, 0), np.int64)]
        self.along: list[NDArray] = [np.zeros((0, 2))]
        self.joins: list[NDArray] = [np.zeros((4, 0), np.int64)]
        self.bends: list[NDArray] = [np.zeros((3, 0))]  # turn, side, join
        self.points = self.flat = self.segments = self.fans = self.corners = self.strokes = 0

    def add(self, scene: Scene, points: NDArray, halves: NDArray) -> None:
        """Add a scene with these control points (P, 2) and half stroke widths (S,)."""
        colors: list[tuple[int, ...]] = []
        paints: list[tuple[int, bool]] = []
        row, stroke, start = len(self.colors), 0, self.points
        for index, shape in enumerate(scene.shapes):
            at = self.points - start
            contours = self._flatten(shape.path, points[at : at + len(shape.path.points)])
            if shape.fill is not None:
                self.rings += [(contour.vertices, row, len(colors)) for contour in contours]
                colors.append(shape.fill)
                paints.append((index, False))
            if shape.stroke is not None:
                for contour in contours:
                    self._widen(contour, float(halves[stroke]), shape.stroke, (row, len(colors)))
                colors.append(shape.stroke.color)
                paints.append((index, True))
                self.strokes += 1
                stroke += 1
        self.colors.append(colors)
        self.paints.append(paints)

    def _flatten(self, path: Path, points: NDArray) -> list[_Contour]:
        """The contours of a path, curves cut into chords."""
        contours = []
        at = 0  # the path's points used so far
        for verbs in path.verbs.split("M")[1:]:
            closed = verbs.endswith("Z")
            control, basis, smooth = [np.full((1, 4), at)], [_CORNER], [False]
            at += 1
            for verb in verbs.rstrip("Z"):
                if verb == "L":
                    control.append(np.full((1, 4), at))
                    basis.append(_CORNER)
                else:
                    chords = _chords(points[at - 1 : at + 3], self.flatness)
                    control.append(np.broadcast_to(np.arange(at - 1, at + 3), (chords, 4)))
                    basis.append(_bernstein(chords))
                    smooth += [True] * (chords - 1)
                smooth.append(False)
                at += 1 if verb == "L" else 3
            own, weights = np.concatenate(control), np.concatenate(basis)
            places = np.einsum("nk,nkc->nc", weights, points[own])
            if closed and len(places) > 1 and np.allclose(places[0], places[-1], rtol=0, atol=1e-9):
                own, weights, places, smooth = own[:-1], weights[:-1], places[:-1], smooth[:-1]
            vertices = self.flat + np.arange(len(places))
            self.control.append(own + self.points)
            self.basis.append(weights)
            self.flat += len(places)
            contours.append(_Contour(vertices, places, np.array(smooth), closed))
        self.points += len(points)
        return contours

    def _widen(self, contour: _Contour, half: float, stroke: Stroke, layer: tuple[int, int]) -> None:
        """Outline a contour's stroke: once round an open line, along both sides of a closed one."""
        apart = np.hypot(*np.diff(contour.places, axis=0, append=contour.places[:1]).T) > 1e-9
        apart[-1] |= not (contour.closed and apart.any())
        vertices, places, n = contour.vertices[apart], contour.places[apart], int(apart.sum())
        closed = contour.closed and n > 1
        if n == 1:  # a dot: one segment of no length
            vertices, places, n = vertices.repeat(2), places.repeat(2, 0), 2
        smooth = contour.smooth[apart] & _roomy(places, half) if n == len(contour.smooth) else np.zeros(n, bool)
        segments = self.segments + np.arange(n if closed else n - 1)
        self.ends.append(np.stack((vertices, np.roll(vertices, -1)))[:, : len(segments)])
        self.segments += len(segments)

        inside = np.arange(n) if closed else np.arange(1, n - 1)
        bent = contour.smooth[apart][inside]  # a curve's own corners are round, as in `strokes`
        kind = np.where(smooth[inside], _SMOOTH, np.where(bent, _ROUND, _JOINS[stroke.join]))
        times = np.choose(kind, _POINTS)
        corner = np.repeat(np.arange(len(inside)), times)
        kind, times = kind[corner], times[corner]
        place = np.arange(len(corner)) - np.searchsorted(corner, corner)
        turn = np.where(times > 1, place / np.maximum(times - 1, 1), 0.5)
        before, after = segments[inside - 1][corner], segments[inside % len(segments)][corner]
        join = np.stack((vertices[inside][corner], before, after, np.full(len(corner), self.strokes)))
        for side in (1.0, -1.0):
            self.joins.append(join)
            self.bends.append(np.stack((turn, np.full(len(turn), side), kind)))
        left = _JOIN + self.corners + np.arange(len(corner))
        right = (left + len(corner))[::-1]
        self.corners += 2 * len(corner)
        if closed:
            self.rings += [(left, *layer), (right, *layer)]
            return
        cap = _cap(stroke.cap, half, self.flatness)
        end = _FIXED + self.fans + np.arange(len(cap))
        for vertex, segment, along in ((vertices[-1], segments[-1], cap), (vertices[0], segments[0], -cap)):
            self.fixed.append(np.tile([[vertex], [segment], [self.strokes]], len(cap)))
            self.along.append(along)
        self.fans += 2 * len(cap)
        self.rings.append((np.concatenate((left, end, right, end + len(cap))), *layer))

    def edges(self, depth: int) -> NDArray:
        """(3, E): outline vertex at the start and at the end, layer."""
        starts = [ring for ring, _, _ in self.rings]
        ends = [np.roll(ring, -1) for ring in starts]
        layer = [np.full(len(ring), row * depth + layer) for ring, row, layer in self.rings]
        if not starts:
            return np.zeros((3, 0), np.int64)
        edges = np.stack([np.concatenate(part) for part in (starts, ends, layer)])
        vertex = edges[:2]  # fixed points follow the flat ones, joins follow those
        vertex[vertex >= _JOIN] += self.flat + self.fans - _JOIN
        vertex[vertex >= _FIXED] += self.flat - _FIXED
        return edges


_FIXED, _JOIN = 1 << 40, 1 << 41  # mark numbers of fixed and join points until it is known how many come before them
_CORNER = np.array([[1.0, 0.0, 0.0, 0.0]])
_POINTS = np.array([3, 5, 3, 1])  # of a side at a join of each kind, in even turns


def _roomy(places: NDArray, half: float) -> NDArray:
    """(n,) bool: where a stroke this wide turns so gently that one point a side is enough, with a third to spare."""
    after = np.roll(places, -1, 0) - places
    length = np.maximum(np.hypot(*after.T), 1e-9)
    after = after / length[:, None]
    before = np.roll(after, 1, 0)
    cross = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0])
    cosine = (before * after).sum(1)
    return 1.33 * half * cross <= (1 + cosine) * np.minimum(length, np.roll(length, 1)) / 2


def _chords(points: NDArray, flatness: float) -> int:
    """How many chords follow a cubic within `flatness`: its second derivative bounds how far a chord strays."""
    bend = np.abs(points[:-2] - 2 * points[1:-1] + points[2:])
    steepest = 6 * float(np.hypot(bend[:, 0], bend[:, 1]).max())
    return min(max(math.ceil(math.sqrt(steepest / (8 * flatness))), 2), 48)


@lru_cache(maxsize=64)
def _bernstein(chords: int) -> NDArray:
    """(chords, 4) weights of a cubic's control points at the ends of equal steps of its parameter."""
    t = np.arange(1, chords + 1) / chords
    return np.stack(((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3), 1)


def _cap(cap: str, half: float, flatness: float) -> NDArray:
    """(n, 2) normal and direction parts of the outline round the end of a line, from its left to its right side."""
    if cap == "round":
        steps = math.ceil(math.pi / (2 * math.acos(1 - min(flatness / max(half, 1e-6), 0.3))))
        angle = np.linspace(0, math.pi, min(steps, 32) + 1)
        return np.stack((np.cos(angle), np.sin(angle)), 1)
    reach = 1.0 if cap == "project" else 0.0  # Processing's square cap ends where the line does
    return np.array([[1.0, reach], [-1.0, reach]])


# Outlines


def outline(layers: Layers, points: Tensor, weights: Tensor) -> Tensor:
    """Control points (..., P, 2) and stroke weights (..., S), in units -> (..., V, 2) outline vertices in pixels.

    Differentiable in both.
    """
    flat = ((points * layers.scale)[..., layers.control, :] * layers.basis).sum(-2)
    strokes = layers.strokes
    if strokes is None:
        return flat
    along = flat[..., strokes.ends[1], :] - flat[..., strokes.ends[0], :]
    length = _square(along).clamp_min(1e-12).sqrt()
    direction = torch.where(length > 1e-5, along / length, along.new_tensor((1.0, 0.0)))
    normal = torch.stack((-direction[..., 1], direction[..., 0]), -1)
    half = (weights * layers.half)[..., None]

    vertex, segment, stroke = strokes.fixed
    reach = normal[..., segment, :] * strokes.along[:, :1] + direction[..., segment, :] * strokes.along[:, 1:]
    parts = [flat, flat[..., vertex, :] + half[..., stroke, :] * reach]
    if strokes.joins.shape[1]:
        vertex, before, after, stroke = strokes.joins
        first, second, wide = normal[..., before, :], normal[..., after, :], half[..., stroke, :]
        both = first + second
        square = _square(both).clamp_min(1e-6)  # 2 (1 + cos of the turn)
        cross = (first[..., :1] * second[..., 1:] - first[..., 1:] * second[..., :1]).detach()
        inner = strokes.side * cross > 0
        # A miter takes cross / (1 + cos) of the half width from either segment, and may have half the segment.
        fits = wide * cross.abs() <= square / 4 * torch.minimum(length[..., before, :], length[..., after, :])
        sharp = torch.where(inner, fits, strokes.join == _MITER) & (square > 4 / MITER_LIMIT**2)
        sharp |= strokes.join == _SMOOTH
        chord = torch.lerp(first, second, torch.where(inner, strokes.turn.round(), strokes.turn))
        rounded = _square(chord).clamp_min(1e-12).rsqrt()
        outward = torch.where(strokes.join == _ROUND, rounded, torch.ones_like(rounded))
        blunt = chord * torch.where(inner, (strokes.turn != 0.5).to(chord.dtype), outward)
        parts.append(flat[..., vertex, :] + wide * strokes.side * torch.where(sharp, both * (2 / square), blunt))
    return torch.cat(parts, -2)


def _square(vectors: Tensor) -> Tensor:
    return (vectors * vectors).sum(-1, keepdim=True)


# Coverage


def coverage(vertices: Tensor, edges: Tensor, layers: int, size: tuple[int, int], smooth: bool = False) -> Tensor:
    """How much of each pixel each layer covers, exactly; differentiable in the vertices.

    vertices is (V, 2) in pixels, y down; edges is (3, E): start, end and layer (0..layers-1) of each edge of closed
    contours; size is (H, W). Returns (layers, H, W) in 0..1: the absolute winding number, cut at 1.
    The gradient is the exact one of these areas; with `smooth` an edge weighs the pixels on both its sides by their
    distance, so that an edge on a pixel boundary feels both, and gradients reach half a pixel further.
    """
    covered: Tensor = _Coverage.apply(vertices, edges, layers, size, smooth)
    return covered


class _Coverage(torch.autograd.Function):
    """Signed areas forward, boundary integral backward."""

    @staticmethod
    def forward(ctx: Any, vertices: Tensor, edges: Tensor, layers: int, size: tuple[int, int], smooth: bool) -> Tensor:
        pieces = trace(vertices.detach(), edges, layers, size)
        ctx.save_for_backward(edges)
        ctx.pieces, ctx.smooth, ctx.count = pieces, smooth, len(vertices)
        return pieces.coverage()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (edges,) = ctx.saved_tensors
        pieces: Pieces = ctx.pieces
        # A point of an edge that moves by m sweeps the area m x step to its right, which loses one turn of winding.
        cells, weights = pieces.touch(ctx.smooth)
        swept = (pieces.border(gradient).view(-1)[cells] * weights).sum(0) * pieces.span
        late = swept * pieces.middle
        step = pieces.step
        ends = torch.zeros_like(step).index_add_(0, pieces.edge, torch.stack((swept - late, late), 1))
        normal = torch.stack((-step[:, 1], step[:, 0]), 1)
        vertices = step.new_zeros(ctx.count, 2)
        vertices.index_add_(0, edges[:2].reshape(-1), torch.cat((ends[:, :1] * normal, ends[:, 1:] * normal)))
        return vertices, None, None, None, None


@dataclass(frozen=True)
class Pieces:
    """K pieces of E edges, each within one pixel, and the winding numbers that they make.

    The canvas has a border here, one pixel wide with one more column on the right, for what leaves it.
    """

    step: Tensor  # (E, 2) pixels from the start of each edge to its end
    edge: Tensor  # (K,) the edge that a piece is of
    middle: Tensor  # (K,) the edge's parameter (0..1) in the middle of the piece
    span: Tensor  # (K,) how much of the parameter the piece takes
    at: Tensor  # (K, 2) the middle of the piece, in pixels of the bordered canvas
    cell: Tensor  # (K,) its pixel, an index into `winding` laid flat
    winding: Tensor  # (layers, H + 2, W + 3)

    def coverage(self) -> Tensor:
        """(layers, H, W): the share of each pixel that is covered."""
        return self.winding[:, 1:-1, 1:-2].abs().clamp_(max=1)

    def border(self, field: Tensor) -> Tensor:
        """(layers, ..., H, W) -> the same with this border of zeros."""
        return torch.nn.functional.pad(field, (1, 2, 1, 1))

    def touch(self, smooth: bool = False) -> tuple[Tensor, Tensor]:
        """(c, K) pixels that each piece lies in, as indices into `winding` laid flat, and what it weighs in each.

        smooth: the four pixels round the middle of the piece, bilinear; else its own. Weights are negative where the
        piece runs the other way round, and zero where contours overlap: there an edge changes nothing.
        """
        _, rows, stride = self.winding.shape
        cells, weights = self.cell[None], torch.ones_like(self.middle)[None]
        if smooth:
            x, y = (self.at[:, 0] - 0.5).clamp(0, stride - 2), (self.at[:, 1] - 0.5).clamp(0, rows - 1.001)
            left, top = x.floor(), y.floor()
            x, y = x - left, y - top
            layer = torch.div(self.cell, rows * stride, rounding_mode="floor")
            corner = (layer * rows + top.long()) * stride + left.long()
            cells = torch.stack((corner, corner + 1, corner + stride, corner + stride + 1))
            weights = torch.stack(((1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y))
        turns = (self.winding.view(-1)[cells] * weights).sum(0)
        return cells, weights * (turns.sign() * (turns.abs() < 1 + 1e-3))


def trace(vertices: Tensor, edges: Tensor, layers: int, size: tuple[int, int]) -> Pieces:
    """Cut edges at the pixel grid and add up their signed areas; arguments as for `coverage`."""
    rows, columns = size[0] + 2, size[1] + 2
    stride = columns + 1
    start, end, layer = edges
    origin = vertices[start] + 1
    step = vertices[end] + 1 - origin
    (ax, ay), (dx, dy) = origin.unbind(1), step.unbind(1)
    edge, row, low, high = _cut(ay, dy, None, None, rows)
    piece, column, low, high = _cut(ax[edge], dx[edge], low, high, columns)
    edge, row = edge[piece], row[piece]

    middle, span = (low + high) / 2, high - low
    at = torch.addcmul(origin[edge], step[edge], middle[:, None])
    area = span * dy[edge]
    right = area * (at[:, 0] - column).clamp_(0, 1)  # the part of the area that belongs to the next column
    cell = (layer[edge] * rows + row) * stride + column
    winding = vertices.new_zeros(layers * rows * stride)
    winding.index_add_(0, torch.cat((cell, cell + 1)), torch.cat((area - right, right)))
    return Pieces(step, edge, middle, span, at, cell, winding.view(layers, rows, stride).cumsum(2))


def _cut(
    at: Tensor, along: Tensor, low: Tensor | None, high: Tensor | None, cells: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Cut pieces of edges where one coordinate, at + along * t, passes from one cell (unit interval) to the next.

    A piece runs from t = low to t = high (0 to 1 where None). What lies outside 0..cells counts to the first or the
    last cell. Returns for each new piece: the piece it comes from, its cell, its low and high.
    """
    first = at if low is None else torch.addcmul(at, along, low)
    last = at + along if high is None else torch.addcmul(at, along, high)
    bottom = torch.minimum(first, last).floor().clamp(0, cells - 1).long()
    top = (torch.maximum(first, last).ceil() - 1).clamp(0, cells - 1).long()
    count = (top - bottom + 1).clamp_min(1)
    piece = torch.repeat_interleave(count)
    cell = torch.arange(len(piece), device=at.device) - (count.cumsum(0) - count - bottom)[piece]
    steep = torch.where(along.abs() < 1 / FAR, 1 / FAR, along)
    under = torch.where(cell == 0, -FAR, cell.to(at.dtype))
    over = torch.where(cell == cells - 1, FAR, (cell + 1).to(at.dtype))
    at, steep = at[piece], steep[piece]
    one, other = (under - at) / steep, (over - at) / steep
    low = torch.zeros_like(at) if low is None else low[piece]
    high = torch.ones_like(at) if high is None else high[piece]
    return piece, cell, torch.minimum(one, other).clamp(low, high), torch.maximum(one, other).clamp(low, high)


# Paint


def composite(covered: Tensor, colors: Tensor, background: Tensor) -> Tensor:
    """Paint layers over a background, back to front, straight alpha, in sRGB; differentiable in all three.

    covered is (..., L, H, W) in 0..1, colors (..., L, 4) RGBA and background (..., 3), 0..1. Returns (..., H, W, 3).
    """
    picture: Tensor = _Composite.apply(covered, colors, background)
    return picture


class _Composite(torch.autograd.Function):
    """One product of weights and colours instead of L blends; backward needs one blend a layer, of scalars."""

    @staticmethod
    def forward(ctx: Any, covered: Tensor, colors: Tensor, background: Tensor) -> Tensor:
        opacity = (covered * colors[..., 3, None, None]).flatten(-2)  # (..., L, HW)
        through = see_through(opacity)
        weights = opacity * through[..., 1:, :]
        paints = torch.cat((background[..., None, :], colors[..., :3]), -2)  # (..., 1 + L, 3)
        picture = paints.mT @ torch.cat((through[..., :1, :], weights), -2)  # (..., 3, HW)
        ctx.save_for_backward(covered, colors, opacity, through, weights, paints)
        return picture.unflatten(-1, covered.shape[-2:]).movedim(-3, -1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        covered, colors, opacity, through, weights, paints = ctx.saved_tensors
        pixels = gradient.movedim(-1, -3).flatten(-2)  # (..., 3, HW)
        along = paints @ pixels  # (..., 1 + L, HW): what each paint would gain
        felt = torch.empty_like(opacity)
        below = along[..., 0, :]
        for layer in range(opacity.shape[-2]):
            gain = along[..., layer + 1, :] - below
            torch.mul(gain, through[..., layer + 1, :], out=felt[..., layer, :])
            below = torch.addcmul(below, gain, opacity[..., layer, :])
        felt = felt.unflatten(-1, covered.shape[-2:])
        own = ground = None
        if ctx.needs_input_grad[1]:
            own = torch.cat((weights @ pixels.mT, (felt * covered).sum((-2, -1))[..., None]), -1)
        if ctx.needs_input_grad[2]:
            ground = (through[..., :1, :] @ pixels.mT)[..., 0, :]
        return felt * colors[..., 3, None, None], own, ground


def see_through(opacity: Tensor) -> Tensor:
    """Opacities (..., L, N) of layers, back to front -> (..., 1 + L, N): what is left of light from the background
    and from each layer after the layers above it."""
    clear = 1 - opacity
    through = [torch.ones_like(clear[..., 0, :])]
    for layer in reversed(range(clear.shape[-2])):
        through.append(through[-1] * clear[..., layer, :])
    return torch.stack(through[::-1], -2)


def render(layers: Layers, points: Tensor | None = None, weights: Tensor | None = None, smooth: bool = False) -> Tensor:
    """Draw packed scenes, with other points and weights where given. Returns (B, H, W, 3) in 0..1."""
    points = layers.points if points is None else points
    weights = layers.weights if weights is None else weights
    batch, depth, _ = layers.colors.shape
    covered = coverage(outline(layers, points, weights), layers.edges, batch * depth, layers.size, smooth)
    return composite(covered.unflatten(0, (batch, depth)), layers.colors, layers.background)
