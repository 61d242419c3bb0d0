"""A program's numbers and colours moved until its drawing is as near a picture as they can bring it.

A tree and target pixels in, the same tree with other numbers out. Any form will do: the interpreter says what the
numbers draw, finite differences of it say how shapes move with them (numbers of different shapes are tried in one
run), and the boundary integrals of `soft_raster` say how pixels change with the shapes. Geometry takes damped
Gauss-Newton steps (Levenberg-Marquardt) and colours are solved by least squares after each: a pixel is linear in the
colours, and a step allows for what the colours will do (variable projection, Golub and Pereyra 1973).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treesketch import raster
from treesketch.errors import RunError
from treesketch.interpreter import Interpreter, interpret
from treesketch.language import load_language
from treesketch.picture import resize
from treesketch.scene import Scene
from treesketch.search.numbers import GEOMETRY, Number, numbers, with_numbers
from treesketch.search.palette import Paints, close_grays, find_palette, open_grays
from treesketch.search.tally import charge
from treesketch.soft_raster import Pieces, control_points, outline, pack, see_through, trace
from treesketch.tree import Node, Path, at, walk

NUDGE = 1e-4  # how far a number is moved to see what it does; the interpreter works in double precision
REACH = 1.5  # pixels that one step may move a point: beyond that the derivative says nothing
BEND = 0.01  # pixels by which shapes may stray from the linear prediction before it is made anew
CAUTION = 1e-2  # damping of the first step, as a share of the curvature
PERFECT = 1e-9  # mean square error that is no error
TRIES = 4  # of a step, each more careful than the one before
LEAST = 0.1  # units: sizes and weights are kept from shrinking to nothing, where they would lose their gradient


def refine(
    tree: Node,
    target: NDArray[np.floating],
    steps: int = 20,
    size: int | Sequence[int] = 64,
    free: Collection[Path] | None = None,
    colors: bool = True,
    tint: bool = False,
    tolerance: float = 1e-3,
) -> Node:
    """Improve every free number of a program against target pixels (H, W, 3), sRGB 0..1.

    steps is the most steps at each size; size is the longer side, in pixels, at which to compare, or several, from
    coarse to fine: an edge feels what is within a pixel of it, so coarse pixels reach further. free, when given, is
    the paths of the numbers that may change. colors says whether colours may change; with tint a grey setting may
    become a colour, with three numbers where it had one. Steps end when one gains less than `tolerance` of the error.

    Numbers come back as they are found, channels whole; counts, canvas sizes and opacities stay. At the last size the
    drawing is as near the target as it was or nearer, but for the rounding of channels. Strokes are compared where
    they are, not snapped to pixel centres.
    """
    free = {number.path for number in numbers(tree)} if free is None else set(free)
    tree, free, grays = open_grays(tree, free) if colors and tint else (tree, free, [])
    with torch.no_grad():
        for side in (size,) if isinstance(size, int) else size:
            fit = _Fit(tree, target, side, free, colors)
            tree = fit.write(fit.descend(steps, tolerance))
    return close_grays(tree, grays)


def solve_colors(
    tree: Node,
    target: NDArray[np.floating],
    size: int | None = None,
    free: Collection[Path] | None = None,
    tint: bool = False,
) -> Node:
    """The colours of a program that bring it nearest target pixels (H, W, 3), 0..1; its geometry stays.

    Every channel that is a plain number (and in free, when given) may change, to a whole number from 0 to 255; tint
    as for `refine`. Layers are weighed by their coverage in `raster`, at the target's size or at a longer side of
    `size` pixels.
    """
    free = {number.path for number in numbers(tree)} if free is None else set(free)
    tree, free, grays = open_grays(tree, free) if tint else (tree, free, [])
    scene = interpret(tree)
    height, width = pixels_of(scene, size or max(target.shape[:2]))
    wanted = target if target.shape[:2] == (height, width) else resize(target, (height, width))
    palette = find_palette(tree, scene, free)
    opacity = [np.zeros((0, height, width), np.float32)]
    for shape in scene.shapes:
        covers = raster.layers(shape, (scene.height, scene.width), (height, width))
        missing = (shape.fill is not None) + (shape.stroke is not None) - len(covers)  # a shape that is nowhere
        opacity += [covered[None] * np.float32(color[3] / 255) for covered, color in covers]
        opacity += [np.zeros((missing, height, width), np.float32)]
    flat = torch.from_numpy(np.concatenate(opacity).reshape(-1, height * width))
    through = see_through(flat)
    paints = palette.solve(torch.cat((through[:1], flat * through[1:])), _flat(wanted))
    return close_grays(palette.write(tree, paints), grays)


def pixels_of(scene: Scene, side: int) -> tuple[int, int]:
    """(height, width) in pixels of a picture of the whole canvas whose longer side is `side`."""
    scale = side / max(scene.width, scene.height)
    return max(1, round(scene.height * scale)), max(1, round(scene.width * scale))


def _flat(pixels: NDArray[np.floating]) -> Tensor:
    """(H, W, 3) -> (3, HW) single precision."""
    return torch.from_numpy(np.ascontiguousarray(pixels.reshape(-1, 3).T, dtype=np.float32))


# What moves with what


class _Tracer(Interpreter):
    """Notices which shapes each form draws or, for stroke weights, widens."""

    def __init__(self) -> None:
        super().__init__()
        self._spans: dict[int, tuple[int, int]] = {}  # by id of node: first shape, last + 1
        self._cleared = 0  # shapes that a later background painted over
        self._weight: int | None = None

    def _evaluate(self, node: Node):  # type: ignore[no-untyped-def]
        before = self._cleared + len(self._canvas.shapes)
        result = super()._evaluate(node)
        after = self._cleared + len(self._canvas.shapes)
        if node.production == "stroke_weight":
            self._weight = id(node)
        if after > before:
            self._extend(id(node), before, after)
            if self._weight is not None:
                self._extend(self._weight, after - 1, after)
        return result

    def background(self, node: Node) -> None:
        covered = len(self._canvas.shapes)
        super().background(node)
        self._cleared += covered

    def _extend(self, key: int, first: int, last: int) -> None:
        start, end = self._spans.get(key, (first, last))
        self._spans[key] = (min(start, first), max(end, last))

    def span(self, node: Node) -> tuple[int, int]:
        """Which shapes of the scene a form may change: first, last + 1."""
        weights = [inner for _, inner in walk(node) if inner.production == "stroke_weight"]
        spans = [self._spans[id(part)] for part in (node, *weights) if id(part) in self._spans] or [(0, 0)]
        return max(min(a for a, _ in spans) - self._cleared, 0), max(max(b for _, b in spans) - self._cleared, 0)


def _distinct(node: Node) -> Node:
    """A copy in which no two places share a node."""
    return Node(node.production, tuple(map(_distinct, node.children)), node.value, node.span)


def plan_runs(tree: Node, found: Sequence[Number], shapes: int) -> NDArray[np.int64]:
    """(R, shapes) which of the numbers moves a shape in each of R runs, or len(found) for none.

    Numbers that change different shapes share a run, so R is about as large as the numbers of one shape.
    """
    tree = _distinct(tree)
    tracer = _Tracer()
    tracer.run(tree)
    forms = set(load_language().kinds["form"])
    runs: list[NDArray[np.int64]] = []
    for index, number in enumerate(found):
        depth = max(d for d in range(1, len(number.path)) if at(tree, number.path[:d]).production in forms)
        first, last = tracer.span(at(tree, number.path[:depth]))
        if first == last:
            continue
        for run in runs:
            if (run[first:last] == len(found)).all():
                break
        else:
            run = np.full(shapes, len(found))
            runs.append(run)
        run[first:last] = index
    return np.stack(runs) if runs else np.zeros((0, shapes), np.int64)


# Descent


@dataclass(frozen=True)
class _State:
    """One drawing: numbers, shapes, pixels, colours."""

    values: NDArray[np.float64]  # (n,)
    points: NDArray[np.float64]  # (P, 2) control points
    weights: NDArray[np.float64]  # (S,) stroke weights
    vertices: Tensor  # (V, 2) of outlines, pixels
    pieces: Pieces
    opacity: Tensor  # (L, HW)
    through: Tensor  # (1 + L, HW)
    paints: Paints
    residual: Tensor  # (3, HW) target less drawing
    error: float  # mean square


@dataclass(frozen=True)
class _Moves:
    """How control points (R, P, 2) and weights (R, S) move in each run, a unit of its numbers."""

    points: NDArray[np.float64]
    weights: NDArray[np.float64]


class _Fit:
    """One program against one picture at one size."""

    def __init__(self, tree: Node, target: NDArray[np.floating], side: int, free: Collection[Path], colors: bool):
        scene = interpret(tree)
        self.size = pixels_of(scene, side)
        self.target = _flat(target if target.shape[:2] == self.size else resize(target, self.size))
        self.side = max(scene.width, scene.height)
        self.tree = tree
        self.topology = _topology(scene)
        found = [n for n in numbers(tree) if n.path in free]
        self.numbers = [n for n in found if n.role in GEOMETRY]
        self.layers = pack([scene], self.size, dtype=torch.float64)
        self.shape_of_point = np.repeat(np.arange(len(scene.shapes)), [len(s.path.points) for s in scene.shapes])
        self.shape_of_weight = np.array([i for i, s in enumerate(scene.shapes) if s.stroke is not None], dtype=int)
        self.alpha = self.layers.colors[0, :, 3:].float()
        self.palette = find_palette(tree, scene, {n.path for n in found} if colors else set())
        self.runs = plan_runs(tree, self.numbers, len(scene.shapes))
        self.least = np.array([min(LEAST, n.value) if _is_size(n) else -np.inf for n in self.numbers])
        start = self._draw(np.array([n.value for n in self.numbers]), scene)
        assert start is not None
        self.start = start

    def write(self, state: _State) -> Node:
        """The tree with a state's numbers and colours."""
        return self.palette.write(self._tree(state.values), state.paints)

    def _tree(self, values: NDArray[np.float64]) -> Node:
        return with_numbers(self.tree, {n.path: float(v) for n, v in zip(self.numbers, values, strict=True)})

    def _draw(self, values: NDArray[np.float64], scene: Scene | None = None) -> _State | None:
        """The drawing with these numbers, or None where it is made of other shapes than the first one."""
        if scene is None:
            try:
                scene = interpret(self._tree(values))
            except RunError:
                return None
            if _topology(scene) != self.topology:
                return None
        charge()
        points, weights = control_points(scene)
        vertices = outline(self.layers, torch.from_numpy(points), torch.from_numpy(weights))
        pieces = trace(vertices.float(), self.layers.edges, len(self.alpha), self.size)
        opacity = pieces.coverage().flatten(1) * self.alpha
        through = see_through(opacity)
        seen = torch.cat((through[:1], opacity * through[1:]))[: len(self.palette.fixed)]
        paints = self.palette.solve(seen, self.target)
        residual = self.target - paints.colors.T @ seen
        error = float((residual * residual).mean())
        return _State(values, points, weights, vertices, pieces, opacity, through, paints, residual, error)

    def descend(self, steps: int, tolerance: float) -> _State:
        """The best drawing that so many steps find."""
        state, damping, moves = self.start, CAUTION, None
        smooth = True  # which reaches further; the exact derivative has the last word
        for _ in range(steps if len(self.runs) else 0):
            moves = moves or self._differences(state)
            normal, downhill, speed = self._derivatives(state, moves, smooth)
            for _ in range(TRIES):
                step = self._step(normal, downhill, speed, damping)
                tried = self._draw(np.maximum(state.values + step, self.least))
                if tried is not None and tried.error < state.error:
                    break
                damping *= 6
            gain = 0.0
            if tried is not None and tried.error < state.error:
                gain = 1 - tried.error / state.error
                if self._strays(state, tried, moves):
                    moves = None
                state, damping = tried, max(damping / 5, 1e-6)
            if state.error < PERFECT or (gain < tolerance and not smooth):
                break
            if gain < tolerance:
                smooth, damping = False, CAUTION
        return state

    def _differences(self, state: _State) -> _Moves:
        """Finite differences of the interpreter, one run for each row of the plan."""
        points = np.zeros((len(self.runs), *state.points.shape))
        weights = np.zeros((len(self.runs), *state.weights.shape))
        for run, owners in enumerate(self.runs):
            nudged = state.values.copy()
            nudged[np.unique(owners[owners < len(nudged)])] += NUDGE
            scene = interpret(self._tree(nudged))
            if _topology(scene) == self.topology:
                moved_points, moved_weights = control_points(scene)
                points[run] = (moved_points - state.points) / NUDGE
                weights[run] = (moved_weights - state.weights) / NUDGE
        return _Moves(points, weights)

    def _derivatives(
        self, state: _State, moves: _Moves, smooth: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Gauss-Newton matrix (n, n), downhill direction (n,), and pixels that a unit of each number moves points."""
        pieces, edges, count = state.pieces, self.layers.edges, len(self.numbers)
        points = torch.from_numpy(state.points + NUDGE * moves.points)
        widths = torch.from_numpy(state.weights + NUDGE * moves.weights)
        motion = ((outline(self.layers, points, widths) - state.vertices) / NUDGE).float()  # (R, V, 2)
        early, late = motion[:, edges[0]], motion[:, edges[1]]
        shape_of_layer = torch.tensor([shape for shape, _ in self.layers.paints])
        owner = torch.from_numpy(self.runs)[:, shape_of_layer[edges[2]]]  # (R, E) the number that moves the edge
        speed = torch.zeros(count + 1)
        speed.scatter_reduce_(0, owner.flatten(), early.norm(dim=-1).flatten(), "amax")

        # Each piece sweeps area across its pixel, which changes by that times what its layer adds there.
        normal = torch.stack((-pieces.step[:, 1], pieces.step[:, 0]), 1)
        early, late = (early * normal).sum(-1), (late * normal).sum(-1)  # (R, E)
        moving = ((owner < count) & ((early != 0) | (late != 0)))[:, pieces.edge]
        run, piece = moving.nonzero(as_tuple=True)  # (M,) what moves which piece: a few numbers for each
        edge = pieces.edge[piece]
        swept = torch.lerp(early[run, edge], late[run, edge], pieces.middle[piece]) * pieces.span[piece]
        cells, weights = pieces.touch(smooth)  # (c, K)
        cells, weights = cells[:, piece], weights[:, piece] * swept
        rows, stride = pieces.winding.shape[1:]
        pixel = cells % (rows * stride)
        touched = torch.bincount(pixel.flatten(), minlength=rows * stride) > 0
        entry = ((touched.cumsum(0) - 1)[pixel] * count + owner[run, edge]).flatten()
        gain = pieces.border(self._gain(state)).movedim(1, 0).flatten(1)  # (3, L * HW)
        seen = pieces.border(state.paints.seen.unflatten(-1, self.size)).flatten(1)[:, touched].T  # (touched, U)
        residual = pieces.border(state.residual.unflatten(-1, self.size)).flatten(1)[:, touched]
        matrix, downhill, across = torch.zeros(count, count), torch.zeros(count), []
        for channel in range(3):
            change = torch.zeros(len(seen) * count)
            change.index_add_(0, entry, (weights * gain[channel][cells]).flatten())
            change = change.view(-1, count)  # of each pixel with each number
            matrix += change.T @ change
            downhill += residual[channel] @ change
            across.append(change.T @ seen)
        gauss = matrix.double().numpy() - self.palette.project(state.paints, torch.stack(across))
        return gauss, downhill.double().numpy(), speed[:count].double().numpy()

    def _gain(self, state: _State) -> Tensor:
        """(L, 3, H, W): what a pixel gains when a layer covers more of it."""
        colors = state.paints.colors
        below = colors[0][:, None].expand(3, state.opacity.shape[1])
        gains = torch.zeros(len(self.alpha), *below.shape)
        for layer, color in enumerate(colors[1:, :, None]):
            torch.sub(color, below, out=gains[layer])
            below = torch.addcmul(below, gains[layer], state.opacity[layer])
        return (gains * (state.through[1:] * self.alpha)[:, None]).unflatten(-1, self.size)

    @staticmethod
    def _step(
        normal: NDArray[np.float64], downhill: NDArray[np.float64], speed: NDArray[np.float64], damping: float
    ) -> NDArray[np.float64]:
        scale = np.maximum(speed, 1e-9)  # from here on a unit of each number is a pixel
        normal, downhill = normal / np.outer(scale, scale), downhill / scale
        diagonal = np.diag(normal).clip(0)
        damped = normal + np.diag(damping * (diagonal + 0.01 * diagonal.mean()) + 1e-6)
        step = np.clip(np.linalg.solve(damped, downhill), -REACH, REACH)
        return np.where(speed > 1e-6, step / scale, 0.0)

    def _strays(self, before: _State, after: _State, moves: _Moves) -> bool:
        """Whether shapes went elsewhere than the differences foretold."""
        step = np.append(after.values - before.values, 0.0)
        points, weights = before.points.copy(), before.weights.copy()
        for owners, by_point, by_weight in zip(self.runs, moves.points, moves.weights, strict=True):
            points += by_point * step[owners[self.shape_of_point], None]
            weights += by_weight * step[owners[self.shape_of_weight]]
        strayed = np.abs(points - after.points).max(initial=0), np.abs(weights - after.weights).max(initial=0)
        return max(strayed) * max(self.size) / self.side > BEND


def _topology(scene: Scene) -> list[tuple[str, bool, bool]]:
    """What must stay the same for points to be compared one by one."""
    return [(shape.path.verbs, shape.fill is None, shape.stroke is None) for shape in scene.shapes]


def _is_size(number: Number) -> bool:
    return number.alone and number.value > 0 and number.role in ("width", "height", "length")
