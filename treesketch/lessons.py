"""Sampled problems of a small language -> examples of (target, drawing so far, program with holes) for the learner.

A problem is made canonical first, and what is not seen in it goes. Then either the whole program is to be written, with
nothing there yet; or a program is there that a search might have, some edits away: an edit is to be made that is on a
path to the problem, at a place that is to be found, and how many edits are left is to be said.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from treesketch import tree
from treesketch.actions import Vocabulary
from treesketch.data import Example
from treesketch.derivation import Decision, encode
from treesketch.edits import Edit, find_path, spoil
from treesketch.errors import ConfigError
from treesketch.language import Slot
from treesketch.model.encoder import see
from treesketch.model.graph import Rewrite, program_to_graph
from treesketch.picture import to_bytes
from treesketch.sampling.problems import MOST_SHAPES, PROBLEMS, sample_problem, simplify
from treesketch.tree import Node, Path

EXAMPLES_A_PROBLEM = 4  # one of them writes the whole program
MOST_SPOILT = 6  # random edits between a problem and the program that is there
UNRELATED = 0.1  # share of the programs there that have nothing to do with the problem
MOST_REWRITES = 4  # edits to learn from in one example
MOST_HOLES = 60  # decisions of one rewrite
MOST_CONTEXT = 120  # decisions of the program that is there


def make_lessons(vocabulary: Vocabulary, mixture: Mapping[str, float], rng: np.random.Generator) -> list[Example]:
    """The examples of one sampled problem; the mixture, which is of other samplers, does not matter."""
    grammar = vocabulary.language.name
    most = int(rng.integers(1, MOST_SHAPES + 1))  # few shapes are learnt first, so there are more of them
    problem = simplify(sample_problem(grammar, rng, 1, most), grammar)
    target = see(PROBLEMS[grammar].draw(problem))
    lessons = [write_lesson(vocabulary, problem, target)]
    while len(lessons) < EXAMPLES_A_PROBLEM:
        there = spoil_problem(vocabulary, problem, rng)
        if lesson := edit_lesson(vocabulary, there, problem, target, rng):
            lessons.append(lesson)
    return lessons


def require_editable(vocabulary: Vocabulary) -> None:
    """Raises ConfigError when a grammar's programs cannot be edited, so that they cannot be learnt from problems."""
    if not vocabulary.is_editable:
        raise ConfigError(
            f"grammar '{vocabulary.language.name}' has names, places, or lists where nothing is chosen: its programs "
            "cannot be edited, so there is nothing to learn from its problems"
        )


def spoil_problem(vocabulary: Vocabulary, problem: Node, rng: np.random.Generator) -> Node:
    """A program that a search for the problem might have."""
    domain = PROBLEMS[vocabulary.language.name]
    if rng.random() < UNRELATED:
        return domain.canonical(sample_problem(vocabulary.language.name, rng))
    there = problem
    for _ in range(rng.integers(0, MOST_SPOILT + 1)):
        there = spoil(there, vocabulary, rng)
    return domain.canonical(there)


def write_lesson(vocabulary: Vocabulary, problem: Node, target: np.ndarray) -> Example:
    """The whole program is to be written, with nothing there yet."""
    rewrite = Rewrite(-1, encode(vocabulary, [problem])[:MOST_HOLES])
    graph = program_to_graph(vocabulary, [], [rewrite], [], -1)
    return Example(to_bytes(target), np.full_like(to_bytes(target), 255), graph)


def edit_lesson(
    vocabulary: Vocabulary, there: Node, problem: Node, target: np.ndarray, rng: np.random.Generator
) -> Example | None:
    """The next edits toward a problem are to be made in a program; None where the program is too long to be seen."""
    language = vocabulary.language
    context = encode(vocabulary, [there])
    if len(context) > MOST_CONTEXT:
        return None
    left, edits = find_path(there, problem, language)
    sites = site_numbers(context)
    drawing = see(PROBLEMS[language.name].draw(there))
    taught = [edits[k] for k in sorted(rng.permutation(len(edits))[:MOST_REWRITES])]
    rewrites = []
    for edit in taught:
        site = sites[edit.path]
        rewrites.append(Rewrite(site, encode_edit(vocabulary, there, context[site], edit)[:MOST_HOLES]))
    wanted = sorted({sites[edit.path] for edit in edits})
    graph = program_to_graph(vocabulary, context, rewrites, wanted, left)
    return Example(to_bytes(target), to_bytes(drawing), graph)


def site_numbers(context: Sequence[Decision]) -> dict[Path, int]:
    """Where a program can be edited: the paths of its decided nodes, with the numbers of the decisions."""
    return {decision.path[1:]: number for number, decision in enumerate(context) if not decision.is_end}


def encode_edit(vocabulary: Vocabulary, program: Node, site: Decision, edit: Edit) -> list[Decision]:
    """The decisions that make an edit where a program's decision `site` was, each with its answer."""
    slot, role = Slot(vocabulary.holes[site.hole].kind), vocabulary.roles[site.role]
    copies = {(0, *path): copy for path, copy in edit.copies.items()}
    return encode(vocabulary, [edit.new], slot, role, tree.at(program, edit.path), copies)
