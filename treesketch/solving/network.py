"""Solving by a network: it writes programs, sees what they draw beside the target, and edits them. A judge in.

A best-first search. Programs wait in order of what the network says is left to do, how likely it found them, and how
alike they look to the target; the best ones are looked at and edited, and what comes of that is drawn and waits too.
A program's turn comes again later, as its edits are drawn by chance.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from treesketch import tree
from treesketch.model.editing import Editor
from treesketch.model.encoder import see
from treesketch.model.network import Network
from treesketch.sampling.problems import PROBLEMS
from treesketch.solving.judge import Judge, Spent
from treesketch.tree import Node

KEPT = 1000  # programs that wait, with their drawings; of twice as many the worst go
BARREN = 30  # rounds without a new program after which a search ends
CLOSE = 0.003  # mean error, 0..1, below which pictures are equally alike


@dataclass(frozen=True, slots=True)
class Effort:
    """How the search goes: programs written at first, programs looked at and edited a round, edits of each.

    A program's rank is alike x likeness - edits_left x edits - again x (rounds that edited it) + likely x (logarithm of
    its probability), where likeness is the negative logarithm of the mean error of the picture, 0..1.
    """

    written: int = 24
    looked_at: int = 24
    edited: int = 12
    edits: int = 4
    alike: float = 1.0
    edits_left: float = 0.5
    likely: float = 0.02
    again: float = 0.5


@dataclass(slots=True)
class _Waiting:
    """A program that was drawn, and what is known of it; `edits` is a guess until the network has looked at it."""

    program: Node
    drawing: np.ndarray
    likeness: float
    log_probability: float
    edits: float
    turns: int = 0

    def rank(self, effort: Effort) -> float:
        return (
            effort.alike * self.likeness
            - effort.edits_left * self.edits
            - effort.again * self.turns
            + effort.likely * self.log_probability
        )


def solve(
    judge: Judge,
    rng: np.random.Generator,
    network: Network,
    begin: Sequence[Node] = (),
    effort: Effort | None = None,
) -> None:
    """Write and edit programs until one is exact or the judge's renders are spent.

    begin are programs to edit beside those that the network writes first, for example another solver's.
    """
    search = _Search(judge, rng, network, effort or Effort())
    try:
        for program in begin:
            search.take(program)
        for proposal in search.editor.write(search.effort.written, rng):
            search.take(proposal.program, proposal.log_probability)
        while not search.is_over:
            search.edit_best()
    except Spent:
        return


class _Search:
    """What a search has found so far."""

    def __init__(self, judge: Judge, rng: np.random.Generator, network: Network, effort: Effort):
        self.judge, self.rng, self.effort = judge, rng, effort
        self.target = see(judge.target)
        self.editor, self.levels = Editor(network, self.target), network.vocabulary.levels
        self.canonical = PROBLEMS[judge.grammar].canonical
        self.waiting: dict[Node, _Waiting] = {}
        self.is_over = False
        self.barren = 0

    def take(self, program: Node, log_probability: float = 0.0, edits: float = 2.0) -> None:
        """Draw a program that is new, and no deeper than the network reads; its turn comes later."""
        program = self.canonical(program)
        if program in self.waiting or self.is_over or tree.height(program) > self.levels:
            return
        found = self.judge.try_program(program)
        drawing = see(found.drawing)
        likeness = -math.log(float(np.abs(drawing - self.target).mean()) + CLOSE)
        self.waiting[program] = _Waiting(program, drawing, likeness, log_probability, edits)
        self.is_over = found.exact

    def edit_best(self) -> None:
        """Look at the programs whose turn it is, and draw edits of those that are best then."""
        effort, drawn = self.effort, self.judge.renders
        best = heapq.nlargest(effort.looked_at, self.waiting.values(), key=lambda one: one.rank(effort))
        reading = self.editor.read([one.program for one in best], [one.drawing for one in best])
        for one, value in zip(best, reading.values, strict=True):
            one.edits = value.edits
        order = sorted(range(len(best)), key=lambda i: -best[i].rank(effort))[: effort.edited]
        edits = reading.edit(effort.edits, self.rng, order, temperature=1 + self.barren / 10)
        for i, proposals in zip(order, edits, strict=True):
            one = best[i]
            one.turns += 1
            for proposal in proposals:
                self.take(proposal.program, one.log_probability + proposal.log_probability, one.edits)
        self.forget()
        self.barren = self.barren + 1 if self.judge.renders == drawn else 0
        self.is_over |= self.barren >= BARREN

    def forget(self) -> None:
        """Let the programs go whose turn is least likely to come, so that drawings do not fill the memory."""
        if len(self.waiting) > 2 * KEPT:
            best = heapq.nlargest(KEPT, self.waiting.values(), key=lambda one: one.rank(self.effort))
            self.waiting = {one.program: one for one in best}
