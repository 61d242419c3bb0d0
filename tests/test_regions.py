"""Regions of flat pictures: areas and edges are found below a pixel, against areas known from geometry."""

import math

import numpy as np
from numpy.typing import NDArray

from treesketch.search.regions import (
    SPLIT,
    fill_holes,
    hull_mask,
    join_pieces,
    residual_regions,
    segment,
    whole_regions,
)


def disc(size: int, x: float, y: float, radius: float) -> NDArray[np.float32]:
    """A disc's coverage (size, size) by 16 x 16 samples a pixel."""
    grid = (np.arange(size * 16) + 0.5) / 16
    inside = (grid[None] - x) ** 2 + (grid[:, None] - y) ** 2 < radius**2
    return inside.reshape(size, 16, size, 16).mean(axis=(1, 3)).astype(np.float32)


def over(picture: NDArray[np.float32], coverage: NDArray[np.float32], color: tuple[float, ...]) -> NDArray[np.float32]:
    return (picture + coverage[..., None] * (np.array(color, dtype=np.float32) - picture)).astype(np.float32)


WHITE = np.ones((64, 64, 3), dtype=np.float32)
RED, BLUE = (0.8, 0.1, 0.1), (0.1, 0.2, 0.7)


def test_a_disc_has_its_area() -> None:
    found = segment(over(WHITE, disc(64, 30.3, 33.7, 14.4), RED))
    assert len(found.regions) == 2
    red = min(found.regions, key=lambda region: region.area)
    assert abs(red.area - math.pi * 14.4**2) < 1.0
    np.testing.assert_allclose(red.color, RED, atol=0.005)


def test_an_edge_along_the_pixels_lies_between_them() -> None:
    picture = WHITE.copy()
    picture[:20] = RED
    picture[20] = 0.3 * np.array(RED) + 0.7  # three tenths of a row
    found = segment(picture)
    assert len(found.regions) == 2  # the mixed row is no stripe
    red = min(found.regions, key=lambda region: region.area)
    assert abs(red.area - 64 * 20.3) < 0.5


def test_edges_between_three_colours_make_no_region() -> None:
    picture = over(over(WHITE, disc(64, 28, 32, 18), RED), disc(64, 42, 32, 12), BLUE)
    assert len(segment(picture).regions) == 3


def test_no_more_regions_than_asked_and_one_for_one_colour() -> None:
    noise = np.random.default_rng(3).random((32, 32, 3)).astype(np.float32)
    assert len(segment(noise, most=7).regions) <= 7 + SPLIT
    assert len(segment(WHITE).regions) == 1


def test_whole_shapes_behind_others() -> None:
    coverage = disc(64, 32, 32, 20)
    coverage[:, 28:36] = 0.0  # a stripe of white cuts the disc in two
    found = segment(over(WHITE, coverage, RED))
    joined = [region for region in whole_regions(found) if region.origin == "joined" and region.color[1] < 0.5]
    assert len(joined) == 1
    assert abs(joined[0].mask.sum() - math.pi * 400) < 60


def test_holes_and_hulls() -> None:
    ring = (disc(64, 32, 32, 20) > 0.5) & ~(disc(64, 32, 32, 10) > 0.5)
    assert fill_holes(ring).sum() == (disc(64, 32, 32, 20) > 0.5).sum()
    corner = np.zeros((20, 20), dtype=bool)
    corner[2:12, 2] = corner[11, 2:12] = True  # an L of ten by ten: its hull is the triangle
    assert hull_mask(corner).sum() == 55


def test_residual_is_what_the_drawing_lacks() -> None:
    drawing = over(WHITE, disc(64, 20, 20, 10), RED)
    target = over(drawing, disc(64, 44, 44, 8), BLUE)
    found = residual_regions(target, drawing)
    assert len(found) == 1
    assert abs(found[0].area - math.pi * 64) < 2.0
    assert residual_regions(target, target) == []


def test_pieces_of_one_colour_are_joined_behind_what_lies_between() -> None:
    picture = np.full((64, 64, 3), (0.9, 0.1, 0.1), np.float32)
    picture[20:28] = 1.0  # a white bar from side to side
    picture[:, 30:38] = (0.0, 0.1, 0.5)  # a blue one over it
    found = segment(picture)
    white = [region for region in found.regions if region.color.min() > 0.9]
    joined = join_pieces(found)
    assert joined is not None and len(white) == 2
    whole = [region for region in joined.regions if region.color.min() > 0.9]
    assert len(whole) == 1 and whole[0].origin == "joined" and whole[0].mask.sum() == 8 * 56
    plain = np.full((64, 64, 3), 1.0, np.float32)
    plain[10:20, 10:20] = plain[40:50, 40:50] = (0.0, 0.1, 0.5)  # two squares with nothing but ground between them
    assert join_pieces(segment(plain)) is None
