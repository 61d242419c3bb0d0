"""Edits of programs: the path from one program to another, by hand and at random, and edits by chance."""

from collections import Counter

import numpy as np
import pytest
from test_actions import CSG, DEEP, SCOPED, TUPLES, is_valid

from treesketch import tree
from treesketch.actions import MAX_BUDGET, Vocabulary, load_vocabulary
from treesketch.derivation import Choice, Derivation, encode, sample_tree
from treesketch.edits import MOST_WRITTEN, Edit, distance, find_path, kind_at, spoil
from treesketch.language import Language, Slot, load_language, read_language
from treesketch.sampling.problems import sample_problem
from treesketch.syntax import parse
from treesketch.tree import Node, Path

SHIPPED = ("csg2d", "tinysvg")


def vocabulary_of(name: str) -> Vocabulary:
    return load_vocabulary(name) if name in SHIPPED else Vocabulary(read_language("toy", CSG))


def csg(text: str) -> Node:
    return parse(text, load_language("csg2d"))


def path_between(old: str, new: str) -> tuple[int, list[Edit]]:
    return find_path(csg(old), csg(new), load_language("csg2d"))


@pytest.mark.parametrize(
    ("old", "new", "path", "copies"),
    [
        # A number; a shape of which two numbers are wrong.
        ("(Circle 2 8 8)", "(Circle 2 9 8)", (0, 1), {}),
        ("(Circle 2 8 8)", "(Circle 3 9 8)", (0,), {}),
        # Something is put around what is there, on either side, or at the bottom.
        ("(Circle 2 8 8)", "(+ (Circle 2 8 8) (Quad 1 2 3 4 G))", (0,), {(0,): 0}),
        ("(Circle 2 8 8)", "(- (Quad 1 2 3 4 G) (Circle 2 8 8))", (0,), {(1,): 0}),
        (
            "(- (Circle 2 8 8) (Circle 1 8 8))",
            "(- (+ (Circle 2 8 8) (Quad 1 2 3 4 G)) (Circle 1 8 8))",
            (0, 0),
            {(0,): 0},
        ),
        # Something goes: one side stays.
        ("(+ (Circle 2 8 8) (Quad 1 2 3 4 G))", "(Circle 2 8 8)", (0,), {(): 1}),
        ("(+ (Circle 2 8 8) (Quad 1 2 3 4 G))", "(Quad 1 2 3 4 G)", (0,), {(): 2}),
        # One operation becomes the other around the same sides.
        ("(+ (Circle 2 8 8) (Quad 1 2 3 4 G))", "(- (Circle 2 8 8) (Quad 1 2 3 4 G))", (0,), {(0,): 1, (1,): 2}),
    ],
)
def test_one_edit_by_hand(old: str, new: str, path: Path, copies: dict[Path, int]) -> None:
    left, (edit,) = path_between(old, new)
    assert left == 1 and edit.path == path and edit.copies == copies
    assert edit.apply(csg(old)) == csg(new)


def test_edits_of_different_parts_are_counted_and_offered_together() -> None:
    # A quad around the whole; and an addition of a new quad and the old circle, which is one edit, where the cut was.
    left, edits = path_between(
        "(- (Quad 2 8 8 8 G) (Circle 1 8 8))", "(- (+ (Quad 2 9 8 8 G) (Circle 1 8 8)) (Quad 1 2 3 4 G))"
    )
    assert left == 2
    assert [(edit.path, dict(edit.copies)) for edit in edits] == [((0,), {(0,): 0}), ((0,), {(1,): 2})]
    # Two numbers of different shapes.
    left, edits = path_between("(- (Quad 2 8 8 8 G) (Circle 1 8 8))", "(- (Quad 2 9 8 8 G) (Circle 1 8 7))")
    assert left == 2 and [edit.path for edit in edits] == [(0, 0, 1), (0, 1, 2)]


def test_equal_programs_need_no_edit() -> None:
    assert path_between("(Circle 2 8 8)", "(Circle 2 8 8)") == (0, [])


def test_lists_lose_and_gain_items() -> None:
    language = read_language("toy", CSG)
    old, new = (
        parse(f"(+ {' '.join(f'(circle {k} [ 1 1 ])' for k in numbers)})", language)
        for numbers in ((1, 2, 3), (1, 3, 4, 5))
    )
    left, edits = find_path(old, new, language)
    while edits:
        old = edits[0].apply(old)
        nearer, edits = find_path(old, new, language)
        assert nearer < left
        left = nearer
    assert old == new


def walk_home(there: Node, home: Node, language: Language, rng: np.random.Generator) -> None:
    """Any edit that can be made at once leads nearer, and as many as there are lead home."""
    left, edits = find_path(there, home, language)
    for _ in range(left):
        if there == home:
            break
        edit = edits[rng.integers(len(edits))]
        kept = sum(tree.count(tree.at(edit.new, path)) for path in edit.copies)
        assert tree.count(edit.new) - kept <= MOST_WRITTEN or not edit.copies
        for path, copy in edit.copies.items():
            old = tree.at(there, edit.path)
            assert tree.at(edit.new, path) == (old.children[copy - 1] if copy else old)
        there = edit.apply(there)
        nearer, edits = find_path(there, home, language)
        assert nearer < left
        left = nearer
    assert there == home and left == 0 and edits == []


@pytest.mark.parametrize("name", [*SHIPPED, "toy"])
def test_edits_lead_home(name: str) -> None:
    vocabulary, rng = vocabulary_of(name), np.random.default_rng(3)
    for k in range(18):
        home = sample_problem(name, rng) if name in SHIPPED else sample_tree(vocabulary, 60, rng)
        there = home
        for _ in range(k % 6):
            there = spoil(there, vocabulary, rng)
        walk_home(there, home, vocabulary.language, rng)
    walk_home(sample_tree(vocabulary, 50, rng), home, vocabulary.language, rng)


@pytest.mark.parametrize("name", [*SHIPPED, "toy"])
def test_spoilt_programs_are_programs(name: str) -> None:
    vocabulary, rng = vocabulary_of(name), np.random.default_rng(4)
    counts: Counter[int] = Counter()
    for _ in range(60):
        program = sample_tree(vocabulary, 40, rng)
        spoilt = spoil(program, vocabulary, rng)
        is_valid(spoilt, MAX_BUDGET, vocabulary.language)
        counts[distance(spoilt, program, vocabulary.language)] += 1
    assert counts[1] > 30  # most are one edit away


# Deciding an edit


@pytest.mark.parametrize("name", [*SHIPPED, "toy"])
def test_an_edit_is_written_by_its_decisions(name: str) -> None:
    vocabulary, rng = vocabulary_of(name), np.random.default_rng(5)
    language = vocabulary.language
    for _ in range(12):
        there, home = (sample_tree(vocabulary, 30, rng) for _ in range(2))
        for edit in find_path(there, home, language)[1]:
            slot, old = Slot(kind_at(there, edit.path, language)), tree.at(there, edit.path)
            copies = {(0, *path): copy for path, copy in edit.copies.items()}
            decisions = encode(vocabulary, [edit.new], slot, "start", old, copies)
            derivation = Derivation(vocabulary, MAX_BUDGET, slot, "start", old=old)
            for decision in decisions:
                assert decision.answer is not None
                derivation.choose(decision.answer)
            assert derivation.decision is None and derivation.nodes == [edit.new]
            kept = [vocabulary.actions[d.answer.action] for d in decisions if d.answer]
            assert [a for a in kept if a.startswith("copy")] == [f"copy:{edit.copies[p]}" for p in sorted(edit.copies)]


@pytest.mark.parametrize("greedy", [False, True])
@pytest.mark.parametrize("name", [*SHIPPED, "toy"])
def test_any_choices_at_any_node_keep_the_promise(name: str, greedy: bool) -> None:
    """The whole program stays within the budget, the levels and the grammar; greedy takes the dearest choices."""
    vocabulary, rng = vocabulary_of(name), np.random.default_rng(6)
    kept = 0
    for k in range(80):
        program = sample_tree(vocabulary, int(rng.integers(8, 60)), rng)
        budget = tree.count(program) + int(rng.integers(0, 20))
        decisions = encode(vocabulary, [program])
        decision = decisions[rng.integers(len(decisions))]
        if decision.is_end:
            continue
        path = decision.path[1:]
        old = tree.at(program, path)
        derivation = Derivation(
            vocabulary,
            budget - tree.count(program) + tree.count(old),
            Slot(vocabulary.holes[decision.hole].kind),
            vocabulary.roles[decision.role],
            old=old,
            levels=vocabulary.levels - len(path),
        )
        used: Counter[int] = Counter()
        while hole := derivation.decision:
            options = np.flatnonzero(hole.legal)
            copies = [action for action in options if action in vocabulary.copies]
            if greedy or (copies and k % 2):
                options = np.array(copies) if copies else options[-1:]
            action = int(rng.choice(options))
            used[action] += action in vocabulary.copies
            derivation.choose(Choice(action))
        assert all(count == 1 for count in used.values() if count)
        kept += sum(used.values())
        is_valid(tree.replace(program, path, derivation.nodes[0]), budget, vocabulary.language)
    assert kept > 3


def test_an_old_node_alone_is_no_edit() -> None:
    vocabulary = load_vocabulary("csg2d")
    old = csg("(+ (Circle 2 8 8) (Circle 1 8 8))").children[0]
    derivation = Derivation(vocabulary, 100, Slot("expression"), "program.0", old=old)
    assert derivation.decision is not None
    legal = {vocabulary.actions[i] for i in np.flatnonzero(derivation.decision.legal)}
    assert legal == {
        "production:circle",
        "production:quad",
        "production:add",
        "production:subtract",
        "copy:1",
        "copy:2",
    }
    derivation.choose(Choice(vocabulary.action_index["production:add"]))
    assert derivation.decision.legal[vocabulary.action_index["copy:0"]]


def test_what_can_be_edited() -> None:
    assert all(load_vocabulary(name).is_editable for name in SHIPPED)
    assert Vocabulary(read_language("toy", CSG)).is_editable
    assert not load_vocabulary("sketch").is_editable and not load_vocabulary("sketch").copies
    assert not Vocabulary(read_language("toy", SCOPED)).is_editable  # names
    assert not Vocabulary(read_language("toy", TUPLES)).is_editable  # `many` is never decided on, but has a list
    assert Vocabulary(read_language("toy", DEEP)).is_editable
