"""Random problems of the small languages, as Tree Diffusion poses them: a random source in, a program out.

Its sampler (ConstrainedRandomSampler of revalo/tree-diffusion) draws how many shapes there are, 2 to 8, and grows the
tree by expanding symbols in random order; what it grows is thrown away when the picture is blank. A language is one
module with the functions of `Domain`, and one line in PROBLEMS.
"""

from collections.abc import Iterator
from random import Random
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from treesketch import tree
from treesketch.edits import places
from treesketch.language import load_language
from treesketch.sampling import csg2d, tinysvg
from treesketch.tree import Node

Picture = npt.NDArray[Any]  # (H, W) coverage 0..1, black on white, or (H, W, 3) uint8


class Domain(Protocol):
    """What has to be known of a language so that a network can learn to write it.

    grow gives a random program of so many shapes, draw its picture. canonical spells programs that say the same in one
    way, without drawing them; where there is nothing to do it returns the program.
    """

    def grow(self, random: Random, shapes: int) -> Node: ...

    def draw(self, program: Node) -> Picture: ...

    def canonical(self, program: Node) -> Node: ...


FEWEST_SHAPES = 2
MOST_SHAPES = 8
BLANK = 0.99  # a picture is blank when more than this share of its values are one value

VISIBLE = 3e-4  # of a picture's values: what changes less of them is not seen

PROBLEMS: dict[str, Domain] = {"csg2d": csg2d, "tinysvg": tinysvg}


def sample_problem(
    grammar: str, rng: np.random.Generator, fewest: int = FEWEST_SHAPES, most: int = MOST_SHAPES
) -> Node:
    """A program of a grammar whose picture is not blank, from the state of rng alone, of which one number is drawn.

    It has `fewest` to `most` shapes, as many as any. Raises KeyError for a grammar without problems.
    """
    language, random = PROBLEMS[grammar], Random(int.from_bytes(rng.bytes(8), "little"))
    while True:
        program = language.grow(random, random.randint(fewest, most))
        if not is_blank(language.draw(program)):
            return program


def is_blank(picture: Picture) -> bool:
    """Whether nearly all values of a picture, its channels together, are the same."""
    middle = np.partition(picture, picture.size // 2, axis=None)[picture.size // 2]  # of most, if of any
    return bool(np.count_nonzero(picture == middle) > BLANK * picture.size)


def simplify(program: Node, grammar: str) -> Node:
    """The canonical program without what is not seen: parts go whose lack changes next to nothing in the picture.

    A part goes when what is left of the node around it can stand in that node's place. The picture may change by less
    than VISIBLE for each part that went.
    """
    domain = PROBLEMS[grammar]
    program = domain.canonical(program)
    picture = _values(domain.draw(program))
    tried: set[Node] = set()
    while True:
        for shorter in _shorter(program, grammar):
            if shorter in tried:
                continue
            tried.add(shorter)
            smaller = _values(domain.draw(shorter))
            if np.abs(smaller - picture).mean() < VISIBLE:
                program, picture = domain.canonical(shorter), smaller
                break
        else:
            return program


def _shorter(program: Node, grammar: str) -> Iterator[Node]:
    """The program with one node replaced by a part of it, in all ways."""
    language = load_language(grammar)
    for path, node, kind in places(program, language):
        for child in node.children:
            if child.children and child.production in language.kinds[kind]:
                yield tree.replace(program, path, child)


def _values(picture: Picture) -> npt.NDArray[np.float32]:
    """A picture's values, 0..1."""
    return picture.astype(np.float32) / np.float32(255) if picture.dtype == np.uint8 else picture
