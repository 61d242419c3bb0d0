"""Scenes become SVG text, one <path> a shape, in canvas units.

Nothing is lost but the snapping of strokes: an SVG is drawn at any size, so its strokes stay where they are, while
`raster` moves them to pixel centres as Processing does. A horizontal line of weight 1 through a whole number
therefore covers two rows by half in a viewer.
"""

import math

from treesketch.scene import POINTS_OF_VERB, Color, Scene, Shape, Stroke, apply, is_rigid, stretch

MITER_LIMIT = 10  # Java2D's, as in `raster`; SVG's own is 4
THINNEST_STROKE = 1 / 8  # canvas units, as in `raster`
FARTHEST = 1e9  # canvas units; viewers compute in single precision
_CAPS = {"round": "round", "project": "square", "square": "butt"}  # Processing's word -> SVG's


def to_svg(scene: Scene) -> str:
    """The scene as an SVG document whose width, height and viewBox are the canvas's.

    Transforms are applied to the points and numbers have at most four decimals. A shape with a non-finite coordinate
    is left out, as are paints that cannot be seen. Strokes are not snapped to pixels.
    """
    width, height = scene.width, scene.height
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' stroke-miterlimit="{MITER_LIMIT}">',
        f'<rect width="{width}" height="{height}" fill="{_hex(scene.background)}"/>',
        *filter(None, map(_path, scene.shapes)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _path(shape: Shape) -> str:
    """The element for a shape; empty if nothing of it can be seen."""
    points = [apply(shape.transform, point) for point in shape.path.points]
    if not all(math.isfinite(x) and math.isfinite(y) for x, y in points):
        return ""
    fill = shape.fill if shape.fill and shape.fill[3] else None
    stroke = shape.stroke
    if stroke and not (stroke.color[3] and 0 <= stroke.weight < math.inf):
        stroke = None
    if not points or not (fill or stroke):
        return ""
    transform, larger = "", 1.0
    if stroke and not is_rigid(shape.transform):  # the pen is transformed with the points
        points, larger = list(shape.path.points), stretch(shape.transform)
        transform = f' transform="matrix({" ".join(f"{value:.7g}" for value in shape.transform)})"'
    words, start = [], 0
    for verb in shape.path.verbs:
        end = start + POINTS_OF_VERB[verb]
        words.append(verb + " ".join(f"{_number(x)} {_number(y)}" for x, y in points[start:end]))
        start = end
    paint = _fill(fill)
    if stroke:
        paint += _stroke(stroke, larger, shape.path.verbs.count("Z") < shape.path.verbs.count("M"))
    return f'<path d="{"".join(words)}"{paint}{transform}/>'


def _fill(color: Color | None) -> str:
    return f' fill="{_hex(color)}"{_opacity("fill", color)}' if color else ' fill="none"'


def _stroke(stroke: Stroke, larger: float, is_open: bool) -> str:
    """The attributes of a stroke that are not SVG's defaults; caps only where a contour has ends.

    larger is how much a transform stretches the pen.
    """
    words = f' stroke="{_hex(stroke.color)}"{_opacity("stroke", stroke.color)}'
    weight = _number(max(stroke.weight, THINNEST_STROKE / larger if larger > 0 else 0.0))
    if weight != "1":
        words += f' stroke-width="{weight}"'
    if is_open and _CAPS[stroke.cap] != "butt":
        words += f' stroke-linecap="{_CAPS[stroke.cap]}"'
    if stroke.join != "miter":
        words += f' stroke-linejoin="{stroke.join}"'
    return words


def _opacity(paint: str, color: Color) -> str:
    return "" if color[3] == 255 else f' {paint}-opacity="{_number(color[3] / 255)}"'


def _hex(color: Color) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color[:3])


def _number(value: float) -> str:
    """Short and without an exponent: 0.5, -3, 12.3457."""
    text = f"{min(max(value, -FARTHEST), FARTHEST):.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
