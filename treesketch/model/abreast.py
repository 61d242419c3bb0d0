"""A trained network at work on many pictures at once: pictures and the forms so far in, forms with their decisions out.

`write.Look` writes from one picture; here every picture has runs of its own, and all are decided side by side, which on
a CPU takes a fraction of the time. The arithmetic is the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

from treesketch.actions import PLACES, Vocabulary
from treesketch.derivation import Choice, Decision, Derivation, encode
from treesketch.model.graph import CONTEXT, FORMS, FORMS_ROLE, decisions_to_graph, keep_recent
from treesketch.model.network import HANDS, Network
from treesketch.model.places import point_at_color
from treesketch.model.write import Layers, Run, Written, decide, embed_decisions, relate
from treesketch.tree import Node

ABREAST = 64  # pictures that are drawn at once


@dataclass(frozen=True, slots=True)
class Trace:
    """What one run wrote, and how: all decisions, of which the first `hole` are its context, with their choices.

    colors (PLACES, PLACES, 3) uint8 is what colours were read from.
    """

    written: Written
    decisions: Sequence[Decision]
    answers: Sequence[Choice]
    hole: int
    colors: np.ndarray

    def graph(self, vocabulary: Vocabulary) -> Data:
        """The graph of this run, each colour with what it showed; its holes are what the run decided."""
        answers = [self._shown(answer, vocabulary) for answer in self.answers]
        return decisions_to_graph(self.decisions, answers, self.hole, len(vocabulary.actions))

    def _shown(self, answer: Choice, vocabulary: Vocabulary) -> Choice:
        if vocabulary.actions[answer.action] != "locate:color" or answer.place < 0:
            return answer
        red, green, blue = self.colors[divmod(answer.place, PLACES)].tolist()
        return Choice(answer.action, answer.place, (red, green, blue))


def write_abreast(
    network: Network,
    targets: np.ndarray,
    drawings: np.ndarray,
    before: Sequence[Sequence[Node]],
    temperatures: Sequence[float],
    rng: np.random.Generator,
    budget: int = 120,
    units: int = 1,
) -> list[list[Trace]]:
    """Continue the forms `before` of each picture once at each temperature, as `Look.write` does in any style.

    targets and drawings are (B, 64, 64, 3) float32 in 0..1. At temperature 0 a run takes the likeliest choices.
    """
    vocabulary, samples = network.vocabulary, len(temperatures)
    with torch.inference_mode():
        target, drawing = (torch.from_numpy(np.ascontiguousarray(p.transpose(0, 3, 1, 2))) for p in (targets, drawings))
        cells, keys = network.encoder(target, drawing)
        seen = (network.colors_of_places(target) * 255).round().byte().numpy()
        colors = seen.reshape(len(targets), PLACES, PLACES, 3)
        contexts = [keep_recent(encode(vocabulary, forms, FORMS, FORMS_ROLE)[:-1], CONTEXT) for forms in before]
        answers = [
            [point_at_color(d.answer, picture, rng) for d in context if d.answer]
            for context, picture in zip(contexts, targets, strict=True)
        ]
        runs = [
            Run(Derivation(vocabulary, budget, FORMS, FORMS_ROLE, shown.astype(int), context=context, before=forms))
            for context, forms, shown in zip(contexts, before, colors, strict=True)
            for _ in range(samples)
        ]
        memory = _Memory(network, cells, keys, contexts, answers, samples)
        warmth = torch.tensor(temperatures)
        while alive := [i for i, run in enumerate(runs) if run.goes_on(units)]:
            states = memory.step(runs, set(alive))
            number = torch.tensor(alive)
            going = [runs[i] for i in alive]
            decide(network, states, going, keys, number // samples, rng, warmth[number % samples])
    return [
        [
            Trace(run.written(), [*contexts[b], *run.decisions], [*answers[b], *run.choices], len(contexts[b]), shown)
            for run in runs[b * samples : (b + 1) * samples]
        ]
        for b, shown in enumerate(colors)
    ]


class _Memory:
    """What all runs have told the network; those of one picture share what is seen of it.

    Contexts are padded to the longest; no edge comes from what pads, nor from runs that have ended.
    """

    def __init__(
        self,
        network: Network,
        cells: Tensor,
        keys: Tensor,
        contexts: Sequence[Sequence[Decision]],
        answers: Sequence[Sequence[Choice]],
        samples: int,
    ):
        self.network, self.keys, self.samples = network, keys, samples
        self.style = network.style[HANDS.index("")]
        self.pictures = list(range(len(contexts)))  # those that are still written from
        self.layers = Layers(network, cells)
        longest = max(map(len, contexts))
        self.gaps = [(len(context), longest - len(context)) for context in contexts]
        if longest:
            x = cells.new_zeros(len(contexts), longest, cells.shape[-1])
            for b, context in enumerate(contexts):
                if context:
                    x[b, : len(context)] = self._written(context, answers[b], [b] * len(context))
            self.layers.advance(x, longest, relate([list(enumerate(context)) for context in contexts], longest))
        self.layers.repeat(samples)

    def step(self, runs: Sequence[Run], alive: set[int]) -> Tensor:
        """States (alive, D) of the open holes; takes in what each run wrote last."""
        network, n = self.network, self.samples
        kept = [k for k, b in enumerate(self.pictures) if any(b * n + j in alive for j in range(n))]
        self.layers.keep(kept, [k * n + j for k in kept for j in range(n)])
        self.pictures = [self.pictures[k] for k in kept]
        there = [b * n + j for b in self.pictures for j in range(n)]
        slots = [k for k, i in enumerate(there) if i in alive]
        going = [runs[there[k]] for k in slots]
        known = self.layers.known
        fresh = int(bool(going[0].choices))  # all runs begin at once, so they are of one length
        x = self.layers.sent[0].new_zeros(len(there), fresh + 1, network.config.width)
        x[slots, fresh] = embed_decisions(network, [run.decision for run in going]) + self.style + network.stream
        rows: list[list[tuple[int, Decision]]] = [[] for _ in there]
        for k, run in zip(slots, going, strict=True):
            number = len(run.choices) + self.gaps[there[k] // n][0]
            last = [(number - 1, run.decisions[-1])] if fresh else []
            rows[k] = [*last, (number, run.decision)]
        if fresh:
            decisions, choices = [run.decisions[-1] for run in going], [run.choices[-1] for run in going]
            x[slots, 0] = self._written(decisions, choices, [there[k] // n for k in slots])
        table = relate(rows, known + fresh, [self.gaps[i // n] for i in there])
        return network.norm(self.layers.advance(x, fresh, table)[slots, -1])

    def _written(self, decisions: Sequence[Decision], answers: Sequence[Choice], owners: Sequence[int]) -> Tensor:
        """Inputs (rows, D) of decisions with what was chosen there; owners are the pictures whose keys they have."""
        network = self.network
        actions = torch.tensor([answer.action for answer in answers])
        places = torch.tensor([answer.place for answer in answers])
        pointed = torch.where((places >= 0)[:, None], self.keys[torch.tensor(owners), places.clamp(min=0)], 0.0)
        return embed_decisions(network, decisions) + self.style + network.action(actions) + network.point(pointed)


def draw_abreast(
    network: Network,
    targets: Sequence[np.ndarray],
    paint: Callable[[Sequence[Node]], np.ndarray],
    units: int,
    rng: np.random.Generator,
    temperature: float = 0.0,
) -> list[list[Node]]:
    """A program for each picture (64, 64, 3) in 0..1, as `write.draw_alone` writes it with looks at its drawing."""
    programs: list[list[Node]] = [[] for _ in targets]
    for first in range(0, len(targets), ABREAST):
        going = list(range(first, min(first + ABREAST, len(targets))))
        for _ in range(units):
            if not going:
                break
            drawings = np.stack([paint(programs[k]) for k in going])
            pictures = np.stack([targets[k] for k in going])
            before = [programs[k] for k in going]
            written = [
                each[0].written for each in write_abreast(network, pictures, drawings, before, [temperature], rng)
            ]
            for k, each in zip(going, written, strict=True):
                programs[k] += each.forms
            going = [k for k, each in zip(going, written, strict=True) if not each.ended]
    return programs
