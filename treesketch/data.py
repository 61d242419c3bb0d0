"""Sampled scenes -> batches of (target, drawing so far, tree with a hole) for the learner. All a function of the seed.

A scene's layers are drawn once, one after another; every unfinished state of that drawing is a training example: write
what comes next, having looked at what is there. In some examples the drawing is imperfect (numbers off, a layer missing
from the middle), because a search's drawing is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from torch_geometric.data import Batch, Data

from treesketch import tree
from treesketch.actions import CANVAS, HoleType, Vocabulary, load_vocabulary
from treesketch.canvas import DEFAULT_BACKGROUND, Canvas
from treesketch.derivation import UnencodableError, encode
from treesketch.errors import ConfigError
from treesketch.interpreter import Interpreter
from treesketch.layers import Channels, Layer, write_program
from treesketch.model.encoder import RESOLUTION
from treesketch.model.graph import CONTEXT, FORMS, FORMS_ROLE, decisions_to_graph, keep_recent
from treesketch.model.places import point_at_color
from treesketch.raster import layers as paint_layers
from treesketch.raster import rasterise
from treesketch.sampling import sample_mixed
from treesketch.tree import Node

SIDE = int(CANVAS)
SIZE = (RESOLUTION, RESOLUTION)
MAX_HOLES = 60  # decisions to learn from in one example
VISIBLE = 3.0  # pixels of RESOLUTION that a layer must change, in the end, to be worth a form
STEP = 0.02  # of the range of a channel: what changes a pixel by less is not seen
EXAMPLES_A_SCENE = 2
SCENES_TRIED = 20  # before a grammar is said to be unable to write what the samplers draw


@dataclass(frozen=True, slots=True)
class Scene:
    """A sampled scene: its layers, its background, and the drawing without a layer, with the first, and so on.

    drawings are (64, 64, 3) float32 in 0..1, one more than there are layers; the last one is the target.
    """

    layers: list[Layer]
    background: Channels
    drawings: list[np.ndarray]

    def forms(self, layers: int) -> tuple[Node, ...]:
        """The forms that paint the background and the first so many layers."""
        return write_program(self.layers[:layers], (SIDE, SIDE), self.background).children[1:]


@dataclass(frozen=True, slots=True)
class Task:
    """What to write: parts `first` to `last` of a scene. Part 0 is its background, part k its k-th layer, then the end.

    insert says that the layers behind these parts are in the drawing already.
    """

    first: int
    last: int
    insert: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """One training example: pictures (64, 64, 3) uint8 and the graph of the decisions to make."""

    target: np.ndarray
    drawing: np.ndarray
    graph: Data


def sample_scene(mixture: Mapping[str, float], rng: np.random.Generator) -> Scene:
    """A random scene of which every layer is seen in the end."""
    layers, background = sample_mixed(rng, mixture)
    drawings, shares = draw_layers(layers, background)
    if min(shares, default=VISIBLE) < VISIBLE:
        layers = prune(layers, background)
        drawings, _ = draw_layers(layers, background)
    return Scene(layers, background, drawings)


def draw_layers(layers: Sequence[Layer], background: Channels) -> tuple[list[np.ndarray], list[float]]:
    """Every state of a drawing, (64, 64, 3) float32 in 0..1: the background alone, then after each layer.

    Also each layer's share in the last state: the sum over pixels of how much of it is seen.
    """
    states = [np.broadcast_to(np.array(background[:3], np.float32) / 255, (*SIZE, 3))]
    seen: list[np.ndarray] = []
    for layer in layers:
        picture = states[-1]
        mark = np.zeros(SIZE, np.float32)
        for coverage, color in _coverages(layer):
            cover = coverage * (color[3] / 255)
            for earlier in seen:
                earlier *= 1 - cover
            step = cover[..., None] * (np.array(color[:3], np.float32) / 255 - picture)
            mark = np.maximum(mark, np.abs(step).max(-1) > STEP)
            picture = picture + step
        seen.append(mark.astype(np.float32))
        states.append(picture)
    return states, [float(mark.sum()) for mark in seen]


def _coverages(layer: Layer) -> list[tuple[np.ndarray, tuple[int, int, int, int]]]:
    """The coverages and colours that a layer paints, in order."""
    canvas = Canvas()
    canvas.set_size(SIDE, SIDE)
    canvas.fill_color = _opaque(layer.fill)
    canvas.stroke_color = _opaque(layer.stroke)
    canvas.weight = layer.weight
    canvas.cap, canvas.join = layer.cap or canvas.cap, layer.join or canvas.join
    scene = Interpreter(canvas).run(layer.shape)
    return [paint for shape in scene.shapes for paint in paint_layers(shape, (SIDE, SIDE), SIZE)]


def _opaque(channels: Channels | None) -> tuple[int, int, int, int] | None:
    if channels is None:
        return None
    red, green, blue, *alpha = channels
    return red, green, blue, alpha[0] if alpha else 255


def prune(layers: Sequence[Layer], background: Channels) -> list[Layer]:
    """Layers that can be seen in the end; those that change next to no pixel are dropped."""
    kept = list(layers)
    while kept:
        _, shares = draw_layers(kept, background)
        visible = [layer for layer, share in zip(kept, shares, strict=True) if share >= VISIBLE]
        if len(visible) == len(kept):
            return kept
        kept = visible
    return kept


def jitter(layer: Layer, rng: np.random.Generator, spread: float) -> Layer:
    """The layer with its places and sizes, where they are literals, moved by normal noise of a spread in units."""
    shape = layer.shape
    for path, node in list(tree.walk(shape)):
        if node.production in ("point", "extent", "diameters"):
            for i, child in enumerate(node.children):
                if child.production == "literal":
                    assert isinstance(child.value, float)
                    moved = replace(child, value=child.value + float(rng.normal(0, spread)))
                    shape = tree.replace(shape, (*path, i), moved)
    return replace(layer, shape=shape)


def choose_task(layers: int, rng: np.random.Generator) -> Task:
    """Where to begin in a scene of so many layers, and how far to go: mostly one part, now and then to the end."""
    first = int(rng.integers(0, layers + 2))
    if 0 < first < layers and rng.random() < 0.3:
        return Task(first, min(first + int(rng.choice([0, 0, 1, 2])), layers - 1), insert=True)
    return Task(first, min(first + int(rng.choice([0, 0, 1, 2, 20])), layers + 1))


def draw_for(scene: Scene, task: Task, rng: np.random.Generator) -> np.ndarray:
    """The drawing (64, 64, 3) that a task begins from: often perfect, else with layers moved as a search has them."""
    if task.first == 0:
        return np.full_like(scene.drawings[0], DEFAULT_BACKGROUND[0] / 255)
    if not task.insert and rng.random() >= 0.4:
        return scene.drawings[task.first - 1]
    there = scene.layers[: task.first - 1] + (scene.layers[task.last :] if task.insert else [])
    spread = float(rng.choice([0.0, 0.7, 1.5, 3.0]))
    there = [jitter(layer, rng, spread) if rng.random() < 0.6 else layer for layer in there]
    return draw_layers(there, scene.background)[0][-1]


def make_example(vocabulary: Vocabulary, scene: Scene, task: Task, rng: np.random.Generator) -> Example:
    """The example of a task. Raises UnencodableError where the actions cannot write it."""
    target, drawing = scene.drawings[-1], draw_for(scene, task, rng)
    ends = task.last > len(scene.layers)
    before = len(scene.forms(task.first - 1)) if task.first else 0
    decisions = encode(vocabulary, scene.forms(task.last), FORMS, FORMS_ROLE)
    tops = [i for i, decision in enumerate(decisions) if decision.parent < 0]  # where each form begins, and the end
    first, end = tops[before], len(decisions) if ends else tops[-1]
    decisions = decisions[: min(end, first + MAX_HOLES)]
    recent = keep_recent(decisions, len(decisions) - max(0, first - CONTEXT))
    answers = [point_at_color(d.answer, target, rng) for d in recent if d.answer]
    graph = decisions_to_graph(recent, answers, min(first, CONTEXT), len(vocabulary.actions))
    return Example(to_bytes(target), to_bytes(drawing), graph)


def make_examples(vocabulary: Vocabulary, mixture: Mapping[str, float], rng: np.random.Generator) -> list[Example]:
    """Examples from one sampled scene: EXAMPLES_A_SCENE, or fewer where the actions cannot write it."""
    scene = sample_scene(mixture, rng)
    examples = []
    for _ in range(EXAMPLES_A_SCENE):
        task = choose_task(len(scene.layers), rng)
        try:
            examples.append(make_example(vocabulary, scene, task, rng))
        except UnencodableError:
            continue
    return examples


def require_samplers(vocabulary: Vocabulary, mixture: Mapping[str, float]) -> None:
    """Raises ConfigError when a grammar cannot write what the samplers draw, so that there is nothing to learn from."""
    rng = np.random.default_rng(0)
    known = HoleType(FORMS.kind, True) in vocabulary.hole_index and FORMS_ROLE in vocabulary.role_index
    if not known or not any(make_examples(vocabulary, mixture, rng) for _ in range(SCENES_TRIED)):
        raise ConfigError(f"grammar '{vocabulary.language.name}' cannot write what the samplers draw; train 'sketch'")


Maker = Callable[[Vocabulary, Mapping[str, float], np.random.Generator], list[Example]]


def to_bytes(picture: np.ndarray) -> np.ndarray:
    """A picture of 0..1 as uint8."""
    return (picture * 255 + 0.5).astype(np.uint8)


class Batches(Dataset[tuple[Tensor, Tensor, Batch]]):
    """Batch number -> (targets, drawings, graphs), the same for the same seed whoever asks and in whatever order.

    Pictures are (B, 3, 64, 64) uint8. A training run that resumes asks for the numbers that it has not seen.
    """

    def __init__(
        self,
        grammar: str,
        mixture: Mapping[str, float],
        seed: int,
        size: int,
        first: int,
        last: int,
        share: tuple[int, int] = (0, 1),
        make: Maker = make_examples,
    ):
        """Batches number `first` up to `last`; share (k, n): only the k-th of n parts of each; `size` is the length.

        make gives the examples of one sampled scene.
        """
        self.make = make
        self.grammar, self.mixture, self.seed, self.size = grammar, dict(mixture), seed, size
        self.first, self.last, self.share = first, last, share

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Batch]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        vocabulary = load_vocabulary(self.grammar)
        part, parts = self.share
        rng = np.random.default_rng([self.seed, (self.first + index) * parts + part])
        examples: list[Example] = []
        while len(examples) < self.size:
            examples += self.make(vocabulary, self.mixture, rng)
        return collate(examples[: self.size])


def collate(examples: Sequence[Example]) -> tuple[Tensor, Tensor, Batch]:
    """Examples -> (targets, drawings, graphs)."""
    target = torch.from_numpy(np.stack([e.target for e in examples])).permute(0, 3, 1, 2)
    drawing = torch.from_numpy(np.stack([e.drawing for e in examples])).permute(0, 3, 1, 2)
    return target, drawing, Batch.from_data_list([e.graph for e in examples])


def sample_targets(mixture: Mapping[str, float], rng: np.random.Generator, count: int) -> list[np.ndarray]:
    """Pictures of sampled scenes, (64, 64, 3) float32 in 0..1."""
    return [draw_layers(*sample_mixed(rng, mixture))[0][-1] for _ in range(count)]


def paint_forms(forms: Sequence[Node]) -> np.ndarray:
    """The picture that forms draw on the square canvas, (64, 64, 3) float32 in 0..1."""
    canvas = Canvas()
    canvas.set_size(SIDE, SIDE)
    scene = Interpreter(canvas).run(Node("program", tuple(forms)))
    return rasterise(scene, SIZE).astype(np.float32) / 255
