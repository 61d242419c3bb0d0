"""A canvas that draws with Processing itself: PGraphicsJava2D of the `core.jar` that the py5 package ships.

The interpreter evaluates programs and calls the canvas's words; here each goes to Processing's own function of that
name, so nothing of `canvas`, `outline` or `raster` takes part in the picture.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import files

import jpype
import numpy as np

from treesketch.canvas import Canvas
from treesketch.interpreter import Interpreter
from treesketch.tree import Node


def start() -> None:
    """Start Java with Processing's classes, once. Raises what jpype raises where there is no Java."""
    if not jpype.isJVMStarted():
        jar = next(file for file in files("py5") or () if file.name == "core.jar")
        jpype.startJVM("-Djava.awt.headless=true", classpath=[str(jar.locate())])


def draw(program: Node, width: int, height: int) -> np.ndarray:
    """The picture (H, W, 3) uint8 that Processing draws for a program whose size is width x height."""
    canvas = ProcessingCanvas(width, height)
    Interpreter(canvas).run(program)
    return canvas.pixels()


class ProcessingCanvas(Canvas):
    """The words of `Canvas`, drawn by Processing."""

    def __init__(self, width: int, height: int):
        super().__init__()
        self.size = (width, height)
        java2d = jpype.JClass("processing.awt.PGraphicsJava2D")
        self.constants = jpype.JClass("processing.core.PConstants")
        self.g = java2d()
        self.g.setPrimary(False)
        self.g.smooth(2)
        self.g.setSize(width, height)
        self.g.beginDraw()
        self.g.background(204.0)

    def pixels(self) -> np.ndarray:
        self.g.endDraw()
        self.g.loadPixels()
        packed = np.array(self.g.pixels[:], np.int64).reshape(self.size[1], self.size[0])
        return np.stack([(packed >> shift) & 255 for shift in (16, 8, 0)], axis=2).astype(np.uint8)

    def set_size(self, width: float, height: float) -> None:
        assert (width, height) == self.size

    def background(self, channels) -> None:
        self.g.background(*_floats(channels))

    def fill(self, channels) -> None:
        self.g.fill(*_floats(channels))

    def no_fill(self) -> None:
        self.g.noFill()

    def stroke(self, channels) -> None:
        self.g.stroke(*_floats(channels))

    def no_stroke(self) -> None:
        self.g.noStroke()

    def stroke_weight(self, weight: float) -> None:
        self.g.strokeWeight(jpype.JFloat(weight))

    def stroke_cap(self, cap: str) -> None:
        self.g.strokeCap(getattr(self.constants, cap.upper()))

    def stroke_join(self, join: str) -> None:
        self.g.strokeJoin(getattr(self.constants, join.upper()))

    def rect_mode(self, mode: str) -> None:
        self.g.rectMode(getattr(self.constants, mode.upper()))

    def ellipse_mode(self, mode: str) -> None:
        self.g.ellipseMode(getattr(self.constants, mode.upper()))

    def rect(self, *numbers: float) -> None:
        self.g.rect(*_floats(numbers))

    def ellipse(self, *numbers: float) -> None:
        self.g.ellipse(*_floats(numbers))

    def arc(self, x, y, width, height, start, stop, closing=None) -> None:
        mode = [getattr(self.constants, closing.upper())] if closing else []
        self.g.arc(*_floats((x, y, width, height, start, stop)), *mode)

    def line(self, *numbers: float) -> None:
        self.g.line(*_floats(numbers))

    def dot(self, *numbers: float) -> None:
        self.g.point(*_floats(numbers))

    def polygon(self, points) -> None:
        words = {3: self.g.triangle, 4: self.g.quad}
        words[len(points)](*_floats(number for point in points for number in point))

    def bezier(self, *points) -> None:
        self.g.bezier(*_floats(number for point in points for number in point))

    def curve(self, *points) -> None:
        self.g.curve(*_floats(number for point in points for number in point))

    def shape(self, corners, contours, closed) -> None:
        words = {"vertex": "vertex", "bezier": "bezierVertex", "quadratic": "quadraticVertex", "curve": "curveVertex"}

        def run(part) -> None:
            for word, points in part:
                getattr(self.g, words[word])(*_floats(number for point in points for number in point))

        self.g.beginShape()
        run(corners)
        for contour in contours:
            self.g.beginContour()
            run(contour)
            self.g.endContour()
        self.g.endShape(*([self.constants.CLOSE] if closed else []))

    def translate(self, x: float, y: float) -> None:
        self.g.translate(*_floats((x, y)))

    def rotate(self, angle: float) -> None:
        self.g.rotate(jpype.JFloat(angle))

    def scale(self, *factors: float) -> None:
        self.g.scale(*_floats(factors))

    def shear_x(self, angle: float) -> None:
        self.g.shearX(jpype.JFloat(angle))

    def shear_y(self, angle: float) -> None:
        self.g.shearY(jpype.JFloat(angle))

    @contextmanager
    def kept(self) -> Iterator[None]:
        self.g.pushMatrix()
        try:
            yield
        finally:
            self.g.popMatrix()


def _floats(numbers) -> list:
    return [jpype.JFloat(number) for number in numbers]
