"""What a search spends: every drawing that is compared with the picture counts, and a limit is kept to the letter."""

import itertools
import math
import time

import numpy as np
import pytest
import torch

from treesketch.actions import load_vocabulary
from treesketch.interpreter import interpret
from treesketch.model.network import ModelConfig, Network
from treesketch.picture import Picture
from treesketch.raster import rasterise
from treesketch.search.draw import Drawing, Options, draw_picture
from treesketch.search.outline import Layer, Outline
from treesketch.search.plain import open_at
from treesketch.search.polish import fit_alone, linearise, polish, squared_error
from treesketch.search.tally import OutOfRenders, Tally, affords, charge, counting, uncounted
from treesketch.syntax import parse, unparse

SCENE = """(size 128 128) (background 250 240 220) (no-stroke) (fill 20 90 200) (rect 0 0 128 50)
(fill 240 200 30) (ellipse 40 70 50 40) (fill 200 30 40) (triangle 70 60 120 70 90 120)
(fill 30 120 60) (begin-shape) (vertex 20 100) (vertex 60 96) (vertex 66 122) (vertex 40 112) (vertex 18 124)
(end-shape :close)"""
WHITE = np.ones(3)


@pytest.fixture(scope="module")
def scene() -> Picture:
    return Picture(rasterise(interpret(parse(SCENE))).astype(np.float32) / 255, "scene", (128, 128))


@pytest.fixture(scope="module")
def untrained() -> Network:
    torch.manual_seed(0)
    return Network(load_vocabulary(), ModelConfig(width=32, heads=2, grid_layers=1, tree_layers=1)).eval()


def draw(picture: Picture, renders: int, network: Network | None = None, forms: int = 60) -> Drawing:
    return draw_picture(picture, Options(seconds=math.inf, renders=renders, forms=forms), network)


def test_a_tally_counts_what_is_drawn_within_it() -> None:
    charge(3)  # nobody counts
    with counting(Tally(most=5)) as tally:
        charge()
        with uncounted():
            charge(100)
        charge(3)
        assert tally.renders == 4 and affords(1) and not affords(2)
        with pytest.raises(OutOfRenders):
            charge(2)
        assert tally.renders == 4


def test_every_comparison_with_the_picture_is_counted() -> None:
    target = np.ones((32, 32, 3), np.float32)
    layers = [Layer(Outline("rect", np.array([4.2, 5.1, 20.3, 22.9])), np.zeros(3))]

    def spent(drawing) -> int:
        with counting(Tally()) as tally:
            drawing()
        return tally.renders

    assert spent(lambda: squared_error(layers, WHITE, target)) == 1
    assert spent(lambda: linearise(layers, WHITE, target)) == 1
    assert spent(lambda: polish(layers, WHITE, target, rounds=0)) == 1
    assert spent(lambda: polish(layers, WHITE, target, rounds=1)) > 1
    opening = open_at(layers, 0, WHITE, 32, 32)
    assert spent(lambda: fit_alone(layers[0], opening, target, rounds=0)) == 1


@pytest.mark.parametrize("renders", [1, 2, 3, 10, 30, 60, 100, 250, 700])
def test_no_more_renders_are_spent_than_allowed(renders: int, scene: Picture) -> None:
    drawing = draw(scene, renders)
    assert 1 <= drawing.renders <= renders
    assert drawing.rmse < 0.1  # the first division of the picture is already near it


def test_more_renders_are_worth_it(scene: Picture) -> None:
    errors = [draw(scene, renders).rmse for renders in (1, 60, 700)]
    assert errors[0] >= errors[1] >= errors[2] and errors[2] < 0.5 * errors[0]


def test_few_renders_keep_to_the_limit_of_forms(scene: Picture) -> None:
    drawing = draw(scene, 1, forms=2)
    assert sum(node.production in ("rect", "ellipse", "triangle", "polygon") for node in drawing.tree.children) <= 2


@pytest.mark.parametrize("with_network", [False, True])
def test_a_seed_and_renders_give_one_program_on_any_machine(with_network, scene, untrained, monkeypatch) -> None:
    network = untrained if with_network else None
    first = draw(scene, 400, network)
    hours = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: 3600.0 * next(hours))  # a machine that takes an hour a step
    second = draw(scene, 400, network)
    assert unparse(second.tree) == unparse(first.tree)
    assert (second.rmse, second.renders) == (first.rmse, first.renders)


def test_the_course_of_a_drawing_goes_on_in_renders_and_ends_with_it(scene: Picture) -> None:
    drawing = draw(scene, 700)
    renders = [step.renders for step in drawing.course]
    assert renders == sorted(renders) and renders[-1] == drawing.renders
    assert drawing.course[-1].rmse == drawing.rmse
