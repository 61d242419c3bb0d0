"""Scenes become pixels: exact coverage through matplotlib's Agg, with the rules of Processing's Java2D renderer.

In comes a `Scene` or one `Shape` of it; out comes a picture (H, W, 3) uint8, or how much of each pixel a shape covers.

Sizes are (height, width), of a canvas in canvas units and of a picture in pixels; y points down, and pixel (row 0,
column 0) is the square from (0, 0) to (1, 1). Where parts of one shape overlap in a pixel that each
covers in part, their shares are added, as everywhere in Agg.
"""

import os
import threading
from collections import OrderedDict
from functools import lru_cache
from io import BytesIO
from itertools import repeat
from pathlib import Path as FilePath
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.backends import _backend_agg
from PIL import Image

from treesketch.errors import RunError
from treesketch.files import write_whole
from treesketch.polygons import Paint, polygons_of
from treesketch.scene import Color, Scene, Shape
from treesketch.strokes import Points

LARGEST_SIDE = 8192  # pixels
BAND = 1 << 20  # pixels drawn at a time, which bounds the memory of large pictures
KEPT_RENDERERS = 6  # sizes a thread keeps a drawing buffer for

Coverage = npt.NDArray[np.float32]  # (H, W), 0..1
Pixels = npt.NDArray[np.uint8]  # (H, W, 3)


def rasterise(scene: Scene, size: tuple[int, int] | None = None) -> Pixels:
    """Draw a scene over its background (taken as opaque) with exact coverage.

    size is (height, width) in pixels, by default the canvas's; x and y are scaled separately, and so are pens.
    Returns (H, W, 3) uint8 sRGB. Colours are mixed in 8 bits, shape by shape, as in Processing. A shape with a
    non-finite coordinate draws nothing.
    Raises RunError if a side is not 1..8192 pixels.
    """
    canvas = (scene.height, scene.width)
    height, width = _check_size(size or canvas)
    paints = [
        paint for shape in scene.shapes for paint in polygons_of(shape, canvas, (height, width)) if paint.color[3]
    ]
    pixels = np.empty((height, width, 3), np.uint8)
    rows = min(height, max(1, BAND // width))
    for top in range(0, height, rows):
        band = min(rows, height - top)
        renderer = _RENDERERS.get(band, width)
        drawn = np.asarray(renderer)  # (band, width, 4) uint8, what the renderer draws on
        drawn.view(np.uint32)[:] = np.array((*scene.background[:3], 255), np.uint8).view(np.uint32)  # whole pixels
        upright = _upright(top + band)
        for paint in paints:
            if paint.color[3] == 255:
                _draw(renderer, paint, upright)
            else:
                _blend(drawn, paint, top)
        for channel in range(3):  # four times faster than all three at once
            pixels[top : top + band, :, channel] = drawn[:, :, channel]
    return pixels


def _blend(drawn: Pixels, paint: Paint, top: int) -> None:
    """Paint a translucent colour over the rows from `top` on; Agg itself would round every pixel down."""
    patch = _cover(paint, top, *drawn.shape[:2])
    if patch is None:
        return
    there = drawn[patch.rows, patch.columns, :3]
    share = patch.coverage[:, :, None] * np.float32(paint.color[3] / 255)
    there[:] = there + (np.array(paint.color[:3], np.float32) - there) * share + np.float32(0.5)  # the cast truncates


def layers(
    shape: Shape, canvas: tuple[int, int], size: tuple[int, int], snap: bool = True
) -> list[tuple[Coverage, Color]]:
    """What a shape paints, in order: its fill, then its stroke, each as (coverage (H, W) float32 0..1, colour).

    canvas is (height, width) in canvas units, size (height, width) in pixels. Painting `colour` with opacity
    coverage * alpha / 255 over a picture, layer by layer and shape by shape, is what `rasterise` does. Without snap,
    strokes stay where they are instead of moving to pixel centres: that is how they look at any larger size.
    A shape with a non-finite coordinate has no layers. Raises RunError if a side is not 1..8192 pixels.
    """
    height, width = _check_size(size)
    return [(_cover_all(paint, height, width), paint.color) for paint in polygons_of(shape, canvas, size, snap)]


def coverage(shape: Shape, canvas: tuple[int, int], size: tuple[int, int]) -> Coverage:
    """How much of each pixel a shape's fill covers, or its stroke where it has no fill, whatever their alpha.

    canvas is (height, width) in canvas units, size (height, width) in pixels. Returns (H, W) float32 0..1,
    all 0 for a shape without paint or with a non-finite coordinate. Raises RunError if a side is not 1..8192 pixels.
    """
    height, width = _check_size(size)
    for paint in polygons_of(shape, canvas, size):
        return _cover_all(paint, height, width)
    return np.zeros((height, width), np.float32)


def write_png(pixels: Pixels, path: str | os.PathLike[str]) -> None:
    """Write (H, W, 3) uint8 pixels as a PNG file, whole or not at all. Raises SketchError if it cannot be written."""
    write_whole(FilePath(path), png_bytes(pixels))


def png_bytes(pixels: Pixels) -> bytes:
    """(H, W, 3) uint8 pixels as a PNG file."""
    png = BytesIO()
    Image.fromarray(pixels).save(png, format="PNG")
    return png.getvalue()


def _check_size(size: tuple[int, int]) -> tuple[int, int]:
    height, width = size
    if not (1 <= height <= LARGEST_SIDE and 1 <= width <= LARGEST_SIDE):
        raise RunError(f"a picture's sides are 1 to {LARGEST_SIDE} pixels, got {width} x {height} (width x height)")
    return height, width


# --- Polygons to coverage ------------------------------------------------------------------------------------------


class _Patch(NamedTuple):
    rows: slice
    columns: slice
    coverage: Coverage  # (h, w) of those rows and columns


class _Outline:
    """What Agg reads of a `matplotlib.path.Path`; making one of those takes longer than drawing it."""

    __slots__ = ("codes", "vertices")
    should_simplify = False
    simplify_threshold = 0.0

    def __init__(self, vertices: Points, codes: npt.NDArray[np.uint8] | None):
        self.vertices = vertices
        self.codes = codes


class _Context:
    """What Agg reads of a `GraphicsContextBase`, whose module would take half a second and a font cache to import."""

    _alpha = 1.0
    _forced_alpha = False
    _rgb = (1.0, 1.0, 1.0, 1.0)
    _antialiased = 1
    _linewidth = 0.0  # fills only
    _capstyle = "butt"
    _joinstyle = "miter"
    _cliprect = None

    # Each returns what stands here; Agg calls them all for every path, and this takes half of a function's time.
    get_dashes = repeat((0, None)).__next__
    get_clip_path = repeat((None, None)).__next__
    get_snap = repeat(False).__next__
    get_hatch_path = repeat(None).__next__
    get_hatch_color = repeat((0.0, 0.0, 0.0, 1.0)).__next__
    get_hatch_linewidth = repeat(1.0).__next__
    get_sketch_params = repeat(None).__next__


_CONTEXT = _Context()
_WHITE = (255, 255, 255, 255)
# Agg's coverage of a partly covered pixel is in 1/256, and 255 is the whole.
_SHARE = np.append(np.arange(255) / 256, 1.0).astype(np.float32)


class _Renderers(threading.local):
    """The drawing buffers of one thread, by (height, width): one to draw on, one to cover with."""

    def __init__(self) -> None:
        self.kept: OrderedDict[tuple[int, int, bool], Any] = OrderedDict()

    def get(self, height: int, width: int, to_cover: bool = False) -> Any:
        key = (height, width, to_cover)
        found = self.kept.pop(key, None)
        if found is None:
            found = _backend_agg.RendererAgg(width, height, 72.0)  # type: ignore[attr-defined]
            if len(self.kept) >= KEPT_RENDERERS:
                self.kept.popitem(last=False)
        self.kept[key] = found
        return found


_RENDERERS = _Renderers()


def _cover(paint: Paint, top: int, height: int, width: int) -> _Patch | None:
    """The coverage of a paint on the rows from `top` on, in the box around it; None if it is elsewhere."""
    left, above = np.floor(paint.vertices.min(axis=0)).astype(int).tolist()
    right, below = np.ceil(paint.vertices.max(axis=0)).astype(int).tolist()
    if right <= 0 or left >= width or below <= top or above >= top + height:
        return None
    rows = slice(max(0, above - top), min(height, below - top))
    columns = slice(max(0, left), min(width, right))
    renderer = _RENDERERS.get(height, width, to_cover=True)
    renderer.clear()
    _draw(renderer, paint._replace(color=_WHITE), _upright(top + height))
    return _Patch(rows, columns, _SHARE.take(np.asarray(renderer)[rows, columns, 3], mode="clip"))


def _draw(renderer: Any, paint: Paint, upright: npt.NDArray[np.float64]) -> None:
    """Fill a paint's polygons with its colour as if it were opaque; upright is the transform to the renderer's rows."""
    red, green, blue, _ = paint.color
    face = (red / 255, green / 255, blue / 255)
    try:
        renderer.draw_path(_CONTEXT, _Outline(paint.vertices, paint.codes), upright, face)
    except OverflowError:
        raise RunError(f"a shape of {len(paint.vertices)} points crosses too many pixels; draw it in parts") from None


@lru_cache(maxsize=64)
def _upright(bottom: int) -> npt.NDArray[np.float64]:
    """The transform from our y down to Agg's y up, where y = bottom becomes 0."""
    return np.array([[1.0, 0.0, 0.0], [0.0, -1.0, bottom], [0.0, 0.0, 1.0]])


def _cover_all(paint: Paint, height: int, width: int) -> Coverage:
    covered = np.zeros((height, width), np.float32)
    patch = _cover(paint, 0, height, width)
    if patch is not None:
        covered[patch.rows, patch.columns] = patch.coverage
    return covered
