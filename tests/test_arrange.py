"""Found sketches put in order and told: sides, copies, useless forms, order, loops."""

import numpy as np

from treesketch.interpreter import interpret
from treesketch.layers import Layer, ellipse, line, polygon, rect, write_program
from treesketch.raster import rasterise
from treesketch.search.arrange import aligned, alike, barred, ordered, pruned
from treesketch.search.judge import Judge, Sketch
from treesketch.search.told import tell
from treesketch.syntax import parse, unparse

WHITE, RED, BLUE = (255, 255, 255), (200, 20, 30), (20, 40, 120)
PRICE = 0.03


def never() -> bool:
    return False


def judge_of(program: str) -> Judge:
    pixels = rasterise(interpret(parse(f"(size 128 128) {program}"))).astype(np.float32) / 255
    return Judge(pixels, (128, 128), 128)


def test_stripes_under_a_canton_reach_the_border() -> None:
    judge = judge_of(
        "(background 255) (no-stroke) (fill 200 20 30) (rect 0 0 128 16) (rect 0 32 128 16) (rect 0 64 128 16)"
        "(fill 20 40 120) (rect 0 0 50 56)"
    )
    canton = Layer(rect(0, 0, 50, 56), BLUE)
    stripes = (rect(50, 0, 78, 16), rect(50, 32, 78, 16), rect(0, 64, 128, 16))
    found = aligned(Sketch(WHITE, (canton, *(Layer(stripe, RED) for stripe in stripes))), judge, never)
    assert {layer.shape for layer in found.layers if layer.fill == RED} == {rect(0, y, 128, 16) for y in (0, 32, 64)}
    assert judge.error(found) < 1e-6
    told = tell(write_program(ordered(found, judge).layers, (128, 128), WHITE), judge, PRICE, never)
    assert "(dotimes [i 3]\n  (rect 0 (* i 32) 128 16))" in unparse(told)


def test_what_shows_is_not_moved() -> None:
    judge = judge_of("(background 255) (no-stroke) (fill 200 20 30) (rect 20 20 40 16) (rect 10 60 60 16)")
    sketch = Sketch(WHITE, (Layer(rect(20, 20, 40, 16), RED), Layer(rect(10, 60, 60, 16), RED)))
    assert aligned(sketch, judge, never) == sketch


def test_a_line_from_border_to_border_is_a_bar() -> None:
    judge = judge_of("(background 255) (no-stroke) (fill 200 20 30) (rect 0 40 128 12) (rect 90 0 10 128)")
    lines = (Layer(line(-6, 46, 134, 46), None, RED, 12.0), Layer(line(95, -5, 95, 140), None, RED, 10.0))
    found = barred(Sketch(WHITE, lines), judge, never)
    assert [layer.shape for layer in found.layers] == [rect(0, 40, 128, 12), rect(90, 0, 10, 128)]
    short = Sketch(WHITE, (Layer(line(20, 46, 134, 46), None, RED, 12.0),))
    assert barred(short, judge, never) == short


def test_like_shapes_become_one_shape_moved() -> None:
    star = [(0, -10), (3, -3), (10, -2), (4, 3), (6, 10), (0, 5), (-6, 10), (-4, 3), (-10, -2), (-3, -3)]
    places = [(30, 30), (90, 40), (60, 100)]
    rng = np.random.default_rng(3)

    def layer(x: float, y: float, noise: float) -> Layer:
        return Layer(polygon([(x + a + rng.normal(0, noise), y + b + rng.normal(0, noise)) for a, b in star]), RED)

    exact = Sketch(WHITE, tuple(layer(x, y, 0) for x, y in places))
    judge = judge_of(unparse(write_program(exact.layers, (128, 128), WHITE)).replace("(size 128 128)", ""))
    found = alike(Sketch(WHITE, tuple(layer(x, y, 0.05) for x, y in places)), judge, PRICE, never)
    told = unparse(tell(write_program(found.layers, (128, 128), WHITE), judge, PRICE, never))
    assert told.count("(begin-shape)") == 1 and told.count("(mark ") == 3


def test_forms_that_save_less_than_they_cost_go() -> None:
    judge = judge_of("(background 255) (no-stroke) (fill 200 20 30) (ellipse 64 64 60 60)")
    disc, sliver = Layer(ellipse(64, 64, 60, 60), RED), Layer(rect(10, 10, 0.2, 1), (250, 250, 255))
    assert pruned(Sketch(WHITE, (sliver, disc)), judge, PRICE, never).layers == (disc,)


def test_the_order_keeps_what_covers_and_saves_paint() -> None:
    shapes = [
        Layer(rect(70, 10, 20, 20), RED),
        Layer(rect(10, 10, 20, 20), BLUE),
        Layer(rect(40, 10, 20, 20), RED),
        Layer(ellipse(20, 20, 10, 10), RED),  # lies on the blue one
        Layer(rect(10, 50, 20, 20), BLUE),
    ]
    text = unparse(write_program(shapes, (128, 128), WHITE)).replace("(size 128 128)", "")
    found = ordered(Sketch(WHITE, tuple(shapes)), judge_of(text))
    assert [shapes.index(layer) for layer in found.layers] == [1, 4, 2, 0, 3]


def test_telling_stops_when_it_is_over() -> None:
    text = "(background 255) (no-stroke) (fill 0) " + " ".join(f"(rect {k * 16} 0 8 128)" for k in range(8))
    tree = parse(f"(size 128 128) {text}")
    assert tell(tree, judge_of(text), PRICE, lambda: True) == tree
    assert "(dotimes [i 8]" in unparse(tell(tree, judge_of(text), PRICE, never))
