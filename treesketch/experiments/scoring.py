"""What written programs are worth: texts and target pictures in, validity, likeness and length out.

Every system that writes programs is measured here, and only here, whatever it writes them with.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from treesketch.canvas import Canvas
from treesketch.check import check
from treesketch.errors import SketchError
from treesketch.interpreter import Interpreter
from treesketch.model.encoder import RESOLUTION
from treesketch.raster import rasterise
from treesketch.syntax import parse, unparse
from treesketch.tree import Node, count


@dataclass(frozen=True, slots=True)
class Score:
    """Means over pictures. valid and exact are shares; rmse is 0..1 at 64 pixels, where a program that is not valid
    draws nothing, so that the ground of an empty program stands for it; nodes counts those of valid programs alone."""

    pictures: int
    valid: float
    exact: float
    rmse: float
    nodes: float

    def named(self, prefix: str) -> dict[str, float]:
        """The values under names for a table."""
        return {f"{prefix}_{name}": float(value) for name, value in asdict(self).items() if name != "pictures"}


def read_valid(text: str) -> Node | None:
    """The tree of a text that parses and checks, else None."""
    try:
        tree = parse(text)
    except SketchError:
        return None
    return None if check(tree) else tree


def draw(tree: Node | None) -> np.ndarray | None:
    """A program's picture (64, 64, 3) float32 in 0..1; None for one that does not run to its end."""
    try:
        scene = Interpreter(Canvas()).run(tree or Node("program", ()))
        return rasterise(scene, (RESOLUTION, RESOLUTION)).astype(np.float32) / 255
    except SketchError:
        return None


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Root mean square error of two pictures in 0..1."""
    return float(np.sqrt(((one - other) ** 2).mean()))


def score(texts: Sequence[str], targets: Sequence[np.ndarray], truths: Sequence[str]) -> Score:
    """Measure a program for each target (64, 64, 3) in 0..1; truths are programs that draw them exactly."""
    blank = draw(None)
    assert blank is not None
    valid = exact = 0
    errors: list[float] = []
    sizes: list[int] = []
    for text, target, truth in zip(texts, targets, truths, strict=True):
        tree = read_valid(text)
        picture = draw(tree) if tree else None
        if tree is not None and picture is not None:
            valid += 1
            sizes.append(count(tree))
            exact += unparse(tree) == unparse(parse(truth))
        errors.append(distance(blank if picture is None else picture, target))
    n = len(errors)
    return Score(n, valid / n, exact / n, float(np.mean(errors)), float(np.mean(sizes) if sizes else np.nan))


def nearest(texts: Sequence[str], target: np.ndarray) -> str:
    """Of programs the one whose picture is nearest to a target (64, 64, 3) in 0..1; the first where none is valid."""
    errors = [np.inf if picture is None else distance(picture, target) for picture in map(draw_text, texts)]
    return texts[int(np.argmin(errors))]


def draw_text(text: str) -> np.ndarray | None:
    """The picture (64, 64, 3) of a program's text; None for one that is not valid or does not run to its end."""
    tree = read_valid(text)
    return draw(tree) if tree else None
