"""The judge's counting, the tests of success beside pictures made by hand, the problem sets, and the solvers."""

import numpy as np
import pytest

from treesketch.dialects.solved import csg2d_exact, csg2d_solved, tinysvg_exact, tinysvg_solved
from treesketch.language import load_language
from treesketch.sampling.problems import PROBLEMS
from treesketch.solving.judge import Judge, Spent
from treesketch.syntax import parse
from treesketch.tree import Node


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
