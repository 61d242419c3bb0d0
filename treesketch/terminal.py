"""Pictures in a terminal: pixels in, text with escape sequences out.

Three ways: half blocks (every terminal with 24-bit colour), the kitty graphics protocol
(https://sw.kovidgoyal.net/kitty/graphics-protocol/) and iTerm2's inline images
(https://iterm2.com/documentation-images.html).
"""

import shutil
from base64 import b64encode
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from treesketch.scene import Scene

VIEWS = ("off", "blocks", "kitty", "iterm")
MOST_ROWS = 32  # of text that a picture may take
IMAGE_SIDE = 512  # pixels of the longer side where real pixels are shown
CHUNK = 4096  # bytes of base64 that kitty takes at once


def choose_view(environment: Mapping[str, str]) -> str:
    """The best way that the environment's terminal is known to understand."""
    terminal, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if terminal in ("", "dumb"):
        return "off"
    if "TMUX" in environment or terminal.startswith(("screen", "tmux")):
        return "blocks"  # a multiplexer swallows images
    if terminal in ("xterm-kitty", "xterm-ghostty") or "KITTY_WINDOW_ID" in environment or program == "ghostty":
        return "kitty"
    if program in ("iTerm.app", "WezTerm") or environment.get("LC_TERMINAL") == "iTerm2":
        return "iterm"
    return "blocks"


def show(scene: Scene, view: str) -> None:
    """Print a scene in one of VIEWS, as large as the terminal allows without scrolling what was typed away."""
    columns, rows = shutil.get_terminal_size()
    print(picture_text(scene, view, columns, max(1, min(rows - 4, MOST_ROWS))), end="", flush=True)


def picture_text(scene: Scene, view: str, columns: int, rows: int) -> str:
    """A scene as text to print, at most columns x rows characters large; ends with a newline unless it is empty."""
    if view == "off":
        return ""
    from treesketch.raster import png_bytes, rasterise

    if view == "blocks":
        return half_blocks(rasterise(scene, fit(scene, columns, 2 * rows)))
    png = png_bytes(rasterise(scene, fit(scene, IMAGE_SIDE, IMAGE_SIDE)))
    rows = max(1, min(rows, -(-fit(scene, columns, 2 * rows)[0] // 2)))
    return kitty_image(png, rows) if view == "kitty" else iterm_image(png, rows)


def fit(scene: Scene, width: int, height: int) -> tuple[int, int]:
    """The largest (height, width) in pixels of the scene's shape inside a box; at least one pixel each."""
    scale = min(width / scene.width, height / scene.height)
    return max(1, int(scene.height * scale)), max(1, int(scene.width * scale))


def half_blocks(pixels: npt.NDArray[np.uint8]) -> str:
    """(H, W, 3) pixels as upper half blocks, two rows of pixels a line; colours are set only where they change.

    The lower half of a last odd row keeps the terminal's own background.
    """
    lines = []
    for y in range(0, len(pixels), 2):
        line, above, below = "", None, None
        for x in range(pixels.shape[1]):
            top = tuple(map(int, pixels[y, x]))
            bottom = tuple(map(int, pixels[y + 1, x])) if y + 1 < len(pixels) else None
            if top != above:
                line += "\x1b[38;2;{};{};{}m".format(*top)
            if bottom != below and bottom is not None:
                line += "\x1b[48;2;{};{};{}m".format(*bottom)
            line += "▀"
            above, below = top, bottom
        lines.append(line + "\x1b[0m\n")
    return "".join(lines)


def kitty_image(png: bytes, rows: int) -> str:
    """A PNG for terminals with kitty's graphics protocol, shown `rows` lines high; the terminal does not answer."""
    data = b64encode(png).decode()
    chunks = [data[i : i + CHUNK] for i in range(0, len(data), CHUNK)]
    text = ""
    for i, chunk in enumerate(chunks):
        keys = f"a=T,f=100,q=2,r={rows}," if i == 0 else ""
        text += f"\x1b_G{keys}m={int(i + 1 < len(chunks))};{chunk}\x1b\\"
    return text + "\n"


def iterm_image(png: bytes, rows: int) -> str:
    """A PNG for terminals with iTerm2's inline images, shown `rows` lines high."""
    return f"\x1b]1337;File=inline=1;size={len(png)};height={rows}:{b64encode(png).decode()}\x07\n"
