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
from treesketch.derivation import Decision, UnencodableError, encode
from treesketch.errors import ConfigError
from treesketch.interpreter import Interpreter
from treesketch.layers import Channels, Layer, write_program
from treesketch.model.encoder import RESOLUTION
from treesketch.model.graph import CONTEXT, FORMS, FORMS_ROLE, decisions_to_graph, keep_recent
from treesketch.model.places import point_at_color
from treesketch.picture import to_bytes
from treesketch.raster import layers as paint_layers
from treesketch.raster import rasterise
from treesketch.sampling import sample_mixed
from treesketch.scene import Scene as PaintedScene
from treesketch.tree import Node

SIDE = int(CANVAS)
SIZE = (RESOLUTION, RESOLUTION)
MAX_HOLES = 60  # decisions to learn from in one example
VISIBLE = 3.0  # pixels of RESOLUTION that a layer must change, in the end, to be worth a form
STEP = 0.02  # of the range of a channel: what changes a pixel by less is not seen
EXAMPLES_A_SCENE = 4
SCENES_TRIED = 20  # before a grammar is said to be unable to write what the samplers draw


@dataclass(frozen=True, slots=True)
class Scene:
    """A sampled scene: its layers, its background, and the drawing without a layer, with the first, and so on.

    drawings are (64, 64, 3) float32 in 0..1, one more than there are layers; the last one is the target. covers are
    what each layer paints, as `cover_layer` gives it.
    """

    layers: list[Layer]
    background: Channels
    drawings: list[np.ndarray]
    covers: list["Covers"]

    def forms(self) -> tuple[Node, ...]:
        """The forms that paint the background and the layers."""
        return write_program(self.layers, (SIDE, SIDE), self.background).children[1:]


@dataclass(frozen=True, slots=True)
class Written:
    """The decisions that write a scene's forms and their end; starts (layers + 3,) is where each part begins.

    Part 0 is the background, part k the k-th layer with the paint forms before it, then comes the end of the program.
    """

    decisions: list[Decision]
    starts: list[int]


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
    return compose(*sample_mixed(rng, mixture))


def compose(layers: Sequence[Layer], background: Channels) -> Scene:
    """The scene of layers, without those that change next to no pixel in the end."""
    kept, covers = list(layers), [cover_layer(layer) for layer in layers]
    while True:
        drawings, shares = draw_covers(covers, background)
        if min(shares, default=VISIBLE) >= VISIBLE:
            return Scene(kept, background, drawings, covers)
        seen = [k for k, share in enumerate(shares) if share >= VISIBLE]
        kept, covers = [kept[k] for k in seen], [covers[k] for k in seen]


def write_scene(vocabulary: Vocabulary, scene: Scene) -> Written:
    """The decisions that write a scene. Raises UnencodableError where the actions cannot."""
    forms = scene.forms()
    decisions = encode(vocabulary, forms, FORMS, FORMS_ROLE)
    tops = [i for i, decision in enumerate(decisions) if decision.parent < 0]  # where each form begins, and the end
    ends = [1]  # of each part, in forms
    for number, form in enumerate(forms[1:], 2):
        if form is scene.layers[len(ends) - 1].shape:
            ends.append(number)
    return Written(decisions, [0, *(tops[end] for end in ends), len(decisions)])


def draw_covers(covers: Sequence["Covers"], background: Channels) -> tuple[list[np.ndarray], list[float]]:
    """Every state of a drawing, (64, 64, 3) float32 in 0..1: the background alone, then after each layer.

    Also each layer's share in the last state: the sum over pixels of how much of it is seen.
    """
    states = [_ground(background)]
    marks, clear = [], []  # where each layer changes the drawing, and how much of what is below it shows through
    for layer in covers:
        picture = states[-1]
        mark, through = np.zeros(SIZE, bool), np.ones(SIZE, np.float32)
        for cover, color in layer:
            step = (color - picture) * cover
            height = np.abs(step)
            mark |= np.maximum(np.maximum(height[0], height[1]), height[2]) > STEP
            through *= 1 - cover
            picture = picture + step
        marks.append(mark)
        clear.append(through)
        states.append(picture)
    shares, shown = [], np.ones(SIZE, np.float32)
    for mark, through in zip(reversed(marks), reversed(clear), strict=True):
        shares.append(float(shown[mark].sum()))
        shown = shown * through
    return [_upright(state) for state in states], shares[::-1]


def draw_last(covers: Sequence["Covers"], background: Channels) -> np.ndarray:
    """The last of the states that `draw_covers` gives."""
    picture = _ground(background)
    for layer in covers:
        for cover, color in layer:
            picture = picture + (color - picture) * cover
    return _upright(picture)


def _ground(background: Channels) -> np.ndarray:
    return np.broadcast_to(np.array(background[:3], np.float32)[:, None, None] / 255, (3, *SIZE))


def _upright(planes: np.ndarray) -> np.ndarray:
    """(3, H, W) -> a view of it (H, W, 3)."""
    return planes.transpose(1, 2, 0)


Covers = list[tuple[np.ndarray, np.ndarray]]


def cover_layer(layer: Layer) -> Covers:
    """What a layer paints, in order: how opaque it is (64, 64) in 0..1, and its colour (3, 1, 1) in 0..1."""
    paints = [paint for shape in layer_scene(layer).shapes for paint in paint_layers(shape, (SIDE, SIDE), SIZE)]
    return [
        (
            coverage if color[3] == 255 else coverage * np.float32(color[3] / 255),
            np.array(color[:3], np.float32)[:, None, None] / 255,
        )
        for coverage, color in paints
    ]


def layer_scene(layer: Layer) -> PaintedScene:
    """What a layer alone draws on the square canvas."""
    canvas = Canvas()
    canvas.set_size(SIDE, SIDE)
    canvas.fill_color = _opaque(layer.fill)
    canvas.stroke_color = _opaque(layer.stroke)
    canvas.weight = layer.weight
    canvas.cap, canvas.join = layer.cap or canvas.cap, layer.join or canvas.join
    return Interpreter(canvas).run(layer.shape)


def _opaque(channels: Channels | None) -> tuple[int, int, int, int] | None:
    if channels is None:
        return None
    red, green, blue, *alpha = channels
    return red, green, blue, alpha[0] if alpha else 255


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
    there = [*range(task.first - 1), *(range(task.last, len(scene.layers)) if task.insert else ())]
    spread = float(rng.choice([0.0, 0.7, 1.5, 3.0]))
    covers = []
    for k in there:
        moves = rng.random() < 0.6 and spread > 0
        covers.append(cover_layer(jitter(scene.layers[k], rng, spread)) if moves else scene.covers[k])
    return draw_last(covers, scene.background)


def make_example(
    vocabulary: Vocabulary, scene: Scene, written: Written, task: Task, rng: np.random.Generator
) -> Example:
    """The example of a task."""
    target, drawing = scene.drawings[-1], draw_for(scene, task, rng)
    first, end = written.starts[task.first], written.starts[task.last + 1]
    decisions = written.decisions[: min(end, first + MAX_HOLES)]
    recent = keep_recent(decisions, len(decisions) - max(0, first - CONTEXT))
    answers = [point_at_color(d.answer, target, rng) for d in recent if d.answer]
    graph = decisions_to_graph(recent, answers, min(first, CONTEXT), len(vocabulary.actions))
    return Example(to_bytes(target), to_bytes(drawing), graph)


def make_examples(vocabulary: Vocabulary, mixture: Mapping[str, float], rng: np.random.Generator) -> list[Example]:
    """Examples from one sampled scene: EXAMPLES_A_SCENE, or none where the actions cannot write it."""
    scene = sample_scene(mixture, rng)
    try:
        written = write_scene(vocabulary, scene)
    except UnencodableError:
        return []
    tasks = [choose_task(len(scene.layers), rng) for _ in range(EXAMPLES_A_SCENE)]
    return [make_example(vocabulary, scene, written, task, rng) for task in tasks]


def require_samplers(vocabulary: Vocabulary, mixture: Mapping[str, float]) -> None:
    """Raises ConfigError when a grammar cannot write what the samplers draw, so that there is nothing to learn from."""
    rng = np.random.default_rng(0)
    known = HoleType(FORMS.kind, True) in vocabulary.hole_index and FORMS_ROLE in vocabulary.role_index
    if not known or not any(make_examples(vocabulary, mixture, rng) for _ in range(SCENES_TRIED)):
        raise ConfigError(f"grammar '{vocabulary.language.name}' cannot write what the samplers draw; train 'sketch'")


Maker = Callable[[Vocabulary, Mapping[str, float], np.random.Generator], list[Example]]


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
    return [sample_scene(mixture, rng).drawings[-1] for _ in range(count)]


def paint_forms(forms: Sequence[Node]) -> np.ndarray:
    """The picture that forms draw on the square canvas, (64, 64, 3) float32 in 0..1."""
    canvas = Canvas()
    canvas.set_size(SIDE, SIDE)
    scene = Interpreter(canvas).run(Node("program", tuple(forms)))
    return rasterise(scene, SIZE).astype(np.float32) / 255
