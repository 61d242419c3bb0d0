"""The differentiable renderer against areas and derivatives worked out by hand, samples, and finite differences."""

import math

import numpy as np
import pytest
import torch

from treesketch.canvas import Canvas
from treesketch.raster import rasterise
from treesketch.scene import Path, Scene, Shape, Stroke
from treesketch.soft_raster import composite, control_points, coverage, outline, pack, render

SIZE = (32, 32)


def cover(*contours, size=SIZE, smooth=False):
    """Coverage (H, W) of contours (n, 2) of one layer."""
    starts, ends, base = [], [], 0
    for contour in contours:
        index = torch.arange(len(contour)) + base
        starts.append(index)
        ends.append(index.roll(-1))
        base += len(contour)
    start, end = torch.cat(starts), torch.cat(ends)
    edges = torch.stack((start, end, torch.zeros_like(start)))
    return coverage(torch.cat(contours), edges, 1, size, smooth)[0]


def corners(*points):
    return torch.tensor(points, dtype=torch.float64, requires_grad=True)


def paths(*shapes, side=32):
    return Scene(side, side, (255, 255, 255, 255), shapes)


def stroked(verbs, points, weight, **kind):
    return Shape(Path(verbs, tuple(points)), None, Stroke((0, 0, 0, 255), weight, **kind))


def layers_of(scene, size=SIZE, **options):
    layers = pack([scene], size, dtype=torch.float64, **options)
    covered = coverage(outline(layers, layers.points, layers.weights), layers.edges, layers.colors.shape[1], size)
    return covered.numpy()


def test_a_rectangle_covers_the_products_of_its_overlaps():
    covered = cover(corners((2.25, 3.5), (7.5, 3.5), (7.5, 9.75), (2.25, 9.75))).detach().numpy()
    across, down = np.zeros(32), np.zeros(32)
    across[2:8] = (0.75, 1, 1, 1, 1, 0.5)
    down[3:10] = (0.5, 1, 1, 1, 1, 1, 0.75)
    np.testing.assert_allclose(covered, np.outer(down, across), atol=1e-12)


def test_orientation_does_not_matter_and_opposite_contours_make_holes():
    outer = corners((2, 2), (20, 2), (20, 20), (2, 20))
    inner = corners((5, 5), (5, 9), (9, 9), (9, 5))
    torch.testing.assert_close(cover(outer), cover(outer.flip(0)))
    assert cover(outer, inner).sum().item() == pytest.approx(18 * 18 - 16)
    assert cover(outer, inner.flip(0)).sum().item() == pytest.approx(18 * 18)  # non-zero winding: no hole


def test_what_leaves_the_canvas_is_cut_off():
    assert cover(corners((-50, -7), (12.5, -7), (12.5, 3.25), (-50, 3.25))).sum().item() == pytest.approx(12.5 * 3.25)
    assert cover(corners((30.5, 31), (90, 31), (90, 70), (30.5, 70))).sum().item() == pytest.approx(1.5)
    assert cover(corners((-9, -9), (-1, -9), (-5, 40))).sum().item() < 1e-9
    assert cover(corners((-64, 16), (16, -64), (96, 16), (16, 96))).sum().item() == pytest.approx(32 * 32)


def test_sloping_edges_agree_with_samples():
    random, scale = np.random.default_rng(0), 16
    places = (np.indices((32 * scale, 32 * scale))[::-1] + 0.5) / scale
    for _ in range(10):
        points = random.uniform(-6, 38, (3, 2))
        sides = [
            (q - p)[0] * (places[1] - p[1]) - (q - p)[1] * (places[0] - p[0])
            for p, q in zip(points, np.roll(points, -1, 0), strict=True)
        ]
        within = np.all(np.greater(sides, 0), 0) | np.all(np.less(sides, 0), 0)
        expected = within.reshape(32, scale, 32, scale).mean((1, 3))
        np.testing.assert_allclose(cover(torch.tensor(points)).numpy(), expected, atol=0.03)


def test_the_area_of_an_ellipse():
    canvas = Canvas()
    canvas.set_size(64, 64)
    canvas.no_stroke()
    canvas.ellipse(30.3, 31.7, 40, 25)
    area = layers_of(canvas.scene(), (64, 64), flatness=1e-3).sum()
    assert area == pytest.approx(math.pi * 40 * 25 / 4, rel=5e-4)  # the four cubics themselves are out by .03 %


# Strokes: areas by geometry.


@pytest.mark.parametrize(
    ("cap", "area"), [("round", 15 * 4 + math.pi * 4), ("square", 15 * 4), ("project", (15 + 4) * 4)]
)
def test_the_area_of_a_line(cap, area):
    end = (8 + 15 * math.cos(0.4), 9 + 15 * math.sin(0.4))
    covered = layers_of(paths(stroked("ML", [(8, 9), end], 4, cap=cap)), flatness=1e-4)
    assert covered.sum() == pytest.approx(area, rel=1e-3)
    assert covered.max() <= 1


@pytest.mark.parametrize(
    ("join", "missing"), [("miter", 0), ("bevel", 4 * 1.5**2 / 2), ("round", 4 * 1.5**2 * (1 - math.pi / 4))]
)
def test_the_area_of_a_stroked_rectangle(join, missing):
    square = [(6.2, 6.3), (22.2, 6.3), (22.2, 20.3), (6.2, 20.3)]
    covered = layers_of(paths(stroked("MLLLZ", square, 3, join=join)))
    assert covered.sum() == pytest.approx((16 + 14) * 2 * 3 - missing, rel=2e-3)


def test_a_stroked_circle_is_a_ring_and_a_thick_one_a_disc():
    canvas = Canvas()
    canvas.set_size(32, 32)
    canvas.no_fill()
    canvas.stroke_weight(3)
    canvas.ellipse(16, 16, 20, 20)
    canvas.stroke_weight(12)
    canvas.ellipse(16, 16, 8, 8)
    ring, disc = layers_of(canvas.scene(), flatness=1e-4)
    assert ring.sum() == pytest.approx(math.pi * 20 * 3, rel=2e-3)
    assert disc.sum() == pytest.approx(math.pi * 100, rel=2e-3)


@pytest.mark.parametrize("join", ["miter", "bevel", "round"])
def test_a_stroke_wider_than_its_rectangle_leaves_no_hole(join):
    square = [(13, 12), (17, 12), (17, 20), (13, 20)]
    covered = layers_of(paths(stroked("MLLLZ", square, 7, join=join)))
    missing = {"miter": 0, "bevel": 4 * 3.5**2 / 2, "round": 4 * 3.5**2 * (1 - math.pi / 4)}[join]
    assert covered.sum() == pytest.approx(11 * 15 - missing, rel=1e-2)


def test_an_open_line_with_a_corner_and_a_dot():
    bent = stroked("MLL", [(5, 5), (25, 5), (25, 20)], 2, cap="square")
    dot = stroked("ML", [(10, 20), (10, 20)], 6)
    elbow, spot = layers_of(paths(bent, dot), flatness=1e-4)
    assert elbow.sum() == pytest.approx(2 * (20 + 15))  # the miter fills the corner that the two bars leave
    assert spot.sum() == pytest.approx(math.pi * 9, rel=3e-3)


def test_a_transform_moves_points_and_widens_strokes():
    line = Shape(Path("ML", ((0.0, 0.0), (1.0, 0.0))), None, Stroke((0, 0, 0, 255), 0.2), (0.0, 10.0, -10.0, 0.0, 5, 7))
    points, weights = control_points(paths(line))
    np.testing.assert_allclose(points, [(5, 7), (5, 17)])
    np.testing.assert_allclose(weights, [2])


# Gradients.


def test_moving_the_side_of_a_rectangle_changes_its_area_by_its_length():
    box = corners((4.3, 5.2), (20.1, 5.2), (20.1, 17.9), (4.3, 17.9))
    cover(box).sum().backward()
    half = 12.7 / 2
    torch.testing.assert_close(box.grad[:, 0], torch.tensor([-half, half, half, -half], dtype=torch.float64))
    assert box.grad[:2, 1].sum().item() == pytest.approx(-15.8)


def test_the_radius_of_a_circle_and_a_turn():
    radius = torch.tensor(9.4, dtype=torch.float64, requires_grad=True)
    turn = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    angle = torch.arange(256, dtype=torch.float64) * math.tau / 256 + turn
    circle = torch.stack((16.2 + radius * angle.cos(), 15.9 + radius * angle.sin()), 1)
    cover(circle).sum().backward()
    assert radius.grad.item() == pytest.approx(math.tau * 9.4, rel=1e-3)
    assert turn.grad.item() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("reverse", [False, True])
def test_the_gradient_is_that_of_finite_differences(reverse):
    random = np.random.default_rng(3)
    for _ in range(5):
        weights = torch.tensor(random.normal(size=SIZE))
        places = random.uniform(3, 29, (3, 2))
        places = np.concatenate((places, random.uniform(3, 29, (1, 2)) + (20, 0)))  # one corner leaves the canvas
        hull = places[np.argsort(np.arctan2(*(places - places.mean(0)).T))]  # no crossing: winding stays 1
        points = torch.tensor(hull[::-1].copy() if reverse else hull, requires_grad=True)
        (cover(points) * weights).sum().backward()
        step = 1e-6
        for i, axis in np.ndindex(4, 2):
            move = torch.zeros_like(points)
            move[i, axis] = step
            change = ((cover(points + move) - cover(points - move)) * weights).sum().item() / (2 * step)
            assert points.grad[i, axis].item() == pytest.approx(change, abs=1e-6)


def test_overlaps_pass_no_gradient():
    for smooth in (False, True):
        inner = corners((8.2, 8.3), (12.4, 8.5), (12.6, 12.7), (8.8, 12.9))
        outer = corners((2, 2), (20, 2), (20, 20), (2, 20))
        cover(outer, inner, smooth=smooth).sum().backward()
        assert inner.grad.abs().max() == 0
        assert outer.grad.abs().max() > 1


def test_smooth_gradients_feel_both_sides_of_a_pixel_boundary():
    wanted = torch.zeros(SIZE, dtype=torch.float64)
    wanted[10:20, 10:20] = 1
    for left in (8, 12):  # exactly on a boundary, too far out and too far in
        box = corners((left, 10), (20, 10), (20, 20), (left, 20))
        ((cover(box, smooth=True) - wanted) ** 2).sum().backward()
        assert math.copysign(1, box.grad[0, 0].item()) == math.copysign(1, left - 10)


def test_a_stroke_has_gradients_in_its_ends_and_its_weight():
    layers = pack([paths(stroked("ML", [(6.3, 9.1), (22.7, 14.2)], 3.3))], SIZE, dtype=torch.float64, flatness=1e-4)
    points, weights = layers.points.clone().requires_grad_(), layers.weights.clone().requires_grad_()
    coverage(outline(layers, points, weights), layers.edges, 1, SIZE).sum().backward()
    length = math.dist((6.3, 9.1), (22.7, 14.2))
    assert weights.grad.item() == pytest.approx(length + math.pi * 3.3 / 2, rel=1e-3)  # of length w + pi w^2 / 4
    along = np.array([22.7 - 6.3, 14.2 - 9.1]) / length
    np.testing.assert_allclose(points.grad.numpy(), 3.3 * np.stack((-along, along)), atol=1e-6)


# Paint.


def paint_one_by_one(covered, colors, background):
    picture = background.expand(*covered.shape[-2:], 3)
    for layer, color in zip(covered, colors, strict=True):
        opacity = (layer * color[3])[..., None]
        picture = picture * (1 - opacity) + color[:3] * opacity
    return picture


def test_composite_is_painting_one_by_one():
    random = torch.Generator().manual_seed(0)
    covered = (torch.rand(6, 5, 4, generator=random, dtype=torch.float64) * 1.6 - 0.3).clamp(0, 1).requires_grad_()
    colors = torch.rand(6, 4, generator=random, dtype=torch.float64).requires_grad_()
    background = torch.rand(3, generator=random, dtype=torch.float64).requires_grad_()
    weights = torch.randn(5, 4, 3, generator=random, dtype=torch.float64)
    results = []
    for draw in (composite, paint_one_by_one):
        picture = draw(covered, colors, background)
        results.append(
            (picture.detach(), *torch.autograd.grad((picture * weights).sum(), (covered, colors, background)))
        )
    for ours, expected in zip(*results, strict=True):
        torch.testing.assert_close(ours, expected)


def scene_of_shapes(seed, stroke=False):
    random = np.random.default_rng(seed)
    canvas = Canvas()
    canvas.set_size(64, 48)
    canvas.background([230, 240, 250])
    for kind in random.integers(0, 4, 6):
        canvas.fill([int(c) for c in random.integers(0, 256, 4)] if kind else [200, 30, 40])
        canvas.stroke_weight(float(random.uniform(1, 5)))
        canvas.no_stroke()
        if stroke:
            canvas.stroke([int(c) for c in random.integers(0, 256, 3)])
        x, y, w, h = (float(v) for v in random.uniform(4, 44, 4))
        if kind == 0:
            canvas.rect(x, y, w, h)
        elif kind == 1:
            canvas.ellipse(x, y, w, h)
        elif kind == 2:
            with canvas.translated(x, y), canvas.rotated(w):
                canvas.rect(-w / 2, -h / 2, w, h)
        else:
            canvas.polygon([(x, y), (w, h), (h, x)])
    return canvas.scene()


def test_a_batch_is_its_scenes():
    scenes = [scene_of_shapes(seed, stroke=seed == 1) for seed in range(3)] + [paths()]
    together = render(pack(scenes, (24, 32)))
    assert together.shape == (4, 24, 32, 3)
    for picture, scene in zip(together, scenes, strict=True):
        torch.testing.assert_close(picture, render(pack([scene], (24, 32)))[0])
    torch.testing.assert_close(together[3], torch.ones(24, 32, 3))


def test_pictures_are_those_of_the_exact_rasteriser():
    for seed in range(8):
        scene = scene_of_shapes(seed)
        ours = render(pack([scene], (48, 64)))[0].numpy()
        assert math.sqrt(((ours - rasterise(scene) / 255.0) ** 2).mean()) < 0.01


def test_strokes_on_pixel_centres_are_those_of_the_exact_rasteriser():
    canvas = Canvas()
    canvas.set_size(64, 64)
    canvas.stroke_weight(5)
    canvas.polygon([(8.5, 8.5), (50.5, 12.5), (20.5, 40.5)])
    canvas.stroke([200, 30, 60, 180])
    canvas.rect(30.5, 30.5, 20, 16)
    canvas.ellipse(20.5, 44.5, 20, 24)
    canvas.shape([("vertex", (point,)) for point in ((5.5, 60.5), (30.5, 50.5), (58.5, 60.5))], [], False)
    canvas.line(55.5, 5.5, 55.5, 25.5)
    ours = render(pack([canvas.scene()], (64, 64)))[0].numpy()
    assert math.sqrt(((ours - rasterise(canvas.scene()) / 255.0) ** 2).mean()) < 0.01


def test_a_curve_that_turns_back_is_round_there_as_in_the_exact_rasteriser():
    canvas = Canvas()
    canvas.set_size(64, 64)
    canvas.no_fill()
    canvas.stroke_weight(8)
    canvas.bezier((10.5, 50.5), (54.5, 8.5), (9.5, 8.5), (53.5, 50.5))
    ours = render(pack([canvas.scene()], (64, 64)))[0].numpy()
    assert math.sqrt(((ours - rasterise(canvas.scene()) / 255.0) ** 2).mean()) < 0.01
