"""What a grammar file says: productions, kinds, sizes, signatures, and how a file that cannot be read is refused."""

import pytest

from treesketch.errors import ConfigError
from treesketch.language import Slot, load_language, read_language, shipped_languages

LANGUAGE = load_language()


def test_shipped_languages_load():
    assert "sketch" in shipped_languages()
    for name in shipped_languages():
        assert load_language(name).productions


def test_a_rule_is_a_production():
    rect = LANGUAGE.productions["rect"]
    assert rect.head == "rect" and rect.terminal is None
    assert rect.slots == (Slot("point"), Slot("extent"))
    assert LANGUAGE.productions["literal"].terminal == "NUMBER"
    assert LANGUAGE.productions["polygon"].slots == (Slot("start"), Slot("corner", 0, None), Slot("contour", 0, None))
    assert LANGUAGE.productions["program"].slots == (Slot("size", 0, 1), Slot("form", 0, None))


def test_a_question_mark_makes_a_kind():
    assert "color" not in LANGUAGE.productions
    assert LANGUAGE.kinds["color"] == ("gray", "gray_alpha", "rgb", "rgb_alpha")
    assert LANGUAGE.kinds["x"] == LANGUAGE.kinds["number"]
    assert set(LANGUAGE.kinds["form"]) >= {"fill", "rect", "let", "polygon"}
    assert LANGUAGE.kinds["rect"] == ("rect",)


def test_heads_and_words():
    assert LANGUAGE.heads["stroke-weight"] == "stroke_weight" and LANGUAGE.heads["begin-shape"] == "polygon"
    assert {"end-shape", "rect", "+"} <= set(LANGUAGE.words) and "end-shape" not in LANGUAGE.heads


@pytest.mark.parametrize(
    ("kind", "size"),  # counted by hand
    [("program", 1), ("number", 1), ("point", 3), ("rect", 7), ("polygon", 5), ("fill", 3), ("dotimes", 4), ("let", 4)],
)
def test_minimum_sizes(kind, size):
    assert LANGUAGE.minimum_size[kind] == size


@pytest.mark.parametrize(
    ("production", "usage"),
    [
        ("rect", "(rect x y width height)"),
        ("fill", "(fill color)"),
        ("dotimes", "(dotimes [name count] form ...)"),
        ("let", "(let [name number ...] form ...)"),
        ("with_translation", "(with-translation [x y] form ...)"),
        ("polygon", "(begin-shape) (vertex x y) ... (end-shape :close)"),
    ],
)
def test_usage(production, usage):
    assert LANGUAGE.usage(production) == usage


def test_signature():
    assert LANGUAGE.signature("triangle") == ["x1", "y1", "x2", "y2", "x3", "y3"]
    assert LANGUAGE.signature("add") == ["number..."]


def test_sequences():
    corners = {"vertex", "curve-vertex", "bezier-vertex", "quadratic-vertex"}
    assert LANGUAGE.sequences["begin-shape"] == (corners | {"begin-contour", "end-contour"}, "end-shape")
    assert LANGUAGE.sequences["begin-contour"] == (corners, "end-contour")
    inside, last = LANGUAGE.sequences["push-matrix"]
    assert {"rect", "begin-shape", "end-shape", "push-matrix", "pop-matrix"} <= inside and last == "pop-matrix"
    assert "vertex" not in inside and len(LANGUAGE.sequences) == 3


def test_another_grammar_is_another_language():
    language = read_language("toy", '?shape: dot | pair\ndot: "(" "dot" N ")"\npair: "<" shape shape ">"\nN: /[0-9]/\n')
    assert language.start == "shape" and language.kinds["shape"] == ("dot", "pair")
    assert language.minimum_size["shape"] == 1 and language.production_minimum("pair") == 3


def test_alternatives_have_names():
    language = read_language("toy", 'start: A -> one\n     | "(" start ")" -> two\nA: "a"\n')
    assert set(language.productions) == {"one", "two"} and language.kinds["start"] == ("one", "two")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("start: (", "grammar 'toy'"),
        ("start: nothing", "grammar 'toy'"),
        ('start: "a" start', "no finite tree for start"),
        ('start: A start?\nA: "a"', "put the terminal A of 'start' in a rule of its own"),
        ('start: "a" | "b"', "give this alternative of 'start' a name"),
        ('start: (a "," )* \na: "a"', "no place in a tree"),
    ],
)
def test_a_grammar_that_cannot_be_read(source, message):
    with pytest.raises(ConfigError, match=message) as error:
        read_language("toy", source + "\n")
    assert "\n" not in str(error.value)


def test_an_unknown_grammar_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no grammar 'skech'; there are: .*sketch"):
        load_language("skech")
    with pytest.raises(ConfigError, match="no grammar file"):
        load_language(str(tmp_path / "none.lark"))


def test_a_grammar_from_a_path(tmp_path):
    path = tmp_path / "toy.lark"
    path.write_text('start: A\nA: "a"\n')
    assert load_language(str(path)).name == "toy"
