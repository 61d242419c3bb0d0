"""The judge's counting, the tests of success beside pictures made by hand, the problem sets, and the solvers."""

from hashlib import sha256
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

from treesketch.check import check
from treesketch.dialects.csg2d import Part, Region, interpret, mask
from treesketch.dialects.solved import csg2d_exact, csg2d_solved, tinysvg_exact, tinysvg_solved
from treesketch.language import load_language
from treesketch.sampling.problems import PROBLEMS, sample_problem
from treesketch.solving import climb, csg2d
from treesketch.solving.judge import Judge, Spent, Try
from treesketch.solving.peel import MOST_PARTS, explain, whole
from treesketch.solving.problems import count_parts, count_seen, is_hard, pose
from treesketch.solving.shapes import all_shapes
from treesketch.syntax import flat, parse
from treesketch.tree import Node

PUBLISHED = Path(__file__).parent / "dialects" / "csg2d"  # problems drawn by Tree Diffusion's own libraries
COLUMNS, SIDE = 8, 128  # of that sheet


def _read(text: str, grammar: str = "csg2d") -> Node:
    return parse(text, load_language(grammar))


def _judge(text: str, budget: int = 10, grammar: str = "csg2d") -> Judge:
    return Judge(grammar, PROBLEMS[grammar].draw(_read(text, grammar)), budget)


# The judge


def test_every_program_is_counted_once_and_the_best_is_kept() -> None:
    judge = _judge("(Quad 8 8 8 8 G)", 4)
    first = judge.try_program(_read("(Circle 1 8 8)"))
    assert judge.renders == 1 and not first.solved and judge.best and judge.best.score == first.score
    assert judge.try_program(_read("(Circle 1 8 8)")).score == first.score
    assert judge.renders == 1
    # 72 x 64 of 128 x 128 pixels, not 64 x 64: overlaps 64/72 inside and (256 - 72) / (256 - 64) outside
    near = judge.try_program(_read("(Quad 8 8 9 8 G)"))
    assert near.score == pytest.approx((64 / 72 + 184 / 192) / 2) and not near.solved
    hit = judge.try_program(_read("(+ (Quad 8 8 8 8 G) (Circle 1 8 8))"))
    assert hit == (1.0, True, True, hit.drawing) and (judge.solved_at, judge.exact_at) == (3, 3)
    judge.try_program(_read("(Quad 8 8 8 8 I)"))  # as good, and shorter
    assert judge.best.program == _read("(Quad 8 8 8 8 I)") and judge.best.render == 4
    assert (judge.solved_at, judge.exact_at, judge.left) == (3, 3, 0)


def test_a_spent_judge_draws_nothing_new() -> None:
    judge = _judge("(Quad 8 8 8 8 G)", 1)
    judge.try_program(_read("(Circle 1 8 8)"))
    judge.try_program(_read("(Circle 1 8 8)"))
    with pytest.raises(Spent):
        judge.try_program(_read("(Circle 2 8 8)"))
    assert judge.renders == 1


def test_a_complement_solves_but_not_strictly() -> None:
    judge = _judge("(- (Quad 8 8 F F G) (Circle 4 8 8))")  # the quad leaves a frame of 4 pixels
    target = 1 - judge.target
    judge = Judge("csg2d", target, 10)
    assert judge.try_program(_read("(- (Quad 8 8 F F G) (Circle 4 8 8))"))[:3] == (1.0, True, False)
    assert (judge.solved_at, judge.exact_at) == (1, None)


def test_csg2d_by_hand() -> None:
    target = np.zeros((100, 100), np.float32)
    target[:, :50] = 1
    drawn = target.copy()
    drawn[:, 50] = 1  # one column more: (50/51 + 49/50) / 2 = .9802
    assert csg2d_solved(drawn, target) and not csg2d_exact(drawn, target)
    drawn[:24, 51] = 1  # 24 pixels more: (5000/5124 + 4876/5000) / 2 = .9755
    assert not csg2d_solved(drawn, target)
    drawn = target.copy()
    drawn[:49, 50] = 1  # (5000/5049 + 4951/5000) / 2 = .9902
    assert not csg2d_exact(drawn, target)
    drawn[24:49, 50] = 0  # 24 pixels: (5000/5024 + 4976/5000) / 2 = .9952
    assert csg2d_exact(drawn, target) and csg2d_solved(1 - drawn, target) and not csg2d_exact(1 - drawn, target)


def test_tinysvg_by_hand() -> None:
    target = np.full((224, 224, 3), 100, np.uint8)
    drawn = target.copy()
    drawn += 1
    assert tinysvg_exact(drawn, target) and tinysvg_solved(drawn, target)  # (1/255)^2 = 1.5e-5
    drawn[0, 0, 0] = 98
    assert not tinysvg_exact(drawn, target) and tinysvg_solved(drawn, target)
    drawn[:] = 96  # (4/255)^2 = 2.46e-4, the limit is 2.77e-4
    assert tinysvg_solved(drawn, target) and not tinysvg_exact(drawn, target)
    drawn[:] = 95  # 3.8e-4
    assert not tinysvg_solved(drawn, target)


# The problem sets

FIVE = "(+ (+ (+ (+ (Quad 2 2 4 4 G) (Quad 8 2 4 4 G)) (Quad D 2 4 4 G)) (Quad 2 8 4 4 G)) {})"
BARS = "(+ (+ (+ (+ (Quad 3 8 4 E G) (Quad 8 8 4 E G)) (Quad D 3 2 2 G)) (Quad D 8 2 2 G)) (Quad D D 2 2 G))"
ROW = "(Rectangle 3 3 red none 0)"


@pytest.mark.parametrize(
    ("grammar", "text", "hard"),
    [
        # Five squares of 32 x 32 pixels: of any two the overlap is 2/5 inside and (16 - 5) / (16 - 2) outside.
        ("csg2d", FIVE.format("(Quad 8 8 4 4 G)"), True),
        ("csg2d", FIVE.format("(Quad 8 8 1 1 G)"), False),  # the fifth has 64 of 16,384 pixels, less than a hundredth
        # Two bars of 32 x 112 and three squares of 16 x 16: the bars are 7,168 of 7,936, outside 8,448 of 9,216: .910
        ("csg2d", BARS, False),
        ("csg2d", BARS.replace("4 E", "2 E"), True),  # 3,584 of 4,352 and 12,032 of 12,800: .882
        # Squares of 18 x 18: three missing red ones are 3 x 324 x 2/3 / 50,176 = .013 of squared error
        ("tinysvg", f"(Arrange h {ROW} (Arrange h {ROW} (Arrange h {ROW} (Arrange h {ROW} {ROW} 2) 2) 2) 2)", True),
        ("tinysvg", f"(Arrange h {ROW} (Arrange h {ROW} (Arrange h {ROW} {ROW} 2) 2) 2)", False),
    ],
)
def test_hard_problems_have_parts_that_matter(grammar: str, text: str, hard: bool) -> None:
    assert is_hard(_read(text, grammar), grammar) == hard


@pytest.mark.parametrize(
    ("grammar", "kind", "digest"),
    [
        ("csg2d", "plain", "5ccb9cea57a6"),
        ("csg2d", "hard", "76645c031d11"),
        ("tinysvg", "plain", "c4a66126f741"),
        ("tinysvg", "hard", "b713269b5218"),
    ],
)
def test_the_sets_stay_what_they_are(grammar: str, kind: str, digest: str) -> None:
    programs = [pose(grammar, kind, number) for number in range(4)]
    text = "\n".join(flat(program, load_language(grammar)) for program in programs)
    assert sha256(text.encode()).hexdigest()[:12] == digest
    assert all(is_hard(program, grammar) for program in programs if kind == "hard")


def test_parts_that_are_seen_are_counted() -> None:
    hidden = _read("(+ (Circle 2 8 8) (- (Quad 8 8 8 8 G) (Circle 2 0 0)))")
    assert (count_parts(hidden, "csg2d"), count_seen(hidden, "csg2d")) == (3, 1)
    painted = _read(
        "(Arrange h (Rectangle 3 3 red none 0) (Move (Rectangle 5 5 white none 0) 2 0 false false) 1)", "tinysvg"
    )
    assert (count_parts(painted, "tinysvg"), count_seen(painted, "tinysvg")) == (2, 1)


# csg2d from the picture


def test_sums_are_those_of_each_shape_drawn_alone() -> None:
    rng, shapes = np.random.default_rng(2), all_shapes()
    weights = rng.integers(-9, 10, (SIDE, SIDE))
    other = rng.integers(-9, 10, (SIDE, SIDE))
    sums = shapes.sums(weights, other)
    assert sums.shape == (shapes.count,)
    ends = [0, shapes.straight - 1, shapes.straight, shapes.straight + shapes.slanted - 1, shapes.count - 1]
    for i in [*ends, *rng.integers(0, shapes.count, 500)]:
        region = shapes.region(int(i))
        drawn = mask((Part(True, region),))
        straight = not region.is_disc and not region.slanted
        assert sums[i] == (weights if straight else other)[drawn].sum()


def test_every_region_is_among_the_shapes_or_looks_like_one() -> None:
    # 240 spans are cut to 192 by the canvas: from a center c, in halves of steps, those of size 2c or more all begin at
    # the left edge, and so on; counted here by drawing them.
    spans = {(max(2 * c - s, 0), min(2 * c + s, 32)) for c in range(16) for s in range(1, 16)}
    assert all_shapes().straight == len(spans) ** 2
    assert all_shapes().count - all_shapes().straight - all_shapes().slanted == 15 * 16 * 16


def test_programs_of_parts_mean_those_parts() -> None:
    for k in range(50):
        solid = interpret(sample_problem("csg2d", np.random.default_rng([8, k])))
        program = csg2d.to_program(solid)
        assert check(program) == [] and parse(flat(program, load_language("csg2d")), load_language("csg2d")) == program
        assert interpret(program) == solid
    disc = Region(True, 8, 8, 4, 4)
    assert interpret(csg2d.to_program((Part(False, disc), Part(True, disc)))) == (Part(True, disc),)
    for nothing in ((), (Part(False, disc),)):
        assert csg2d.to_program(nothing) == _read("(Circle 0 0 0)")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("(Circle 5 8 8)", 1),
        ("(Quad 3 4 5 6 G)", 1),
        ("(Quad 8 8 9 4 J)", 1),
        ("(Circle F 0 0)", 1),  # most of it is outside
        ("(- (Circle 7 8 8) (Circle 3 8 8))", 2),
        ("(- (Quad 8 8 C A G) (Quad 8 8 6 3 H))", 2),
        ("(+ (- (Circle 7 8 8) (Quad 8 8 6 6 H)) (Circle 1 8 8))", 3),
        ("(- (+ (Circle 5 5 5) (Circle 5 B B)) (Quad 8 8 F 1 H))", 3),
        ("(- (+ (- (Quad 8 8 F F G) (Circle 6 8 8)) (Quad 8 8 6 6 H)) (Circle 2 8 8))", 4),
        ("(+ (- (+ (Circle 4 4 4) (Quad B 4 7 7 G)) (Circle 2 B 4)) (Quad 8 C E 4 G))", 4),
    ],
)
def test_simple_problems_are_solved_at_once_and_shortly(text: str, parts: int) -> None:
    judge = _judge(text, 1000)
    csg2d.solve(judge, np.random.default_rng(0))
    assert judge.exact_at is not None and judge.exact_at <= 2
    assert judge.best and count_parts(judge.best.program, "csg2d") <= parts


def test_problems_that_other_libraries_drew_are_solved() -> None:
    sheet = np.asarray(Image.open(PUBLISHED / "problems-skia.png").convert("L"))
    for i in range(16):
        y, x = SIDE * (i // COLUMNS), SIDE * (i % COLUMNS)
        judge = Judge("csg2d", 1 - sheet[y : y + SIDE, x : x + SIDE].astype(np.float32) / 255, 200)
        csg2d.solve(judge, np.random.default_rng(0))
        assert judge.solved_at and judge.solved_at <= 64, f"problem {i}: {judge.best}"


class _Recorder(Judge):
    """Writes down what is tried."""

    def try_program(self, program: Node) -> Try:
        self.tried = [*getattr(self, "tried", []), flat(program, load_language(self.grammar))]
        return super().try_program(program)


def _tried(text: str, seed: int) -> list[str]:
    judge = _Recorder("csg2d", _judge(text).target, 200)
    csg2d.solve(judge, np.random.default_rng(seed))
    return judge.tried


def test_what_is_tried_follows_from_the_picture_and_the_seed() -> None:
    text = flat(pose("csg2d", "hard", 1000), load_language("csg2d"))
    hidden = f"(- {text} (Circle 0 3 3))"  # another program of the same picture
    assert _tried(text, 3) == _tried(text, 3) == _tried(hidden, 3)


def test_a_solver_ends_when_its_renders_are_spent() -> None:
    for budget in (1, 7):
        judge = Judge("csg2d", PROBLEMS["csg2d"].draw(pose("csg2d", "hard", 1000)), budget)
        csg2d.solve(judge, np.random.default_rng(0))
        assert judge.renders == budget


def test_what_no_program_draws_is_given_up() -> None:
    noise = np.random.default_rng(1).random((SIDE, SIDE)).astype(np.float32)
    judge = Judge("csg2d", noise, 2000)
    csg2d.solve(judge, np.random.default_rng(0))
    assert judge.solved_at is None and judge.best
    blank = Judge("csg2d", np.zeros_like(noise), 100)
    csg2d.solve(blank, np.random.default_rng(0))
    assert blank.exact_at == 1


def test_programs_of_another_source_are_tried_first() -> None:
    begin = [_read("(Circle 2 2 2)"), _read("(- (Circle 6 8 8) (Quad 8 8 5 5 G))")]
    judge = _Recorder("csg2d", _judge("(- (Circle 6 8 8) (Quad 8 8 5 5 G))").target, 100)
    csg2d.solve(judge, np.random.default_rng(0), begin)
    assert judge.tried[:2] == [flat(program, load_language("csg2d")) for program in begin]
    assert judge.exact_at == 2


def test_an_explanation_is_counted_look_by_look_and_has_an_end() -> None:
    judge = _judge("(- (Circle 6 8 8) (Quad 8 8 5 5 G))")
    rest = explain(whole(judge.target), judge)
    assert rest.wrong == 0 and judge.looks >= len(rest.parts) == 2 and judge.renders == 0
    noise = np.random.default_rng(1).random((SIDE, SIDE))
    assert len(explain(whole(noise), judge).parts) <= MOST_PARTS + 1
    assert explain(whole(np.zeros((SIDE, SIDE))), judge).parts == ()


# Hill climbing


@pytest.mark.parametrize("grammar", sorted(PROBLEMS))
def test_changes_give_programs(grammar: str) -> None:
    language, random = load_language(grammar), Random(4)
    program = sample_problem(grammar, np.random.default_rng(4))
    for _ in range(300):
        changed = climb.change(program, language, random)
        assert changed != program or changed.production == "program"
        assert check(changed) == [] and parse(flat(changed, language), language) == changed
        program = changed if len(flat(changed, language)) < 400 else sample_problem(grammar, np.random.default_rng(4))


def test_hill_climbing_finds_one_square_and_counts_its_renders() -> None:
    judge = _judge("(Quad 8 8 8 8 G)", 3000)
    climb.solve(judge, np.random.default_rng(2))
    assert judge.solved_at and judge.exact_at and judge.renders == judge.exact_at <= 3000
    judge = _judge("(- (Circle 7 8 8) (Circle 3 8 8))", 50)
    climb.solve(judge, np.random.default_rng(2))
    assert judge.renders == 50
