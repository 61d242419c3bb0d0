"""Shards -> training examples of drawings: a folder of shards and chance in, `data.Example`s out.

A drawing's program is parsed when it is first chosen and kept as layers. Then, to make more of it, its colours may
be changed and some of its layers left out.
"""

import io
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from treesketch.actions import Vocabulary
from treesketch.data import (
    EXAMPLES_A_SCENE,
    MAX_HOLES,
    Example,
    Scene,
    choose_task,
    compose,
    make_example,
    make_examples,
    write_scene,
)
from treesketch.errors import ConfigError, SketchError
from treesketch.layers import Channels, Layer, read_layers
from treesketch.shards.store import CORPUS, TRAIN, read_manifest, read_rows
from treesketch.syntax import parse
from treesketch.tree import Node

MOST_NODES = 1_500_000  # of programs kept as layers in a process, some 100 bytes each
PAINT = 8  # decisions that a layer's paint takes at most, before its shape
RECOLORED, THINNED = 0.5, 0.3  # shares of the scenes whose colours are changed, and that lack layers
LEAST_CONTRAST = 128  # levels that a changed channel still has
TRIES = 20  # for a part of a scene that is short enough to be written


@dataclass(frozen=True, slots=True)
class Kept:
    """A drawing as layers on a ground; fits says for each layer whether its form is short enough to be learnt."""

    layers: list[Layer]
    ground: Channels
    fits: list[bool]
    nodes: int


class Drawings:
    """The drawings of a folder of shards that are of one split, in the order of the manifest's files."""

    def __init__(self, folder: Path, split: str):
        self.folder, self.split = folder, split
        self.programs: list[str] = []
        self.pictures: list[bytes] = []
        self._holes: list[list[int]] = []
        self._kept: OrderedDict[int, Kept] = OrderedDict()
        self._nodes = 0
        columns = ("program", "picture", "kind", "source", "split", "holes")
        for shard in read_manifest(folder).shards:
            if not shard.file.startswith(CORPUS):
                continue
            for row in read_rows(folder / shard.file, columns if split != TRAIN else columns[:1] + columns[2:]):
                if row.kind == CORPUS and row.split == split and row.holes:
                    self.programs.append(row.program)
                    self._holes.append(row.holes)
                    if split != TRAIN:
                        self.pictures.append(row.picture)

    def __len__(self) -> int:
        return len(self.programs)

    def read(self, number: int) -> Kept:
        """A drawing's layers; those read before are kept while they are few enough."""
        if number not in self._kept:
            program = parse(self.programs[number])
            nodes: dict[Node, Node] = {}
            layers, ground = read_layers(_share(form, nodes) for form in program.children)
            fits = [holes + PAINT <= MAX_HOLES for holes in self._holes[number]]
            if ground is None or len(layers) != len(fits):
                raise SketchError(f"a program is not what its row says; see treesketch data check {self.folder}")
            kept = Kept(layers, ground, fits, len(nodes))
            self._kept[number] = kept
            self._nodes += kept.nodes
            while self._nodes > MOST_NODES and len(self._kept) > 1:
                self._nodes -= self._kept.popitem(last=False)[1].nodes
        self._kept.move_to_end(number)
        return self._kept[number]

    def targets(self, count: int) -> list[np.ndarray]:
        """Pictures (64, 64, 3) float32 in 0..1 of so many drawings, or of all there are; those of TRAIN have none."""
        n = len(self.pictures)
        chosen = [self.pictures[k * n // count] for k in range(count)] if n > count else self.pictures
        return [np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.float32) / 255 for data in chosen]

    def sample(self, rng: np.random.Generator) -> tuple[Scene, list[bool]]:
        """A drawing as a scene, perhaps changed; and which of its layers are short enough to be learnt."""
        kept = self.read(int(rng.integers(len(self))))
        layers, ground, fits = list(kept.layers), kept.ground, list(kept.fits)
        if rng.random() < RECOLORED:
            layers, ground = recolor(layers, ground, rng)
        if len(layers) > 1 and rng.random() < THINNED:
            stays = rng.random(len(layers)) < rng.uniform(0.3, 1)
            layers = [layer for layer, stay in zip(layers, stays, strict=True) if stay]
            fits = [fit for fit, stay in zip(fits, stays, strict=True) if stay]
        fit = dict(zip(map(id, layers), fits, strict=True))
        scene = compose(layers, ground)
        return scene, [fit[id(layer)] for layer in scene.layers]


@lru_cache(maxsize=4)
def load_drawings(folder: Path, split: str) -> Drawings:
    """The drawings of a folder of shards, read once a process. Raises ConfigError where there are none."""
    drawings = Drawings(folder, split)
    if not len(drawings):
        raise ConfigError(
            f"no drawings of the split '{split}' are in these shards; build them from corpora", file=str(folder)
        )
    return drawings


@dataclass(frozen=True, slots=True)
class Mixed:
    """A `data.Maker`: a share of the scenes are drawings of shards, the rest are sampled."""

    folder: Path
    share: float
    split: str = TRAIN

    def __call__(self, vocabulary: Vocabulary, mixture: Mapping[str, float], rng: np.random.Generator) -> list[Example]:
        """The examples of one scene."""
        if rng.random() >= self.share:
            return make_examples(vocabulary, mixture, rng)
        scene, fits = load_drawings(self.folder, self.split).sample(rng)
        return make_drawn(vocabulary, scene, fits, rng)


def make_drawn(vocabulary: Vocabulary, scene: Scene, fits: list[bool], rng: np.random.Generator) -> list[Example]:
    """Examples of a scene of which only some layers are short enough to be written first."""
    written, examples = write_scene(vocabulary, scene), []
    for _ in range(EXAMPLES_A_SCENE):
        for _ in range(TRIES):
            task = choose_task(len(scene.layers), rng)
            if not 0 < task.first <= len(fits) or fits[task.first - 1]:
                examples.append(make_example(vocabulary, scene, written, task, rng))
                break
    return examples


def recolor(layers: list[Layer], ground: Channels, rng: np.random.Generator) -> tuple[list[Layer], Channels]:
    """Other colours, of much the same contrast: channels change places, and each is laid on a range of its own."""
    order = rng.permutation(3)
    spans = rng.integers(LEAST_CONTRAST, 256, 3)
    lows = rng.integers(0, 256 - spans)
    turned = rng.random(3) < 0.5

    def change(color: Channels | None) -> Channels | None:
        if color is None:
            return None
        channels = []
        for k in range(3):
            value = color[order[k]] * spans[k] / 255
            channels.append(int(lows[k] + round(spans[k] - value if turned[k] else value)))
        return (*channels, *color[3:])

    new = change(ground)
    assert new is not None
    return [replace(layer, fill=change(layer.fill), stroke=change(layer.stroke)) for layer in layers], new


def _share(node: Node, seen: dict[Node, Node]) -> Node:
    """The node without its place in the text; equal nodes are one."""
    bare = Node(node.production, tuple(_share(child, seen) for child in node.children), node.value)
    return seen.setdefault(bare, bare)
