"""csg2d and tinysvg: what each production draws, beside the pictures of Tree Diffusion's own libraries; the promise
that any choices give a valid program; when a problem is solved; the problems themselves.

`pytest tests/test_dialects.py --update-golden` rewrites the golden pictures of tests/dialects; those that end in -skia
come from tests/dialects/references.py, which shares no code with treesketch.
"""

import math
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

from treesketch import tree
from treesketch.actions import MAX_BUDGET, Vocabulary
from treesketch.check import check
from treesketch.cli import main
from treesketch.derivation import Choice, Derivation, encode, sample_tree
from treesketch.dialects import NAMES, csg2d, draw_picture, draw_scene, tinysvg
from treesketch.dialects.csg2d import Csg2d, Part, Region, cover, mask, to_scene
from treesketch.dialects.evaluator import MOST_SHAPES
from treesketch.dialects.solved import csg2d_likeness, csg2d_solved, tinysvg_density, tinysvg_solved
from treesketch.errors import ConfigError, ParseError, RunError
from treesketch.interpreter import check_binding
from treesketch.language import load_language, read_language
from treesketch.raster import rasterise
from treesketch.sampling import csg2d as csg2d_problems
from treesketch.sampling import tinysvg as tinysvg_problems
from treesketch.sampling.growth import grow_twigs
from treesketch.sampling.problems import PROBLEMS, is_blank, sample_problem
from treesketch.svg import to_svg
from treesketch.syntax import flat, format_text, parse, unparse

HERE = Path(__file__).parent
PROGRAMS = sorted(path for name in NAMES for path in (HERE / "dialects" / name).glob(f"*.{name}"))
COLUMNS = 8  # of a sheet of problems
SIDES = {"csg2d": 128, "tinysvg": 224}
TOLERANCE = 2  # of 255, for the arithmetic of other machines


def _name(path: Path) -> str:
    return f"{path.suffix[1:]}-{path.stem}"


def _draw(text: str, grammar: str) -> np.ndarray:
    return draw_picture(parse(text, load_language(grammar)), grammar)


def _open(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def _coverage(picture: np.ndarray) -> np.ndarray:
    """Of a picture in black on white, 0..1."""
    return 1 - picture[:, :, 0] / 255


# Golden pictures


@pytest.mark.parametrize("path", PROGRAMS, ids=_name)
def test_programs_draw_their_pictures(path: Path, update_golden: bool) -> None:
    actual = _draw(path.read_text(encoding="utf-8"), path.suffix[1:])
    if update_golden:
        Image.fromarray(actual).save(path.with_suffix(".png"), optimize=True)
    expected = _open(path.with_suffix(".png"))
    assert actual.shape == expected.shape == (SIDES[path.suffix[1:]],) * 2 + (3,)
    assert np.abs(actual.astype(int) - expected).max() <= TOLERANCE


@pytest.mark.parametrize("path", PROGRAMS, ids=_name)
def test_pictures_are_those_of_tree_diffusion(path: Path) -> None:
    # Rectangles are the same to the pixel. Skia's edges of curves and diagonals are coarser than exact coverage:
    # 4 x 4 samples a pixel, and circles of chords that lie up to an eighth of a pixel inside.
    actual, theirs = (
        _draw(path.read_text(encoding="utf-8"), path.suffix[1:]),
        _open(path.with_name(path.stem + "-skia.png")),
    )
    difference = np.abs(actual.astype(int) - theirs)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".tinysvg":
        assert difference.mean() < 1 and tinysvg_solved(actual, theirs)
        assert "Ellipse" in text or not difference.any()
    else:
        at_edges = difference[difference > 0]  # the more circles, the more of them
        assert difference.max() < 100 and (not at_edges.size or at_edges.mean() < 25)
        assert not difference.any() or re.search("Circle [1-F]|[HJLN]\\)", text)


@pytest.mark.parametrize(("grammar", "same"), [("csg2d", 0.95), ("tinysvg", 1.0)])
def test_problems_look_as_tree_diffusion_draws_them(grammar: str, same: float) -> None:
    folder, side = HERE / "dialects" / grammar, SIDES[grammar]
    sheet, lines = _open(folder / "problems-skia.png"), (folder / "problems.txt").read_text().splitlines()
    solved = []
    for i, line in enumerate(lines):
        y, x = side * (i // COLUMNS), side * (i % COLUMNS)
        actual, theirs = _draw(line, grammar), sheet[y : y + side, x : x + side]
        assert np.abs(actual.astype(int) - theirs).mean() < 1
        if grammar == "csg2d":
            solved.append(csg2d_solved(_coverage(actual), _coverage(theirs)))
        else:
            solved.append(tinysvg_solved(actual, theirs))
    assert len(solved) >= 32 and np.mean(solved) >= same


@pytest.mark.parametrize("path", PROGRAMS, ids=_name)
def test_programs_are_laid_out_as_fmt_does(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert format_text(text, load_language(path.suffix[1:])) == text


@pytest.mark.parametrize("grammar", NAMES)
def test_every_production_has_a_picture(grammar: str) -> None:
    language = load_language(grammar)
    trees = [parse(path.read_text(encoding="utf-8"), language) for path in PROGRAMS if path.suffix[1:] == grammar]
    assert {node.production for one in trees for _, node in tree.walk(one)} == set(language.productions)


# Syntax


@pytest.mark.parametrize("grammar", NAMES)
def test_the_text_of_published_programs_is_kept(grammar: str) -> None:
    language = load_language(grammar)
    for line in (HERE / "dialects" / grammar / "problems.txt").read_text().splitlines():
        program = parse(line, language)
        assert flat(program, language) == line
        assert parse(unparse(program, language), language) == program


@pytest.mark.parametrize(
    ("grammar", "text", "message"),
    [
        ("csg2d", "", "1:1: there is nothing here"),
        ("csg2d", "(Circle 12 3)", "1:1: Circle takes 3 numbers (radius x y), got 2"),
        ("csg2d", "(Circle 1 2 a)", "1:13: 'a' cannot stand here; expected 0, 1, 2, 3, .* E or F"),
        ("csg2d", "(Circle 10 2 3)", "1:9: '10' cannot stand here; expected 0, 1, 2, 3, .* E or F"),
        ("csg2d", "(Quad 1 2 3 4 45)", "1:15: '45' cannot stand here; expected G, H, I, J, K, L, M or N"),
        ("csg2d", "(Quad 1 2 3 4)", "1:1: Quad takes 5 values (x y width height angle), got 4"),
        ("csg2d", "(+ (Circle 1 2 3))", "1:1: + takes 2 values (expression1 expression2), got 1"),
        ("csg2d", "(Cirle 1 2 3)", "1:2: no form 'Cirle'; did you mean 'Circle'?"),
        ("csg2d", "(Circle 1 2 3)\n(Circle 1 2 3)", "2:1: '(' comes after the end; a program is one form"),
        ("csg2d", "(+ " * 61, "1:181: forms are nested more than 60 deep"),
        ("tinysvg", "(Rect 1 2 red blue 3)", "1:2: no form 'Rect'; did you mean 'Rectangle'?"),
        (
            "tinysvg",
            "(Ellipse 1 2 pink red 3)",
            "1:14: 'pink' cannot stand here; expected red, green, .* white or none",
        ),
        (
            "tinysvg",
            "(Move (Ellipse 1 2 red red 3) 1 2 True false)",
            "1:35: 'True' cannot stand here; expected true or false",
        ),
        (
            "tinysvg",
            "(Arrange v (Ellipse 1 2 red red 3) 3)",
            "1:1: Arrange takes 4 values (direction first second gap), got 3",
        ),
    ],
)
def test_mistakes_are_told(grammar: str, text: str, message: str) -> None:
    with pytest.raises(ParseError) as error:
        parse(text, load_language(grammar))
    pattern = ".*".join(map(re.escape, message.split(".*")))
    assert re.fullmatch(pattern, str(error.value))


def test_words_of_a_grammar_without_names_stay_whole() -> None:
    source = 'program: one one\none: "1"\n%ignore /\\s+/\n'
    assert len(parse("11", read_language("toy", source)).children) == 2
    with pytest.raises(ParseError, match="'11'"):
        parse("11", read_language("toy", source + "WORD: /[^\\s]+/\n"))


def test_an_evaluator_has_a_method_for_each_production() -> None:
    class Unfinished(Csg2d):
        subtract = None  # type: ignore[assignment]

        def divide(self) -> None: ...

    language = read_language("toy", 'program: sphere\nsphere: "o"\n')
    with pytest.raises(AssertionError, match="differ in .*'divide'"):
        check_binding(csg2d.LANGUAGE, Unfinished)
    with pytest.raises(AssertionError, match="differ in .*'sphere'"):
        check_binding(language, Csg2d)


# The promise


def is_valid(program: tree.Node, budget: int, grammar: str) -> None:
    language = load_language(grammar)
    assert tree.count(program) <= budget
    assert parse(unparse(program, language), language) == program
    assert check(program) == []
    if grammar == "csg2d":
        picture = mask(csg2d.interpret(program))
        assert picture.shape == (128, 128) and picture.dtype == bool
    else:
        assert rasterise(draw_scene(program, grammar), (16, 16)).shape == (16, 16, 3)


def promise_by_chance(grammar: str, programs: int) -> Counter[str]:
    vocabulary = Vocabulary(load_language(grammar))
    least = vocabulary.minimum["program"]
    seen: Counter[str] = Counter()
    for k in range(programs):
        rng = np.random.default_rng([17, k])
        budget = int(rng.integers(least, MAX_BUDGET + 1 if k % 500 == 0 else 301))
        program = sample_tree(vocabulary, budget, rng)
        is_valid(program, budget, grammar)
        seen.update(node.production for _, node in tree.walk(program))
    return seen


@pytest.mark.parametrize("grammar", NAMES)
def test_programs_of_chance_keep_the_promise(grammar: str) -> None:
    assert set(promise_by_chance(grammar, 2000)) == set(load_language(grammar).productions)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("grammar", NAMES)
def test_ten_thousand_programs_keep_the_promise(grammar: str) -> None:
    assert set(promise_by_chance(grammar, 10_000)) == set(load_language(grammar).productions)


@pytest.mark.parametrize("grammar", NAMES)
def test_the_dearest_choices_never_end_in_a_dead_end(grammar: str) -> None:
    vocabulary = Vocabulary(load_language(grammar))
    for k, budget in enumerate((vocabulary.minimum["program"], 8, 12, 40, 200, MAX_BUDGET)):
        derivation, rng = Derivation(vocabulary, budget), np.random.default_rng(k)
        while decision := derivation.decision:
            cost = np.where(decision.legal, vocabulary.cost[decision.hole], -1)
            derivation.choose(Choice(int(rng.choice(np.flatnonzero(cost == cost.max())))))
        is_valid(derivation.nodes[0], budget, grammar)


def test_the_largest_budget_is_within_the_limit_of_shapes() -> None:
    # A circle has 4 nodes and a rectangle 6; each further one needs an operation, of 1 node or of 3.
    assert (MAX_BUDGET - 1) / 5 < MOST_SHAPES and (MAX_BUDGET - 1) / 9 < MOST_SHAPES


@pytest.mark.parametrize("grammar", NAMES)
def test_problems_are_written_by_the_decoder(grammar: str) -> None:
    vocabulary = Vocabulary(load_language(grammar))
    for k in range(30):
        program = sample_problem(grammar, np.random.default_rng(k))
        derivation = Derivation(vocabulary, MAX_BUDGET)
        for decision in encode(vocabulary, [program]):
            assert decision.answer is not None
            derivation.choose(decision.answer)
        assert derivation.nodes == [program]


@pytest.mark.parametrize("grammar", NAMES)
def test_too_many_shapes_are_told(grammar: str) -> None:
    shape, join = {
        "csg2d": ("(Circle 1 2 3)", "(+ {} {})"),
        "tinysvg": ("(Ellipse 1 2 red red 1)", "(Arrange v {} {} 1)"),
    }[grammar]
    for _ in range(10):
        shape = join.format(shape, shape)
    with pytest.raises(RunError, match="more than 1000 shapes") as error:
        draw_scene(parse(shape, load_language(grammar)), grammar)
    assert error.value.span


# csg2d


def solid(text: str) -> csg2d.Solid:
    return csg2d.interpret(parse(text, csg2d.LANGUAGE))


def test_numbers_are_steps_of_eight_pixels() -> None:
    # By hand: a quad of 3 x 1 steps around (5, 5) goes from 28 to 52 across and from 36 to 44 down.
    expected = np.zeros((128, 128), bool)
    expected[36:44, 28:52] = True
    assert (mask(solid("(Quad 5 5 3 1 G)")) == expected).all()
    assert (mask(solid("(Quad 5 5 1 3 I)")) == expected).all()
    assert (cover(solid("(Quad 5 5 3 1 K)")) == expected).all()
    assert abs(cover(solid("(Circle 5 8 8)")).sum() / (math.pi * 40**2) - 1) < 1e-3
    assert abs(cover(solid("(Quad 8 8 7 3 N)")).sum() / (56 * 24) - 1) < 5e-3


def test_a_quad_is_turned_clockwise() -> None:
    # 45 degrees clockwise on the screen take the long side from right to lower right.
    turned = mask(solid("(Quad 8 8 A 1 H)"))
    assert turned[64 + 20, 64 + 20] and turned[64 - 20, 64 - 20]
    assert not turned[64 + 20, 64 - 20] and not turned[64 - 20, 64 + 20]
    assert (turned == mask(solid("(Quad 8 8 A 1 L)"))).all() and (turned.T == turned).all()
    assert (mask(solid("(Quad 8 8 A 1 J)")) == turned[::-1]).all()


def test_operations_are_one_list_from_left_to_right() -> None:
    a, b, c = "(Circle 6 8 8)", "(Quad 8 8 3 F G)", "(Quad 8 8 F 3 G)"
    held_a, held_b, held_c = (mask(solid(text)) for text in (a, b, c))
    assert (mask(solid(f"(- {a} (- {b} {c}))")) == held_a & ~held_b & ~held_c).all()
    assert (mask(solid(f"(- {a} (+ {b} {c}))")) == held_a & ~held_b | held_c).all()
    assert (mask(solid(f"(+ (- {a} {b}) {c})")) == held_a & ~held_b | held_c).all()
    assert [part.adds for part in solid(f"(- (+ {a} {b}) (- {c} (+ {a} {b})))")] == [True, True, False, False, True]


def test_coverage_of_any_size_is_that_of_the_stencils() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        problem = csg2d.interpret(sample_problem("csg2d", rng))
        assert (csg2d._cover_in_bands(problem, 128) == cover(problem)).all()
    large = cover(problem, 512).reshape(128, 4, 128, 4).mean(axis=(1, 3))
    assert abs(large - cover(problem)).max() < 0.1
    assert cover(problem, 1).shape == (1, 1) and cover(problem, 100).shape == (100, 100)
    with pytest.raises(RunError, match="1 to 8192"):
        cover(problem, 9000)


def test_large_pictures_take_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = solid("(- (Circle 7 8 8) (Quad 8 8 5 5 H))")
    whole = csg2d._cover_in_bands(problem, 300)
    monkeypatch.setattr(csg2d, "BAND", 300 * 64 * 7)
    assert (csg2d._cover_in_bands(problem, 300) == whole).all()


def test_a_scene_shows_what_the_picture_shows() -> None:
    rng = np.random.default_rng(2)
    for _ in range(30):
        problem = csg2d.interpret(sample_problem("csg2d", rng))
        painted = 1 - rasterise(to_scene(problem))[:, :, 0] / 255
        assert np.mean((painted > 0.5) != mask(problem)) < 2e-3
        assert abs(painted - cover(problem)).max() <= 0.3
    both = solid("(- (Quad 8 8 7 7 H) (Quad 8 8 7 7 J))")
    assert not cover(both).any() and (rasterise(to_scene(both)) == 255).all()
    assert "<path" in to_svg(to_scene(problem))


def test_parts_that_come_first_may_cut() -> None:
    # A list of parts that begins with a cut cuts from nothing.
    assert not cover((Part(False, Region(True, 8, 8, 8, 8)),)).any()


# tinysvg


def box(text: str) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is not white, in pixels."""
    rows, columns = np.nonzero((_draw(text, "tinysvg") != 255).any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def test_sizes_are_six_pixels_and_the_scene_is_centred() -> None:
    assert box("(Rectangle 5 3 red none 9)") == (112 - 15, 112 - 9, 112 + 15, 112 + 9)
    assert box("(Ellipse 9 4 red none 0)") == (112 - 27, 112 - 12, 112 + 27, 112 + 12)
    assert box("(Move (Rectangle 5 3 red none 9) 2 4 false true)") == (97 + 12, 103 - 24, 127 + 12, 121 - 24)
    # A stroke of 8 is 4 pixels wide, half of it outside.
    assert box("(Rectangle 5 3 none red 8)") == (97 - 2, 103 - 2, 127 + 2, 121 + 2)


def test_arrangement_by_hand() -> None:
    # 24 + 9 + 36 = 69 wide and 54 high: from 77.5 to 146.5; edges of half pixels go up. The second is 18 high, centred.
    across = "(Arrange h (Rectangle 4 9 {} none 0) (Rectangle 6 3 {} none 0) 9)"
    assert box(across.format("red", "none")) == (78, 85, 102, 139)
    assert box(across.format("none", "red")) == (111, 103, 147, 121)
    down = "(Arrange v (Rectangle 4 9 {} none 0) (Rectangle 6 3 {} none 0) 8)"
    # 54 + 8 + 18 = 80 high: from 72.
    assert box(down.format("red", "none")) == (100, 72, 124, 126)
    assert box(down.format("none", "red")) == (94, 134, 130, 152)


def test_the_second_is_painted_over_the_first() -> None:
    picture = _draw(
        "(Arrange h (Rectangle 6 6 red none 0) (Move (Rectangle 6 6 blue none 0) 6 0 true false) 0)", "tinysvg"
    )
    assert (picture[112, 90] == (0, 0, 255)).all() and (picture[112, 130] == 255).all()


@pytest.mark.parametrize(
    ("name", "color"),
    [
        ("green", (0, 255, 0)),
        ("yellow", (255, 255, 0)),
        ("purple", (128, 0, 128)),
        ("orange", (255, 165, 0)),
        ("white", (255,) * 3),
    ],
)
def test_colors_are_those_of_tree_diffusion(name: str, color: tuple[int, int, int]) -> None:
    assert tuple(_draw(f"(Rectangle 5 5 {name} none 0)", "tinysvg")[112, 112]) == color


def test_strokes_of_ellipses_have_their_area() -> None:
    # By Pappus, a ring around a circle of radius 15 with a pen of 4 has the area 2 pi 15 x 4.
    ink = 1 - _draw("(Ellipse 5 5 none black 8)", "tinysvg")[:, :, 0] / 255
    assert abs(ink.sum() / (2 * math.pi * 15 * 4) - 1) < 5e-3


# Solved


def test_likeness_by_hand() -> None:
    a, b = np.zeros((10, 10)), np.zeros((10, 10))
    a[:5], b[:4] = 1, 1  # inside 40 of 50 pixels, outside 50 of 60
    assert csg2d_likeness(a, b) == pytest.approx((40 / 50 + 50 / 60) / 2)
    assert csg2d_likeness(a, a) == 1 and csg2d_solved(a, a)
    assert csg2d_likeness(1 - a, a) == 1  # the complement counts
    assert csg2d_likeness(a * 0, a * 0) == 1 and csg2d_likeness(a * 0, a * 0 + 1) == 1
    assert csg2d_likeness(a * 0.5, a * 0) == (1 + 0.5) / 2  # exactly a half is neither inside nor outside


def test_the_threshold_of_csg2d() -> None:
    target = np.zeros((100, 100))
    target[:50] = 1
    near, far = target.copy(), target.copy()
    near[50, :98], far[50:52] = 1, 1
    assert csg2d_likeness(near, target) == pytest.approx((5000 / 5098 + 4902 / 5000) / 2)  # .98060
    assert csg2d_solved(near, target) and not csg2d_solved(far, target)  # (50 / 52 + 48 / 50) / 2 = .961


def test_the_threshold_of_tinysvg() -> None:
    # -ln(.1 sqrt(2 pi)) = 1.383647; one hundredth of it, times 2 x .1^2, is a mean squared error of 2.7673e-4.
    target = np.zeros((100, 100, 3), np.uint8)
    assert tinysvg_density(target, target) == pytest.approx(1.3836466)
    near, far = target.copy(), target.copy()
    near.reshape(-1)[:8], far.reshape(-1)[:9] = 255, 255  # of 30,000 channels: 2.667e-4 and 3e-4
    assert tinysvg_solved(near, target) and not tinysvg_solved(far, target)


# Problems


@pytest.mark.parametrize("grammar", NAMES)
def test_problems_parse_check_and_show_something(grammar: str) -> None:
    language, rng = load_language(grammar), np.random.default_rng(3)
    for _ in range(100):
        program = sample_problem(grammar, rng)
        assert parse(unparse(program, language), language) == program and check(program) == []
        assert not is_blank(draw_picture(program, grammar))


def test_a_seed_gives_one_problem() -> None:
    for grammar in PROBLEMS:
        one, same, other = (sample_problem(grammar, np.random.default_rng(seed)) for seed in (3, 3, 4))
        assert one == same != other


def test_twigs_have_as_many_leaves_as_asked_for() -> None:
    def leaves(twig: list) -> int:
        return sum(map(leaves, twig)) if twig else 1

    random = Random(1)
    for n in range(1, 12):
        assert leaves(grow_twigs(n, random, n % 3)) == n


def test_problems_have_the_published_statistics() -> None:
    # Measured on Tree Diffusion's own generator: 14 % of its csg2da samples are blank, and of the 5 or so shapes of the
    # others 2.95 matter. Three standard errors of these samples are .037 and .17.
    random, rng = Random(5), np.random.default_rng(5)
    blank = [is_blank(csg2d_problems.draw(csg2d_problems.grow(random, random.randint(2, 8)))) for _ in range(800)]
    assert abs(np.mean(blank) - 0.14) < 0.037
    problems = [csg2d.interpret(sample_problem("csg2d", rng)) for _ in range(500)]
    assert abs(np.mean([len(problem) for problem in problems]) - 5.1) < 0.35
    assert abs(np.mean([useful_parts(problem) for problem in problems]) - 2.95) < 0.2


def useful_parts(problem: csg2d.Solid) -> int:
    """How many parts are left when those are dropped, one after another, that change no pixel."""
    wanted, i = mask(problem), 0
    while i < len(problem):
        without = problem[:i] + problem[i + 1 :]
        if (mask(without) == wanted).all():
            problem = without
        else:
            i += 1
    return len(problem)


def test_a_third_of_tinysvg_is_moves() -> None:
    # Each of n shapes is a move with a chance of 1/3, again and again: half a move a shape.
    random = Random(6)
    seen: Counter[str] = Counter()
    for _ in range(1000):
        program = tinysvg_problems.grow(random, 5)
        seen.update(node.production for _, node in tree.walk(program))
    assert seen["rectangle"] + seen["ellipse"] == 5000 and seen["arrange"] == 4000
    assert abs(seen["move"] / 5000 - 0.5) < 0.05


# The command line


@pytest.mark.parametrize("grammar", NAMES)
def test_sample_writes_programs_and_their_pictures(
    grammar: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for flags in ([], ["--problems"]):
        folder = tmp_path / f"out{len(flags)}"
        assert main(["sample", "--grammar", grammar, "-n", "5", "-o", str(folder), *flags]) == 0
        programs = sorted(folder.glob(f"*.{grammar}"))
        assert [path.name for path in programs] == [f"{k:04}.{grammar}" for k in range(1, 6)]
        assert len(list(folder.iterdir())) == 10
        for path in programs:
            drawn = _draw(path.read_text(), grammar)
            assert (_open(path.with_suffix(".png")) == drawn).all()
            assert not flags or not is_blank(drawn)
        assert main(["check", *map(str, programs)]) == 0
        assert main(["fmt", "--check", *map(str, programs)]) == 0


def test_render_goes_by_the_name_or_by_the_flag(tmp_path: Path) -> None:
    text = "(Quad 8 8 8 8 G)\n"
    named, other = tmp_path / "a.csg2d", tmp_path / "b.txt"
    named.write_text(text)
    other.write_text(text)
    assert main(["render", str(named), "-o", str(tmp_path / "a.png")]) == 0
    assert _open(tmp_path / "a.png").shape == (128, 128, 3)
    assert main(["render", str(other), "-o", str(tmp_path / "b.png")]) == 1  # as a sketch
    assert main(["render", str(other), "--grammar", "csg2d", "-o", str(tmp_path / "b.png"), "--size", "64"]) == 0
    assert _open(tmp_path / "b.png").shape == (64, 64, 3)
    assert main(["render", str(named), "-o", str(tmp_path / "a.svg")]) == 0
    assert 'viewBox="0 0 128 128"' in (tmp_path / "a.svg").read_text()
    (tmp_path / "c.tinysvg").write_text("(Ellipse 5 5 red none 0)")
    assert main(["render", str(tmp_path / "c.tinysvg"), "-o", str(tmp_path / "c.png"), "--size", "112"]) == 0
    assert _open(tmp_path / "c.png").shape == (112, 112, 3)


def test_check_and_fmt_go_by_the_name_or_by_the_flag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.tinysvg"
    path.write_text("(Rectangle  1 2   red blue 3) ; small")
    assert main(["fmt", str(path)]) == 0
    assert path.read_text() == "(Rectangle 1 2 red blue 3) ; small\n"
    assert main(["check", str(path)]) == 0
    assert main(["check", "--grammar", "csg2d", str(path)]) == 1
    assert f"{path}:1:2: no form 'Rectangle'" in capsys.readouterr().err
    path.rename(tmp_path / "a.txt")
    assert main(["fmt", "--check", "--grammar", "tinysvg", str(tmp_path / "a.txt")]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", "--grammar", "csg", "x"], "no grammar 'csg'; did you mean 'csg2d'?"),
        (["fmt", "--grammar", "csg", "x"], "no grammar 'csg'; did you mean 'csg2d'?"),
        (
            ["render", "--grammar", "x.lark", "x", "-o", "x.png"],
            "nothing draws 'x.lark'; there are: sketch, csg2d, tinysvg",
        ),
        (
            ["sample", "-n", "1", "-o", "x", "--problems"],
            "'sketch' has none; there are those of --grammar csg2d and tinysvg",
        ),
        (
            ["sample", "-n", "1", "-o", "x", "--problems", "--grammar", "csg2d", "--weights", "w"],
            "--problems and --weights exclude each other",
        ),
    ],
)
def test_wrong_flags_are_told(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert message in capsys.readouterr().err


def test_an_unknown_grammar_draws_nothing() -> None:
    with pytest.raises(ConfigError, match="nothing draws programs of grammar 'toy'"):
        draw_scene(tree.Node("program"), "toy")


def test_drawing_never_loads_torch() -> None:
    code = "import sys, treesketch.dialects.csg2d, treesketch.dialects.tinysvg; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_documentation_names_every_word() -> None:
    text = (HERE.parent / "docs" / "languages.md").read_text(encoding="utf-8")
    programs = re.findall(r"```(csg2d|tinysvg)\n(.*?)```", text, re.S)
    assert {grammar for grammar, _ in programs} == set(NAMES)
    for grammar, program in programs:
        parse(program, load_language(grammar))
    for grammar in NAMES:
        assert [head for head in load_language(grammar).heads if f"({head} " not in text] == []
    for color in tinysvg.COLORS:
        assert color in text
