"""Draws the programs of this folder with the libraries that Tree Diffusion draws with, for test_dialects to compare.

    pip install skia-python==87.5 iceberg-dsl==0.1.2 numpy pillow
    python tests/dialects/references.py

It writes CASE-skia.png beside each program, and problems-skia.png, a sheet of the programs of problems.txt. Its own
reader and its own drawing follow td/environments/csg2da.py and tinysvg.py of revalo/tree-diffusion; nothing of
treesketch is in it.
"""

import math
import re
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
COLUMNS = 8  # of the sheet of problems
COLORS = {
    **{"red": "#FF0000", "green": "#00FF00", "blue": "#0000FF", "yellow": "#FFFF00"},
    **{"purple": "#800080", "orange": "#FFA500", "black": "#000000", "white": "#FFFFFF"},
}


def read(text):
    """A program as nested lists of words."""
    words = re.findall(r"[()]|[^\s()]+", re.sub(r";.*", "", text))

    def form(i):
        if words[i] != "(":
            return words[i], i + 1
        parts, i = [], i + 1
        while words[i] != ")":
            part, i = form(i)
            parts.append(part)
        return parts, i + 1

    return form(0)[0]


def draw_csg2d(form):
    """Black on white, (128, 128, 3)."""
    import skia

    operations = {"+": skia.kUnion_PathOp, "-": skia.kDifference_PathOp}

    def collect(form):
        if form[0] in operations:
            return [*collect(form[1]), operations[form[0]], *collect(form[2])]
        path = skia.Path()
        if form[0] == "Circle":
            radius, x, y = (2 * int(word, 16) for word in form[1:])
            path.addCircle(x, y, radius)
            return [path]
        x, y, width, height = (2 * int(word, 16) for word in form[1:5])
        angle = math.radians(45 * "GHIJKLMN".index(form[5]))
        cos, sin = math.cos(angle), math.sin(angle)
        corners = [(a * width / 2, b * height / 2) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        points = [(x + a * cos - b * sin, y + a * sin + b * cos) for a, b in corners]
        path.moveTo(*points[0])
        for point in points[1:]:
            path.lineTo(*point)
        path.close()
        return [path]

    first, *rest = collect(form)
    builder = skia.OpBuilder()
    builder.add(first, skia.kUnion_PathOp)
    for operation, path in zip(rest[::2], rest[1::2], strict=True):
        builder.add(path, operation)
    surface = skia.Surface(128, 128)
    with surface as canvas:
        canvas.scale(4, 4)
        canvas.drawPath(builder.resolve(), skia.Paint(AntiAlias=True))
    alpha = surface.makeImageSnapshot().toarray(colorType=skia.ColorType.kRGBA_8888_ColorType)[:, :, 3]
    return np.repeat(255 - alpha[:, :, None], 3, axis=2)


def draw_tinysvg(form):
    """On white, (224, 224, 3)."""
    import iceberg as ice

    class Moved(ice.Drawable):
        child: ice.Drawable
        x: float
        y: float

        def setup(self):
            self._moved = self.child.move(self.x, self.y)

        @property
        def bounds(self):
            return self.child.bounds

        @property
        def children(self):
            return [self._moved]

        def draw(self, canvas):
            self._moved.draw(canvas)

    def build(form):
        if form[0] == "Arrange":
            directions = {"h": ice.Arrange.Direction.HORIZONTAL, "v": ice.Arrange.Direction.VERTICAL}
            sides = [build(form[2]), build(form[3])]
            return ice.Arrange(sides, arrange_direction=directions[form[1]], gap=int(form[4]))
        if form[0] == "Move":
            x, y = (
                6.0 * int(word) * (-1 if sign == "true" else 1) for word, sign in zip(form[2:4], form[4:6], strict=True)
            )
            return Moved(child=build(form[1]), x=x, y=y)
        fill, stroke = (ice.Color.from_hex(COLORS[word]) if word in COLORS else None for word in form[3:5])
        shape = ice.Ellipse if form[0] == "Ellipse" else ice.Rectangle
        return shape(
            rectangle=ice.Bounds(size=(6.0 * int(form[1]), 6.0 * int(form[2]))),
            fill_color=fill,
            border_color=stroke,
            border_thickness=int(form[5]) / 2,
            anti_alias=form[0] == "Ellipse",
            dont_modify_bounds=True,
        )

    blank = ice.Blank(ice.Bounds(size=(224, 224)), ice.Colors.WHITE)
    renderer = ice.Renderer(gpu=False)
    renderer.render(ice.Anchor((blank, blank.add_centered(build(form)))))
    return renderer.get_rendered_image()[:, :, :3].copy()


DRAW = {"csg2d": draw_csg2d, "tinysvg": draw_tinysvg}

if __name__ == "__main__":
    for grammar, draw in DRAW.items():
        for path in sorted((HERE / grammar).glob(f"*.{grammar}")):
            picture = draw(read(path.read_text(encoding="utf-8")))
            Image.fromarray(picture).save(path.with_name(f"{path.stem}-skia.png"), optimize=True)
        lines = (HERE / grammar / "problems.txt").read_text(encoding="utf-8").splitlines()
        pictures = [draw(read(line)) for line in lines]
        rows = [np.concatenate(pictures[i : i + COLUMNS], axis=1) for i in range(0, len(pictures), COLUMNS)]
        Image.fromarray(np.concatenate(rows)).save(HERE / grammar / "problems-skia.png", optimize=True)
