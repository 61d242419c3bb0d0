"""Languages beside sketch, with the same machinery: a program of any shipped grammar in, a scene or a picture out.

Each has a grammar file, and here an evaluator of its own that is loaded when it is needed. `solved` says when one
picture counts as another.
"""

from pathlib import Path as FilePath

import numpy as np
import numpy.typing as npt

from treesketch.errors import ConfigError
from treesketch.scene import Scene
from treesketch.tree import Node

NAMES = ("csg2d", "tinysvg")

Pixels = npt.NDArray[np.uint8]  # (H, W, 3)


def suffix_of(grammar: str) -> str:
    """How the names of a grammar's programs end: its own name for these languages, `.clj` for all others."""
    return f".{grammar}" if grammar in NAMES else ".clj"


def grammar_of(path: FilePath) -> str:
    """The grammar of a program by how its file's name ends; sketch, unless it is one of these languages."""
    name = path.suffix.lower().removeprefix(".")
    return name if name in NAMES else "sketch"


def draw_scene(tree: Node, grammar: str) -> Scene:
    """What a checked program draws. Raises RunError when it exceeds its limits, ConfigError for an unknown grammar."""
    if grammar == "csg2d":
        from treesketch.dialects import csg2d

        return csg2d.to_scene(csg2d.interpret(tree))
    if grammar == "tinysvg":
        from treesketch.dialects import tinysvg

        return tinysvg.interpret(tree)
    if grammar == "sketch":
        from treesketch.interpreter import interpret

        return interpret(tree)
    raise ConfigError(f"nothing draws programs of grammar '{grammar}'; there are: {', '.join(('sketch', *NAMES))}")


def draw_picture(tree: Node, grammar: str, longest_side: int | None = None) -> Pixels:
    """The pixels of a checked program, its longer side as given or the canvas's. Raises as `draw_scene` does."""
    if grammar == "csg2d":
        from treesketch.dialects import csg2d

        return csg2d.picture(csg2d.interpret(tree), longest_side or csg2d.SIDE)
    from treesketch.raster import rasterise

    scene = draw_scene(tree, grammar)
    scale = (longest_side or max(scene.width, scene.height)) / max(scene.width, scene.height)
    return rasterise(scene, (max(1, round(scene.height * scale)), max(1, round(scene.width * scale))))
