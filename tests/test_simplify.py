"""Programs said more shortly: those whose short form is known, and that no picture changes."""

import math
from pathlib import Path

import numpy as np
import pytest
from programs import random_program

from treesketch.check import check
from treesketch.cli import main
from treesketch.interpreter import interpret
from treesketch.raster import rasterise
from treesketch.simplify import simplify
from treesketch.syntax import parse, unparse
from treesketch.tree import count

START = "(size 128 128) (background 255) (no-stroke) (fill 200 0 0)"


def short(text: str) -> str:
    """The simplified program behind its START, on one line."""
    lines = unparse(simplify(parse(f"{START} {text}")))
    return " ".join(lines.split()).removeprefix(START).strip()


def star(x: float, y: float) -> str:
    points = []
    for k in range(10):
        radius, turn = (8, 3.2)[k % 2], math.pi * k / 5 - math.pi / 2
        points.append(f"(vertex {x + radius * math.cos(turn):.2f} {y + radius * math.sin(turn):.2f})")
    return f"(begin-shape) {' '.join(points)} (end-shape :close)"


def test_stripes() -> None:
    stripes = " ".join(f"(rect 0 {18.28 * i:.2f} 128 9.14)" for i in range(7))
    assert short(stripes) == "(dotimes [i 7] (rect 0 (* i 18.28) 128 9.14))"


def test_a_grid() -> None:
    dots = " ".join(f"(ellipse {20 + 22 * x} {108 - 22 * y} 10 10)" for y in range(5) for x in range(5))
    assert short(dots) == "(dotimes [j 5] (dotimes [i 5] (ellipse (+ 20 (* i 22)) (- 108 (* j 22)) 10 10)))"


def test_a_checkerboard() -> None:
    rows = (range(y % 2, 8, 2) for y in range(8))
    squares = " ".join(f"(rect {16 * x} {16 * y} 16 16)" for y, row in enumerate(rows) for x in row)
    tree = simplify(parse(f"{START} {squares}"))
    assert count(tree) < 0.4 * count(parse(f"{START} {squares}"))
    assert [form.production for form in tree.children[4:]] == ["dotimes"]


def test_two_colours_in_turn() -> None:
    bars = " ".join(f"(fill 200 0 0) (rect {16 * i} 0 8 128) (fill 9) (rect {16 * i + 8} 0 8 128)" for i in range(8))
    loop = "(dotimes [i 8] (fill 200 0 0) (rect (* i 16) 0 8 128) (fill 9) (rect (+ 8 (* i 16)) 0 8 128))"
    assert short(bars).endswith(loop)


def test_a_star_field() -> None:
    text = short(" ".join(star(x, y) for x, y in ((20, 20), (90, 33), (50, 70), (100, 100))))
    assert (
        text.startswith("(defn mark [x y] (with-translation [x y] (begin-shape) (vertex 0 0)") or "(defn mark" in text
    )
    assert text.count("(mark ") == 4 and text.count("begin-shape") == 1
    rows = short(" ".join(star(16 + 24 * i, 20 + 24 * j) for j in range(4) for i in range(5)))
    assert rows.endswith("(dotimes [j 4] (dotimes [i 5] (mark (+ 16 (* i 24)) (+ 12 (* j 24)))))")


def test_a_clock_face() -> None:
    ticks = []
    for k in range(12):
        sin, cos = math.sin(math.pi * k / 6), math.cos(math.pi * k / 6)
        ticks.append(f"(line {64 + 50 * sin:.2f} {64 - 50 * cos:.2f} {64 + 42 * sin:.2f} {64 - 42 * cos:.2f})")
    text = short(f"(stroke 0) (ellipse 64 64 110 110) {' '.join(ticks)}")
    assert text.endswith(
        "(ellipse 64 64 110 110) (with-translation [64 64] (dotimes [i 12] "
        "(with-rotation [(* i (/ TWO-PI 12))] (line 0 -50 0 -42))))"
    )


def test_settings_that_change_nothing_go_from_loops_too() -> None:
    text = short(
        "(rect 1 2 3 4) (dotimes [i 2] (fill 9) (no-stroke) (ellipse (* i 9.1) 3 4 5.5) (fill 30) (rect i 70.1 6 7.5))"
    )
    assert text == ("(rect 1 2 3 4) (dotimes [i 2] (fill 9) (ellipse (* i 9.1) 3 4 5.5) (fill 30) (rect i 70.1 6 7.5))")


def test_settings_that_change_nothing_go() -> None:
    text = short("(fill 3) (fill 7) (rect 0 0 9 9) (fill 7) (no-stroke) (rect 20 0 9 9) (stroke 5)")
    assert text.endswith("(background 255) (no-stroke) (fill 7) (rect 0 0 9 9) (rect 20 0 9 9)")


def test_a_size_that_occurs_often_gets_a_name() -> None:
    places = ((3, 5), (40, 11), (71, 20), (18, 50), (90, 66), (55, 93))
    discs = " ".join(f"(ellipse {x} {y} 17.3 17.3)" for x, y in places)
    after = short(discs)
    assert after.count("17.3") == 1 and after.count("diameter") == 13
    assert "(def diameter 17.3)" in after and "(ellipse 3 5 diameter diameter)" in after


def test_two_names_stand_where_their_numbers_stood() -> None:
    corners = " ".join(f"(triangle 10.75 {3 * y} 60.25 {3 * y + 9} {70 + 4 * y} 110.25)" for y in (3, 5, 8, 9, 11, 14))
    after = short(corners + " (rect 1 2 10.75 110.25)")
    assert "(def across" in after and "(def down" in after
    assert after.count("10.75") == 2 and after.count("110.25") == 2  # where they are named, and as sides


@pytest.mark.parametrize(
    "text",
    [
        "(rect 0 0 9 9) (rect 10 0 9 9) (rect 25 0 9 9) (rect 30 0 9 9)",
        "(random-seed 3) (rect (random 9) 0 9 9) (rect (random 9) 10 9 9) (rect (random 9) 20 9 9)",
        "(rect 0 0 9 9)",
    ],
)
def test_what_is_not_even_stays(text: str) -> None:
    assert short(text) == text


@pytest.mark.parametrize("number", range(24))
def test_no_picture_changes(number: int) -> None:
    before = parse(random_program(number))
    after = simplify(before)
    assert check(after) == [] and count(after) <= count(before)
    pictures = [rasterise(interpret(tree)).astype(float) / 255 for tree in (before, after)]
    assert np.sqrt(((pictures[0] - pictures[1]) ** 2).mean()) < 0.004
    assert simplify(after) == after


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.clj"
    path.write_text("(rect 0 0 9 9) (rect 10 0 9 9) (rect 20 0 9 9) (rect 30 0 9 9)")
    assert main(["fmt", "--simplify", str(path)]) == 0
    assert path.read_text() == "(dotimes [i 4]\n  (rect (* i 10) 0 9 9))\n"
    path.write_text("(rect 0 0 9 9) ; mine\n(rect 10 0 9 9) (rect 20 0 9 9)")
    assert main(["fmt", "--simplify", str(path)]) == 1
    assert capsys.readouterr().err == f"{path}: --simplify would lose its comments; take them out first\n"
    assert "; mine" in path.read_text()
    path.write_text("(rect a 0 9 9)")
    assert main(["fmt", "--simplify", str(path)]) == 1
    assert capsys.readouterr().err.startswith(f"{path}:1:7: ")
