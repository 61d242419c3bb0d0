"""Hill climbing with restarts, for comparison: what chance alone solves. A judge in, programs tried.

A random program is changed in one place at a time, and a change stays when the likeness does not fall. A climb that has
not got on for a while ends, and another one begins.
"""

from random import Random

import numpy as np

from treesketch.language import Language, load_language
from treesketch.sampling.problems import FEWEST_SHAPES, MOST_SHAPES, PROBLEMS
from treesketch.solving.judge import Judge, Spent
from treesketch.tree import Node, at, count, replace, walk

MOST_NODES = 150  # of a program; the largest problems have fewer
PATIENCE = 400  # changes without a better score after which a climb ends


def solve(judge: Judge, rng: np.random.Generator) -> None:
    """Climb until a program is exact or the judge's renders are spent."""
    language, random = load_language(judge.grammar), Random(int.from_bytes(rng.bytes(8), "little"))
    grow = PROBLEMS[judge.grammar].grow
    try:
        while not (judge.best and judge.best.exact):
            climb(judge, grow(random, random.randint(FEWEST_SHAPES, MOST_SHAPES)), language, random)
    except Spent:
        return


def climb(judge: Judge, program: Node, language: Language, random: Random) -> None:
    """One climb from a program on."""
    found, idle = judge.try_program(program), 0
    while idle < PATIENCE and not found.exact:
        changed = change(program, language, random)
        if count(changed) > MOST_NODES:
            idle += 1
            continue
        result = judge.try_program(changed)
        idle = 0 if result.score > found.score else idle + 1
        if result.score >= found.score:
            program, found = changed, result


def change(program: Node, language: Language, random: Random) -> Node:
    """A program with one change: a word or number, a shape, an operation more, or one less."""
    path, node = random.choice(list(walk(program))[1:])
    alike = _siblings(language, at(program, path[:-1]), path[-1])
    if not node.children:
        place = alike.index(node.production)
        near = [alike[i] for i in (place - 1, place + 1) if 0 <= i < len(alike)]
        others = [name for name in alike if name != node.production]
        return replace(program, path, Node(random.choice(near if random.random() < 0.5 else others)))
    fresh = PROBLEMS[language.name].grow(random, random.choice((1, 2))).children[0]
    inner = [i for i, child in enumerate(fresh.children) if child.production in alike]
    if inner:  # an operation: what was here becomes one of its sides
        return replace(program, path, replace(fresh, (random.choice(inner),), node))
    below = [child for child in node.children if child.production in alike]
    return replace(program, path, random.choice(below) if below and random.random() < 0.5 else fresh)


def _siblings(language: Language, parent: Node, index: int) -> tuple[str, ...]:
    """The productions that may stand where a child stands; here every slot takes one child."""
    return language.kinds[language.productions[parent.production].slots[index].kind]
