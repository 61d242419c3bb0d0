"""SVG text, and its pixels in resvg beside those of the rasteriser, which share no code."""

import io
import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from programs import PROGRAMS, SIDE, random_program
from test_raster import BLACK, WHITE, ellipse, filled, polygon, polyline, rect, stroked

from treesketch.interpreter import interpret
from treesketch.raster import layers, rasterise
from treesketch.scene import Path, Scene, Shape, Stroke
from treesketch.svg import to_svg
from treesketch.syntax import parse

SVG = "{http://www.w3.org/2000/svg}"


def paths(*shapes: Shape) -> list[dict[str, str]]:
    """The attributes of the <path> elements of a scene with these shapes."""
    return [element.attrib for element in ET.fromstring(to_svg(Scene(64, 48, WHITE, shapes))).iter(SVG + "path")]


def test_a_whole_document() -> None:
    scene = Scene(64, 48, (255, 204, 0, 255), (filled(rect(0, 2.5, 10, 5), (191, 10, 48, 255)),))
    assert to_svg(scene) == (
        '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48" viewBox="0 0 64 48" stroke-miterlimit="10">\n'
        '<rect width="64" height="48" fill="#ffcc00"/>\n'
        '<path d="M0 2.5L10 2.5L10 7.5L0 7.5Z" fill="#bf0a30"/>\n'
        "</svg>\n"
    )


def test_paint_attributes() -> None:
    shape = Shape(polyline((1, 2), (3, 4)), (0, 0, 0, 51), Stroke((255, 255, 255, 102), 2.5, "project", "bevel"))
    assert paths(shape) == [
        {
            "d": "M1 2L3 4",
            "fill": "#000000",
            "fill-opacity": "0.2",
            "stroke": "#ffffff",
            "stroke-opacity": "0.4",
            "stroke-width": "2.5",
            "stroke-linecap": "square",
            "stroke-linejoin": "bevel",
        }
    ]


def test_defaults_are_left_out() -> None:
    assert paths(stroked(rect(1, 1, 2, 2), 1)) == [
        {"d": "M1 1L3 1L3 3L1 3Z", "fill": "none", "stroke": "#000000"}  # no ends, so no caps
    ]
    assert paths(stroked(polyline((1, 1), (2, 2)), 0))[0]["stroke-width"] == "0.125"


def test_transforms_are_applied_and_numbers_are_short() -> None:
    quarter = (math.cos(math.pi / 2), 1.0, -1.0, math.cos(math.pi / 2), 10.0, 20.0)  # x' = 10 - y, y' = 20 + x
    assert (
        paths(filled(polygon((0, 0), (1e-7, 5), (1 / 3, -0.0)), transform=quarter))[0]["d"] == "M10 20L5 20L10 20.3333Z"
    )
    assert paths(filled(polygon((0, 0), (1e300, 5), (-1e300, 9))))[0]["d"] == "M0 0L1000000000 5L-1000000000 9Z"


def test_what_cannot_be_seen_is_left_out() -> None:
    assert not paths(
        filled(polygon((0, 0), (math.nan, 5), (3, 3))),
        filled(polygon((0, 0), (math.inf, 5), (3, 3))),
        filled(rect(0, 0, 5, 5), (0, 0, 0, 0)),
        Shape(rect(0, 0, 5, 5), None, None),
        Shape(rect(0, 0, 5, 5), None, Stroke((0, 0, 0, 0), 1)),
        Shape(Path("", ()), BLACK, None),
    )


def resvg(scene: Scene, scale: int) -> np.ndarray:
    resvg_py = pytest.importorskip("resvg_py")
    width, height = scene.width * scale, scene.height * scale
    png = resvg_py.svg_to_bytes(svg_string=to_svg(scene), width=width, height=height, skip_system_fonts=True)
    with Image.open(io.BytesIO(bytes(png))) as picture:
        return np.asarray(picture.convert("RGB")).astype(float)


def random_scene(seed: int) -> Scene:
    """Shapes of all sorts; those with a stroke have their points on pixel centres, where snapping moves nothing."""
    rng = np.random.default_rng(seed)
    shapes = []
    for _ in range(8):
        color = (*map(int, rng.integers(0, 256, 3)), int(rng.choice([255, 120])))
        outlined = rng.random() < 0.5
        spot = rng.integers(0, 64, 2) + 0.5 if outlined else rng.uniform(0, 64, 2)
        reach = rng.integers(4, 20, 2).astype(float) if outlined else rng.uniform(1, 20, 2)
        corners = rng.integers(0, 64, (int(rng.integers(3, 6)), 2)) + (0.5 if outlined else rng.uniform(0, 1, 2))
        path = [
            rect(*spot, *reach),
            ellipse(*spot, *reach),
            polygon(*map(tuple, corners)),
            polyline(*map(tuple, corners)),
        ]
        stroke = None
        if outlined:
            cap, join = str(rng.choice(["round", "square", "project"])), str(rng.choice(["miter", "bevel", "round"]))
            stroke = Stroke(color, float(rng.choice([1, 2, 3.5, 6])), cap, join)
        fill = color if stroke is None or rng.random() < 0.5 else None
        turn = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0) if outlined else (0.8, 0.6, -0.6, 0.8, 20.0, -8.0)
        shapes.append(Shape(path[int(rng.integers(4))], fill, stroke, turn))
    return Scene(64, 48, (*map(int, rng.integers(0, 256, 3)), 255), tuple(shapes))


@pytest.mark.parametrize("seed", range(12))
def test_resvg_draws_the_same_picture(seed: int) -> None:
    # resvg samples coverage 4 x 4 times a pixel, so its pixels are taken at four times the size and averaged.
    scene = random_scene(seed)
    drawn = resvg(scene, 4).reshape(48, 4, 64, 4, 3).mean(axis=(1, 3))
    assert np.abs(drawn - rasterise(scene)).mean() < 0.5  # of 255


def unsnapped(scene: Scene) -> np.ndarray:
    """The scene in its own size with strokes where they are."""
    size = (scene.height, scene.width)
    pixels = np.full((*size, 3), scene.background[:3], float)
    for shape in scene.shapes:
        for cover, color in layers(shape, (scene.width, scene.height), size, snap=False):
            pixels += (np.array(color[:3]) - pixels) * cover[..., None] * color[3] / 255
    return pixels


@pytest.mark.slow
def test_resvg_draws_programs_of_all_forms_as_we_do() -> None:
    differences = []
    for number in range(PROGRAMS):
        scene = interpret(parse(random_program(number)))
        drawn = resvg(scene, 4).reshape(SIDE, 4, SIDE, 4, 3).mean(axis=(1, 3))
        differences.append(float(np.abs(drawn - unsnapped(scene)).mean()))
    worst = int(np.argmax(differences))
    mean = float(np.mean(differences))
    print(f"{PROGRAMS} programs: mean difference {mean:.3f} of 255, worst {max(differences):.3f} (program {worst})")
    assert mean < 0.2 and max(differences) < 1, random_program(worst)


def test_the_canvas_s_proportions_and_scale_are_kept() -> None:
    scene = Scene(64, 48, WHITE, (filled(ellipse(20, 20, 15, 10), (0, 90, 0, 200)), filled(rect(40, 5, 20, 40))))
    assert np.abs(resvg(scene, 4) - rasterise(scene, (192, 256))).mean() < 0.1
