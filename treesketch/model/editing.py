"""A trained network editing programs: a picture and programs with their drawings in; where to edit, edits, values out.

Each edit is a derivation under the legal mask with what is left of the node budget, so whatever the weights say, the
whole program is valid and within the budget. All programs of a call, and all edits in them, are decided side by side.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from treesketch import tree
from treesketch.derivation import Choice, Decision, Derivation, encode
from treesketch.language import Slot
from treesketch.model.encoder import RESOLUTION
from treesketch.model.graph import action_before, position_of, relate_context, relate_rewrite
from treesketch.model.network import Network
from treesketch.model.spots import siblings_of, spots_of
from treesketch.model.write import Layers, bound, embed_decisions, pick
from treesketch.tree import Node, Path

BUDGET = 200  # nodes of a program
ROOM = 16  # nodes that an edit may add at most


@dataclass(frozen=True, slots=True)
class Proposal:
    """A program in which the node at `path` gave way to another; () for a program written from nothing.

    log_probability is that of the place and of what was written there.
    """

    program: Node
    path: Path
    log_probability: float


@dataclass(frozen=True, slots=True)
class Value:
    """How many edits are left: the expected number, and the probability that there are none."""

    edits: float
    done: float


class Editor:
    """A network of an editable grammar that looks at one target."""

    def __init__(self, network: Network, target: np.ndarray):
        """target: (64, 64, 3) float32 in 0..1."""
        assert target.shape == (RESOLUTION, RESOLUTION, 3) and network.vocabulary.is_editable
        self.network = network
        self._target = torch.from_numpy(target).permute(2, 0, 1).float()

    def write(
        self, samples: int, rng: np.random.Generator, budget: int = BUDGET, temperature: float = 1.0
    ) -> list[Proposal]:
        """Whole programs for the target, written from nothing. Temperature 0 takes the likeliest choices."""
        vocabulary = self.network.vocabulary
        runs = [_Run((), -1, Derivation(vocabulary, budget), 0.0) for _ in range(samples)]
        with torch.inference_mode():
            cells = self.look([np.ones((RESOLUTION, RESOLUTION, 3), np.float32)])
            _decide(Layers(self.network, cells), cells, runs, rng, temperature)
        return [Proposal(run.derivation.nodes[0], (), run.log_probability) for run in runs]

    def read(self, programs: Sequence[Node], drawings: Sequence[np.ndarray]) -> "Reading":
        """Look at whole programs and their drawings, (64, 64, 3) in 0..1."""
        with torch.inference_mode():
            return Reading(self.network, programs, self.look(drawings))

    def look(self, drawings: Sequence[np.ndarray]) -> Tensor:
        """The encoder's cells (B, 256, D) for the target and drawings of it."""
        pictures = torch.from_numpy(np.stack(drawings)).permute(0, 3, 1, 2).float()
        return self.network.encoder.look(self._target.expand_as(pictures), pictures)[0]


class Reading:
    """Programs as the network sees them beside the target.

    sites holds for each program the paths of the nodes that can be edited, site_logp (programs, most sites) their
    log-probabilities in the same order; values says how many edits are left. Raises UnencodableError for a program that
    is deeper than any that is written.
    """

    def __init__(self, network: Network, programs: Sequence[Node], cells: Tensor):
        self.programs = programs
        self._network, self._cells = network, cells
        self._contexts = [encode(network.vocabulary, [program]) for program in programs]
        self.sites = [[decision.path[1:] for decision in context] for context in self._contexts]
        counts = torch.tensor([len(context) for context in self._contexts])
        wide = int(counts.max())
        self._inside = torch.arange(wide) < counts[:, None]
        rows = torch.zeros(len(programs), wide, cells.shape[-1])
        rows[self._inside] = _embed([decision for context in self._contexts for decision in context], network)
        table = torch.full((len(programs), wide, wide), -1)
        for i, context in enumerate(self._contexts):
            table[i, : len(context), : len(context)] = torch.from_numpy(relate_context(context)).long()
        self._layers = Layers(network, cells)
        known = network.norm(self._layers.advance(rows, wide, table))
        self._scores = network.site_scores(known.flatten(0, 1)).view(len(programs), wide)
        self.site_logp = bound(self._scores, self._inside).log_softmax(-1).numpy()
        owner = torch.arange(len(programs))[:, None].expand(-1, wide)[self._inside]
        chances = network.value_logits(cells, known[self._inside], owner).nan_to_num().softmax(-1)
        edits = chances @ torch.arange(chances.shape[1], dtype=chances.dtype)
        self.values = [Value(*pair) for pair in zip(edits.tolist(), chances[:, 0].tolist(), strict=True)]

    def edit(
        self,
        samples: int,
        rng: np.random.Generator,
        which: Sequence[int] | None = None,
        budget: int = BUDGET,
        temperature: float = 1.0,
    ) -> list[list[Proposal]]:
        """So many edits of each program, or of those with the numbers `which`, independent of each other.

        Each adds at most ROOM nodes to its program; one that is above the budget gets none.
        """
        asked = range(len(self.programs)) if which is None else which
        edited = [i for i in asked if tree.count(self.programs[i]) <= budget]
        if not edited:
            return [[] for _ in asked]
        with torch.inference_mode():
            scores, inside = (t[edited].repeat_interleave(samples, 0) for t in (self._scores, self._inside))
            sites, logp = pick(scores, inside, rng, temperature)
            owners = [i for i in edited for _ in range(samples)]
            chosen = zip(owners, sites.tolist(), logp.tolist(), strict=True)
            runs = [self._begin(owner, site, chance, budget) for owner, site, chance in chosen]
            layers = copy(self._layers)
            layers.keep(edited, edited)
            _decide(layers, self._cells[edited], runs, rng, temperature)
        proposals: dict[int, list[Proposal]] = {i: [] for i in asked}
        for i, run in zip(owners, runs, strict=True):
            path = self.sites[i][run.site]
            program = tree.replace(self.programs[i], path, run.derivation.nodes[0])
            proposals[i].append(Proposal(program, path, run.log_probability))
        return list(proposals.values())

    def _begin(self, owner: int, site: int, log_probability: float, budget: int) -> "_Run":
        vocabulary, program, path = self._network.vocabulary, self.programs[owner], self.sites[owner][site]
        decision, old = self._contexts[owner][site], tree.at(program, path)
        derivation = Derivation(
            vocabulary,
            tree.count(old) + min(budget - tree.count(program), ROOM),
            Slot(vocabulary.holes[decision.hole].kind),
            vocabulary.roles[decision.role],
            old=old,
            levels=vocabulary.levels - len(path),
        )
        return _Run(self._contexts[owner], site, derivation, log_probability)


class _Run:
    """One derivation with what has been decided in it, in place of the context's decision `site` (-1: of nothing)."""

    def __init__(self, context: Sequence[Decision], site: int, derivation: Derivation, log_probability: float):
        self.context, self.site, self.derivation = context, site, derivation
        self.decisions: list[Decision] = []  # with what was chosen; last the one that is open, while there is one
        self.log_probability = log_probability
        self.show()

    @property
    def is_open(self) -> bool:
        return self.derivation.decision is not None

    @property
    def siblings(self) -> list[Decision]:
        """The other decided holes of the node that the open one belongs to."""
        return siblings_of(self.context, self.site, self.decisions, len(self.decisions) - 1)

    def show(self) -> None:
        if self.derivation.decision is not None:
            self.decisions.append(self.derivation.decision)

    def decide(self, action: int, log_probability: float) -> None:
        choice = Choice(action)
        self.decisions[-1] = replace(self.decisions[-1], answer=choice)
        self.log_probability += log_probability
        self.derivation.choose(choice)
        self.show()


def _decide(layers: Layers, cells: Tensor, runs: list[_Run], rng: np.random.Generator, temperature: float) -> None:
    """Decide all that is open in the runs, as many for each of the cells' pictures, behind what the layers know."""
    network = layers.network
    known, each = layers.known, len(runs) // len(cells)  # rows of the programs, padded; runs a picture
    layers.repeat(each)
    step = 0
    while any(run.is_open for run in runs):
        if len(cells) > 1:  # a picture is forgotten when all its runs have ended
            lines = [runs[i : i + each] for i in range(0, len(runs), each)]
            kept = [i for i, line in enumerate(lines) if any(run.is_open for run in line)]
            rows = [i * each + k for i in kept for k in range(each)]
            cells = cells[kept] if len(kept) < len(lines) else cells
        else:
            kept, rows = [0], [i for i, run in enumerate(runs) if run.is_open]
            each = len(rows)
        if len(rows) < len(runs):
            layers.keep(kept, rows)
            runs = [runs[i] for i in rows]
        was = torch.tensor([action_before(run.context, run.site, run.decisions[-1]) for run in runs])
        states = network.norm(layers.advance(*_next_rows(network, runs, was, step, known))[:, -1])
        legal = torch.from_numpy(np.array([run.decisions[-1].legal for run in runs]))
        spots = spots_of(network.vocabulary)
        spot = torch.tensor([spots.find(run.decisions[-1], run.siblings) for run in runs])
        extra = network.more_logits(
            states.view(len(cells), each, -1), was.view(-1, each), spot.view(-1, each, 2), cells
        )
        actions, logp = pick(network.action_logits(states, legal) + extra.flatten(0, 1), legal, rng, temperature)
        for run, action, gain in zip(runs, actions.tolist(), logp.tolist(), strict=True):
            if run.is_open:
                run.decide(action, gain)
        step += 1


def _next_rows(
    network: Network, runs: Sequence[_Run], was: Tensor, step: int, known: int
) -> tuple[Tensor, int, Tensor]:
    """What `Layers.advance` takes: the decision made last in each run and the open one, and what they hear.

    was (runs,) are the actions that stood in the open holes.
    A run that has ended shows its last decision, which hears nothing, until the others have ended too.
    """
    fresh = min(step, 1)
    table = torch.full((len(runs), 1 + fresh, known + step), -1)
    for i, run in enumerate(runs):
        if run.is_open:
            related = torch.from_numpy(relate_rewrite(run.context, run.site, run.decisions, step - fresh)).long()
            c = len(run.context)
            table[i, :, :c], table[i, :, known:] = related[:, :c], related[:, c : c + step]
    owners = [(run.context, run.site) for run in runs]
    holes = _embed([run.decisions[-1] for run in runs], network, owners, written=False)
    x = [holes + network.draft(was) + network.stream]
    if fresh:
        last = [run.decisions[step - 1] if run.is_open else run.decisions[-1] for run in runs]
        x.insert(0, _embed(last, network, owners))
    return torch.stack(x, 1), fresh, table


def _embed(
    decisions: Sequence[Decision],
    network: Network,
    owners: Sequence[tuple[Sequence[Decision], int]] | None = None,
    written: bool = True,
) -> Tensor:
    """Inputs (rows, D) of decisions, with what was chosen there where they are written.

    owners are the contexts and sites of decisions that write anew.
    """
    positions = None
    if owners is not None:
        positions = [position_of(*owner, decision) for owner, decision in zip(owners, decisions, strict=True)]
    rows = embed_decisions(network, decisions, positions)
    if not written:
        return rows
    actions = [decision.answer.action if decision.answer else 0 for decision in decisions]
    return rows + network.action(torch.tensor(actions))
