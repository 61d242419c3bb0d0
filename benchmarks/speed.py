"""How fast the language is, beside its limits: `python benchmarks/speed.py` prints the table of the README.

Times are the best of many runs, so that other work on the machine does not count. Where there is a peer (Hy's reader,
the plain calls into the rasterising library) it runs here too, in turns with ours.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from random import Random

import hy
import numpy as np
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from rich.console import Console
from rich.table import Table

from treesketch.check import check
from treesketch.hy_runtime import Runtime
from treesketch.interpreter import interpret
from treesketch.raster import rasterise
from treesketch.syntax import parse

SEED = 1
_CODES = {"M": [Path.MOVETO], "L": [Path.LINETO], "C": [Path.CURVE4] * 3, "Z": [Path.CLOSEPOLY]}
SHAPES = ("rect {} {} {} {}", "ellipse {} {} {} {}", "line {} {} {} {}", "triangle {} {} {} {} {} {}")


def program(forms: int, seed: int = SEED) -> str:
    """A program of this many forms as people write them: a paint form, then a shape."""
    random = Random(seed)
    lines = ["(size 128 128)", "(background 255)"]
    while len(lines) < forms:
        if len(lines) % 2:
            shape = random.choice(SHAPES)
            lines.append(f"({shape.format(*(random.randrange(1, 128) for _ in range(shape.count('{}'))))})")
        else:
            lines.append(f"(fill {random.randrange(256)} {random.randrange(256)} {random.randrange(256)})")
    return "\n".join(lines)


def best(*actions: Callable[[], object], seconds: float = 2.0) -> list[float]:
    """The shortest time of each action in seconds, run in turns for so long."""
    times: list[list[float]] = [[] for _ in actions]
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[0]) < 5:
        for action, taken in zip(actions, times, strict=True):
            began = time.perf_counter()
            action()
            taken.append(time.perf_counter() - began)
    return [min(taken) for taken in times]


def parse_and_check() -> tuple[float, float]:
    """Seconds for 30 forms: ours, and Hy's reader."""
    text = program(30)
    ours, theirs = best(lambda: check(parse(text)), lambda: list(hy.read_many(text)))
    return ours, theirs


def evaluate() -> tuple[float, float]:
    """Seconds for a parsed program of 30 forms: the interpreter, and the Hy runtime's compiled code."""
    tree = parse(program(30))
    ours, theirs = best(lambda: interpret(tree), lambda: Runtime().run(tree))
    return ours, theirs


def render() -> tuple[float, float]:
    """Seconds for 10 shapes with outlines at 64 px: ours, and matplotlib's Agg called by hand on the same paths."""
    scene, size = interpret(parse(program(22))), (64, 64)
    assert len(scene.shapes) == 10

    def by_hand() -> object:
        renderer = RendererAgg(64, 64, 72.0)
        flip = Affine2D().scale(0.5, -0.5).translate(0, 64)
        for shape in scene.shapes:
            codes = [code for verb in shape.path.verbs for code in _CODES[verb]]
            points = [*shape.path.points, *((0.0, 0.0),) * shape.path.verbs.count("Z")]
            context = GraphicsContextBase()
            context.set_linewidth(0.5)
            context.set_foreground((0.0, 0.0, 0.0))
            context.set_joinstyle("miter")
            face = tuple(channel / 255 for channel in shape.fill) if shape.fill else None
            renderer.draw_path(context, Path(points, codes), flip, face)
        return np.asarray(renderer.buffer_rgba())[:, :, :3].copy()

    ours, theirs = best(lambda: rasterise(scene, size), by_hand)
    return ours, theirs


def large_program(forms: int) -> float:
    """Seconds to parse, check, interpret and draw a program of so many forms."""
    text = program(forms)

    def all_of_it() -> None:
        tree = parse(text)
        assert not check(tree)
        rasterise(interpret(tree))

    return best(all_of_it, seconds=0)[0]


def peak_memory(side: int) -> float:
    """Bytes that a process takes at most to draw a program of 30 forms at side x side pixels."""
    code = f"import runpy; runpy.run_path({__file__!r})['draw_large']({side})"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)


def draw_large(side: int) -> None:
    """Draw and print the process's own peak."""
    rasterise(interpret(parse(program(30))), (side, side))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def main() -> None:
    """Measure everything and print the table."""
    table = Table("what", "takes", "limit", "peer", "ratio")
    read, reader = parse_and_check()
    table.add_row("parse and check 30 forms", _ms(read), "3 ms", f"hy.read_many {_ms(reader)}", f"{read / reader:.2f}")
    native, compiled = evaluate()
    table.add_row("interpret 30 forms", _ms(native), "0.3 ms", "", "")
    table.add_row(
        "the Hy runtime, compiled", _ms(compiled), "5 x", f"interpreter {_ms(native)}", f"{compiled / native:.2f}"
    )
    drawn, plain = render()
    table.add_row("draw 10 forms at 64 px", _ms(drawn), "1.5 x", f"Agg alone {_ms(plain)}", f"{drawn / plain:.2f}")
    table.add_row("peak memory at 4,096 px", f"{peak_memory(4096) / 1e6:.0f} MB", "1000 MB", "", "")
    small, large = large_program(1_000), large_program(10_000)
    table.add_row(
        "10,000 forms, text to pixels", f"{large:.2f} s", "10 s", f"1,000 forms {small:.3f} s", f"{large / small:.1f}"
    )
    Console().print(table)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.3f} ms"


if __name__ == "__main__":
    main()
