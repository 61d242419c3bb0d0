"""Programs against Processing itself: the same picture, and the same random numbers and noise.

Needs Java and the packages of the extra `oracle`; `pytest -m oracle` runs it, and skips it where they are missing.
"""

from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest

from treesketch import chance
from treesketch.interpreter import interpret
from treesketch.language import load_language
from treesketch.raster import rasterise
from treesketch.syntax import parse
from treesketch.tree import walk

pytestmark = pytest.mark.oracle
PROGRAMS, SEED, SIDE = 320, 1, 128
SKETCHES = sorted((Path(__file__).parent / "sketches").rglob("*.clj"))

# N is a place on the canvas, S a size, A an angle, C a channel, W a weight.
SETTINGS = """(fill C C C) (fill C) (fill C C) (fill C C C C) (no-fill) (stroke C C C)
(stroke C C C C) (stroke C) (no-stroke)
(stroke-weight W) (stroke-cap :round) (stroke-cap :square) (stroke-cap :project) (stroke-join :miter)
(stroke-join :bevel) (stroke-join :round) (rect-mode :corner) (rect-mode :corners) (rect-mode :center)
(rect-mode :radius) (ellipse-mode :center) (ellipse-mode :corner) (ellipse-mode :corners) (ellipse-mode :radius)
(background C C C)"""
SHAPES = """(rect N N S S) (rect N N S S R) (rect N N S S R R R R) (ellipse N N S S) (arc N N S S A B)
(arc N N S S A B :open) (arc N N S S A B :chord) (arc N N S S A B :pie) (line N N N N) (point N N)
(triangle N N N N N N) (quad N N N N N N N N) (bezier N N N N N N N N) (curve N N N N N N N N)
(begin-shape)_(vertex_N_N)_(vertex_N_N)_(bezier-vertex_N_N_N_N_N_N)_(vertex_N_N)_(end-shape)
(begin-shape)_(vertex_N_N)_(quadratic-vertex_N_N_N_N)_(quadratic-vertex_N_N_N_N)_(end-shape_:close)
(begin-shape)_(curve-vertex_N_N)_(curve-vertex_N_N)_(curve-vertex_N_N)_(curve-vertex_N_N)
_(curve-vertex_N_N)_(end-shape)
(begin-shape)_(vertex_5_5)_(vertex_120_9)_(vertex_N_N)
_(begin-contour)_(vertex_N_N)_(vertex_N_N)_(vertex_N_N)_(end-contour)_(end-shape_:close)"""
SCOPES = """(with-translation_[S_S]_*) (with-rotation_[A]_*) (push-matrix)_(translate_S_S)_(rotate_A)_*_(pop-matrix)
(push-matrix)_(scale_F)_*_(pop-matrix) (push-matrix)_(scale_F_F)_*_(pop-matrix) (push-matrix)_(shear-x_F)_*_(pop-matrix)
(push-matrix)_(shear-y_F)_*_(pop-matrix) (dotimes_[i_3]_(translate_9_4)_*) (when_true_*) (if_nil_(point_1_1)_*)"""


def _split(text: str) -> list[str]:
    """The forms of a table: `_` joins the words of one that is longer than a bracket."""
    forms, depth = [""], 0
    for character in " ".join(text.split()).replace(" _", "_"):
        depth += (character in "([") - (character in ")]")
        if character == " " and not depth:
            forms.append("")
        else:
            forms[-1] += " " if character == "_" else character
    return forms


def _form(random: Random, template: str) -> str:
    """A template with numbers for its capital letters and a shape for its star."""
    draw = {
        "N": lambda: random.choice((random.randint(-10, 138), round(random.uniform(0, 128), 2))),
        "S": lambda: random.choice((random.randint(4, 70), round(random.uniform(1, 60), 2))),
        "R": lambda: random.randint(0, 20),
        "A": lambda: round(random.uniform(-2, 2), 2),
        "B": lambda: round(random.uniform(0, 7), 2),
        "C": lambda: random.randint(0, 255),
        "W": lambda: random.choice((0, 0.5, 1, 2, 3.5, 9)),
        "F": lambda: random.choice(
            (0.25, 0.5, 0.75, 1.25, 1.75)
        ),  # exact in single precision: else 45 x 1.8 < 81 there
        "*": lambda: _form(random, random.choice(_split(SHAPES))),
    }
    words = template.replace("(", "( ").replace(")", " )").replace("[", "[ ").replace("]", " ]").split()
    return " ".join(str(draw[word]()) if word in draw else word for word in words).replace("( ", "(")


def _program(number: int) -> str:
    random = Random(f"{SEED} {number}")
    forms = [f"(size {SIDE} {SIDE})"]
    for _ in range(random.randint(3, 8)):
        forms += [_form(random, random.choice(_split(SETTINGS))) for _ in range(random.randint(0, 3))]
        forms.append(_form(random, random.choice(_split(random.choice((SHAPES, SHAPES, SCOPES))))))
    return "\n".join(forms)


@pytest.fixture(scope="module")
def processing():
    """The module that draws with Processing, Java started."""
    pytest.importorskip("jpype", reason="needs jpype1 and py5: pip install '.[oracle]'")
    import processing

    try:
        processing.start()
    except Exception as error:
        pytest.skip(f"no Java with Processing: {error}")
    return processing


def _difference(processing, text: str) -> float:
    tree = parse(text)
    scene = interpret(tree)
    theirs = processing.draw(tree, scene.width, scene.height)
    return float(np.abs(rasterise(scene).astype(int) - theirs).mean())


def test_random_programs_look_as_processing_draws_them(processing) -> None:
    seen: Counter[str] = Counter()
    found = []
    for number in range(PROGRAMS):
        text = _program(number)
        seen.update(node.production for _, node in walk(parse(text)))
        found.append((_difference(processing, text), number))
    worst, number = max(found)
    mean = float(np.mean([difference for difference, _ in found]))
    print(f"{PROGRAMS} programs, seed {SEED}: mean difference {mean:.3f} of 255, worst {worst:.3f} (program {number})")
    drawing = {name for kind in ("setting", "shape", "transform", "corner") for name in load_language().kinds[kind]}
    assert drawing - set(seen) <= {"random_seed", "noise_seed"}
    assert mean <= 0.3 and worst <= 2, _program(number)


@pytest.mark.parametrize("path", SKETCHES, ids=lambda path: path.stem)
def test_sketches_look_as_processing_draws_them(processing, path: Path) -> None:
    assert _difference(processing, path.read_text(encoding="utf-8")) <= 2


def test_random_numbers_and_noise_are_processings(processing) -> None:
    import jpype

    applet = jpype.JClass("processing.core.PApplet")()
    random = Random(SEED)
    for seed in (0, 1, 7, -3, 123456789):
        applet.randomSeed(seed)
        applet.noiseSeed(seed)
        state = chance.seed_state(seed)
        for _ in range(200):
            low, high = random.uniform(-50, 50), random.choice((1.0, 255.0, random.uniform(-20, 90)))
            state, ours = chance.random_below(state, high)
            assert ours == applet.random(jpype.JFloat(high))
            state, ours = chance.random_between(state, low, high)
            assert ours == applet.random(jpype.JFloat(low), jpype.JFloat(high))
            x, y, z = (random.uniform(-30, 300) for _ in range(3))
            assert chance.noise(seed, x) == applet.noise(jpype.JFloat(x))
            assert chance.noise(seed, x, y) == applet.noise(jpype.JFloat(x), jpype.JFloat(y))
            assert chance.noise(seed, x, y, z) == applet.noise(jpype.JFloat(x), jpype.JFloat(y), jpype.JFloat(z))
