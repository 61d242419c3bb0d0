"""Pictures of known geometry come back as that geometry: the anti-aliased edges hold it to hundredths of a pixel.

Each picture is drawn by resvg from the SVG of a program in `exact/`, at four times its size, and averaged; the search
sees only its pixels. The program's first line says how many numbers a drawing of it may take: its own, where it comes
back as it was.
"""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from treesketch.evaluate import measure_program
from treesketch.interpreter import interpret
from treesketch.picture import Picture
from treesketch.scene import Scene
from treesketch.search.draw import Options, draw_picture
from treesketch.svg import to_svg
from treesketch.syntax import parse, unparse

pytestmark = pytest.mark.slow
SIDE = 128
PROGRAMS = sorted((Path(__file__).parent / "exact").glob("*.clj"))


def drawn_by_resvg(scene: Scene, side: int) -> NDArray[np.float32]:
    resvg_py = pytest.importorskip("resvg_py")
    png = resvg_py.svg_to_bytes(svg_string=to_svg(scene), width=side, height=side, skip_system_fonts=True)
    with Image.open(io.BytesIO(bytes(png))) as picture:
        return np.asarray(picture.convert("RGB")).astype(np.float32) / 255


def shrunk(large: NDArray[np.float32]) -> NDArray[np.float32]:
    return large.reshape(SIDE, 4, SIDE, 4, 3).mean(axis=(1, 3))


def rmse(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.sqrt(((one - other) ** 2).mean()))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_known_geometry_comes_back(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    limit = re.match(r"; at most (\d+) numbers\n", text)
    assert limit
    large = drawn_by_resvg(interpret(parse(text)), 4 * SIDE)
    target = np.round(shrunk(large) * 255).astype(np.float32) / 255
    drawing = draw_picture(Picture(target, path.stem, (SIDE, SIDE)), Options(seconds=5))
    program = unparse(drawing.tree)
    assert measure_program(program).numbers <= int(limit[1]), program
    again = drawn_by_resvg(interpret(drawing.tree), 4 * SIDE)
    assert rmse(shrunk(again), target) <= 0.006
    assert rmse(again, large) <= 0.012
