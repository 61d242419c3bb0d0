"""Examples from problems: what they say they are, and exact."""

import numpy as np
import pytest
import torch
from test_actions import SCOPED, TUPLES
from test_data import assert_same
from torch.utils.data import DataLoader

from treesketch.actions import Vocabulary, load_vocabulary
from treesketch.data import Batches, Example
from treesketch.edits import find_path
from treesketch.errors import ConfigError
from treesketch.language import load_language, read_language
from treesketch.lessons import (
    EXAMPLES_A_PROBLEM,
    MOST_REWRITES,
    edit_lesson,
    make_lessons,
    require_editable,
    spoil_problem,
    write_lesson,
)
from treesketch.model.encoder import see
from treesketch.sampling.problems import PROBLEMS, sample_problem, simplify
from treesketch.syntax import parse
from treesketch.tree import Node

GRAMMARS = ("csg2d", "tinysvg")


def batches(grammar: str, first: int = 0, last: int = 3, seed: int = 1) -> Batches:
    return Batches(grammar, {}, seed, 4, first, last, make=make_lessons)


def csg(text: str) -> Node:
    return parse(text, load_language("csg2d"))


def lesson_of(there: str, problem: str) -> Example:
    vocabulary = load_vocabulary("csg2d")
    lesson = edit_lesson(
        vocabulary, csg(there), csg(problem), see(PROBLEMS["csg2d"].draw(csg(problem))), np.random.default_rng(0)
    )
    assert lesson is not None
    return lesson


def actions_of(example: Example) -> list[str]:
    """The actions of the holes."""
    names = load_vocabulary("csg2d").actions
    return [names[action].removeprefix("production:") for action in example.graph.action[example.graph.is_hole]]


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_a_batch_follows_from_its_seed_and_number(grammar: str) -> None:
    assert_same(batches(grammar)[2], batches(grammar, first=2)[0])  # as a run asks that goes on from step 2
    assert not torch.equal(batches(grammar)[2][0], batches(grammar, seed=2)[2][0])
    loader = DataLoader(batches(grammar), batch_size=None, num_workers=1)
    for one, other in zip(loader, [batches(grammar)[k] for k in range(3)], strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_a_batch_has_the_stated_shapes(grammar: str) -> None:
    vocabulary = load_vocabulary(grammar)
    target, drawing, graph = batches(grammar)[0]
    assert target.shape == drawing.shape == (4, 3, 64, 64) and target.dtype == torch.uint8
    holes = int(graph.is_hole.sum())
    assert graph.legal.shape == (holes, len(vocabulary.actions))
    assert graph.legal[torch.arange(holes), graph.action[graph.is_hole]].all()  # every answer is legal
    source, sink = graph.edge_index
    known = ~graph.is_hole
    assert (known[source] | (source < sink)).all()  # holes are heard by later holes only
    assert not (graph.is_hole[source] & known[sink]).any()  # and never by the program
    assert (graph.batch[source] == graph.batch[sink]).all()
    shares = torch.zeros(4).index_add(0, graph.batch, graph.site)
    asked = graph.edits > 0
    assert torch.allclose(shares[asked], torch.ones(int(asked.sum()))) and not shares[~asked].any()


def test_writing_the_whole_program() -> None:
    problem = csg("(- (Circle 2 8 9) (Quad 4 5 6 7 H))")
    example = write_lesson(load_vocabulary("csg2d"), problem, see(PROBLEMS["csg2d"].draw(problem)))
    # Pre-order, and in each shape the place before what is measured from it.
    wanted = "subtract circle eight nine two quad four five turn_45 six seven"
    assert actions_of(example) == wanted.split()
    assert example.drawing.min() == 255 and not example.graph.context.any() and example.graph.edits.item() == -1


def test_an_edit_by_hand() -> None:
    example = lesson_of("(- (Circle 2 8 9) (Circle 4 5 6))", "(- (+ (Circle 2 8 7) (Quad 1 1 2 2 G)) (Circle 4 5 6))")
    graph, names = example.graph, load_vocabulary("csg2d").actions
    program = [names[action].removeprefix("production:") for action in graph.action[~graph.is_hole]]
    assert program == "subtract circle eight nine two circle five six four".split()
    # Something is put around the first circle, and its y (decision 3) becomes 7.
    assert actions_of(example) == "add copy:0 quad one one turn_0 two two seven".split()
    assert graph.site[~graph.is_hole].nonzero()[:, 0].tolist() == [1, 3] and graph.edits.item() == 2
    assert graph.site.sum() == pytest.approx(1)
    # What stood where the holes are: the circle, at the top of the rewrite, and a 9.
    was = [names[action].removeprefix("production:") if action >= 0 else "" for action in graph.was[graph.is_hole]]
    assert was == ["circle", *[""] * 7, "nine"]
    assert (see(PROBLEMS["csg2d"].draw(csg("(- (Circle 2 8 9) (Circle 4 5 6))"))) * 255 + 0.5).astype(
        np.uint8
    ).tolist() == example.drawing.tolist()


def test_nothing_left_to_do_is_an_example_too() -> None:
    graph = lesson_of("(Circle 2 8 9)", "(Circle 2 8 9)").graph
    assert graph.edits.item() == 0 and not graph.is_hole.any() and not graph.site.any()
    assert graph.legal.shape == (0, len(load_vocabulary("csg2d").actions))


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_examples_are_exact(grammar: str) -> None:
    """The decisions of a lesson write edits of which each leads nearer to its problem."""
    from treesketch import tree
    from treesketch.derivation import Choice, Derivation, encode
    from treesketch.language import Slot

    vocabulary, rng = load_vocabulary(grammar), np.random.default_rng(8)
    language, seen = vocabulary.language, 0
    while seen < 12:
        problem = simplify(sample_problem(grammar, rng), grammar)
        there = spoil_problem(vocabulary, problem, rng)
        lesson = edit_lesson(vocabulary, there, problem, np.zeros((64, 64, 3), np.float32), rng)
        left, edits = find_path(there, problem, language)
        if lesson is None or not edits:
            continue
        graph, context = lesson.graph, encode(vocabulary, [there])
        assert graph.edits.item() == left
        answers = iter(graph.action[graph.is_hole].tolist())
        sites = sorted({edit.path for edit in edits})
        assert [context[k].path[1:] for k in graph.site.nonzero()[:, 0].tolist()] == sites
        written = 0
        for path in (edit.path for edit in edits for _ in range(len(edits) <= MOST_REWRITES)):
            site = next(d for d in context if d.path[1:] == path and not d.is_end)
            slot = Slot(vocabulary.holes[site.hole].kind)
            derivation = Derivation(vocabulary, 400, slot, vocabulary.roles[site.role], old=tree.at(there, path))
            while derivation.decision:
                derivation.choose(Choice(next(answers)))
            nearer = tree.replace(there, path, derivation.nodes[0])
            assert find_path(nearer, problem, language)[0] < left
            written += 1
        assert next(answers, None) is None or len(edits) > MOST_REWRITES
        seen += written


def test_a_problem_gives_several_examples() -> None:
    lessons = make_lessons(load_vocabulary("csg2d"), {}, np.random.default_rng(0))
    assert len(lessons) == EXAMPLES_A_PROBLEM
    assert [bool(lesson.graph.context.any()) for lesson in lessons] == [False] + [True] * (EXAMPLES_A_PROBLEM - 1)
    assert all((lesson.target == lessons[0].target).all() for lesson in lessons)


@pytest.mark.parametrize("source", [SCOPED, TUPLES], ids=["names", "lists"])
def test_grammars_that_cannot_be_edited_are_told(source: str) -> None:
    with pytest.raises(ConfigError, match="grammar 'toy' has names, places, or lists where nothing is chosen"):
        require_editable(Vocabulary(read_language("toy", source)))


# Canonical programs


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        # Nested operations are one list; what is added is in reading order.
        (
            "(+ (Circle 1 2 9) (+ (Circle 1 9 2) (Circle 1 2 2)))",
            "(+ (+ (Circle 1 2 2) (Circle 1 9 2)) (Circle 1 2 9))",
        ),
        (
            "(- (Quad 8 8 9 9 G) (- (Circle 1 8 8) (Circle 1 6 6)))",
            "(- (- (Quad 8 8 9 9 G) (Circle 1 6 6)) (Circle 1 8 8))",
        ),
        # A cut stays before what is added over it, and goes where nothing is to be cut.
        (
            "(+ (- (Circle 4 9 9) (Circle 2 9 6)) (Circle 1 9 4))",
            "(+ (- (Circle 4 9 9) (Circle 2 9 6)) (Circle 1 9 4))",
        ),
        ("(+ (- (Circle 2 2 2) (Circle 1 9 9)) (Circle 3 9 9))", "(+ (Circle 2 2 2) (Circle 3 9 9))"),
        # Turns are 0 or 45 degrees; what has no area goes; what is said twice is said once.
        ("(Quad 8 8 3 5 I)", "(Quad 8 8 5 3 G)"),
        ("(Quad 8 8 3 5 N)", "(Quad 8 8 5 3 H)"),
        ("(+ (Circle 0 3 3) (Quad 8 8 3 5 G))", "(Quad 8 8 3 5 G)"),
        ("(+ (Circle 2 3 3) (Circle 2 3 3))", "(Circle 2 3 3)"),
        ("(Quad 3 3 0 8 H)", "(Circle 0 0 0)"),
    ],
)
def test_canonical_csg2d_by_hand(text: str, wanted: str) -> None:
    assert PROBLEMS["csg2d"].canonical(csg(text)) == csg(wanted)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("(Rectangle 3 4 red none 7)", "(Rectangle 3 4 red none 0)"),
        ("(Move (Ellipse 3 4 red blue 7) 0 0 true false)", "(Ellipse 3 4 red blue 7)"),
        ("(Move (Ellipse 3 4 red blue 7) 0 2 true false)", "(Move (Ellipse 3 4 red blue 7) 0 2 false false)"),
        (
            "(Move (Move (Ellipse 3 4 red blue 7) 5 2 true false) 3 4 false false)",
            "(Move (Ellipse 3 4 red blue 7) 2 6 true false)",
        ),
        ("(Move (Move (Ellipse 3 4 red blue 7) 5 2 true true) 5 2 false false)", "(Ellipse 3 4 red blue 7)"),
        (
            "(Move (Move (Ellipse 3 4 red blue 7) 5 2 true false) 5 4 true false)",
            "(Move (Move (Ellipse 3 4 red blue 7) 5 2 true false) 5 4 true false)",
        ),
    ],
)
def test_canonical_tinysvg_by_hand(text: str, wanted: str) -> None:
    language = load_language("tinysvg")
    assert PROBLEMS["tinysvg"].canonical(parse(text, language)) == parse(wanted, language)


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_canonical_programs_draw_the_same(grammar: str) -> None:
    domain, rng = PROBLEMS[grammar], np.random.default_rng(9)
    for _ in range(60):
        program = sample_problem(grammar, rng)
        canonical = domain.canonical(program)
        assert domain.canonical(canonical) == canonical
        assert (domain.draw(canonical) == domain.draw(program)).all()


def test_what_is_not_seen_goes() -> None:
    # A circle inside a rectangle, a cut that is filled again, and one that does something.
    text = "(- (+ (- (+ (Quad 8 8 8 8 G) (Circle 2 8 8)) (Circle 1 6 6)) (Quad 6 6 4 4 G)) (Circle 2 A A))"
    assert simplify(csg(text), "csg2d") == csg("(- (Quad 8 8 8 8 G) (Circle 2 A A))")


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_simpler_problems_look_the_same(grammar: str) -> None:
    domain, rng = PROBLEMS[grammar], np.random.default_rng(10)
    for _ in range(25):
        program = sample_problem(grammar, rng)
        simple = simplify(program, grammar)
        one, other = (see(domain.draw(tree)) for tree in (program, simple))
        assert np.abs(one - other).mean() < 8 * 3e-4  # no more than 8 parts can go
