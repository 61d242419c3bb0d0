"""Path data -> a path. The d attribute in, absolute lines, quadratics and cubics out; arcs become cubics.

Written here rather than taken from a library: SVG asks that an outline with a mistake is drawn up to it, and what was
wrong has to be told. The rules are those of SVG 2, chapter 9.
"""

import math
import re

import numpy as np

from treesketch.importing.notes import MOST_POINTS
from treesketch.importing.paths import Path
from treesketch.importing.values import NUMBER

ARGUMENTS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
_SPACE = re.compile(r"[\s,]*")
_NUMBER = re.compile(NUMBER)

Point = tuple[float, float]


class _Pen:
    """What has been drawn, and where the next word begins."""

    def __init__(self) -> None:
        self.verbs: list[str] = []
        self.points: list[Point] = []
        self.here: Point = (0.0, 0.0)
        self.start: Point = (0.0, 0.0)
        self.control: Point | None = None  # of the curve before, and its kind
        self.kind = ""

    def go(self, verb: str, *points: Point) -> None:
        if verb != "M" and (not self.verbs or self.verbs[-1] == "Z"):
            self.verbs.append("M")
            self.points.append(self.here)
        self.verbs.append(verb)
        self.points += points
        self.here = points[-1]

    def mirrored(self, kind: str) -> Point:
        """The control point that goes on smoothly from a curve of the same kind."""
        if self.control is None or self.kind != kind:
            return self.here
        return 2 * self.here[0] - self.control[0], 2 * self.here[1] - self.control[1]


def read_path(text: str) -> tuple[Path, str | None]:
    """The path that path data draws, and the first mistake in it, if any: all before that is drawn.

    Reading stops behind MOST_POINTS points.
    """
    pen, place, command, mistake = _Pen(), 0, "", None
    while len(pen.points) <= MOST_POINTS:
        place = _skip(text, place)
        if place == len(text):
            break
        if text[place].isalpha():
            if text[place].upper() not in ARGUMENTS or (not command and text[place].upper() != "M"):
                mistake = _place(text, place)
                break
            command = text[place]
            place += 1
        elif not command or command in "Zz":
            mistake = _place(text, place)
            break
        values, place = _arguments(text, place, command)
        if values is None:
            mistake = _place(text, place)
            break
        _draw(pen, command, values)
        command = {"M": "L", "m": "l"}.get(command, command)
    points = np.array(pen.points, np.float64).reshape(-1, 2)
    return Path("".join(pen.verbs), points), mistake


def _arguments(text: str, place: int, command: str) -> tuple[list[float] | None, int]:
    """The numbers of one command and where they end; None, and where it stopped, if one is missing or not finite."""
    found: list[float] = []
    for i in range(ARGUMENTS[command.upper()]):
        place = _skip(text, place)
        if command in "Aa" and i in (3, 4):  # a flag is one digit, and nothing need follow it
            if text[place : place + 1] not in ("0", "1"):
                return None, place
            found.append(float(text[place]))
            place += 1
            continue
        match = _NUMBER.match(text, place)
        if not match or not math.isfinite(float(match[0])):
            return None, place
        found.append(float(match[0]))
        place = match.end()
    return found, place


def _place(text: str, place: int) -> str:
    """A place in path data, as errors name it."""
    return f"'{text[place]}', character {place + 1}" if place < len(text) else "its end"


def _skip(text: str, place: int) -> int:
    """Where spaces and commas end."""
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _draw(pen: _Pen, command: str, values: list[float]) -> None:
    """Do one command."""
    word = command.upper()
    dx, dy = pen.here if command.islower() else (0.0, 0.0)
    control: Point | None = None
    match word:
        case "Z":
            if pen.verbs and pen.verbs[-1] != "Z":
                pen.verbs.append("Z")
            pen.here = pen.start
        case "H":
            pen.go("L", (values[0] + dx, pen.here[1]))
        case "V":
            pen.go("L", (pen.here[0], values[0] + dy))
        case "A":
            end = (values[5] + dx, values[6] + dy)
            arc(pen, values[0], values[1], values[2], bool(values[3]), bool(values[4]), end)
        case _:
            points = [(values[i] + dx, values[i + 1] + dy) for i in range(0, len(values), 2)]
            if word in "ST":
                points.insert(0, pen.mirrored("C" if word == "S" else "Q"))
            pen.go({"S": "C", "T": "Q"}.get(word, word), *points)
            if word == "M":
                pen.start = pen.here
            elif word in "CSQT":
                control = points[-2]
    pen.control, pen.kind = control, {"S": "C", "T": "Q"}.get(word, word)


def arc(pen: _Pen, rx: float, ry: float, degrees: float, large: bool, sweep: bool, end: Point) -> None:
    """Draw a part of an ellipse as cubics: SVG 2, appendix B.2.4."""
    start, rx, ry = pen.here, abs(rx), abs(ry)
    if start == end:
        return
    if not rx or not ry:
        pen.go("L", end)
        return
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    dx, dy = (start[0] - end[0]) / 2, (start[1] - end[1]) / 2
    x, y = (cos * dx + sin * dy) / rx, (cos * dy - sin * dx) / ry  # half of the way, where the ellipse is a unit circle
    far = x * x + y * y
    if far > 1:  # too small to reach: as large as it has to be
        rx, ry, x, y, far = rx * math.sqrt(far), ry * math.sqrt(far), x / math.sqrt(far), y / math.sqrt(far), 1.0
    if not (0 < far and math.isfinite(rx) and math.isfinite(ry)):
        pen.go("L", end)
        return
    aside = math.sqrt(max(0.0, 1 / far - 1)) * (-1 if large == sweep else 1)
    center = (aside * y, -aside * x)
    first = math.atan2(y - center[1], x - center[0])
    turn = (math.atan2(-y - center[1], -x - center[0]) - first) % (2 * math.pi)
    if not sweep:
        turn -= 2 * math.pi
    count = max(1, math.ceil(abs(turn) / (math.pi / 2) - 1e-6))
    reach = 4 / 3 * math.tan(turn / count / 4)
    middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2

    def at(angle: float, along: float) -> Point:
        """The point of an angle, moved along its tangent."""
        u = center[0] + math.cos(angle) - along * math.sin(angle)
        v = center[1] + math.sin(angle) + along * math.cos(angle)
        return middle[0] + cos * u * rx - sin * v * ry, middle[1] + sin * u * rx + cos * v * ry

    for i in range(count):
        here, there = first + turn * i / count, first + turn * (i + 1) / count
        pen.go("C", at(here, reach), at(there, -reach), end if i == count - 1 else at(there, 0.0))
