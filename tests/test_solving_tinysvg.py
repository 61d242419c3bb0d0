"""The tinysvg solver: leaves are read from the picture alone, and a tree is found that puts them where they are."""

import numpy as np
import pytest

from treesketch.dialects.tinysvg import LANGUAGE
from treesketch.sampling.tinysvg import draw
from treesketch.solving.judge import Judge
from treesketch.solving.tinysvg import solve
from treesketch.syntax import parse


@pytest.mark.parametrize(
    "text",
    [
        "(Rectangle 5 8 red black 2)",
        "(Ellipse 7 4 blue none 0)",
        "(Arrange h (Rectangle 4 4 green none 0) (Ellipse 5 5 yellow black 1) 3)",
        "(Arrange v (Rectangle 9 2 purple none 0) (Move (Rectangle 3 6 orange none 0) 2 1 false true) 1)",
        "(Move (Ellipse 6 6 red blue 3) 4 7 true false)",
    ],
)
def test_small_pictures_are_read_at_once(text: str) -> None:
    judge = Judge("tinysvg", draw(parse(text, LANGUAGE)), 64)
    solve(judge, np.random.default_rng(0))
    assert judge.solved_at is not None and judge.solved_at <= 4
    assert judge.best is not None and judge.best.exact


def test_no_more_is_tried_than_the_judge_allows() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (224, 224, 3)).astype(np.uint8)
    noise[40:] = 255
    judge = Judge("tinysvg", noise, 3)
    solve(judge, np.random.default_rng(0))
    assert judge.renders <= 3 and judge.solved_at is None
