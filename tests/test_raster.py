"""Pixels against numbers worked out by hand, and against Processing's own renderer where its output was read off."""

import math
import os
import threading
from dataclasses import replace
from pathlib import Path as FilePath

import numpy as np
import pytest
from PIL import Image

from treesketch import polygons
from treesketch.errors import RunError, SketchError
from treesketch.raster import coverage, layers, rasterise, write_png
from treesketch.scene import IDENTITY, Affine, Color, Path, Point, Scene, Shape, Stroke, compose

KAPPA = 0.5522847498
BLACK, WHITE = (0, 0, 0, 255), (255, 255, 255, 255)
CANVAS = (64, 64)
SHARE = 1 / 256  # Agg's smallest step of coverage; an edge of length n may be n of these off


def rect(x: float, y: float, width: float, height: float) -> Path:
    return polygon((x, y), (x + width, y), (x + width, y + height), (x, y + height))


def polygon(*points: Point) -> Path:
    return Path("M" + "L" * (len(points) - 1) + "Z", points)


def polyline(*points: Point) -> Path:
    return Path("M" + "L" * (len(points) - 1), points)


def ellipse(x: float, y: float, a: float, b: float) -> Path:
    p, q = KAPPA * a, KAPPA * b
    around = [(a, 0), (a, q), (p, b), (0, b), (-p, b), (-a, q), (-a, 0), (-a, -q), (-p, -b), (0, -b), (p, -b), (a, -q)]
    return Path("MCCCCZ", tuple((x + dx, y + dy) for dx, dy in [*around, around[0]]))


def filled(path: Path, color: Color = BLACK, transform: Affine = IDENTITY) -> Shape:
    return Shape(path, color, None, transform)


def stroked(path: Path, weight: float, cap: str = "round", join: str = "miter") -> Shape:
    return Shape(path, None, Stroke(BLACK, weight, cap, join))


def area(shape: Shape, canvas: tuple[int, int] = CANVAS, size: tuple[int, int] | None = None) -> float:
    return float(coverage(shape, canvas, size or canvas).sum())


# Fills


def test_a_rectangle_at_fractional_offsets_covers_its_area_pixel_by_pixel() -> None:
    covered = coverage(filled(rect(2.25, 3.5, 8.5, 5.75)), CANVAS, CANVAS)
    assert covered.dtype == np.float32 and covered.shape == CANVAS
    across = np.zeros(64)
    across[2:11] = [0.75, 1, 1, 1, 1, 1, 1, 1, 0.75]
    down = np.zeros(64)
    down[3:10] = [0.5, 1, 1, 1, 1, 1, 0.25]
    np.testing.assert_allclose(covered, down[:, None] * across, atol=SHARE)


def test_half_a_pixel_under_a_diagonal() -> None:
    covered = coverage(filled(polygon((4, 4), (8, 4), (4, 8))), CANVAS, CANVAS)
    assert [covered[4 + i, 7 - i] for i in range(4)] == [0.5] * 4
    assert covered[4, 4] == 1 and covered[5, 7] == 0


@pytest.mark.parametrize("radius", [0.4, 3, 10.3, 25])
def test_a_circle_covers_pi_r_squared(radius: float) -> None:
    assert area(filled(ellipse(31.7, 32.2, radius, radius))) == pytest.approx(
        math.pi * radius**2, abs=2 * math.pi * radius * SHARE
    )


def test_winding_is_non_zero() -> None:
    # Wound alike, the inner square stays; wound against, it is a hole.
    outer, inner = rect(10, 10, 20, 20).points, rect(15, 15, 10, 10).points
    assert area(filled(Path("MLLLZMLLLZ", outer + inner))) == 400
    assert area(filled(Path("MLLLZMLLLZ", outer + inner[::-1]))) == 300


def test_an_open_path_is_filled_as_if_closed() -> None:
    assert area(filled(polyline((10, 10), (20, 10), (20, 20), (10, 20)))) == 100


def test_lines_and_curves_mix_in_a_path() -> None:
    # A square with a half disc of radius 5 on its right side.
    k = 5 * KAPPA
    points = ((10, 10), (20, 10), (20 + k, 10), (25, 15 - k), (25, 15), (25, 15 + k), (20 + k, 20), (20, 20), (10, 20))
    assert area(filled(Path("MLCCLZ", points))) == pytest.approx(100 + math.pi * 12.5, abs=16 * SHARE)


@pytest.mark.parametrize(
    "path",
    [
        polygon((5, 5), (20, 5), (5, 5)),
        polygon((5.3, 5.2), (20.1, 9.7), (12.7, 7.45)),
        rect(5, 5, 0, 9),
        polyline((5, 5), (9, 9)),
        Path("M", ((5, 5),)),
        Path("", ()),
    ],
)
def test_what_has_no_area_has_no_fill(path: Path) -> None:
    assert coverage(filled(path), CANVAS, CANVAS).max() <= SHARE


def test_transforms_nest() -> None:
    # The unit square, turned by a quarter (x' = -y, y' = x), moved to (30, 20), all stretched threefold across.
    moved = compose((3, 0, 0, 1, 0, 0), compose((1, 0, 0, 1, 10, 20), (0, 1, -1, 0, 0, 0)))
    covered = coverage(filled(rect(0, 0, 1, 2), transform=moved), CANVAS, CANVAS)
    assert covered.sum() == 6 and covered[20, 24:30].tolist() == [1] * 6


# Strokes


def test_stroke_points_move_to_pixel_centres_and_fills_do_not() -> None:
    line = coverage(stroked(polyline((4, 10), (12, 10)), 1, cap="square"), CANVAS, CANVAS)
    expected = np.zeros(CANVAS)
    expected[10, 4:13] = [0.5, 1, 1, 1, 1, 1, 1, 1, 0.5]
    np.testing.assert_allclose(line, expected, atol=SHARE)
    for y in (10.0, 10.3, 10.99):
        np.testing.assert_array_equal(coverage(stroked(polyline((4, y), (12, y)), 1, "square"), CANVAS, CANVAS), line)


def test_a_hair_below_a_whole_number_is_that_number() -> None:
    exact = coverage(stroked(polyline((4, 10), (12, 10)), 1), CANVAS, CANVAS)
    np.testing.assert_array_equal(coverage(stroked(polyline((4, 10 - 1e-12), (12, 10)), 1), CANVAS, CANVAS), exact)


@pytest.mark.parametrize(("cap", "ends"), [("square", 0), ("project", 4 * 4), ("round", math.pi * 4)])
def test_caps(cap: str, ends: float) -> None:
    assert area(stroked(polyline((10, 20), (40, 20)), 4, cap)) == pytest.approx(
        30 * 4 + ends, abs=2 * 4 * math.pi * SHARE + 0.02
    )


@pytest.mark.parametrize(("join", "corner"), [("miter", 4.0), ("bevel", 2.0), ("round", math.pi)])
def test_joins(join: str, corner: float) -> None:
    # Two arms of 20 at a right angle, weight 4: the inner square is shared, the outer 2 x 2 is the join's.
    shape = stroked(polyline((10, 10), (30, 10), (30, 30)), 4, "square", join)
    assert area(shape) == pytest.approx(2 * 20 * 4 - 4 + corner, abs=0.05)


@pytest.mark.parametrize("join", ["miter", "bevel", "round"])
def test_a_closed_stroke_has_four_corners_and_a_hole(join: str) -> None:
    covered = coverage(stroked(rect(10, 10, 20, 20), 3, join=join), CANVAS, CANVAS)
    corner = {"miter": 2.25, "bevel": 2.25 / 2, "round": math.pi * 2.25 / 4}[join]
    assert covered.sum() == pytest.approx(4 * 20 * 3 + 4 * (corner - 2.25), abs=24 * SHARE)
    assert covered[20, 20] == 0


def test_a_miter_longer_than_ten_weights_is_a_bevel() -> None:
    # sin of half the angle is weight over miter length: 1/10 at 11.48 degrees.
    def tip(degrees: float) -> np.ndarray:
        half = math.radians(degrees) / 2
        reach = (200 * math.cos(half), 200 * math.sin(half))
        arms = polyline((40.5 + reach[0], 64.5 - reach[1]), (40.5, 64.5), (40.5 + reach[0], 64.5 + reach[1]))
        return coverage(stroked(arms, 4, "square"), (128, 256), (128, 256))[64]

    # The tip lies 2 / sin(half) to the left of the corner: 19 units at 12 degrees.
    assert tip(12)[24] > 0 and tip(12)[:21].sum() == 0
    assert tip(11)[:40].sum() == 0


@pytest.mark.parametrize("weight", [1, 3, 6.5])
def test_a_circle_s_stroke_covers_its_ring(weight: float) -> None:
    assert area(stroked(ellipse(31.5, 31.5, 20, 20), weight)) == pytest.approx(
        2 * math.pi * 20 * weight, abs=4 * math.pi * 20 * SHARE
    )


def test_controls_move_with_the_end_that_they_belong_to() -> None:
    # Ends go to (20.5, 32.5) and (40.5, 32.5), each control by its end's (0.5, 0.5): the arch is moved as a whole.
    arch = Path("MC", ((20, 32), (20, 20), (40, 20), (40, 32)))
    placed = Path("MC", ((20.5, 32.5), (20.5, 20.5), (40.5, 20.5), (40.5, 32.5)))
    moved, still = (coverage(stroked(path, 2), CANVAS, CANVAS) for path in (arch, placed))
    np.testing.assert_array_equal(moved, still)
    assert coverage(stroked(arch, 2), CANVAS, CANVAS)[23, 30] == 1  # t = 1/2: y = 32.5 - 12 * 3/4 = 23.5


def test_a_turned_rectangle_stays_a_parallelogram() -> None:
    # On the canvas its corners are (20, 10.5), (23.5, 11.6), (22.4, 15.1), (18.9, 14). Three go to pixel centres,
    # (20.5, 10.5), (23.5, 11.5) and (18.5, 14.5), and the last to (21.5, 15.5), not (22.5, 15.5) as on its own.
    turned = Shape(rect(0, 0, 3.5, 3.5), None, Stroke(BLACK, 1), (1, 1.1 / 3.5, -1.1 / 3.5, 1, 20, 10.5))
    ux, uy, vx, vy = 3 / math.sqrt(10), 1 / math.sqrt(10), -2 / math.sqrt(20), 4 / math.sqrt(20)
    half = math.hypot(1, 1.1 / 3.5) / 2  # the transform makes the pen larger too

    def frame(grow: float) -> list[Point]:
        signs = (((20.5, 10.5), -1, -1), ((23.5, 11.5), 1, -1), ((21.5, 15.5), 1, 1), ((18.5, 14.5), -1, 1))
        return [(x + grow * (i * ux + j * vx), y + grow * (i * uy + j * vy)) for (x, y), i, j in signs]

    exact = filled(Path("MLLLZMLLLZ", (*frame(half), *frame(-half)[::-1])))
    np.testing.assert_allclose(coverage(turned, CANVAS, CANVAS), coverage(exact, CANVAS, CANVAS), atol=2 * SHARE)


@pytest.mark.parametrize(
    ("path", "cap", "drawn"),
    [
        (polyline((5, 5), (5, 5)), "round", math.pi * 4),
        (polyline((5, 5), (5, 5)), "project", 16),
        (polyline((5, 5), (5, 5)), "square", 0),
        (polygon((5, 5), (5, 5), (5, 5)), "round", 0),
        (ellipse(5, 5, 0, 0), "round", 0),
        (rect(5, 5, 0, 0), "round", 16),
        (rect(5, 5, 0, 6), "round", 4 * 10),
        (rect(5.2, 5.2, 0.3, 6), "round", 4 * 10),
    ],
)
def test_strokes_without_length_are_those_of_processing(path: Path, cap: str, drawn: float) -> None:
    # Read off PGraphicsJava2D: 12.2 (its circles are rough), 16, 0, 0, 0, 16, 40, 40.
    assert area(stroked(path, 4, cap)) == pytest.approx(drawn, abs=0.06)


@pytest.mark.parametrize("weight", [0, 0.01, 0.125])
def test_thin_strokes_are_an_eighth_wide(weight: float) -> None:
    # PGraphicsJava2D draws 32 of 255 in each pixel for strokeWeight(0) to strokeWeight(0.125).
    assert coverage(stroked(polyline((3, 10), (12, 10)), weight), CANVAS, CANVAS)[10, 7] == 0.125


def test_a_stroke_thicker_than_its_polygon_has_no_hole() -> None:
    assert coverage(stroked(polygon((20, 20), (26, 20), (23, 25)), 12), CANVAS, CANVAS)[18:26, 20:27].min() == 1


# Extremes


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_shape_that_is_not_finite_draws_nothing(bad: float) -> None:
    for path in (polygon((5, 5), (bad, 5), (9, 9)), replace(ellipse(9, 9, 4, 4), points=((bad, 0.0),) * 13)):
        both = Shape(path, BLACK, Stroke(BLACK, 3))
        assert layers(both, CANVAS, CANVAS) == []
        assert (rasterise(Scene(64, 64, WHITE, (both,))) == 255).all()
    assert area(stroked(polyline((5, 5), (9, 9)), bad)) == 0
    assert area(filled(rect(0, 0, 9, 9), transform=(1, 0, 0, 1, bad, 0))) == 0


@pytest.mark.parametrize("giant", [1e4, 1e6, 1e9, 1e12, 1e15])
def test_enormous_shapes_still_draw_right(giant: float) -> None:
    assert area(filled(rect(-giant, -giant, 2 * giant, giant + 10))) == 640
    assert area(filled(polygon((-giant, -giant), (giant, -giant), (giant, giant)))) == 64 * 64 / 2
    # A circle whose edge passes x = 32 is y^2 / 2r left of that line; chords take 0.01 px a row at most.
    left = 2 * 32**3 / (6 * giant)
    assert area(filled(ellipse(32 - giant, 32, giant, giant))) == pytest.approx(64 * 32 - left, abs=64 * 0.01)
    assert area(stroked(ellipse(32.5 - giant, 32.5, giant, giant), 4)) == pytest.approx(64 * 4, abs=0.2)
    assert area(stroked(polyline((3, 3), (9, 9)), giant)) == 64 * 64


def test_beyond_everything_is_cut_off_without_a_warning() -> None:
    assert area(filled(rect(-1e200, -1e300, 2e200, 2e300))) == 64 * 64


# Sizes


def test_sizes_scale_each_axis_on_its_own() -> None:
    shape = filled(rect(10, 20, 30, 10))
    covered = coverage(shape, (64, 64), (32, 128))
    expected = np.zeros((32, 128))
    expected[10:15, 20:80] = 1
    np.testing.assert_array_equal(covered, expected)


def test_pens_scale_with_the_canvas() -> None:
    # Weight 4 is 8 wide across and 2 down; points snap in pixels: x = 40.5 .. 80.5, y = 10.5.
    covered = coverage(stroked(polyline((20, 20), (40, 20)), 4, "project"), (64, 64), (32, 128))
    assert covered.sum() == pytest.approx((40 + 8) * 2, abs=0.01)
    assert covered[10, 37:84].tolist() == [1] * 47


def test_large_pictures_are_drawn_in_bands_without_seams() -> None:
    scene = Scene(40, 1100, WHITE, (filled(ellipse(20, 550, 15, 500)), stroked(polyline((3, 3), (30, 1090)), 5)))
    tall = rasterise(scene, (1100, 1500))  # more than a million pixels: two bands
    assert tall.shape == (1100, 1500, 3)
    alone = np.ones((1100, 1500))
    for shape in scene.shapes:
        alone *= 1 - coverage(shape, (1100, 40), (1100, 1500))
    assert np.abs(tall[..., 0] - 255 * alone).max() <= 2  # Agg cuts edges at the border of what it draws


@pytest.mark.parametrize("size", [(8193, 10), (10, 8193), (0, 10)])
def test_sides_are_limited(size: tuple[int, int]) -> None:
    with pytest.raises(RunError, match="1 to 8192 pixels"):
        rasterise(Scene(10, 10, WHITE), size)
    with pytest.raises(RunError, match="1 to 8192 pixels"):
        coverage(filled(rect(0, 0, 5, 5)), (10, 10), size)


# Colours


def test_alpha_by_hand() -> None:
    # 200 over 255 at 128/255, then 10 at 51/255 = 1/5 over that.
    first = 255 + (200 - 255) * 128 / 255  # 227.39
    second = first + (10 - first) / 5  # 183.91
    shapes = (filled(rect(0, 0, 8, 8), (200, 255, 0, 128)), filled(rect(4, 0, 8, 8), (10, 255, 0, 51)))
    pixels = rasterise(Scene(16, 8, WHITE, shapes))
    assert pixels.shape == (8, 16, 3) and pixels.dtype == np.uint8
    assert pixels[3, 2].tolist() == [round(first), 255, 127]
    assert pixels[3, 6].tolist() == [round(second), 255, 102]  # 0 over 127 (of 255 - 128): 127 * 4/5 = 101.6
    assert pixels[3, 14].tolist() == [255, 255, 255]


def test_edges_blend_by_coverage_and_the_background_is_opaque() -> None:
    pixels = rasterise(Scene(8, 8, (100, 0, 0, 7), (filled(rect(2.5, 0, 3, 8), (200, 0, 0, 255)),)))
    assert pixels[4, :7, 0].tolist() == [100, 100, 150, 200, 200, 150, 100]


def test_the_stroke_lies_over_the_fill() -> None:
    shape = Shape(rect(4.5, 4.5, 8, 8), (255, 0, 0, 255), Stroke((0, 0, 255, 255), 1))
    pixels = rasterise(Scene(20, 20, WHITE, (shape,)))
    assert pixels[4, 8].tolist() == [0, 0, 255] and pixels[8, 8].tolist() == [255, 0, 0]
    assert [color for _, color in layers(shape, (20, 20), (20, 20))] == [(255, 0, 0, 255), (0, 0, 255, 255)]


def test_the_picture_is_its_layers_painted_one_by_one() -> None:
    rng = np.random.default_rng(5)
    shapes = []
    for i in range(24):
        path = ellipse(*rng.uniform(4, 40, 4)) if i % 2 else polygon(*map(tuple, rng.uniform(-9, 70, (5, 2)).tolist()))
        color = (*map(int, rng.integers(0, 256, 3)), int(rng.choice([255, 90])))
        shapes.append(Shape(path, color, Stroke((*color[:2], 9, 200), 3) if i % 3 else None))
    painted = np.full((96, 64, 3), 255.0)
    for shape in shapes:
        for covered, color in layers(shape, (64, 64), (96, 64)):
            painted += (covered * color[3] / 255)[..., None] * (np.array(color[:3]) - painted)
    difference = painted - rasterise(Scene(64, 64, WHITE, tuple(shapes)), (96, 64))
    assert np.abs(difference).max() < 2 and np.abs(difference).mean() < 0.4  # it is rounded at each layer


def test_the_quick_way_is_the_general_way(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    shapes = []
    for i in range(300):
        points = [tuple(point) for point in rng.uniform(-5, 45, (5, 2)).tolist()]
        kinds = (
            polygon(*points[: 3 + i % 3]),
            polyline(*points[: 2 + i % 4]),
            rect(*points[0], *points[1]),
            ellipse(*points[0], *points[1]),
        )
        weight = float(rng.choice([0, 0.4, 1, 2.5, 7]))
        stroke = Stroke(BLACK, weight, ("round", "square", "project")[i % 3], ("miter", "miter", "bevel")[i // 4 % 3])
        angle = float(rng.uniform(0, 6)) if i % 5 == 0 else 0.0
        turn = (math.cos(angle), math.sin(angle), -math.sin(angle), math.cos(angle), 3.5, 1.0)
        shapes.append(Shape(kinds[i % 4], WHITE if i % 7 else None, stroke if i % 6 else None, turn))
    ways = []
    for way in (polygons._quick_paints, lambda *_: None):
        monkeypatch.setattr(polygons, "_quick_paints", way)
        ways.append([layers(shape, (40, 40), (60, 60)) for shape in shapes])
    for shape, quickly, generally in zip(shapes, *ways, strict=True):
        assert [color for _, color in quickly] == [color for _, color in generally]
        for (one, _), (other, _) in zip(quickly, generally, strict=True):
            np.testing.assert_allclose(one, other, atol=3 * SHARE, err_msg=str(shape))


def test_curves_that_do_not_come_back_are_closed_by_a_line() -> None:
    # Three quarters of a circle of 10 around (20, 20), closed by its chord: a quarter less its triangle is missing.
    k = 10 * 0.5522847498
    verbs, points = "MCCCZ", [(20, 10), (20 + k, 10), (30, 20 - k), (30, 20), (30, 20 + k), (20 + k, 30), (20, 30)]
    points += [(20 - k, 30), (10, 20 + k), (10, 20)]
    shape = filled(Path(verbs, tuple(map(tuple, points))))
    assert abs(area(shape) - (0.75 * math.pi * 100 + 50)) < 0.3


def test_coverage_ignores_alpha_and_takes_the_fill_before_the_stroke() -> None:
    both = Shape(rect(4, 4, 8, 8), (0, 0, 0, 3), Stroke(BLACK, 2))
    assert area(both) == 64
    assert area(replace(both, fill=None)) == 4 * 8 * 2
    assert area(replace(both, fill=None, stroke=None)) == 0


def test_threads_do_not_share_buffers() -> None:
    shapes = [filled(rect(i, i, 20, 10 + i)) for i in range(8)]
    wrong: list[int] = []

    def draw(i: int) -> None:
        wrong.extend(i for _ in range(200) if area(shapes[i]) != 20 * (10 + i))

    threads = [threading.Thread(target=draw, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# Files


def test_png_is_written_whole(tmp_path: FilePath) -> None:
    pixels = rasterise(Scene(9, 5, (1, 2, 3, 255), (filled(rect(1, 1, 3, 3), (200, 100, 50, 255)),)))
    write_png(pixels, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), pixels)
    assert os.listdir(tmp_path) == ["a.png"]
    with pytest.raises(SketchError, match="cannot write"):
        write_png(pixels, tmp_path / "missing" / "a.png")
