"""Layers to programs and back: the fewest paint forms, and paint that lasts as the language has it."""

import pytest

from treesketch.interpreter import interpret
from treesketch.language import load_language
from treesketch.layers import (
    Layer,
    Paint,
    channels_of,
    color_node,
    ellipse,
    line,
    literal,
    paint_after,
    polygon,
    polyline,
    read_layers,
    rect,
    turned,
    write_program,
)
from treesketch.syntax import flat, parse, unparse
from treesketch.tree import Node

RED, BLUE = (200, 0, 0), (0, 0, 200)
BOX, DISC, BAR = rect(1, 2, 3, 4), ellipse(5, 6, 7, 8), line(0, 0, 9, 9)


def text_of(layers: list[Layer], background: tuple[int, ...] = (255, 255, 255)) -> str:
    return unparse(write_program(layers, (128, 96), background))


def test_a_program_says_each_paint_once() -> None:
    layers = [Layer(BOX, RED), Layer(DISC, RED), Layer(BOX, BLUE, RED, 3.0), Layer(DISC, BLUE, RED, 3.0)]
    wanted = """
        (size 128 96) (background 255)
        (fill 200 0 0) (no-stroke) (rect 1 2 3 4) (ellipse 5 6 7 8)
        (fill 0 0 200) (stroke 200 0 0) (stroke-weight 3) (rect 1 2 3 4) (ellipse 5 6 7 8)
    """
    assert parse(text_of(layers)) == parse(wanted)


def test_what_a_program_starts_with_is_not_said() -> None:
    assert text_of([Layer(BOX, (255, 255, 255), (0, 0, 0))]) == "(size 128 96)\n(background 255)\n(rect 1 2 3 4)\n"


def test_a_line_leaves_the_fill_as_it_was() -> None:
    layers = [Layer(BOX, RED), Layer(BAR, None, BLUE), Layer(DISC, RED, BLUE)]
    assert text_of(layers).count("fill") == 1


def test_a_weight_waits_for_the_stroke_that_needs_it() -> None:
    layers = [Layer(BOX, RED, None, 7.0), Layer(BOX, RED, BLUE, 7.0)]
    assert text_of(layers).index("(stroke 0 0 200)") < text_of(layers).index("(stroke-weight 7)")
    assert text_of(layers).count("stroke-weight") == 1


def test_caps_and_joins_are_said_where_there_are_ends_and_corners() -> None:
    layers = [
        Layer(BAR, None, RED, 2.0, "round"),  # what a program starts with
        Layer(BOX, None, RED, 2.0, None, "bevel"),
        Layer(DISC, None, RED, 2.0),  # has neither, so both stay
        Layer(BAR, None, RED, 2.0, "square"),
        Layer(BOX, None, RED, 2.0, None, "bevel"),
        Layer(BOX, BLUE, None, 1.0, "round", "miter"),  # no stroke
    ]
    wanted = """
        (size 128 96) (background 255)
        (stroke 200 0 0) (stroke-weight 2) (line 0 0 9 9)
        (no-fill) (stroke-join :bevel) (rect 1 2 3 4) (ellipse 5 6 7 8)
        (stroke-cap :square) (line 0 0 9 9) (rect 1 2 3 4)
        (fill 0 0 200) (no-stroke) (rect 1 2 3 4)
    """
    assert parse(text_of(layers)) == parse(wanted)


@pytest.mark.parametrize(
    ("channels", "text"),
    [
        ((7, 7, 7), "7"),
        ((7, 7, 7, 255), "7"),
        ((7, 7, 7, 9), "7 9"),
        ((7, 8, 9), "7 8 9"),
        ((7, 8, 9, 255), "7 8 9"),
        ((7, 8, 9, 10), "7 8 9 10"),
    ],
)
def test_colours_are_written_as_short_as_they_can_be(channels: tuple[int, ...], text: str) -> None:
    node = color_node(channels)
    assert flat(node, load_language()) == text
    assert channels_of(node) == (channels if len(channels) == 4 and channels[3] < 255 else channels[:3])


def test_channels_are_cut_and_clamped_as_processing_does() -> None:
    assert channels_of(Node("rgb", (literal(-3), literal(7.9), literal(300)))) == (0, 7, 255)


def test_outlines_take_the_shortest_form() -> None:
    points = [(0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (4.0, 12.0), (0.0, 9.0)]
    assert [polygon(points[:n]).production for n in (3, 4, 5)] == ["triangle", "quad", "polygon"]
    assert polyline(points).production == "polyline"


def test_a_turned_shape_turns_around_its_point() -> None:
    wanted = "(with-translation [10 20] (with-rotation [0.5] (rect -4 -4 8 8)))"
    assert turned(10, 20, 0.5, rect(-4, -4, 8, 8)) == parse(wanted).children[0]


LAYERS = [
    Layer(BOX, RED),
    Layer(BAR, None, BLUE, 2.0),
    Layer(turned(3, 4, 1.0, DISC), None, BLUE, 5.0),
    Layer(DISC, (1, 2, 3, 40), None),
]


def test_layers_are_read_as_they_were_written() -> None:
    layers, ground = read_layers(write_program(LAYERS, (128, 128), (9, 9, 9)).children)
    assert layers == LAYERS and ground == (9, 9, 9)


def test_caps_and_joins_last_until_they_are_changed() -> None:
    text = "(stroke-cap :square) (line 0 0 9 9) (stroke-join :bevel) (rect 1 2 3 4) (no-stroke) (rect 1 2 3 4)"
    layers, _ = read_layers(parse(text).children)
    assert [(layer.cap, layer.join) for layer in layers] == [("square", None), ("square", "bevel"), (None, None)]
    assert (paint_after(layers).cap, paint_after(layers).join) == ("square", "bevel")


def test_reading_in_two_parts_is_reading_at_once() -> None:
    forms = write_program(LAYERS, (128, 128), (9, 9, 9)).children
    for cut in range(1, len(LAYERS)):
        first = write_program(LAYERS[:cut], (128, 128), (9, 9, 9)).children
        assert forms[: len(first)] == first
        rest, ground = read_layers(forms[len(first) :], paint_after(LAYERS[:cut]))
        assert rest == LAYERS[cut:] and ground is None


def test_paint_lasts_as_the_interpreter_has_it() -> None:
    assert paint_after([]) == Paint((255, 255, 255), (0, 0, 0), 1.0)
    assert paint_after(LAYERS) == Paint((1, 2, 3, 40), None, 5.0)
    last = interpret(write_program([*LAYERS, Layer(BOX, (1, 2, 3, 40), RED, 5.0)], (128, 128), (9, 9, 9))).shapes[-1]
    assert last.fill == (1, 2, 3, 40) and last.stroke is not None and last.stroke.weight == 5.0


def test_a_background_covers_what_was_before_it() -> None:
    layers, ground = read_layers(parse("(rect 1 2 3 4) (background 200 0 0) (ellipse 5 6 7 8)").children)
    assert [layer.shape for layer in layers] == [DISC] and ground == RED


@pytest.mark.parametrize("text", ["(fill (+ 1 2))", "(stroke-weight PI)", "(background (* 2 3))"])
def test_paint_that_must_be_reckoned_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a literal number"):
        read_layers(parse(text).children)


def test_settings_inside_a_scope_are_refused() -> None:
    with pytest.raises(ValueError, match="a setting inside with_rotation"):
        read_layers(parse("(with-rotation [1] (fill 0) (rect 1 2 3 4))").children)
