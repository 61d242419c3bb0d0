"""Next forms tried at states of drawings: written by the network, drawn by the exact renderer, and rewarded.

A reward is known at once, so learning from it (`rewards`) and searching by it (`search_forms`) take the same step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from treesketch.data import paint_forms
from treesketch.errors import SketchError
from treesketch.model.abreast import ABREAST, Trace, write_abreast
from treesketch.model.network import Network
from treesketch.tree import Node, count

SAMPLES = 8  # forms that are tried at each state
PRICE = 2e-6  # squared error (a mean over the pixels, 0..1) that a node must save

Paint = Callable[[Sequence[Node]], np.ndarray]  # forms to their picture, (64, 64, 3) in 0..1


@dataclass(slots=True)
class State:
    """A drawing of a target under way: both (64, 64, 3) float32 in 0..1, and the forms that the drawing is made of."""

    target: np.ndarray
    forms: list[Node] = field(default_factory=list)
    drawing: np.ndarray = field(default_factory=lambda: paint_forms(()))


@dataclass(frozen=True, slots=True)
class Try:
    """The forms that were written at one state, what they draw there, and their rewards (samples,).

    The first of them is the likeliest. target and drawing are the state's.
    """

    target: np.ndarray
    drawing: np.ndarray
    traces: Sequence[Trace]
    drawn: Sequence[np.ndarray]
    rewards: np.ndarray

    def take(self, state: State, number: int) -> bool:
        """Let a state go on with one of the forms; says whether that ended the program."""
        state.forms = [*state.forms, *self.traces[number].written.forms]
        state.drawing = self.drawn[number]
        return self.traces[number].written.ended


def try_forms(
    network: Network, states: Sequence[State], samples: int, price: float, paint: Paint, rng: np.random.Generator
) -> list[Try]:
    """`samples` next forms of each state, drawn: one by the likeliest choices, the others at temperature 1.

    A reward is what a form takes from the mean square error less a price for its nodes; that of ending is nothing.
    """
    targets, drawings = np.stack([state.target for state in states]), np.stack([state.drawing for state in states])
    temperatures = [0.0] + [1.0] * (samples - 1)
    written = write_abreast(network, targets, drawings, [state.forms for state in states], temperatures, rng)
    return [_draw(state, traces, price, paint) for state, traces in zip(states, written, strict=True)]


def _draw(state: State, traces: Sequence[Trace], price: float, paint: Paint) -> Try:
    drawn = [_paint([*state.forms, *trace.written.forms], state.drawing, paint) for trace in traces]
    before = float(((state.drawing - state.target) ** 2).mean())
    after = np.array([((picture - state.target) ** 2).mean() for picture in drawn])
    nodes = np.array([sum(map(count, trace.written.forms)) for trace in traces])
    return Try(state.target, state.drawing, traces, drawn, before - after - price * nodes)


def _paint(forms: Sequence[Node], before: np.ndarray, paint: Paint) -> np.ndarray:
    """The picture of forms; what it was before where they cannot be drawn."""
    try:
        return paint(forms)
    except SketchError:
        return before


def search_forms(
    network: Network, targets: Sequence[np.ndarray], renders: int, paint: Paint, rng: np.random.Generator
) -> list[list[Node]]:
    """A program for each target (64, 64, 3) in 0..1: at each state the best of `SAMPLES` forms, until that is to end.

    Takes at most so many renders for each, and at least those of one state; gives the state with the least error.
    """
    return [
        forms
        for first in range(0, len(targets), ABREAST)
        for forms in _search(network, targets[first : first + ABREAST], renders, paint, rng)
    ]


def _search(
    network: Network, targets: Sequence[np.ndarray], renders: int, paint: Paint, rng: np.random.Generator
) -> list[list[Node]]:
    samples = min(SAMPLES, max(2, renders))
    states = [State(target) for target in targets]
    best: list[tuple[list[Node], float]] = [([], np.inf)] * len(targets)
    going = list(range(len(targets)))
    for _ in range(max(1, renders // samples)):
        tries = try_forms(network, [states[k] for k in going], samples, PRICE, paint, rng)
        ended = set()
        for k, each in zip(going, tries, strict=True):
            if each.take(states[k], int(each.rewards.argmax())):
                ended.add(k)
            error = float(((states[k].drawing - states[k].target) ** 2).mean())
            best[k] = min(best[k], (states[k].forms, error), key=lambda entry: entry[1])
        going = [k for k in going if k not in ended]
        if not going:
            break
    return [forms for forms, _ in best]
