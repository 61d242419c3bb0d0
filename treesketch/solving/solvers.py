"""The solvers by name: a grammar, and perhaps a network's weights in; something that tries programs at a judge out.

*reading* reads the picture's parts off the picture. *network* has a trained network write programs and edit them,
beginning from nothing. *both* reads, and where that is not exact the network edits the best program that was read.
*hill climbing* is there for comparison.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from treesketch.solving.judge import Judge

if TYPE_CHECKING:
    from treesketch.model.network import Network

READING, NETWORK, BOTH, CLIMBING = "reading", "network", "both", "hill climbing"
CHOICES = (READING, NETWORK, BOTH)  # of a user

Solve = Callable[[Judge, np.random.Generator], None]


def make_solver(name: str, grammar: str, weights: Path | None = None) -> Solve:
    """A solver of a grammar's problems; weights are a file's, None for those that are shipped for the grammar.

    What is made once for all problems is made here. Raises CheckpointError when a network is asked for and its weights
    are missing, damaged or of another grammar.
    """
    if name == CLIMBING:
        from treesketch.solving.climb import solve

        return solve
    read = _reader(grammar) if name != NETWORK else None
    network = load_network(grammar, weights) if name != READING else None
    return lambda judge, rng: _solve(judge, rng, read, network)


def _solve(judge: Judge, rng: np.random.Generator, read: Solve | None, network: "Network | None") -> None:
    """Read, if at all, then have the network go on where that is not exact."""
    if read is not None:
        read(judge, rng)
    best = judge.best
    if network is not None and not (best and best.exact):
        from treesketch.solving.network import solve

        solve(judge, rng, network, [best.program] if best else [])


def _reader(grammar: str) -> Solve:
    """What reads a grammar's pictures."""
    if grammar == "tinysvg":
        from treesketch.solving.tinysvg import solve as read_tinysvg

        return read_tinysvg
    from treesketch.solving.csg2d import solve as read_csg2d
    from treesketch.solving.shapes import all_shapes

    all_shapes()  # made once a process: no problem's time
    return read_csg2d


@lru_cache(maxsize=1)
def load_network(grammar: str, weights: Path | None = None) -> "Network":
    """The network of a weights file, or the one that is shipped for a grammar. Raises as `make_solver` does."""
    from treesketch.model.weights import load_network as read_network
    from treesketch.model.weights import load_shipped

    return read_network(weights, grammar) if weights else load_shipped(grammar)
