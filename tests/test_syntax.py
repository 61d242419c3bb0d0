"""Text to tree and back: the same tree, the same comments, and a quick refusal of what is too long or too deep."""

import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strategies import programs, trees
from treesketch.errors import ParseError, Span
from treesketch.language import load_language
from treesketch.syntax import MAX_DEPTH, WIDTH, format_number, format_text, parse, unparse, words
from treesketch.tree import Node

LANGUAGE = load_language()
SLOW = [HealthCheck.too_slow]


def literal(value: float) -> Node:
    return Node("literal", (), value)


# Text -> tree


def test_a_form():
    point = Node("point", (literal(0), Node("multiply", (Node("reference", (), "i"), literal(2)))))
    rect = Node("rect", (point, Node("extent", (literal(128), literal(9)))))
    assert parse("(rect 0 (* i 2) 128 9)") == Node("program", (rect,))


def test_size_and_shape():
    tree = parse(
        "(size 128 64)\n(begin-shape)\n(vertex 1 2)\n(end-shape :close)\n(begin-shape) (vertex 1 2) (end-shape)"
    )
    size = Node("size", (Node("dimension", (), 128.0), Node("dimension", (), 64.0)))
    vertex = Node("vertex", (Node("point", (literal(1), literal(2))),))
    assert tree == Node("program", (size, Node("polygon", (vertex,)), Node("polyline", (vertex,))))


def test_nothing_is_a_program():
    for text in ("", " \n,,\t", "; only a note"):
        assert parse(text) == Node("program")


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), ("-7", -7), ("+0.5", 0.5), ("1e3", 1000), ("2.5E-1", 0.25), ("-0", 0), ("1e5", 1e5)]
)
def test_numbers(text, value):
    assert parse(f"(stroke-weight {text})").children[0].children[0] == literal(value)


def test_minus_nought_is_nought():
    assert str(parse("-0", start="number").value) == "0.0"


@pytest.mark.parametrize(
    "name", ["x", "a-b", "x1", "even?", "go!", "rect1", "PIE", "TWO-PIX", "filling", "e", "dotimes2"]
)
def test_names(name):
    assert parse(f"(fill {name})").children[0].children[0].children[0] == Node("reference", (), name)


def test_minus_is_subtraction_or_negation():
    assert parse("(- 1)", start="number").production == "negate"
    assert parse("(- 1 2)", start="number").production == "subtract"


def test_spans():
    tree = parse("(fill 1)\n  (rect 1 2\n   3 44)")
    assert [form.span for form in tree.children] == [Span(1, 1, 1, 9), Span(2, 3, 3, 9)]
    assert tree.children[1].children[1].children[1].span == Span(3, 6, 3, 8)


# The printer


@settings(max_examples=150, suppress_health_check=SLOW)
@given(trees())
def test_parse_after_unparse_is_the_same_tree(tree):
    text = unparse(tree)
    assert parse(text) == tree
    assert unparse(parse(text)) == text
    assert format_text(text) == text


@settings(max_examples=50, suppress_health_check=SLOW)
@given(trees("number"))
def test_a_number_alone(tree):
    assert parse(unparse(tree), start="number") == tree


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("(  rect 1,2 3\n4 )", "(rect 1 2 3 4)\n"),
        ("(let [a 1,b 2] (fill a) (rect a b 1 1))", "(let [a 1 b 2]\n  (fill a)\n  (rect a b 1 1))\n"),
        ("(dotimes [i 3]\n)", "(dotimes [i 3])\n"),
        (
            "(with-translation [1 2] (with-rotation [PI] (no-fill)))",
            "(with-translation [1 2]\n  (with-rotation [PI]\n    (no-fill)))\n",
        ),
        ("(begin-shape) (vertex 1 2) (end-shape :close)", "(begin-shape) (vertex 1 2) (end-shape :close)\n"),
        ("", ""),
    ],
)
def test_layout(text, printed):
    assert unparse(parse(text)) == printed == format_text(text)


def test_contours_begin_on_a_line_of_their_own_and_are_filled():
    vertices = " ".join(f"(vertex {i} {100 - i})" for i in range(12))
    text = f"(begin-shape) (vertex 0 0) (begin-contour) {vertices} (end-contour) (end-shape :close)"
    lines = unparse(parse(text)).splitlines()
    assert all(len(line) <= WIDTH for line in lines) and len(lines) == 4
    assert lines[0] == "(begin-shape) (vertex 0 0)" and lines[1].startswith("  (begin-contour) (vertex 0 100)")
    assert lines[3].endswith("(end-contour) (end-shape :close)")


def test_long_forms_are_filled():
    vertices = " ".join(f"(vertex {i} {100 - i})" for i in range(30))
    lines = unparse(parse(f"(begin-shape) {vertices} (end-shape)")).splitlines()
    assert all(len(line) <= WIDTH for line in lines) and len(lines[1]) > WIDTH - len(" (vertex 10 90)")
    assert lines[0].startswith("(begin-shape) (vertex 0 100)") and all(line.startswith("  (") for line in lines[1:])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (-3.0, "-3"),
        (0.5, "0.5"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e20, "1e+20"),
        (-0.0, "0"),
        (1e-7, "1e-07"),
    ],
)
def test_format_number(value, text):
    assert format_number(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_read_back(value):
    assert parse(format_number(value), start="number").value == value


# The formatter

COMMENTED = """

; the flag
;   of somewhere


(size 9 9) ; small
(let [a 1 ; first
      b 2]

  ; inside

  (fill a) ; red
  (rect a ; left
        b 1 1)

  ; at the end
) ; closed
(dotimes [i 2] ; nothing
)

; last

"""

TIDY = """; the flag
;   of somewhere

(size 9 9) ; small
(let [a 1 b 2]
  ; first

  ; inside

  (fill a) ; red
  ; left
  (rect a b 1 1)

  ; at the end
) ; closed
; nothing
(dotimes [i 2])

; last
"""


def test_comments_stay_where_they_belong():
    assert format_text(COMMENTED) == TIDY
    assert format_text(TIDY) == TIDY


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("; a", "; a\n"),
        ("(fill 1);a\r\n\r\n\r\n(fill 2)", "(fill 1) ;a\n\n(fill 2)\n"),
        ("(fill 1) (fill 2) ; two", "(fill 1)\n(fill 2) ; two\n"),
        ("(fill 1) (fill ; two\n2)", "(fill 1)\n; two\n(fill 2)\n"),
        ("(let [a 1] (fill a) ; in\n)", "(let [a 1]\n  (fill a) ; in\n)\n"),
        ("(let [a 1] (fill a)) ; out\n", "(let [a 1]\n  (fill a)) ; out\n"),
        ("(fill 1)\n\n; a\n\n\n; b\n\n(fill 2)\n\n\n", "(fill 1)\n\n; a\n\n; b\n\n(fill 2)\n"),
        (";)(\n(fill 1)", ";)(\n(fill 1)\n"),
    ],
)
def test_comment_places(text, tidy):
    assert format_text(text) == tidy
    assert format_text(tidy) == tidy


@st.composite
def commented(draw: st.DrawFn) -> str:
    """A program's text with comments, blank lines and breaks between any two words."""
    text = unparse(draw(programs))
    gaps = st.sampled_from([" "] * 12 + ["\n", "\n\n\n", " ; note\n", "\n;; (note\n", "\n\n;a\n\n;b \t\n", ","])
    pieces = [word.text for word in words(text)]
    return "".join(draw(gaps) + piece for piece in pieces) + draw(gaps)


@settings(max_examples=100, suppress_health_check=SLOW)
@given(commented())
def test_formatting_keeps_the_tree_and_the_comments_and_is_idempotent(text):
    tidy = format_text(text)
    assert parse(tidy) == parse(text)
    assert sorted(re.findall(";.*", tidy)) == sorted(note.rstrip() for note in re.findall(";.*", text))
    assert format_text(tidy) == tidy
    assert (
        "\n\n\n" not in tidy and not tidy.startswith("\n") and all(line == line.rstrip() for line in tidy.split("\n"))
    )


# Errors (their words are in tests/errors)


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from([*"()[]()(); \n,:.-+/*01ae\"#'`~@^_{}\\ａ", *map("({} ".format, LANGUAGE.words)])).map(
        "".join
    )
)
def test_any_text_parses_or_is_refused_in_one_line_with_its_place(text):
    try:
        tree = parse(text, file="a.clj")
    except ParseError as error:
        message = str(error)
        assert re.match(r"a\.clj:\d+:\d+: .", message) and "\n" not in message and len(message) < 300
        assert error.span and error.span.line <= text.count("\n") + 1
    else:
        assert parse(unparse(tree)) == tree


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1_000_000,
        "(rect 1 2 3 4)" * 100_000,
        "[(" * 400_000,
        "(let [a " + "(- " * 300_000,
        "(fill " + "9" * 900_000 + "x)",
        '(fill "' + "\x1b" * 900_000,
    ],
    ids=["brackets", "long", "mixed", "numbers", "number", "escape"],
)
def test_too_deep_or_too_long_is_refused_quickly(text):
    began = time.perf_counter()
    with pytest.raises(ParseError) as error:
        parse(text)
    assert time.perf_counter() - began < 3
    assert len(str(error.value)) < 300 and str(error.value).isprintable()


def test_depth_is_refused_where_it_begins():
    assert parse("(dotimes [i 1] " * 59 + "(no-fill)" + ")" * 59)
    with pytest.raises(ParseError, match=f"1:{MAX_DEPTH + 1}: forms are nested more than {MAX_DEPTH} deep"):
        parse("(" * 61)


# Discarded data


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("#_(rect 1 2 3 4) (fill 9)", "(fill 9)"),
        ('#_ (nonsense :k [1 "x"]) (fill 9)', "(fill 9)"),
        ("(fill #_1 9)", "(fill 9)"),
        ("(fill #_ #_ 1 2 9)", "(fill 9)"),
        ("(fill 9) #_(a ; ) comment\n b)", "(fill 9)"),
        ("(let [#_ #_ a 1 b 2] (fill b))", "(let [b 2] (fill b))"),
        ("#_#_(fill 1)(fill 2)(fill 3)", "(fill 3)"),
        ("; #_\n(fill 9)", "(fill 9)"),
    ],
)
def test_what_is_discarded_is_not_read(text, same):
    assert parse(text) == parse(same)
    once = format_text(text)
    assert parse(once) == parse(same) and format_text(once) == once
    assert once.count("#_") == text.count("#_")


def test_places_behind_what_is_discarded_are_kept():
    assert parse("#_(a\n b) (fill 9)").children[0].span[:2] == (2, 5)
    with pytest.raises(ParseError, match="^2:5: "):
        parse("#_(a\n b) (fill )")


@pytest.mark.parametrize("text", ["#_", "(fill 1) #_", "(fill #_)", "#_(a", "#_ #_ a", "#_[(fill 1)"])
def test_nothing_to_discard_is_told(text):
    with pytest.raises(ParseError, match="this #_ has nothing whole behind it"):
        parse(text)


def test_discarding_takes_time_with_the_length():
    began = time.perf_counter()
    assert not parse("#_" * 100_000 + "a " * 100_000).children
    assert not parse("#_" + "(" * 100_000 + ")" * 100_000).children
    assert time.perf_counter() - began < 3


@pytest.mark.parametrize(
    "text", ["#_a " * 100_000, "#_a\n" * 100_000, "(fill 1) #_a " * 4_000, "#_(a\n" * 500 + ")" * 500 + " #_a" * 50_000]
)
def test_time_to_format_grows_with_what_is_discarded(text):
    began = time.perf_counter()
    assert format_text(text).count("#_") == text.count("#_")
    assert time.perf_counter() - began < 8
