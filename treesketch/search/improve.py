"""More shapes than the budget holds, then the least of them taken out again: how a painting gets better.

A painting and tried proposals in, a painting within the budget out. Proposals go in together, all outlines and colours
are polished, and corners and layers go, the least worth first, until the numbers are within the budget again. What a
proposal lacked in precision the polish gives it; what it replaced is worth nothing now and goes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from treesketch.search.corners import cost, remove_least, simplify
from treesketch.search.outline import Layer
from treesketch.search.painting import Painting
from treesketch.search.polish import linearise, polish


def insert(painting: Painting, new: Sequence[tuple[int, bool, Layer]]) -> Painting:
    """The painting with layers put in: (place, instead of the layer there, layer), places of the painting as it is."""
    layers, pens = list(painting.layers), list(painting.pens)
    fresh = max(pens, default=0) + 1
    for place, instead, layer in sorted(new, key=lambda entry: -entry[0]):
        behind = place + 1 if instead else place
        layers[place:behind] = [layer]
        pens[place:behind] = [fresh]
        fresh += 1
    return Painting(tuple(layers), tuple(pens), painting.ground, painting.rmse)


def settle(painting: Painting, target: NDArray[np.float32], numbers: int, price: float, forms: int) -> Painting:
    """Polish, then take out what is worth least until no more than `numbers` are left and each is worth its price.

    More than `forms` layers are not left either: the last resort is to drop those that matter least.
    """
    pens: list[int] = list(painting.pens)
    layers, ground, rmse = polish(painting.layers, painting.ground, target, rounds=4, pens=pens)
    layers = simplify(layers, ground, target, price)
    for _ in range(6):
        before = cost(layers, pens)
        layers, pens = remove_least(layers, pens, ground, target, before - numbers, price)
        if not layers or cost(layers, pens) == before:
            break
        layers, ground, rmse = polish(layers, ground, target, rounds=3, pens=pens)
    if len(layers) > forms:
        worth = linearise(layers, ground, target).without
        kept = sorted(int(k) for k in np.argsort(-worth)[:forms])
        layers, pens = [layers[k] for k in kept], [pens[k] for k in kept]
        layers, ground, rmse = polish(layers, ground, target, rounds=3, pens=pens)
    return Painting(tuple(layers), tuple(pens), ground, rmse)
