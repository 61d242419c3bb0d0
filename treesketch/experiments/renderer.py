"""The neural renderer, the 'compiler model': a program's tree in, the picture that it draws out, without rendering.

It learns from the pairs' programs what each of their forms covers, which the exact renderer tells at some of the
pixels, and is measured by pictures and by how well it ranks edits of a program (`ranking`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from treesketch.actions import CANVAS
from treesketch.data import cover_layer
from treesketch.experiments.forms import join_graphs, layers_to_graph, program_to_graph
from treesketch.experiments.nearest import Nearest
from treesketch.experiments.painter import Painter, PainterConfig, cover_loss
from treesketch.experiments.pairs import Pairs
from treesketch.experiments.ranking import rank_edits
from treesketch.experiments.scoring import distance
from treesketch.experiments.system import Picture, Report, Settings, System
from treesketch.layers import Layer, read_layers
from treesketch.model.encoder import RESOLUTION
from treesketch.syntax import parse

FEW = 8  # forms of a small scene
SHOWN = 24
AT_ONCE = 16  # pictures painted together
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


@dataclass(frozen=True, slots=True)
class RendererSettings(Settings):
    """pixels: how many of each form are learnt from, half of them where its edge is. nearest: of how many training
    pairs the copied picture is the nearest. ranked: programs whose edits are ranked. The others: `PainterConfig`'s."""

    pixels: int = 48
    nearest: int = 20000
    ranked: int = 64
    width: int = 96
    rounds: int = 6
    view: int = 48
    form: int = 64

    def painter(self) -> PainterConfig:
        """The network's sizes."""
        return PainterConfig(self.width, self.rounds, self.view, self.form)


Lesson = tuple[Batch, Tensor, Tensor]  # a graph of L forms, places (L, P, 2), shares covered there (L, P, 2)


class Renderer(System):
    """Program -> picture, form by form, by a network."""

    settings_type = RendererSettings
    columns = (
        *("few_rmse", "scenes_rmse", "characters_rmse", "few_mean_rmse", "few_copy_rmse"),
        *("spearman", "top1", "regret", "chance_regret", "sampled_top1", "exact_per_s", "neural_sampled_per_s"),
    )

    def __init__(self, settings: RendererSettings):
        super().__init__(settings)
        self._nearest: Nearest | None = None

    def build(self) -> nn.Module:
        """The network."""
        return Painter(self.settings.painter())

    def make(self, pairs: Pairs, numbers: Sequence[int], rng: np.random.Generator) -> Lesson:
        """The forms of the pairs' programs, with what each covers at some pixels."""
        graphs, places, shares = [], [], []
        for number in numbers:
            layers, ground = read_layers(parse(pairs.programs[number]).children)
            assert ground is not None
            graphs.append(layers_to_graph(layers, ground))
            for layer in layers:
                exact = cover_exactly(layer)
                chosen = choose_pixels(exact, self.settings.pixels, rng)
                places.append(chosen)
                shares.append(exact.reshape(-1, 2)[chosen])
        shape = (-1, self.settings.pixels)
        chosen = np.array(places, np.int64).reshape(shape)
        middles = np.stack([chosen % RESOLUTION, chosen // RESOLUTION], -1) + 0.5
        return (
            join_graphs(graphs),
            torch.from_numpy((middles * (CANVAS / RESOLUTION)).astype(np.float32)),
            torch.from_numpy(np.array(shares, np.float32).reshape(*shape, 2)),
        )

    def losses(self, module: nn.Module, batch: Lesson, rng: np.random.Generator) -> dict[str, Tensor]:
        """How far what the forms cover is from what they should, in nats a pixel."""
        assert isinstance(module, Painter)
        graph, places, shares = batch
        logits = module.cover(graph, module.encode(graph), places)
        return {"loss": cover_loss(logits, shares, graph.painted)}

    def measure(self, module: nn.Module, pictures: int, looks: int = 0) -> Report:
        """Errors of pictures beside those of the mean picture and of the nearest program's, and of ranking edits.

        few are the scenes of up to FEW forms.
        """
        assert isinstance(module, Painter)
        if self._nearest is None:
            self._nearest = Nearest(self.pairs, self.settings.nearest)
        values: dict[str, float] = {}
        examples: dict[str, list[Picture]] = {}
        sets = self.sets(pictures)
        sets = {"few": keep_few(sets["scenes"])} | sets
        for name, pairs in sets.items():
            if not len(pairs):
                continue
            targets = [pairs.picture(k).astype(np.float32) / 255 for k in range(len(pairs))]
            drawn = paint(module, pairs.programs)
            copies = [self._nearest.copy(program) for program in pairs.programs]
            for key, found in (("", drawn), ("_mean", [self._nearest.mean] * len(targets)), ("_copy", copies)):
                values[f"{name}{key}_rmse"] = mean_distance(found, targets)
            shown = zip(targets[:SHOWN], drawn[:SHOWN], pairs.programs, strict=False)
            examples[name] = [_show(*each) for each in shown]
        ranked = keep_few(sets["scenes"])
        values |= rank_edits(module, ranked.programs[: self.settings.ranked], self.settings.seed)
        return Report(values, examples)


def cover_exactly(layer: Layer) -> np.ndarray:
    """(64, 64, 2) float32 in 0..1: the share of each pixel that a form's inside covers, and its outline."""
    plain = replace(layer, fill=layer.fill and WHITE, stroke=layer.stroke and BLACK)
    clear = np.ones((2, RESOLUTION, RESOLUTION), np.float32)
    for covered, color in cover_layer(plain):
        clear[0 if color[0, 0, 0] else 1] *= 1 - covered
    return (1 - clear).transpose(1, 2, 0)


def choose_pixels(covered: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Numbers (count,) of pixels of a coverage (64, 64, 2): half anywhere, half where it changes, if it does."""
    size = RESOLUTION * RESOLUTION
    anywhere = rng.integers(0, size, count)
    edge = np.zeros((RESOLUTION, RESOLUTION), bool)
    down, across = np.abs(np.diff(covered, axis=0)).max(-1) > 0.01, np.abs(np.diff(covered, axis=1)).max(-1) > 0.01
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    there = edge.reshape(-1).nonzero()[0]
    if len(there):
        anywhere[: count // 2] = there[rng.integers(0, len(there), count // 2)]
    return anywhere


@torch.no_grad()
def paint(module: Painter, programs: Sequence[str]) -> list[np.ndarray]:
    """The pictures (64, 64, 3) float32 in 0..1 that the network makes of programs."""
    found: list[np.ndarray] = []
    for first in range(0, len(programs), AT_ONCE):
        graphs = [program_to_graph(parse(program)) for program in programs[first : first + AT_ONCE]]
        found += list(module(join_graphs(graphs)).permute(0, 2, 3, 1).numpy())
    return found


def keep_few(pairs: Pairs) -> Pairs:
    """The pairs whose programs have up to FEW forms that draw."""
    counts = [len(read_layers(parse(program).children)[0]) for program in pairs.programs]
    return pairs.take([k for k, count in enumerate(counts) if 0 < count <= FEW])


def mean_distance(found: Sequence[np.ndarray], targets: Sequence[np.ndarray]) -> float:
    """The mean rmse of pictures."""
    return float(np.mean([distance(one, other) for one, other in zip(found, targets, strict=True)]))


def _show(target: np.ndarray, drawn: np.ndarray, program: str) -> Picture:
    difference = np.abs(target - drawn)
    shown = [("target", target), (f"neural, rmse {distance(drawn, target):.3f}", drawn), ("difference", difference)]
    return Picture(shown, program)
