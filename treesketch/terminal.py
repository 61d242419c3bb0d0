"""Pictures in a terminal: pixels in, text with escape sequences out.

Four ways: half blocks (every terminal with 24-bit colour), the kitty graphics protocol
(https://sw.kovidgoyal.net/kitty/graphics-protocol/), iTerm2's inline images
(https://iterm2.com/documentation-images.html) and sixel (https://vt100.net/docs/vt3xx-gp/chapter14.html).
"""

import os
import re
import select
import shutil
import time
from base64 import b64encode
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from treesketch.scene import Scene

VIEWS = ("off", "blocks", "kitty", "iterm", "sixel")
MOST_ROWS = 32  # of text that a picture may take
IMAGE_SIDE = 512  # pixels of the longer side where real pixels are shown
CHUNK = 4096  # bytes of base64 that kitty takes at once
CELL = 20  # pixels of a line of text where the terminal does not say
ANSWER_SECONDS = 0.5  # that a terminal has to answer; over a slow line its answer would be taken for typing

# "Do you draw kitty's images?", then what every terminal answers: "which kind of terminal are you?"
_QUESTION = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c"
_KIND = re.compile(r"\x1b\[\?([\d;]*)c")  # https://vt100.net/docs/vt510-rm/DA1.html; 4 stands for sixel


def choose_view(environment: Mapping[str, str], answer: str = "") -> str:
    """The best way that the terminal understands: what its environment tells, or what it answered to `ask`."""
    terminal, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if terminal in ("", "dumb"):
        return "off"
    kind = _KIND.search(answer)
    sixel = "sixel" if kind and "4" in kind[1].split(";") else "blocks"
    if "TMUX" in environment or terminal.startswith(("screen", "tmux")):
        return sixel  # a multiplexer swallows all images that it does not know
    if terminal in ("xterm-kitty", "xterm-ghostty") or "KITTY_WINDOW_ID" in environment or program == "ghostty":
        return "kitty"
    if program in ("iTerm.app", "WezTerm") or environment.get("LC_TERMINAL") == "iTerm2":
        return "iterm"
    return "kitty" if "_Gi=31;OK" in answer else sixel


def ask(descriptor: int) -> str:
    """What the terminal of a file descriptor answers about itself; '' where it is none or says nothing."""
    try:
        import termios
        import tty
    except ImportError:  # not a Unix
        return ""
    try:
        before = termios.tcgetattr(descriptor)
    except termios.error:
        return ""
    answer = b""
    try:
        tty.setcbreak(descriptor)
        os.write(descriptor, _QUESTION)
        end = time.monotonic() + ANSWER_SECONDS
        while not _KIND.search(answer.decode("latin-1")) and (left := end - time.monotonic()) > 0:
            if select.select([descriptor], [], [], left)[0]:
                answer += os.read(descriptor, 1024)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
    return answer.decode("latin-1")


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
    if view == "sixel":
        return sixel_image(rasterise(scene, fit(scene, IMAGE_SIDE, min(IMAGE_SIDE, rows * cell_height()))))
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


def cell_height() -> int:
    """Pixels of a line of text, as the terminal on the standard output says, or CELL."""
    try:
        import fcntl
        import struct
        import termios

        rows, _, _, height = struct.unpack("HHHH", fcntl.ioctl(1, termios.TIOCGWINSZ, bytes(8)))
        return height // rows if rows and height else CELL
    except (ImportError, OSError):
        return CELL


def sixel_image(pixels: npt.NDArray[np.uint8]) -> str:
    """(H, W, 3) pixels in at most 256 colours, six rows a band, a run of each colour a band."""
    from PIL import Image

    quantized = Image.fromarray(pixels).quantize(256)
    indices, palette = np.asarray(quantized), np.array(quantized.getpalette(), int).reshape(-1, 3)
    height, width = indices.shape
    text = f'\x1bPq"1;1;{width};{height}'
    for color in np.unique(indices):
        text += "#{};2;{};{};{}".format(color, *(palette[color] * 100 + 127) // 255)
    for top in range(0, height, 6):
        band = indices[top : top + 6]
        weights = 1 << np.arange(len(band))
        rows = [f"#{color}{_sixels(weights @ (band == color))}" for color in np.unique(band)]
        text += "$".join(rows) + "-"
    return text + "\x1b\\\n"


def _sixels(columns: npt.NDArray[np.int_]) -> str:
    """Columns of six bits as characters; longer runs with their length."""
    starts = np.flatnonzero(np.r_[True, columns[1:] != columns[:-1]])
    text = ""
    for start, end in zip(starts, [*starts[1:], len(columns)], strict=True):
        character = chr(63 + int(columns[start]))
        text += character * (end - start) if end - start < 4 else f"!{end - start}{character}"
    return text
