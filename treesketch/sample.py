"""Random programs of any grammar: by chance alone, or as a network would have it. A language in, valid trees out."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from treesketch.actions import Vocabulary
from treesketch.derivation import sample_tree
from treesketch.language import Language
from treesketch.tree import Node


def sample_programs(
    language: Language, n: int, seed: int = 0, max_nodes: int = 200, weights: Path | None = None
) -> Iterator[Node]:
    """n programs of at most max_nodes nodes; program k follows from (seed, k) alone.

    Without weights every decision is uniform among its legal actions. With weights a network writes the program while
    it looks at a blank picture of a random colour; its grammar must be the language's. Raises CheckpointError for
    weights that cannot be read or are of another grammar, ValueError for a budget that no program fits.
    """
    vocabulary = Vocabulary(language)
    write = None if weights is None else _network_writer(weights, language, max_nodes)
    for k in range(n):
        rng = np.random.default_rng([seed, k])
        yield sample_tree(vocabulary, max_nodes, rng) if write is None else write(rng)


def sample_problems(grammar: str, n: int, seed: int = 0) -> Iterator[Node]:
    """n problems of a small language, none of them blank; problem k follows from (seed, k) alone."""
    from treesketch.sampling.problems import sample_problem

    for k in range(n):
        yield sample_problem(grammar, np.random.default_rng([seed, k]))


def _network_writer(weights: Path, language: Language, max_nodes: int) -> Callable[[np.random.Generator], Node]:
    from treesketch.model.encoder import RESOLUTION
    from treesketch.model.weights import load_network
    from treesketch.model.write import Look

    network = load_network(weights, language.name)

    def write(rng: np.random.Generator) -> Node:
        picture = np.empty((RESOLUTION, RESOLUTION, 3), np.float32)
        picture[:] = rng.random(3)
        blank = np.full_like(picture, 0.8)
        forms = Look(network, picture, blank).write((), 1, rng, budget=max_nodes - 1, units=max_nodes)[0].forms
        return Node(language.start, forms)

    return write
