"""How well a network ranks edits of a program without rendering them: programs in, its ranking beside the true one out.

A target program is spoilt by a random edit. Of EDITS candidates a quarter mend it, each but for one form that is moved
a little; the others are further random edits of the spoilt program. Each is as good as its picture is near to the
target's: by the exact renderer, and by the network.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from treesketch.data import Covers, cover_layer, draw_last, jitter, paint_forms
from treesketch.experiments.forms import join_graphs, layers_to_graph, program_to_graph
from treesketch.experiments.painter import Painter, compose_forms, grid
from treesketch.experiments.scoring import distance
from treesketch.layers import Channels, Layer, read_layers, write_program
from treesketch.model.encoder import RESOLUTION
from treesketch.syntax import parse
from treesketch.tree import Node

EDITS = 32
MENDING = 8
SIDE = 128
SAMPLE = 512  # pixels
TIMED = 4  # programs whose candidates are also painted one by one, for the time that takes
MARKS = ("spearman", "top1", "regret")
SAME = 1e-6  # errors nearer than this are the same


@dataclass(frozen=True, slots=True)
class Contest:
    """A target's picture (64, 64, 3) in 0..1, the ground, and the layers of each candidate."""

    target: np.ndarray
    ground: Channels
    candidates: list[list[Layer]]

    def programs(self) -> list[Node]:
        """The candidates as programs."""
        return [write_program(layers, (SIDE, SIDE), self.ground) for layers in self.candidates]


def rank_edits(module: Painter, programs: Sequence[str], seed: int) -> dict[str, float]:
    """Means over programs, each of at least one form; all errors are rmse in 0..1.

    spearman: the correlation of the network's errors with the true ones. top1: how often its best is the true best.
    regret: how much worse than the true best it is; chance_regret: the same of a candidate drawn by lot. best_rmse: the
    true best's error. sampled_...: the same by SAMPLE pixels alone. ..._per_s: candidates a second, from trees to
    errors; with `parts`, and by a sample, a form that several candidates share is looked at or drawn once.
    """
    if not programs:
        return {}
    rng = np.random.default_rng([seed, 3])
    read = [read_layers(parse(program).children) for program in programs]
    others = [layer for layers, _ in read for layer in layers]
    rows: list[tuple[float, ...]] = []
    times: dict[str, list[float]] = {}
    for number, (layers, ground) in enumerate(read):
        assert ground is not None
        contest = make_contest(layers, ground, others, rng)
        pixels = torch.from_numpy(rng.choice(RESOLUTION**2, SAMPLE, replace=False))
        ways: dict[str, Callable[[], np.ndarray]] = {
            "exact": partial(exact_errors, contest),
            "exact_parts": partial(exact_errors_by_parts, contest),
            "neural_parts": partial(neural_errors_by_parts, module, contest, torch.arange(RESOLUTION**2)),
            "neural_sampled": partial(neural_errors_by_parts, module, contest, pixels),
        }
        if number < TIMED:
            ways["neural"] = partial(neural_errors, module, contest)
        told = {}
        for name, way in ways.items():
            began = time.perf_counter()
            told[name] = way()
            times.setdefault(name, []).append(time.perf_counter() - began)
        exact = told["exact"]
        marks = [mark for name in ("neural_parts", "neural_sampled") for mark in _mark(told[name], exact)]
        rows.append((*marks, float(exact.mean() - exact.min()), float(exact.min())))
    names = (*MARKS, *(f"sampled_{mark}" for mark in MARKS), "chance_regret", "best_rmse")
    values = dict(zip(names, np.mean(rows, 0).tolist(), strict=True))
    return values | {f"{name}_per_s": EDITS / float(np.mean(taken)) for name, taken in times.items()}


def _mark(told: np.ndarray, exact: np.ndarray) -> tuple[float, float, float]:
    regret = float(exact[told.argmin()] - exact.min())
    return spearman(told, exact), float(regret <= SAME), regret


def make_contest(
    layers: Sequence[Layer], ground: Channels, others: Sequence[Layer], rng: np.random.Generator
) -> Contest:
    """Candidates for a target of at least one layer; others are forms that an edit may add."""
    spoilt = edit(layers, others, rng)
    mending = [move_one(layers, rng, float(rng.uniform(0.3, 5))) for _ in range(MENDING)]
    worse = [edit(spoilt, others, rng) for _ in range(EDITS - MENDING)]
    candidates = [*mending, *worse]
    order = rng.permutation(EDITS)
    target = draw_last([cover_layer(layer) for layer in layers], ground)
    return Contest(target, ground, [candidates[k] for k in order])


def edit(layers: Sequence[Layer], others: Sequence[Layer], rng: np.random.Generator) -> list[Layer]:
    """Layers after a random edit: one moved, painted another colour, dropped, added or swapped with its neighbour."""
    new, k = list(layers), int(rng.integers(len(layers))) if layers else 0
    sort = int(rng.integers(5)) if len(layers) > 1 else int(rng.choice([0, 1, 3])) if layers else 3
    if sort == 0:
        return move_one(layers, rng, float(rng.uniform(2, 12)))
    if sort == 1:
        color = tuple(int(c) for c in rng.integers(0, 256, 3))
        layer = layers[k]
        new[k] = replace(layer, fill=color) if layer.fill is not None else replace(layer, stroke=layer.stroke and color)
    elif sort == 2:
        del new[k]
    elif sort == 3:
        new.insert(int(rng.integers(len(layers) + 1)), others[int(rng.integers(len(others)))])
    else:
        k = min(k, len(layers) - 2)
        new[k], new[k + 1] = new[k + 1], new[k]
    return new


def move_one(layers: Sequence[Layer], rng: np.random.Generator, spread: float) -> list[Layer]:
    """Layers of which one is moved by normal noise on its places and sizes, in canvas units."""
    new, k = list(layers), int(rng.integers(len(layers)))
    new[k] = jitter(new[k], rng, spread)
    return new


@torch.no_grad()
def neural_errors(module: Painter, contest: Contest) -> np.ndarray:
    """(EDITS,) rmse of the candidates by the network, each painted as a whole."""
    graph = join_graphs([program_to_graph(program) for program in contest.programs()])
    return _errors(list(module(graph).permute(0, 2, 3, 1).numpy()), contest.target)


@torch.no_grad()
def neural_errors_by_parts(module: Painter, contest: Contest, pixels: Tensor) -> np.ndarray:
    """(EDITS,) the same by some pixels (numbers, row by row), where a form that candidates share is looked at once."""
    layers = {id(layer): layer for candidate in contest.candidates for layer in candidate}
    place = {key: number for number, key in enumerate(layers)}
    whole = join_graphs([layers_to_graph(list(layers.values()), contest.ground)])
    covered = module.coverage(whole, grid(RESOLUTION)[pixels])
    chosen = torch.tensor(
        [place[id(layer)] for candidate in contest.candidates for layer in candidate], dtype=torch.long
    )
    forms = torch.tensor([len(candidate) for candidate in contest.candidates])
    ground = whole.ground.expand(len(forms), -1)
    pictures = compose_forms(forms, ground, whole.color[chosen], covered[chosen])
    return _errors(list(pictures.numpy()), contest.target.reshape(-1, 3)[pixels.numpy()])


def exact_errors(contest: Contest) -> np.ndarray:
    """(EDITS,) true rmse of the candidates, each drawn as a whole."""
    return _errors([paint_forms(program.children[1:]) for program in contest.programs()], contest.target)


def exact_errors_by_parts(contest: Contest) -> np.ndarray:
    """(EDITS,) true rmse, where a form that several candidates share is drawn once."""
    covers: dict[int, Covers] = {}
    for candidate in contest.candidates:
        for layer in candidate:
            if id(layer) not in covers:
                covers[id(layer)] = cover_layer(layer)
    drawn = [draw_last([covers[id(layer)] for layer in each], contest.ground) for each in contest.candidates]
    return _errors(drawn, contest.target)


def _errors(pictures: Sequence[np.ndarray], target: np.ndarray) -> np.ndarray:
    return np.array([distance(picture, target) for picture in pictures])


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's rank correlation; ties share the mean of their ranks. 0 where one of the two is all ties."""
    ranks = np.stack([_ranks(one), _ranks(other)])
    return float(np.corrcoef(ranks)[0, 1]) if ranks.std(1).min() > 0 else 0.0


def _ranks(values: np.ndarray) -> np.ndarray:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = counts.cumsum()
    return (ends - (counts - 1) / 2)[place]
