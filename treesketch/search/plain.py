"""Whole simple shapes in the place of outlines that follow only what shows of them.

In: a painting as `Layer`s and, for some of these, plainer outlines. Out: the painting with those that do as well for
their numbers once they are fitted where they stand. A region's own fit cannot tell: where others cover a shape, what
shows of it is anybody's.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from treesketch.search.coverage import cover
from treesketch.search.outline import Layer, Outline
from treesketch.search.polish import Opening, fit_alone, paint, squared_error

Array = NDArray[np.float64]
Pixels = NDArray[np.float32]  # (H, W, 3)


def prefer_plain(
    layers: Sequence[Layer], options: Mapping[int, Sequence[Outline]], ground: Array, target: Pixels, price: float
) -> list[Layer]:
    """The layers with the first of its options that pays in the place of each; options are by a layer's index.

    price is the squared error that a number must save.
    """
    layers = list(layers)
    height, width = target.shape[:2]
    for k, plainer in options.items():
        error = squared_error(layers, ground, target)
        opening = open_at(layers, k, ground, height, width)
        for outline in plainer:
            fitted, left = fit_alone(Layer(outline, layers[k].color), opening, target, rounds=6)
            if left - error < price * (layers[k].outline.numbers - fitted.outline.numbers):
                layers[k] = fitted
                break
    return layers


def open_at(layers: Sequence[Layer], k: int, ground: Array, height: int, width: int) -> Opening:
    """The place of a layer between the others of a painting."""
    under = paint(layers[:k], ground, height, width)
    clear = np.ones((height, width), np.float32)
    tint = np.zeros((height, width, 3), np.float32)
    above = layers[k + 1 :]
    for coverage, layer in zip(cover([x.outline for x in above], height, width), above, strict=True) if above else ():
        clear = clear * (1 - coverage)
        tint += coverage[..., None] * (layer.color.astype(np.float32) - tint)
    return Opening(under, clear, tint)
