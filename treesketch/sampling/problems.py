"""Random problems of the small languages, as Tree Diffusion poses them: a random source in, a program out.

Its sampler (ConstrainedRandomSampler of revalo/tree-diffusion) draws how many shapes there are, 2 to 8, and grows the
tree by expanding symbols in random order; what it grows is thrown away when the picture is blank. A language is one
module with `grow(random, shapes) -> program` and `draw(program) -> picture`, and one line in PROBLEMS.
"""

from random import Random

import numpy as np
import numpy.typing as npt

from treesketch.sampling import csg2d, tinysvg
from treesketch.tree import Node

FEWEST_SHAPES = 2
MOST_SHAPES = 8
BLANK = 0.99  # a picture is blank when more than this share of its values are one value

PROBLEMS = {"csg2d": csg2d, "tinysvg": tinysvg}


def sample_problem(grammar: str, rng: np.random.Generator) -> Node:
    """A program of a grammar whose picture is not blank, from the state of rng alone, of which one number is drawn.

    Raises KeyError for a grammar without problems.
    """
    language, random = PROBLEMS[grammar], Random(int.from_bytes(rng.bytes(8), "little"))
    while True:
        program = language.grow(random, random.randint(FEWEST_SHAPES, MOST_SHAPES))
        if not is_blank(language.draw(program)):
            return program


def is_blank(picture: npt.NDArray[np.generic]) -> bool:
    """Whether nearly all values of a picture, its channels together, are the same."""
    _, counts = np.unique(picture, return_counts=True)
    return bool(counts.max() > BLANK * picture.size)
