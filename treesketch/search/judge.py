"""The exact renderer as a judge: what a drawing costs, and what it would cost with one layer more, or another.

Layers in, errors out. Coverages come from `raster` and are kept, so that trying a layer at any depth costs one pass
over the pixels that it touches; every drawing whose error is asked for, whole or so, is counted.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from treesketch.canvas import Canvas
from treesketch.interpreter import Interpreter, interpret
from treesketch.layers import Channels, Layer, write_program
from treesketch.picture import scaled
from treesketch.raster import layers as paints_of
from treesketch.search.numbers import GEOMETRY, numbers
from treesketch.search.tally import charge
from treesketch.tree import Node

Array = NDArray[np.float32]
SEEN = 0.02  # coverage of a pixel that counts as touched
KEPT = 4000  # coverages that are remembered
RIGHT = 0.01  # squared error, summed over channels, of a pixel that is as it should be
HARM = 0.3  # squared error that another layer is expected to do to such a pixel
COUNTED = GEOMETRY | {"count", "factor"}  # roles of the numbers that a program is charged for


@dataclass(frozen=True, slots=True)
class Sketch:
    """A drawing as the search has it: the ground's colour and layers back to front."""

    ground: Channels
    layers: tuple[Layer, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """A layer tried in a sketch: where (`place`), instead of the layer there or before it, its best colour, the gain.

    gain is how much the mean square error would fall.
    """

    layer: Layer
    place: int
    instead: bool
    gain: float


@dataclass(slots=True)
class Stack:
    """A sketch between its layers: `under[k]` is the drawing below layer k, and what is above it shows through `over`.

    The drawing with picture x at depth k is over_color[k] + over_clear[k] * x; (L + 1, H, W, 3) and (L + 1, H, W).
    wrong (H, W) is the squared error of the drawing, gone (L, H, W) that of the drawing without each layer, summed over
    channels; boxes (L, 4) are the first and last rows and columns that a layer paints, (0, 0, 0, 0) for none.
    """

    under: Array
    over_color: Array
    over_clear: Array
    wrong: Array
    gone: Array
    boxes: list[tuple[int, int, int, int]]


class Judge:
    """Judges drawings of one picture at one size.

    target is (H, W, 3) float32 in 0..1; canvas (width, height) in units; side the longer side to judge at, in pixels.
    Strokes are judged where they are, not snapped to pixel centres, because a program is right at every size.
    """

    def __init__(self, target: Array, canvas: tuple[int, int], side: int):
        self.target = scaled(target, side)
        self.canvas = canvas
        self.size = self.target.shape[:2]
        self._marks: dict[Layer, NDArray[np.bool_]] = {}
        self._paints: OrderedDict[Layer, list[tuple[Array, Array]]] = OrderedDict()

    def paints(self, layer: Layer) -> list[tuple[Array, Array]]:
        """What a layer paints, in order: opacity (H, W) and colour (3,), both 0..1."""
        key = replace(layer, fill=_kept(layer.fill), stroke=_kept(layer.stroke))
        if key not in self._paints:
            canvas = Canvas()
            canvas.set_size(*self.canvas)
            canvas.fill_color = (0, 0, 0, 255) if layer.fill is not None else None
            canvas.stroke_color = (1, 1, 1, 255) if layer.stroke is not None else None
            canvas.weight = layer.weight
            scene = Interpreter(canvas).run(layer.shape)
            found = [
                paint for shape in scene.shapes for paint in paints_of(shape, self.canvas[::-1], self.size, snap=False)
            ]
            self._paints[key] = [(cover, color[0]) for cover, color in found]  # type: ignore[misc]
            if len(self._paints) > KEPT:
                self._paints.popitem(last=False)
        self._paints.move_to_end(key)
        channels = (layer.fill, layer.stroke)
        painted = []
        for cover, which in self._paints[key]:
            color = channels[int(which)]
            assert color is not None
            alpha = color[3] / 255 if len(color) > 3 else 1.0
            tint = np.array(color[:3], np.float32) / np.float32(255)
            painted.append((cover if alpha == 1 else (cover * alpha).astype(np.float32), tint))
        return painted

    def mark(self, layer: Layer) -> NDArray[np.bool_]:
        """The pixels (H, W) that a layer touches."""
        if layer not in self._marks:
            touched = np.zeros(self.size, bool)
            for cover, _ in self.paints(layer):
                touched |= cover > SEEN
            self._marks[layer] = touched
        return self._marks[layer]

    def draw(self, sketch: Sketch) -> Array:
        """The drawing, (H, W, 3) in 0..1."""
        charge()
        picture = np.empty((*self.size, 3), np.float32)
        picture[:] = np.array(sketch.ground[:3], np.float32) / 255
        for layer in sketch.layers:
            for cover, color in self.paints(layer):
                picture += cover[..., None] * (color - picture)
        return picture

    def error(self, sketch: Sketch) -> float:
        """Mean square error over pixels and channels."""
        return float(((self.draw(sketch) - self.target) ** 2).mean())

    def program_error(self, program: Node) -> float:
        """Mean square error of any program's drawing, which need not be layers. Raises RunError past its limits."""
        scene = interpret(program)
        charge()
        picture = np.empty((*self.size, 3), np.float32)
        picture[:] = np.array(scene.background[:3], np.float32) / 255
        for shape in scene.shapes:
            for cover, (*color, alpha) in paints_of(shape, self.canvas[::-1], self.size, snap=False):
                tint = np.array(color, np.float32) / np.float32(255)
                picture += (cover * np.float32(alpha / 255))[..., None] * (tint - picture)
        return float(((picture - self.target) ** 2).mean())

    def stack(self, sketch: Sketch) -> Stack:
        """The sketch taken apart between its layers, for trying others there."""
        depth = len(sketch.layers)
        under = np.empty((depth + 1, *self.size, 3), np.float32)
        over_color = np.zeros_like(under)
        over_clear = np.ones((depth + 1, *self.size), np.float32)
        under[0] = np.array(sketch.ground[:3], np.float32) / 255
        charge()
        for k, layer in enumerate(sketch.layers):
            under[k + 1] = under[k]
            for cover, color in self.paints(layer):
                under[k + 1] += cover[..., None] * (color - under[k + 1])
        for k in range(depth - 1, -1, -1):
            clear, tint = np.ones(self.size, np.float32), np.zeros((*self.size, 3), np.float32)
            for cover, color in self.paints(sketch.layers[k]):
                clear = clear * (1 - cover)
                tint = tint * (1 - cover)[..., None] + cover[..., None] * color
            over_color[k] = over_color[k + 1] + over_clear[k + 1][..., None] * tint
            over_clear[k] = over_clear[k + 1] * clear
        without = over_color[1:] + over_clear[1:, ..., None] * under[:-1]
        gone = ((without - self.target) ** 2).sum(-1)
        charge(depth)
        boxes = [_box(self.paints(layer)) for layer in sketch.layers]
        return Stack(under, over_color, over_clear, ((under[-1] - self.target) ** 2).sum(-1), gone, boxes)

    def places(self, layer: Layer, stack: Stack) -> list[tuple[int, bool]]:
        """Where a layer may make a difference: on top, under each layer that it touches, and instead of each of those.

        Pairs (place, instead), as `try_layer` takes them.
        """
        top, left, bottom, right = _box(self.paints(layer))
        touched = [
            k
            for k, box in enumerate(stack.boxes)
            if box[0] < bottom and top < box[2] and box[1] < right and left < box[3]
        ]
        return [(len(stack.boxes), False), *((k, False) for k in touched), *((k, True) for k in touched)]

    def promise(self, layer: Layer, stack: Stack, place: int, instead: bool) -> float:
        """About how much squared error a layer could save at a place, from the errors known there: nothing is drawn."""
        paints = self.paints(layer)
        top, left, bottom, right = _box(paints)
        box = (slice(top, bottom), slice(left, right))
        error = stack.gone[place] if instead else stack.wrong
        lost = float((stack.wrong - error).sum()) if instead else 0.0
        error = error[box]
        if not error.size:
            return lost
        seen = np.maximum.reduce([cover[box] for cover, _ in paints]) * stack.over_clear[place + instead][box]
        return lost + hoped_gain(seen, error)

    def try_layer(self, layer: Layer, stack: Stack, place: int, instead: bool) -> Trial | None:
        """The layer in its best colour at a place of the stack (instead of the layer there), or None if it is not seen.

        A layer that both fills and strokes keeps its own colours.
        """
        paints = self.paints(layer)
        if not paints:
            return None
        charge()
        above = place + 1 if instead else place
        cover = paints[0][0]
        top, left, bottom, right = _box(paints)
        if top == bottom:
            return None
        box = (slice(top, bottom), slice(left, right))
        target, under = self.target[box], stack.under[place][box]
        clear, tint = stack.over_clear[above][box], stack.over_color[above][box]
        before = float(stack.wrong[box].sum())
        outside = 0.0
        if instead:  # what the old layer painted outside the new one's box changes too
            changed = stack.gone[place] - stack.wrong
            outside = float(changed.sum() - changed[box].sum())
        if len(paints) == 1:
            weight = clear * cover[box]  # (h, w)
            rest = target - tint - (clear - weight)[..., None] * under
            seen = float((weight * weight).sum())
            if seen < 0.5:
                return None
            color = np.clip(np.einsum("hw,hwc->c", weight, rest) / seen, 0, 1)
            whole = np.round(color * 255) / 255
            after = float(((rest - weight[..., None] * whole.astype(np.float32)) ** 2).sum())
            layer = _tinted(layer, tuple(int(round(c * 255)) for c in whole))
        else:
            picture = under.copy()
            for cover, color in paints:
                picture += cover[box][..., None] * (color - picture)
            after = float(((tint + clear[..., None] * picture - target) ** 2).sum())
        gain = (before - after - outside) / self.target.size
        return Trial(layer, place, instead, gain)


def hoped_gain(seen: Array, wrong: Array) -> float:
    """About how much squared error a shape could save: seen (H, W) is how much of it shows, wrong (H, W) what is there.

    It may put right what is wrong, and is likely to put wrong what is right.
    """
    return float((seen * np.where(wrong < RIGHT, wrong - HARM, wrong)).sum())


def _box(paints: Sequence[tuple[Array, Array]]) -> tuple[int, int, int, int]:
    """Rows and columns (top, left, bottom, right; ends exclusive) that any of the paints touches."""
    touched = np.zeros(paints[0][0].shape, bool) if paints else np.zeros((1, 1), bool)
    for cover, _ in paints:
        touched |= cover > 0
    rows, columns = np.flatnonzero(touched.any(1)), np.flatnonzero(touched.any(0))
    if not len(rows):
        return (0, 0, 0, 0)
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _kept(channels: Channels | None) -> Channels | None:
    """Coverage does not depend on the colour, only on whether there is one."""
    return None if channels is None else (0, 0, 0)


def _tinted(layer: Layer, color: Channels) -> Layer:
    if layer.fill is not None:
        return replace(layer, fill=color)
    return replace(layer, stroke=color)


def count_numbers(sketch: Sketch, canvas: tuple[int, int]) -> int:
    """Numbers of a sketch's program that say where and how large, not what colour."""
    return program_numbers(write_program(sketch.layers, canvas, sketch.ground))


def program_numbers(program: Node) -> int:
    """Numbers of a program, or of one form, that say where and how large, not what colour."""
    return sum(number.role in COUNTED for number in numbers(program))


def layer_numbers(layer: Layer) -> int:
    """Numbers of one layer's shape."""
    return program_numbers(layer.shape)
