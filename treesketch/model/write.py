"""A trained network at work: pictures and the forms so far in, written forms with log-probabilities out.

Each proposal is a derivation under the legal mask, so whatever the weights say, what comes out is valid. Proposals of
one call are decided side by side, one batch a step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from treesketch.actions import PLACES
from treesketch.derivation import Choice, Decision, Derivation, encode
from treesketch.layers import PAINT_FORMS
from treesketch.model.encoder import RESOLUTION, attend
from treesketch.model.graph import CONTEXT, FORMS, FORMS_ROLE, MAX_POSITION, keep_recent, sources_of
from treesketch.model.network import HANDS, Network
from treesketch.model.places import point_at_color
from treesketch.tree import Node

_FAR = 1e30  # a logit that is as good as infinite


@dataclass(frozen=True, slots=True)
class Written:
    """Forms that a network wrote, back to front, their log-probability, and whether it then ended the program."""

    forms: tuple[Node, ...]
    log_probability: float
    ended: bool


class Look:
    """One picture and one drawing of it, as the network sees them; forms can be written from it any number of times."""

    def __init__(self, network: Network, target: np.ndarray, drawing: np.ndarray, style: str = ""):
        """target and drawing: (64, 64, 3) float32 in 0..1; style is one of network.HANDS."""
        assert target.shape == drawing.shape == (RESOLUTION, RESOLUTION, 3)
        self.network, self.target, self.style = network, target, HANDS.index(style)
        with torch.inference_mode():
            pictures = torch.from_numpy(np.stack([target, drawing])).permute(0, 3, 1, 2).float()
            self.cells, self.keys = network.encoder(pictures[:1], pictures[1:])
            colors = network.colors_of_places(pictures[:1])[0]
        self.colors = (colors * 255).round().int().numpy().reshape(PLACES, PLACES, 3)

    def write(
        self,
        before: Sequence[Node],
        samples: int,
        rng: np.random.Generator,
        budget: int = 120,
        temperature: float = 1.0,
        units: int = 1,
    ) -> list[Written]:
        """Sample continuations of the forms `before`, each until `units` forms that draw, the end, or the budget.

        temperature 0 takes the likeliest choice each time. budget is in nodes a sample. Returns one Written a sample.
        """
        vocabulary = self.network.vocabulary
        context = keep_recent(encode(vocabulary, before, FORMS, FORMS_ROLE)[:-1], CONTEXT)  # all but the end
        answers = [point_at_color(d.answer, self.target, rng) for d in context if d.answer]
        runs = [
            Run(Derivation(vocabulary, budget, FORMS, FORMS_ROLE, self.colors, context=context, before=before))
            for _ in range(samples)
        ]
        with torch.inference_mode():
            memory = _Memory(self, context, answers)
            memory.begin(samples)
            alive = runs
            while rows := [i for i, run in enumerate(alive) if run.goes_on(units)]:
                if len(rows) < len(alive):
                    memory.keep(rows)
                    alive = [alive[i] for i in rows]
                owner = torch.zeros(len(alive), dtype=torch.long)
                decide(self.network, memory.step(alive), alive, self.keys, owner, rng, temperature)
        return [run.written() for run in runs]


class _Memory:
    """What runs of equal length share with the network: keys and values of every written decision, layer by layer."""

    def __init__(self, look: "Look", context: Sequence[Decision], answers: Sequence[Choice]):
        """context holds the decisions before the hole, answers what was chosen there."""
        self.network = look.network
        self.place_keys, self.style = look.keys[0], self.network.style[look.style]
        self.layers = Layers(self.network, look.cells)
        if context:
            x = self._written(context, answers)[None]  # (1, C, D)
            self.layers.advance(x, len(context), relate([list(enumerate(context))], len(context)))

    def begin(self, runs: int) -> None:
        """Give every run a memory of its own."""
        self.layers.repeat(runs)

    def keep(self, rows: list[int]) -> None:
        """Forget all runs but these."""
        self.layers.keep([0], rows)

    def step(self, runs: list["Run"]) -> Tensor:
        """States (runs, D) of the runs' open holes; takes in what each run wrote last."""
        network = self.network
        holes = embed_decisions(network, [run.decision for run in runs]) + self.style + network.stream
        known = self.layers.known
        if not runs[0].choices:
            table = relate([[(known, run.decision)] for run in runs], known)
            return network.norm(self.layers.advance(holes[:, None], 0, table)[:, -1])
        last = self._written([run.decisions[-1] for run in runs], [run.choices[-1] for run in runs])
        table = relate([[(known, run.decisions[-1]), (known + 1, run.decision)] for run in runs], known + 1)
        return network.norm(self.layers.advance(torch.stack([last, holes], 1), 1, table)[:, -1])

    def _written(self, decisions: Sequence[Decision], answers: Sequence[Choice]) -> Tensor:
        """Inputs (rows, D) of decisions with what was chosen there."""
        network = self.network
        actions = torch.tensor([answer.action for answer in answers])
        places = torch.tensor([answer.place for answer in answers])
        pointed = torch.where((places >= 0)[:, None], self.place_keys[places.clamp(min=0)], 0.0)
        return embed_decisions(network, decisions) + self.style + network.action(actions) + network.point(pointed)


def embed_decisions(network: Network, decisions: Sequence[Decision], positions: Sequence[int] | None = None) -> Tensor:
    """Inputs (rows, D) of decisions with nothing chosen yet; positions instead of their own where given."""
    positions = positions or [min(d.position, MAX_POSITION) for d in decisions]
    roles, holes = (torch.tensor(values) for values in zip(*((d.role, d.hole) for d in decisions), strict=True))
    return network.role(roles) + network.hole(holes) + network.position(torch.tensor(positions))


class Layers:
    """The network's layers over trees that grow: what every written row told the others is remembered.

    The arithmetic is that of `Network.read`, with the graph's edges as a dense table of relations, so that a step costs
    two rows a run instead of all rows again.
    """

    def __init__(self, network: Network, cells: Tensor):
        """cells (B, 256, D), of one picture for all runs, or of one for as many runs each."""
        self.network = network
        b, _, d = cells.shape
        self.seen: list[tuple[Tensor, Tensor]] = []
        for layer in network.tree_layers:
            pair = layer.seen(cells).view(b, -1, 2, layer.heads, d // layer.heads)
            key, value = pair.permute(2, 0, 3, 1, 4)
            self.seen.append((key, value))
        self.sent = [torch.zeros(b, 0, 2 * d) for _ in network.tree_layers]  # (runs, written, 2 D)

    @property
    def known(self) -> int:
        """How many rows each run remembers."""
        return self.sent[0].shape[1]

    def repeat(self, runs: int) -> None:
        """As many runs for each picture, which begin with what is known of it."""
        self.sent = [sent[:, None].expand(-1, runs, -1, -1).flatten(0, 1) for sent in self.sent]

    def keep(self, pictures: list[int], runs: list[int]) -> None:
        """Forget all pictures and runs but these."""
        if len(pictures) < len(self.seen[0][0]):
            self.seen = [(key[pictures], value[pictures]) for key, value in self.seen]
        self.sent = [sent[runs] for sent in self.sent]

    def advance(self, x: Tensor, fresh: int, table: Tensor) -> Tensor:
        """Rows (runs, R, D), of which the first `fresh` are written now, through all layers.

        table (runs, R, known + fresh) holds the relation to each written row, -1 where there is no edge.
        """
        runs, rows, d = x.shape
        related = table.clamp(min=0)
        for number, layer in enumerate(self.network.tree_layers):
            tree, heads = layer.tree, layer.heads
            h = layer.norm1(x)
            self.sent[number] = sent = torch.cat([self.sent[number], tree.keys(h[:, :fresh])], 1)
            key, value = sent.view(runs, -1, 2, heads, d // heads).permute(2, 0, 3, 1, 4)  # (runs, heads, known, d)
            extra_key, extra_value = tree.relation.weight.view(-1, 2, heads, d // heads).permute(1, 2, 0, 3)
            query = tree.query(h).view(runs, rows, heads, d // heads).transpose(1, 2)
            extra = query @ extra_key.transpose(-1, -2)  # (runs, heads, R, relations)
            wide = related[:, None].expand(-1, heads, -1, -1)
            score = (query @ key.transpose(-1, -2) + extra.gather(-1, wide)) / (d // heads) ** 0.5
            weight = score.masked_fill((table < 0)[:, None], float("-inf")).softmax(-1).nan_to_num()
            by_relation = torch.zeros_like(extra).scatter_add(-1, wide, weight)
            message = weight @ value + by_relation @ extra_value
            x = x + tree.out(message.transpose(1, 2).reshape(runs, rows, d))
            seen_key, seen_value = self.seen[number]
            query = layer.look(layer.norm2(x)).view(len(seen_key), -1, heads, d // heads).transpose(1, 2)
            found = attend(query, seen_key, seen_value).transpose(1, 2).reshape(runs, rows, d)
            x = x + layer.out(found)
            x = x + layer.mlp(layer.norm3(x))
        return x


def relate(runs: Sequence[Sequence[tuple[int, Decision]]], known: int, gaps: Sequence[tuple[int, int]] = ()) -> Tensor:
    """Each run's numbered decisions -> a table (runs, R, known): the relation to every decision heard, -1 for none.

    Where contexts are of unequal length, gaps says of each run how many decisions stand in its own, and how many rows
    of the memory lie empty between it and what the run writes.
    """
    table = np.full((len(runs), max(map(len, runs)), known), -1)
    for i, rows in enumerate(runs):
        start, gap = gaps[i] if gaps else (0, 0)
        for j, (number, decision) in enumerate(rows):
            for source, relation in sources_of(number, decision):
                table[i, j, source if source < start else source + gap] = relation
    return torch.from_numpy(table)


class Run:
    """One derivation with what has been decided in it."""

    def __init__(self, derivation: Derivation):
        self.derivation = derivation
        self.decisions: list[Decision] = []
        self.choices: list[Choice] = []
        self.log_probability = 0.0

    @property
    def decision(self) -> Decision:
        """The hole to decide next."""
        assert self.derivation.decision is not None
        return self.derivation.decision

    def decide(self, choice: Choice, log_probability: float) -> None:
        """Fill the open hole."""
        self.decisions.append(self.decision)
        self.choices.append(choice)
        self.log_probability += log_probability
        self.derivation.choose(choice)

    def goes_on(self, units: int) -> bool:
        """Whether there is a hole, and fewer forms than so many that draw."""
        drawn = sum(node.production not in PAINT_FORMS for node in self.derivation.nodes)
        return self.derivation.decision is not None and drawn < units

    def written(self) -> Written:
        """What is written so far."""
        return Written(tuple(self.derivation.nodes), self.log_probability, self.derivation.decision is None)


def decide(
    network: Network,
    states: Tensor,
    runs: Sequence[Run],
    keys: Tensor,
    owner: Tensor,
    rng: np.random.Generator,
    temperature: float | Tensor,
) -> None:
    """Decide the next hole of every run from its state (runs, D); owner (runs,) says whose keys (B, ...) are a run's.

    temperature may be one for each run (runs,).
    """
    legal = torch.from_numpy(np.array([run.decision.legal for run in runs]))
    actions, action_logp = pick(network.action_logits(states, legal), legal, rng, temperature)
    located = network.is_located[actions]
    places, place_logp = torch.full_like(actions, -1), torch.zeros(len(actions))
    if located.any():
        of_color = actions[located] == network.color_action
        logits = network.place_logits(states[located], keys, owner[located], of_color)
        allowed = ~of_color[:, None] | network.on_canvas
        warmth = temperature[located] if isinstance(temperature, Tensor) else temperature
        places[located], place_logp[located] = pick(logits, allowed, rng, warmth)
    gains = (action_logp + place_logp).tolist()
    for run, action, place, gain in zip(runs, actions.tolist(), places.tolist(), gains, strict=True):
        run.decide(Choice(action, place), gain)


def bound(logits: Tensor, allowed: Tensor) -> Tensor:
    """The logits as numbers, whatever the weights gave, and minus infinity where a choice is not allowed."""
    return logits.nan_to_num(nan=0.0, posinf=_FAR, neginf=-_FAR).masked_fill(~allowed, float("-inf"))


def pick(
    logits: Tensor, allowed: Tensor, rng: np.random.Generator, temperature: float | Tensor
) -> tuple[Tensor, Tensor]:
    """A choice from what is allowed in each row of logits, and its log-probability at temperature 1.

    temperature is one for all rows or one each (rows,); 0 takes the likeliest. Uses the Gumbel trick. What is not
    allowed is never chosen, not even by weights that give no numbers.
    """
    logp = bound(logits, allowed).log_softmax(-1)
    scores = logp
    if isinstance(temperature, Tensor) or temperature > 0:
        noise = torch.from_numpy(rng.gumbel(size=tuple(logits.shape)).astype(np.float32))
        scores = logp + noise * (temperature[:, None] if isinstance(temperature, Tensor) else temperature)
    picked = scores.argmax(-1)
    return picked, logp.gather(1, picked[:, None])[:, 0]


def draw_alone(
    network: Network,
    target: np.ndarray,
    paint: Callable[[Sequence[Node]], np.ndarray],
    units: int,
    rng: np.random.Generator,
    temperature: float = 0.0,
    look_again: bool = True,
    style: str = "",
) -> list[Node]:
    """Write a program for a picture with the network alone: no search, no refinement, nothing judged.

    target (64, 64, 3) in 0..1; paint draws forms to the same shape. With look_again the drawing is shown to the network
    after each form that draws (next form); without, it writes the whole program from one look. style is one of
    network.HANDS.
    """
    if not look_again:
        look = Look(network, target, paint(()), style)
        return list(look.write((), 1, rng, temperature=temperature, units=units, budget=units * 20)[0].forms)
    forms: list[Node] = []
    for _ in range(units):
        written = Look(network, target, paint(forms), style).write(forms, 1, rng, temperature=temperature)[0]
        forms += written.forms
        if written.ended:
            break
    return forms
