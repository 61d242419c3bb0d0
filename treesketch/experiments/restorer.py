"""The restorer: a picture with noise, blur or the marks of compression in, the picture as it was drawn out.

It learns from what the pairs' programs draw, in other colours and sizes, and from the same pictures spoilt by chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from treesketch.canvas import Canvas
from treesketch.experiments.pairs import Pairs, load_pairs
from treesketch.experiments.scoring import distance
from treesketch.experiments.system import Picture, Report, Settings, System, to_pictures
from treesketch.interpreter import Interpreter
from treesketch.picture import LONGEST_SIDE, Pixels, resize
from treesketch.raster import rasterise
from treesketch.restoring.network import Restorer, RestorerConfig
from treesketch.restoring.restore import describe, restore
from treesketch.restoring.spoil import spoil
from treesketch.shards.store import TRAIN
from treesketch.syntax import parse

SIDE = 96  # pixels of a picture that is learnt from
ENLARGED, LARGEST = 0.4, 2.2  # share of the pictures that are spoilt at a larger size, and how much larger at most
ROOM = 1.6  # sides of the largest picture that a part is cut from
SHADED = 0.2  # share of the pictures that get lighter to one side
SLACK = 4e-3  # error, 0..1, below which it counts by its square
SHOWN = 24


@dataclass(frozen=True, slots=True)
class RestorerSettings(Settings):
    """real is the share of the pictures that are of `drawings`, where there are any. The others: `RestorerConfig`'s."""

    real: float = 0.6
    width: int = 24
    blocks: int = 2


Lesson = tuple[Tensor, Tensor]  # spoilt and clean pictures (B, 3, SIDE, SIDE)


class Restoring(System):
    """Spoilt picture -> clean picture."""

    settings_type = RestorerSettings
    columns = tuple(f"{name}_{what}" for name in ("scenes", "characters", "real") for what in ("rmse", "spoilt"))

    def __init__(self, settings: RestorerSettings):
        super().__init__(settings)
        self.drawings = load_pairs(Path(settings.drawings), TRAIN) if settings.drawings else None

    def build(self) -> nn.Module:
        """The network."""
        return Restorer(RestorerConfig(self.settings.width, self.settings.blocks))

    def describe(self, module: nn.Module) -> dict[str, str]:
        """The network's sizes."""
        assert isinstance(module, Restorer)
        return describe(module)

    def make(self, pairs: Pairs, numbers: Sequence[int], rng: np.random.Generator) -> Lesson:
        """Pictures of the pairs with these numbers, or of drawings in their place, and what became of them."""
        spoilt, clean = [], []
        for number in numbers:
            program = pairs.programs[number]
            if self.drawings and pairs is self.pairs and rng.random() < self.settings.real:
                program = self.drawings.programs[int(rng.integers(len(self.drawings)))]
            side = round(SIDE * rng.uniform(1, LARGEST)) if rng.random() < ENLARGED else SIDE
            picture = change(draw(program, round(side * rng.uniform(1, ROOM))), side, rng)
            spoilt.append(resize(spoil(picture, rng), (SIDE, SIDE)))
            clean.append(resize(picture, (SIDE, SIDE)))
        return to_pictures(spoilt), to_pictures(clean)

    def losses(self, module: nn.Module, batch: Lesson, rng: np.random.Generator) -> dict[str, Tensor]:
        """The mean error of a channel, by its size where it is larger than SLACK."""
        spoilt, clean = batch
        return {"loss": ((module(spoilt) - clean) ** 2 + SLACK**2).sqrt().mean()}

    def measure(self, module: nn.Module, pictures: int, looks: int = 0) -> Report:
        """The mean rmse of held-out pictures at the size that they are drawn in, spoilt and restored."""
        assert isinstance(module, Restorer)
        values: dict[str, float] = {}
        examples: dict[str, list[Picture]] = {}
        for name, pairs in self.sets(pictures).items():
            rng = np.random.default_rng(self.settings.seed)
            cleans = [draw(program, LONGEST_SIDE) for program in pairs.programs]
            spoilts = [spoil(clean, rng) for clean in cleans]
            restored = [restore(module, picture) for picture in spoilts]
            for key, found in (("rmse", restored), ("spoilt", spoilts)):
                values[f"{name}_{key}"] = float(np.mean([distance(*each) for each in zip(found, cleans, strict=True)]))
            shown = zip(cleans, spoilts, restored, strict=True)
            examples[name] = [_show(*each) for each, _ in zip(shown, range(SHOWN), strict=False)]
        return Report(values, examples)


def draw(program: str, side: int) -> Pixels:
    """What a program draws, (side, side, 3) in 0..1."""
    return (rasterise(Interpreter(Canvas()).run(parse(program)), (side, side)) / 255).astype(np.float32)


def change(picture: Pixels, side: int, rng: np.random.Generator) -> Pixels:
    """A part of a picture, so many pixels square, perhaps turned, in other colours, and shaded."""
    y, x = rng.integers(0, len(picture) - side + 1, 2)
    part = picture[y : y + side, x : x + side][:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
    if rng.random() < 0.5:
        part = part.swapaxes(0, 1)
    if rng.random() < 0.5:
        part = part[..., rng.permutation(3)]
        low, high = np.sort(rng.uniform(0, 1, (2, 3)), 0)
        high = np.maximum(high, low + 0.3)
        part = np.where(rng.random(3) < 0.3, 1 - part, part) * (high - low) + low
    if rng.random() < SHADED:
        down, across = np.outer(rng.uniform(-0.3, 0.3, 2), np.linspace(0, 1, side))
        part = part * (1 + np.add.outer(down, across)[..., None])
    return np.ascontiguousarray(part.clip(0, 1), np.float32)


def _show(clean: Pixels, spoilt: Pixels, restored: Pixels) -> Picture:
    shown = [("as drawn", clean)]
    shown += [
        (f"{word}, rmse {distance(found, clean):.3f}", found)
        for word, found in (("spoilt", spoilt), ("restored", restored))
    ]
    return Picture(shown)
