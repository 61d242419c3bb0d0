"""The tinysvg solver: leaves are read from the picture alone, and a tree is found that puts them where they are."""

import numpy as np
import pytest

from treesketch.dialects.tinysvg import LANGUAGE
from treesketch.sampling.tinysvg import draw
from treesketch.solving.judge import Judge
from treesketch.solving.tinysvg import sheet, solve, variants
from treesketch.syntax import parse


@pytest.mark.parametrize(
    "text",
    [
        "(Rectangle 5 8 red black 2)",
        "(Ellipse 7 4 blue none 0)",
        "(Arrange h (Rectangle 4 4 green none 0) (Ellipse 5 5 yellow black 1) 3)",
        "(Arrange v (Rectangle 9 2 purple none 0) (Move (Rectangle 3 6 orange none 0) 2 1 false true) 1)",
        "(Move (Ellipse 6 6 red blue 3) 4 7 true false)",
        # a frame leaves two pieces of what is below it
        "(Arrange h (Rectangle 2 7 orange yellow 5) (Move (Rectangle 7 7 none black 8) 7 4 true true) 8)",
        # a white stroke shows where it cuts what is below it
        "(Arrange v (Rectangle 1 9 green orange 4) (Move (Rectangle 9 3 blue white 2) 0 5 false true) 0)",
        # a ring through which something is seen
        "(Arrange h (Rectangle 4 4 none red 6) (Move (Ellipse 9 3 none green 6) 1 0 true false) 0)",
    ],
)
def test_small_pictures_are_read_at_once(text: str) -> None:
    judge = Judge("tinysvg", draw(parse(text, LANGUAGE)), 64)
    solve(judge, np.random.default_rng(0))
    assert judge.solved_at is not None and judge.solved_at <= 4
    assert judge.best is not None and judge.best.exact
    assert judge.looks_before is not None and judge.looks >= judge.looks_before > 0


def test_every_leaf_that_is_laid_over_the_picture_is_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    laid = []
    real = sheet.place
    for module in (sheet, variants):
        monkeypatch.setattr(module, "place", lambda *given: laid.append(given[1]) or real(*given))
    judge = Judge(
        "tinysvg", draw(parse("(Arrange h (Rectangle 4 4 red none 0) (Ellipse 5 5 blue none 0) 3)", LANGUAGE)), 9
    )
    solve(judge, np.random.default_rng(0))
    assert 0 < len(set(laid)) <= judge.looks


def test_no_more_is_tried_than_the_judge_allows() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (224, 224, 3)).astype(np.uint8)
    noise[40:] = 255
    judge = Judge("tinysvg", noise, 3)
    solve(judge, np.random.default_rng(0))
    assert judge.renders <= 3 and judge.solved_at is None
