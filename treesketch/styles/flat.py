"""The flat hand: every shape one form with its paint, nothing else. A record of marks in, layers or a program out."""

from collections.abc import Sequence
from dataclasses import dataclass

from treesketch.layers import Channels, Layer, write_program
from treesketch.sampling.order import Box, painted_order
from treesketch.styles.carry import Digits, layer_of
from treesketch.styles.record import Record
from treesketch.tree import Node

APART = 256  # boxes nearer than the canvas's longer side divided by this are taken to overlap


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture as layers from back to front on a canvas (width, height) with its ground.

    Beside each layer are the boxes of its mark.
    """

    canvas: tuple[int, int]
    ground: Channels
    layers: tuple[Layer, ...]
    boxes: tuple[Box, ...]
    seen: tuple[Box, ...]

    @property
    def near(self) -> float:
        """Canvas units within which shapes share pixels, so that it matters which one is behind."""
        return max(self.canvas) / APART


def drawn(record: Record, digits: Digits) -> Drawn:
    """The record's marks as layers of the canvas."""
    layers = tuple(layer_of(mark, digits) for mark in record.marks)
    return Drawn(
        record.canvas,
        record.ground,
        layers,
        tuple(mark.box for mark in record.marks),
        tuple(mark.seen for mark in record.marks),
    )


def write_flat(picture: Drawn) -> Node:
    """The flat program."""
    return write_program(picture.layers, picture.canvas, picture.ground)


def in_order(picture: Drawn, order: str) -> Drawn:
    """The layers in an order of ORDERS; what overlaps stays as it lies."""
    if order == "paint":
        return picture
    boxes = [grown(box, picture.near) for box in picture.boxes]
    keys = [_reading(box) if order == "reading" else _size(box) for box in picture.seen]
    places = painted_order(boxes, keys, paints_of(picture.layers))
    return Drawn(
        picture.canvas,
        picture.ground,
        tuple(picture.layers[i] for i in places),
        tuple(picture.boxes[i] for i in places),
        tuple(picture.seen[i] for i in places),
    )


def grown(box: Box, by: float) -> Box:
    """A box with room around it, half of `by` on each side."""
    left, top, right, bottom = box
    return left - by / 2, top - by / 2, right + by / 2, bottom + by / 2


def paints_of(layers: Sequence[Layer]) -> list[object]:
    """What each layer paints with: equal where it does not matter which of two is behind."""
    return [_paint(layer) for layer in layers]


def _paint(layer: Layer) -> object:
    """The one opaque colour that a layer paints with; what has two, or is clear, is like no other."""
    colors = [color for color in (layer.fill, layer.stroke) if color is not None]
    return colors[0] if len(colors) == 1 and len(colors[0]) == 3 else object()


def _reading(box: Box) -> tuple[float, float]:
    return box[1], box[0]


def _size(box: Box) -> tuple[float, float, float]:
    left, top, right, bottom = box
    return -(right - left) * (bottom - top), top, left
