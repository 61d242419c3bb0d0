"""Programs against Processing itself: the same picture, and the same random numbers and noise.

Needs Java and the packages of the extra `oracle`; `pytest -m oracle` runs it, and skips it where they are missing.
"""

from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest
from programs import PROGRAMS, SEED, random_program

from treesketch import chance
from treesketch.interpreter import interpret
from treesketch.language import load_language
from treesketch.raster import rasterise
from treesketch.syntax import parse
from treesketch.tree import walk

pytestmark = pytest.mark.oracle
SKETCHES = sorted((Path(__file__).parent / "sketches").rglob("*.clj"))


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
        text = random_program(number)
        seen.update(node.production for _, node in walk(parse(text)))
        found.append((_difference(processing, text), number))
    worst, number = max(found)
    mean = float(np.mean([difference for difference, _ in found]))
    print(f"{PROGRAMS} programs, seed {SEED}: mean difference {mean:.3f} of 255, worst {worst:.3f} (program {number})")
    drawing = {name for kind in ("setting", "shape", "transform", "corner") for name in load_language().kinds[kind]}
    assert drawing - set(seen) <= {"random_seed", "noise_seed"}
    assert mean <= 0.3 and worst <= 2, random_program(number)


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
