"""One picture's program in four hands and three orders: forms known by hand, and pictures that must stay."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from programs import random_program

from treesketch.check import check
from treesketch.cli import main
from treesketch.errors import RunError, SketchError
from treesketch.interpreter import interpret
from treesketch.language import load_language
from treesketch.raster import rasterise
from treesketch.sample import sample_programs
from treesketch.sampling import SAMPLERS, sample_program
from treesketch.styles import CANONICAL_ORDER, ORDERS, STYLES
from treesketch.styles import restyle as module
from treesketch.styles.recognise import recognise
from treesketch.styles.restyle import restyle, restyle_text
from treesketch.syntax import parse, unparse
from treesketch.tree import Node, walk

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = sorted([*ROOT.glob("tests/sketches/*/*.clj"), *ROOT.glob("tests/exact/*.clj"), *ROOT.glob("examples/*.clj")])
START = "(size 100 100) (background 204)"
FACE = """(size 128 128)
(background 240)
(no-stroke)
(let [eye 24]
  (fill 255 204 77)
  (ellipse 64 64 (+ 76 eye) 100)
  (dotimes [i 2]
    (with-translation [(+ 46 (* 36 i)) 56]
      (fill 255)
      (ellipse 0 0 eye eye)
      (fill 40)
      (ellipse 0 0 10 10))))
(fill 191 10 48)
(rect 44 84 40 8 4)
"""


def hand(text: str, style: str = "flat", order: str = "paint") -> str:
    """A program in a hand, without its size and background, on one line."""
    return " ".join(unparse(restyle(parse(text), style, order)).split()).replace(START, "").strip()


def picture(tree: Node) -> np.ndarray:
    scene = interpret(tree)
    scale = 256 / max(scene.width, scene.height)
    return rasterise(scene, (max(1, round(scene.height * scale)), max(1, round(scene.width * scale)))).astype(float)


def assert_kept(before: Node, after: Node) -> None:
    assert check(after) == [] and parse(unparse(after)) == after
    assert np.sqrt(((picture(before) - picture(after)) ** 2).mean()) / 255 <= 0.001


# The flat hand


@pytest.mark.parametrize(
    ("text", "flat"),
    [
        ("(dotimes [i 3] (point (* i 18.3) i))", "(point 0 0) (point 18.3 1) (point 36.6 2)"),
        ("(doseq [x [4 9]] (when (< x 5) (point x x)))", "(point 4 4)"),
        ("(def a 2) (defn f [b] (line a b (sqrt 16) 5)) (f 3)", "(line 2 3 4 5)"),
        ("(translate 10 20) (rect 1 2 3 4)", "(rect 11 22 3 4)"),
        ("(rotate HALF-PI) (rect 1 -50 3 4)", "(with-rotation [1.5708] (rect 1 -50 3 4))"),
        ("(no-stroke) (rotate HALF-PI) (rect 1 -50 3 4)", "(no-stroke) (quad 50 1 50 4 46 4 46 1)"),
        ("(rotate HALF-PI) (line 1 -50 3 -40)", "(line 50 1 40 3)"),
        ("(scale 2) (ellipse 10 20 5 6)", "(stroke-weight 2) (ellipse 20 40 10 12)"),
        ("(no-stroke) (scale 2 3) (ellipse 10 20 5 6)", "(no-stroke) (ellipse 20 60 10 18)"),
        ("(scale 2 3) (rect 1 2 3 4)", "(push-matrix) (scale 2 3) (rect 1 2 3 4)(pop-matrix)"),
        ("(no-stroke) (scale -1 1) (arc -50 50 20 20 0 1)", "(no-stroke) (arc 50 50 20 20 2.14159 3.14159)"),
        ("(rect-mode :center) (rect 50 40 20 10)", "(rect 40 35 20 10)"),
        ("(ellipse-mode :corners) (ellipse 10 10 30 20)", "(ellipse 20 15 20 10)"),
        ("(rect 1 2 3 4) (background 204) (point 5 6)", "(point 5 6)"),
        ("(no-stroke) (no-fill) (rect 1 2 3 4) (fill 9 0) (rect 1 2 3 4)", ""),
        ("(point (sqrt -1) 3) (point 1 (/ 1 3))", "(point 1 0.333)"),
        ("(fill 300 -5 2.9) (no-stroke) (triangle 1 2 3 4 5 6)", "(fill 255 0 2) (no-stroke) (triangle 1 2 3 4 5 6)"),
        ("(no-stroke) (rect 0 0 2000000 50)", "(no-stroke) (rect 0 0 (* 3.814697265625 524288) 50)"),
    ],
)
def test_flat_by_hand(text: str, flat: str) -> None:
    assert hand(text) == flat


def test_chance_becomes_the_numbers_that_were_drawn() -> None:
    text = hand("(random-seed 3) (dotimes [i 4] (rect (random 90) (* 90 (noise i)) 9 9))")
    assert text.count("(rect") == 4 and "random" not in text and "noise" not in text


def test_a_program_that_would_be_too_long_is_refused() -> None:
    with pytest.raises(RunError, match="written out it would have more than 2000 shapes or 60000 nodes") as error:
        restyle(parse("(dotimes [i 2001] (point i i))"), "flat")
    assert error.value.span is not None
    restyle(parse("(dotimes [i 2] (background 1) (dotimes [j 1500] (point j i)))"), "flat")


# The others


def test_named_by_hand() -> None:
    text = hand(
        "(no-stroke) (fill 1 2 200) (ellipse 9 20 8 8) (fill 0) (rect 2 3 4 5) (fill 1 2 200) (ellipse 30 20 8 8)",
        "named",
    )
    names = "(def blue-r 1) (def blue-g 2) (def blue-b 200)"
    assert text.startswith("(size 100 100) (def diameter 8) " + names)
    assert text.count("(fill blue-r blue-g blue-b)") == 2
    assert "(ellipse 9 20 diameter diameter)" in text and "(rect 2 3 4 5)" in text


def test_looped_by_hand() -> None:
    stripes = " ".join(f"(rect 0 {14 * i} 100 7)" for i in range(7))
    assert hand(f"(no-stroke) {stripes}", "looped") == "(no-stroke) (dotimes [i 7] (rect 0 (* i 14) 100 7))"
    dots = "(ellipse 20 50 9 9) (ellipse 31 50 9 9) (ellipse 70 50 9 9)"
    assert hand(f"(no-stroke) {dots}", "looped") == "(no-stroke) (doseq [x [20 31 70]] (ellipse x 50 9 9))"
    lines = "(line 20 5 30 9) (line 31 5 41 9) (line 70 5 80 9)"
    assert hand(lines, "looped") == "(doseq [x [20 31 70]] (line x 5 (+ x 10) 9))"
    many = "(no-stroke) (dotimes [i 150] (fill (mod i 2)) (rect (mod (* i 7) 90) (* i 0.5) 3 3))"
    assert len(hand(many, "looped")) < len(hand(many)) / 3


def test_grouped_by_hand() -> None:
    text = hand(FACE, "grouped")
    assert (
        "(defn white-disc [x y] (with-translation [x y] "
        "(fill 255) (no-stroke) (ellipse 0 0 24 24) (fill 40) (ellipse 0 0 10 10)))"
    ) in text
    assert text.endswith("(white-disc 46 56) (white-disc 82 56) (fill 191 10 48) (rect 44 84 40 8 4)")


def test_a_function_sets_all_the_paint_that_it_needs() -> None:
    pair = "(stroke-join :{}) (stroke-weight {}) (triangle {} 10 30 40 10 40) (fill {}) (rect 12 {} 9 9)"
    text = pair.format("round", 4, 10, 3, 30) + "(translate 50 50)" + pair.format("miter", 2, 11, 90, 31)
    before = parse(text)
    after = restyle(before, "grouped")
    assert recognise(after) == "grouped"
    assert_kept(before, after)


# Orders


def test_orders_by_hand() -> None:
    low, high, over = "(rect 0 60 30 30)", "(rect 40 5 10 10)", "(rect 45 10 40 40)"
    fills = "(no-stroke) (fill 1) {} (fill 2) {} (fill 3) {}"
    text = fills.format(low, over, high)

    def shapes(order: str) -> list[str]:
        return re.findall(r"\(rect [\d ]*\)", hand(text, "flat", order))

    assert shapes("paint") == [low, over, high]
    assert shapes("reading") == [over, high, low]  # high lies over it, so it waits
    assert shapes("largest") == [over, low, high]
    assert CANONICAL_ORDER == "reading" and list(ORDERS) == ["paint", "reading", "largest"]


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_that_is_there_stays(order: str) -> None:
    for kind in SAMPLERS:
        tree = restyle(sample_program(kind, np.random.default_rng(5)), "flat", order)
        assert restyle(tree, "flat", order) == tree


def test_shapes_that_cross_no_others_are_read_as_the_samplers_do() -> None:
    """The samplers' flags are in the canonical order already; it is by their own code that they are."""
    trees = [restyle(sample_program("flags", np.random.default_rng(seed)), "flat") for seed in range(12)]
    assert sum(restyle(tree, "flat", CANONICAL_ORDER) == tree for tree in trees) >= 10


# Properties


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_programs_keep_their_pictures(path: Path) -> None:
    before = parse(path.read_text(encoding="utf-8"))
    flat = restyle(before, "flat")
    assert restyle(flat, "flat") == flat
    for style in STYLES:
        after = restyle(before, style)
        assert recognise(after) == ("flat" if after == flat else style)
        assert_kept(before, after)


@pytest.mark.parametrize("number", range(12))
def test_random_programs_keep_their_pictures(number: int) -> None:
    before = parse(random_program(number))
    for style in STYLES:
        assert_kept(before, restyle(before, style, list(ORDERS)[number % 3]))


def test_programs_of_the_grammar_keep_their_pictures() -> None:
    for number, before in enumerate(sample_programs(load_language(), 24, 7, 120, None)):
        for style in STYLES:
            assert_kept(before, restyle(before, style, list(ORDERS)[number % 3]))


def test_the_flat_hand_has_plain_forms_alone() -> None:
    language = load_language()
    arithmetic = set(language.kinds["number"]) - {"literal"}
    never = {"def", "defn", "defn_value", "let", "dotimes", "doseq", "if", "when", "do", "call", *arithmetic}
    for seed in range(4):
        for kind in SAMPLERS:
            tree = restyle(sample_program(kind, np.random.default_rng(seed)), "flat")
            assert not never & {node.production for _, node in walk(tree)}


def recognised(scenes: int) -> Counter[str]:
    """Of samplers' scenes written in each hand: how many are recognised, and how many show the hand at all."""
    counts: Counter[str] = Counter()
    for seed in range(scenes // len(SAMPLERS)):
        for kind in SAMPLERS:
            before = sample_program(kind, np.random.default_rng(seed))
            flat = restyle(before, "flat")
            for style in STYLES:
                after = restyle(before, style)
                shows = style == "flat" or after != flat
                counts[f"{style} shown"] += shows
                counts[f"{style} right"] += recognise(after) == (style if shows else "flat")
    return counts


def assert_recognised(scenes: int) -> None:
    counts = recognised(scenes)
    assert [counts[f"{style} right"] for style in STYLES] == [scenes] * len(STYLES)
    assert counts["grouped shown"] > 0.7 * scenes and counts["named shown"] > 0.6 * scenes
    assert counts["looped shown"] > 0.2 * scenes


def test_the_hand_is_recognised() -> None:
    assert_recognised(30)


@pytest.mark.slow
def test_the_hand_is_recognised_in_many_scenes() -> None:
    assert_recognised(210)


def test_a_single_rectangle_is_the_same_in_all_hands() -> None:
    tree = parse("(rect 10 20 30 40)")
    assert len({unparse(restyle(tree, style)) for style in STYLES}) == 1
    assert recognise(restyle(tree, "grouped")) == "flat"


def test_several_signs() -> None:
    assert recognise(parse("(let [a 1] (point a a))")) == "named"
    assert recognise(parse("(def a 1) (dotimes [i 3] (point a i))")) == "looped"
    assert recognise(parse("(defn f [a] (+ a 1)) (dotimes [i 3] (point (f i) i))")) == "grouped"


def test_a_changed_picture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "write_flat", lambda picture: parse("(rect 0 0 50 50)"))
    with pytest.raises(
        SketchError, match=r"^written flat in paint order its picture would change by an rmse of 0\.\d+$"
    ):
        restyle(parse("(rect 0 0 20 20)"), "flat")


def test_unknown_names() -> None:
    for arguments, phrase in (("loped paint", "no style 'loped'; did you mean 'looped'?"), ("flat x", "no order 'x'")):
        with pytest.raises(SketchError, match=re.escape(phrase)):
            restyle(parse(""), *arguments.split())


# Text and commands


def test_comments_above_the_first_form_stay() -> None:
    text = "; mine\n\n; too\n(point 1 2)\n"
    written, loses = restyle_text(text, "flat", "paint", "a.clj")
    assert written == "; mine\n\n; too\n(size 100 100)\n(background 204)\n(point 1 2)\n" and not loses
    assert restyle_text(written, "flat", "paint", "a.clj") == (written, False)
    assert restyle_text("(point 1 2) ; that", "flat", "paint", "a.clj")[1]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, other = tmp_path / "a.clj", tmp_path / "b.clj"
    path.write_text("(dotimes [i 2] (point i 9))")
    assert main(["restyle", str(path)]) == 0
    assert path.read_text() == "(size 100 100)\n(background 204)\n(point 0 9)\n(point 1 9)\n"
    path.write_text("(point 1 9) ; here")
    assert main(["restyle", str(path)]) == 1
    message = "it would lose comments; take them out first, or write elsewhere with -o"
    assert capsys.readouterr().err == f"{path}: {message}\n" and "; here" in path.read_text()
    assert main(["restyle", str(path), "--style", "named", "--order", "largest", "-o", str(other)]) == 0
    assert "only the comments above its first form" in capsys.readouterr().err and "(point 1 9)" in other.read_text()
    assert main(["restyle", str(path), str(other), "-o", str(tmp_path / "out")]) == 0
    assert sorted(place.name for place in (tmp_path / "out").iterdir()) == ["a.clj", "b.clj"]


@pytest.mark.parametrize(
    ("flags", "code", "phrase"),
    [
        ("--style loped", 2, "no style 'loped'; did you mean 'looped'?"),
        ("--order size", 2, "no order 'size'; there are: paint, reading, largest"),
        ("-o {folder}/no/b.clj", 2, "there is no folder"),
        ("", 1, "a.clj:1:8: no name 'a' here"),
    ],
)
def test_mistakes(flags: str, code: int, phrase: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.clj"
    path.write_text("(point a 9)")
    assert main(["restyle", str(path), *flags.format(folder=tmp_path).split()]) == code
    error = capsys.readouterr().err
    assert phrase in error and error.count("\n") == 1 and path.read_text() == "(point a 9)"


def test_other_languages_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.csg2d"
    path.write_text("")
    assert main(["restyle", str(path)]) == 1
    assert "restyle knows sketch alone, not 'csg2d'" in capsys.readouterr().err


@pytest.mark.parametrize("style", STYLES)
def test_draw_in_a_hand(style: str, tmp_path: Path) -> None:
    stripes = np.full((32, 32, 3), 255, np.uint8)
    stripes[4:28:8], stripes[5:28:8], stripes[6:28:8] = (200, 0, 0), (200, 0, 0), (200, 0, 0)
    from PIL import Image

    Image.fromarray(stripes).save(tmp_path / "a.png")
    place = tmp_path / "a.clj"
    flags = ["--no-network", "--renders", "60", "--style", style]
    assert main(["draw", str(tmp_path / "a.png"), "-o", str(place), *flags]) == 0
    tree = parse(place.read_text())
    assert restyle(tree, style) == tree
    assert recognise(tree) in (style, "flat")
    assert style != "looped" or recognise(tree) == "looped"


def test_the_names_load_nothing() -> None:
    script = "import sys, treesketch.styles; sys.exit(' '.join({'numpy', 'lark'} & set(sys.modules)) or 0)"
    subprocess.run([sys.executable, "-c", script], check=True)


SHOWN = re.compile(r"(?<=<!-- style: )(\w+)( -->\n```clojure\n).*?(?=```)", re.S)


def test_the_documentation_shows_each_hand(update_golden: bool) -> None:
    """`--update-golden` writes its programs."""
    page = ROOT / "docs" / "styles.md"
    text = page.read_text(encoding="utf-8")
    tree = parse(FACE)
    assert SHOWN.findall(text) and {match[0] for match in SHOWN.findall(text)} == set(STYLES)
    written = SHOWN.sub(lambda match: match[1] + match[2] + unparse(restyle(tree, match[1])), text)
    if update_golden:
        page.write_text(written, encoding="utf-8")
    assert update_golden or written == text
    assert len({unparse(restyle(tree, style)) for style in STYLES}) == len(STYLES)
