"""Curved outlines: their coverage and its derivative, fits to known shapes, and steps to more freedom and less."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from treesketch.interpreter import interpret
from treesketch.raster import rasterise
from treesketch.search import contour, regions
from treesketch.search.coverage import cover
from treesketch.search.curves import paths, refits
from treesketch.search.fit import shape_node, trace
from treesketch.search.judge import Judge
from treesketch.search.outline import CUT_ROUND, Layer, Outline
from treesketch.search.painting import Painting, to_outline, to_sketch
from treesketch.search.polish import linearise, paint, polish
from treesketch.search.segments import as_path, grow, growths, pieces, shrink, shrinkings, tidy
from treesketch.syntax import parse

SIZE = (64, 64)
BLOB = Outline("path", np.array([10, 10, 20, 3, 40, 10.3, 45, 20, 38, 44, 20, 40.2]), "LQC")


def member_of(program: str) -> NDArray[np.float32]:
    """How much of each of 128 x 128 pixels a white shape on black covers."""
    text = f"(size 128 128) (background 0) (no-stroke) (fill 255) {program}"
    return rasterise(interpret(parse(text)))[:, :, 0].astype(np.float32) / 255


def sides_of(member: NDArray[np.float32]) -> contour.Sides:
    points = contour.resample(contour.contours(member)[0])
    return contour.Sides(points, np.ones(len(points)))


def test_a_path_covers_what_its_curves_enclose() -> None:
    # A parabola over a chord of 40 with its control 30 above encloses two thirds of the triangle.
    arch = Outline("path", np.array([30.0, 20, 50, 50, 10, 50]), "QL")
    assert cover([arch], *SIZE)[0].sum() == pytest.approx(2 / 3 * 0.5 * 40 * 30, rel=3e-3)
    k = 20 * 0.5522847498
    circle = [32 + k, 12, 52, 32 - k, 52, 32, 52, 32 + k, 32 + k, 52, 32, 52]
    circle += [32 - k, 52, 12, 32 + k, 12, 32, 12, 32 - k, 32 - k, 12, 32, 12]
    assert cover([Outline("path", np.array(circle, float), "CCCC")], *SIZE)[0].sum() == pytest.approx(
        math.pi * 400, rel=2e-3
    )


def test_the_derivative_of_a_path_is_that_of_its_coverage() -> None:
    target = np.random.default_rng(1).random((*SIZE, 3)).astype(np.float32)

    def error(outline: Outline) -> float:
        drawn = paint([Layer(outline, np.array([0.1, 0.2, 0.3]))], np.ones(3), *SIZE).astype(np.float64)
        return float(((target - drawn) ** 2).sum())

    slope = linearise([Layer(BLOB, np.array([0.1, 0.2, 0.3]))], np.ones(3), target)
    for k in range(len(BLOB.params)):
        step = np.zeros(len(BLOB.params))
        step[k] = 1e-2
        rise = error(Outline("path", BLOB.params + step, "LQC")) - error(Outline("path", BLOB.params - step, "LQC"))
        assert -2 * slope.right[k] == pytest.approx(rise / 2e-2, abs=0.05)


@pytest.mark.parametrize(
    ("program", "most", "error"),
    [
        ("(ellipse 60 60 80 50)", 34, 0.15),
        ("(rect 10.75 12 106 100 18)", 34, 0.2),
        ("(begin-shape) (vertex 20 100) (quadratic-vertex 64 -40 108 100) (end-shape :close)", 12, 0.3),
    ],
)
def test_known_curves_are_found_with_few_numbers(program: str, most: int, error: float) -> None:
    member = member_of(program)
    found = [outline for outline in paths(sides_of(member)) if outline.numbers <= most]
    target = np.repeat(member[..., None], 3, axis=2)
    polished = [
        polish([Layer(o, np.ones(3))], np.zeros(3), target, rounds=8, colors=False)[2] ** 2 * member.size for o in found
    ]
    assert min(polished) < error


def test_a_rounded_rectangle_is_processings() -> None:
    member = member_of("(rect 10.75 12 106 100 18)")
    drawn = cover([Outline("rounded", np.array([10.75, 12, 116.75, 112, 18]))], 128, 128)[0]
    assert np.abs(drawn - member).max() < 0.03  # of the chords
    box = Outline("rect", np.array([10.75, 12, 116.75, 112]))
    found = contour.fit_rounded(box, member)
    assert found is not None and found.params[4] == pytest.approx(18, abs=0.2)
    assert contour.fit_rounded(box, cover([box], 128, 128)[0]) is None
    (_, traced) = trace(np.repeat(member[..., None], 3, axis=2), (128, 128))
    assert traced.shape.production == "rect_rounded" and traced.numbers == 5


def test_what_is_straight_stays_straight() -> None:
    member = member_of("(quad 20 20 100 30 90 110 15 80)")
    (_, found) = trace(np.repeat(member[..., None], 3, axis=2), (128, 128))
    assert found.shape.production == "quad"


def test_a_rounded_shape_is_traced_with_curves() -> None:
    member = member_of("(ellipse 50 64 60 60) (rect 50 34 60 60)")
    (_, found) = trace(np.repeat(member[..., None], 3, axis=2), (128, 128))
    assert found.shape.production == "polygon" and found.numbers <= 20
    assert {child.production for child in found.shape.children} > {"vertex"}


def test_growing_keeps_the_curve() -> None:
    before = cover([BLOB], *SIZE)[0]
    for chosen in ([0], [1], [2], [0, 1, 2]):
        grown = grow(BLOB, chosen)
        assert np.abs(cover([grown], *SIZE)[0] - before).max() < 0.03  # of the chords that stand for it
    assert grow(BLOB, [0, 1, 2]).verbs == "QCCC"
    grown = grow(BLOB, range(3))
    for (_, _, at), piece in zip(growths(BLOB), pieces(BLOB), strict=True):
        assert not any(np.allclose(grown.params[i : i + 2], piece[-1]) for i in at[::2])  # inner points, no ends
    assert [numbers for _, numbers, _ in growths(BLOB)] == [2, 2, 6]


def test_shrinking_is_where_its_move_leads() -> None:
    square = as_path(Outline("polygon", np.array([10.0, 10, 50, 12, 48, 50, 9, 47])))
    for outline in (BLOB, square):
        steps = shrinkings(outline)
        assert steps
        for step in steps:
            moved = outline.params.copy()
            moved[step.where] += step.move
            np.testing.assert_allclose(step.aims @ moved[step.where], 0, atol=1e-9)
            np.testing.assert_allclose(step.aims @ outline.params[step.where], step.off, atol=1e-9)
            drawn = cover([Outline("path", moved, outline.verbs), shrink(outline, [step.segment])], *SIZE)
            assert np.abs(drawn[0] - drawn[1]).max() < 0.03
    assert shrinkings(Outline("path", np.array([30.0, 20, 50, 50, 10, 50]), "QL")) == []  # nothing would be left


def test_a_path_in_needless_parts_is_found_again_in_few() -> None:
    plain = Outline("path", np.array([15.0, 10, 45, 8, 52, 50, 10, 50]), "CL")
    parts = grow(grow(plain, [0]), [0, 1])
    assert parts.verbs == "CCCCL"
    found = refits(parts)
    assert found[0].numbers < 12 and all(outline.numbers < parts.numbers for outline in found)
    assert min(np.abs(cover([outline], *SIZE)[0] - cover([plain], *SIZE)[0]).max() for outline in found) < 0.2
    turn = 2 * np.pi * np.arange(24) / 24
    many = Outline("polygon", np.stack([32 + 20 * np.cos(turn), 32 + 20 * np.sin(turn)], axis=1).ravel())
    found = [o for o in refits(many) if np.abs(cover([o, many], *SIZE)[0] - cover([many], *SIZE)[0]).max() < 0.2]
    assert found and found[0].numbers <= 26


def test_tidy_paths_end_with_a_line_or_are_polygons() -> None:
    turned = tidy(BLOB)
    assert turned.verbs == "QCL" and turned.numbers == 12
    np.testing.assert_allclose(cover([turned], *SIZE), cover([BLOB], *SIZE), atol=1e-5)
    assert tidy(Outline("path", np.arange(6.0), "LLL")).kind == "polygon"


def test_a_path_is_written_as_it_is_drawn() -> None:
    for outline in (tidy(BLOB), Outline("path", BLOB.params[2:], "QC")):
        node = shape_node(outline, np.ones(2))
        numbers = sum(2 * len(child.children) for child in node.children)
        assert numbers == outline.numbers


def test_corners_of_one_colour_are_one_ground() -> None:
    face = np.ones((128, 128, 3), np.float32)
    face[member_of("(ellipse 64 64 130 130)") > 0.5] = (1, 0.8, 0.3)
    found = regions.segment(face)
    joined = regions.join_grounds(found)[0]
    assert joined is not None and len(found.regions) == 5 and len(joined.regions) == 2
    np.testing.assert_allclose(joined.regions[0].color, 1, atol=0.01)
    assert (joined.label == 0).sum() == sum(region.mask.sum() for region in found.regions if region.color[2] > 0.9)
    assert regions.join_grounds(joined) == []


def test_a_region_of_upright_sides_is_a_few_rectangles() -> None:
    def sides(program: str) -> set[tuple[float, ...]]:
        return {tuple(outline.params.tolist()) for outline in contour.blocks(member_of(program))}

    assert sides("(rect 0 50 128 20) (rect 30 0 20 128)") == {(0, 50, 128, 70), (30, 0, 50, 128)}
    assert sides("(rect 10 10 20 90) (rect 10 80 70 20)") == {(10, 10, 30, 100), (10, 80, 80, 100)}
    comb = sides("(rect 10 10 100 20) (rect 10 10 10 90) (rect 50 10 10 90) (rect 100 10 10 90)")
    assert comb == {(10, 10, 110, 30), (10, 10, 20, 100), (50, 10, 60, 100), (100, 10, 110, 100)}
    assert len(sides("(no-fill) (stroke 255) (stroke-weight 8) (stroke-join :miter) (rect 20 20 60 40)")) == 4
    assert sides("(rect 10 10 50 60)") <= {(10, 10, 60, 70)}
    assert not sides("(ellipse 64 64 60 60)")
    assert not sides("(triangle 10 10 100 20 50 90)")


def test_a_spline_s_derivative_is_that_of_its_coverage() -> None:
    target = np.random.default_rng(1).random((*SIZE, 3)).astype(np.float32)
    spline = Outline("spline", np.array([10, 12, 30, 3, 50, 20, 55, 30, 38, 54, 20, 40.2, 5.0]), "QC")
    color = np.array([0.1, 0.2, 0.3])

    def error(params: NDArray[np.float64]) -> float:
        drawn = paint([Layer(Outline("spline", params, "QC"), color)], np.ones(3), *SIZE).astype(np.float64)
        return float(((target - drawn) ** 2).sum())

    slope = linearise([Layer(spline, color)], np.ones(3), target)
    for k in range(len(spline.params)):
        step = np.zeros(len(spline.params))
        step[k] = 1e-2
        rise = error(spline.params + step) - error(spline.params - step)
        assert -2 * slope.right[k] == pytest.approx(rise / 2e-2, abs=0.3)


@pytest.mark.parametrize(
    "outline",
    [
        Outline("sector", np.array([30, 32, 22, 20, 0.4, 5.1])),
        Outline("segment", np.array([30.5, 34, 22, 25, 2.0, 4.6])),
        Outline("arc", np.array([31, 30, 20, 18.5, 0.7, 4.0, 5])),
        Outline("box", np.array([12.2, 15.6, 50.3, 44.1, 6])),
        Outline("frame", np.array([12.2, 15.6, 50.3, 44.1, 9, 6])),
    ],
    ids=lambda outline: outline.kind,
)
def test_slices_and_frames_cover_what_their_forms_draw_and_know_how_it_changes(outline: Outline) -> None:
    color, target = np.array([0.1, 0.2, 0.3]), np.random.default_rng(1).random((*SIZE, 3)).astype(np.float32)
    sketch = to_sketch(Painting((Layer(outline, color),), (0,), np.ones(3), 0.0), np.ones(2))
    (layer,) = sketch.layers
    ((drawn, _),) = Judge(target, (64, 64), 64).paints(layer)
    assert np.abs(cover([outline], *SIZE)[0] - drawn).mean() < 1.5e-3
    back = to_outline(layer, np.ones(2))
    assert back is not None and back.outline.kind == outline.kind
    assert np.allclose(back.outline.params, outline.params, atol=0.006)

    def error(changed: Outline) -> float:
        picture = paint([Layer(changed, color)], np.ones(3), *SIZE).astype(np.float64)
        return float(((target - picture) ** 2).sum())

    slope = linearise([Layer(outline, color)], np.ones(3), target)
    for k in range(len(outline.params)):
        step = np.zeros(len(outline.params))
        step[k] = 1e-3 if outline.kind in CUT_ROUND and k in (4, 5) else 1e-2
        by = step.max()
        rise = error(Outline(outline.kind, outline.params + step)) - error(Outline(outline.kind, outline.params - step))
        assert -2 * slope.right[k] == pytest.approx(rise / (2 * by), rel=0.06, abs=0.3)
