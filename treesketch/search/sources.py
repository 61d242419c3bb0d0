"""Where proposals come from: the network and the picture's own regions, behind one interface.

A source is asked with the picture, the sketch so far and its drawing, and answers with layers that might belong in it.
It does not know how good they are; the judge does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from treesketch.actions import CANVAS
from treesketch.derivation import UnencodableError
from treesketch.layers import Layer, paint_after, read_layers, write_program
from treesketch.model.encoder import RESOLUTION
from treesketch.model.network import Network
from treesketch.model.write import Look
from treesketch.picture import resize
from treesketch.search.fit import Fitter
from treesketch.search.judge import Sketch

Pixels = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Situation:
    """What a source may look at: the target (H, W, 3) in 0..1, a sketch, and its drawing at the same size."""

    target: Pixels
    canvas: tuple[int, int]
    sketch: Sketch
    drawing: Pixels


class Source(Protocol):
    """Anything that proposes layers for a situation, in no particular order."""

    def propose(self, situation: Situation) -> list[Layer]: ...


class Regions:
    """The picture's own colour regions, likely whole shapes, and where the drawing is wrong."""

    def __init__(self, fitter: Fitter, most: int = 48):
        self.fitter, self.most = fitter, most

    def propose(self, situation: Situation) -> list[Layer]:
        """Fitted shapes, the most useful first."""
        found = self.fitter.propose(situation.drawing, self.most)
        return [Layer(c.shape, c.fill, c.stroke, c.weight or 1.0) for c in found]


class Writer:
    """The network: sees target and drawing and writes the next form, many times over."""

    def __init__(self, network: Network, rng: np.random.Generator, samples: int = 24, temperature: float = 1.0):
        self.network, self.rng, self.samples, self.temperature = network, rng, samples, temperature

    def propose(self, situation: Situation) -> list[Layer]:
        """Distinct layers that the network wrote; it sees a square canvas, so other pictures are padded with ground."""
        look = Look(
            self.network,
            to_square(situation.target, situation.canvas, situation.sketch.ground),
            to_square(situation.drawing, situation.canvas, situation.sketch.ground),
        )
        layers = situation.sketch.layers
        before = write_program(layers[-8:], situation.canvas, situation.sketch.ground).children[1:]
        paint = paint_after(layers)
        try:
            written = look.write(before, self.samples, self.rng, temperature=self.temperature)
        except UnencodableError:  # the sketch says something that the actions cannot: write without having read it
            written = look.write((), self.samples, self.rng, temperature=self.temperature)
        found: dict[Layer, None] = {}
        for program in written:
            try:
                new, _ = read_layers(program.forms, paint)
            except ValueError:  # a colour that is an expression: nothing the search can tint
                continue
            # The search draws round caps and mitred joins only.
            found.update(dict.fromkeys(layer for layer in new if layer.cap is None and layer.join is None))
        return list(found)


def to_square(pixels: Pixels, canvas: tuple[int, int], ground: Sequence[int]) -> Pixels:
    """A picture on the network's square canvas, (64, 64, 3): at the top left, the rest in the ground's colour."""
    unit = RESOLUTION / CANVAS
    height, width = max(1, round(canvas[1] * unit)), max(1, round(canvas[0] * unit))
    small = pixels if pixels.shape[:2] == (height, width) else resize(pixels, (height, width))
    square = np.empty((RESOLUTION, RESOLUTION, 3), np.float32)
    square[:] = np.array(ground[:3], np.float32) / 255
    square[:height, :width] = small[:RESOLUTION, :RESOLUTION]
    return square
