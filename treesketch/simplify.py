"""Programs said more shortly: a checked program in, one that draws the same and that a person would rather write out.

Settings that change nothing go; rows of forms become loops, turned copies loops of rotations, shapes drawn again
elsewhere functions, numbers used again and again names. A step is taken only where the program gets shorter and its
picture stays (`LARGEST_CHANGE`).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from treesketch import arithmetic
from treesketch.check import check
from treesketch.errors import SketchError
from treesketch.interpreter import interpret
from treesketch.language import load_language
from treesketch.raster import rasterise
from treesketch.syntax import format_number
from treesketch.tree import Node, at, count, replace, walk

LARGEST_CHANGE = 0.002  # rmse (0..1) of the picture at SIDE pixels, over all steps together
SIDE = 256
LONGEST_GROUP = 6  # forms that are repeated together
FEWEST_TURNS = 3
MOST_FORMS = 2_000  # of a program; longer ones are left as they are
LEAST_BODY = 24  # nodes of what is worth a function
TOLERANCE = 0.3  # units between a number and what a loop or a function would make of it; the picture decides
EVEN = 0.05  # units between numbers that are as good as equal
FEWEST_USES = 6  # of a number that is worth a name
COUNTERS = "ijkmnpqrstuvw"
NAMES = ("mark", "part", "piece", "bit", "figure", "motif")

_NUMBERS = frozenset({"literal", "dimension"})
_SETTINGS = frozenset(
    "fill no_fill stroke no_stroke stroke_weight stroke_cap stroke_join rect_mode ellipse_mode".split()
)
# What the numbers of a pair are called when they get a name.
_NAMED = {"point": ("across", "down"), "extent": ("side", "side"), "diameters": ("diameter", "diameter")}
_HEAD = ("size", "background", "def", "defn")  # forms that stand before those that draw
# Forms whose bodies may hold loops, and how many of their children come before the body.
_BODIES = {"program": 0, "dotimes": 1, "with_translation": 1, "with_rotation": 1, "matrix": 0, "do": 0}

Pixels = npt.NDArray[np.float32]


Accepts = Callable[[Node, Node], bool]  # whether a program may take the place of another


def simplify(tree: Node, accepts: Accepts | None = None) -> Node:
    """The program in its shortest form that is known here. Raises RunError where it cannot be drawn.

    accepts (new, old) says whether a program may take the place of another; if it is left out, one may that is shorter
    and draws nearly the same picture.
    """
    if len(tree.children) > MOST_FORMS or _has_chance(tree):
        return tree  # a loop would draw other random numbers
    accepts = accepts or _Judge(tree).accepts
    while True:
        before = tree
        tree = without_idle_settings(tree)
        tree = with_names(with_loops(with_functions(tree, accepts), accepts), accepts)
        if tree == before:
            return tree


def length(tree: Node) -> int:
    """How long a program is: its nodes, and its numbers once more, since a number is harder to read than a name."""
    return count(tree) + sum(node.production in _NUMBERS for _, node in walk(tree))


class _Judge:
    """Says whether a program is shorter than another and still draws the picture of the first of all."""

    def __init__(self, tree: Node):
        self.picture = drawn(tree)

    def accepts(self, new: Node, old: Node) -> bool:
        """Whether a shorter program draws the picture but for a change that nobody sees."""
        if length(new) >= length(old) or check(new):
            return False
        try:
            picture = drawn(new)
        except SketchError:
            return False
        return bool(picture.shape == self.picture.shape and rmse(picture, self.picture) <= LARGEST_CHANGE)


def drawn(tree: Node) -> Pixels:
    """What a program draws, (H, W, 3) in 0..1, the longer side `SIDE` pixels. Raises RunError beyond its limits."""
    scene = interpret(tree)
    scale = SIDE / max(scene.width, scene.height)
    size = (max(1, round(scene.height * scale)), max(1, round(scene.width * scale)))
    return rasterise(scene, size).astype(np.float32) / np.float32(255)


def rmse(one: Pixels, other: Pixels) -> float:
    """How far two pictures of one size are from each other, 0..1."""
    return float(np.sqrt(((one - other) ** 2).mean()))


def _has_chance(tree: Node) -> bool:
    return any(node.production.startswith(("random", "noise")) for _, node in walk(tree))


# Names: one number in many places


def with_names(tree: Node, accepts: Accepts) -> Node:
    """The program with names for sizes and places that occur again and again."""
    uses: dict[tuple[str, float], list[tuple[int, ...]]] = {}
    for path, node in walk(tree):
        if node.production not in _NAMED or any(at(tree, path[:k]).production == "defn" for k in range(len(path))):
            continue
        for i, child in enumerate(node.children):
            if child.production == "literal" and isinstance(child.value, float) and child.value:
                uses.setdefault((_NAMED[node.production][i], child.value), []).append((*path, i))
    taken = {str(node.value) for _, node in walk(tree) if isinstance(node.value, str)}
    body, definitions = tree, list[Node]()  # apart: a definition would move what the paths lead to
    for (name, value), paths in sorted(uses.items(), key=lambda use: -len(use[1])):
        if name in taken or len(paths) < FEWEST_USES or len(format_number(value)) < 3:  # 24 is no longer than a name
            continue
        named = body
        for path in paths:
            named = replace(named, path, _reference(name))
        definition = Node("def", (Node("binder", (), name), _literal(value)))
        head = next((i for i, form in enumerate(named.children) if form.production not in _HEAD), 0)
        new = (*named.children[:head], *definitions, definition, *named.children[head:])
        if accepts(candidate := Node("program", new), tree):
            tree, body = candidate, named
            definitions.append(definition)
            taken.add(name)
    return tree


# Settings


def without_idle_settings(tree: Node) -> Node:
    """The program without settings that are set again before anything is drawn, or that say what holds already.

    Raises RunError where it cannot be drawn.
    """
    scene = interpret(tree)
    for path in reversed([path for path, node in walk(tree) if node.production in _SETTINGS]):
        parent = at(tree, path[:-1])
        if path[-1] >= _BODIES.get(parent.production, math.inf):
            rest = (*parent.children[: path[-1]], *parent.children[path[-1] + 1 :])
            candidate = replace(tree, path[:-1], Node(parent.production, rest, parent.value))
            if interpret(candidate) == scene:
                tree = candidate
    return tree


# Functions: the same shapes at other places


def with_functions(tree: Node, accepts: Accepts) -> Node:
    """The program with groups of forms that occur again, moved, as calls of a function."""
    for name in NAMES:
        for candidate in _functions(tree, name):
            if accepts(candidate, tree):
                tree = candidate
                break
        else:
            break
    return tree


def _functions(tree: Node, name: str) -> Iterator[Node]:
    """Programs with one function more, those first that say most by it."""
    forms = tree.children
    found: list[tuple[int, list[int], int]] = []  # nodes saved, places, forms in the group
    for length in range(1, LONGEST_GROUP + 1):
        for first in range(len(forms) - length + 1):
            group = forms[first : first + length]
            if not all(map(_is_shape, group)) or (length > 1 and _run(group, 0, 1, fewest=length)):
                continue  # a row is a loop's affair
            places, place = [first], first + length
            while place + length <= len(forms):
                if _moved(group, forms[place : place + length]) is not None:
                    places.append(place)
                    place += length
                else:
                    place += 1
            size = sum(map(count, group))
            if len(places) > 1 and size >= LEAST_BODY:
                found.append((len(places) * (size - 4) - size - 8, places, length))
    for _, places, length in sorted(found, key=lambda entry: -entry[0]):
        yield _with_function(tree, name, places, length)


def _with_function(tree: Node, name: str, places: Sequence[int], length: int) -> Node:
    forms = tree.children
    group = forms[places[0] : places[0] + length]
    x, y = _origin(group[0])
    body = tuple(shifted(form, -x, -y) for form in group)
    move = Node("with_translation", (Node("point", (_reference("x"), _reference("y"))), *body))
    parameters = Node("parameters", (Node("binder", (), "x"), Node("binder", (), "y")))
    definition = Node("defn", (Node("function", (), name), parameters, move))
    result = []
    for place, form in enumerate(forms):
        if place in places:
            here = _origin(form)
            result.append(Node("call", (Node("callee", (), name), *map(_literal, here))))
        elif not any(start < place < start + length for start in places):
            result.append(form)
    head = next((i for i, form in enumerate(result) if form.production not in _HEAD), 0)
    return Node("program", (*result[:head], definition, *result[head:]))


def _is_shape(form: Node) -> bool:
    """Whether a form draws, has no names and no settings in it, and stands where its points say."""
    language = load_language()
    if form.production not in (*language.kinds["shape"], "with_translation"):
        return False
    return not any(node.production in ("reference", *language.kinds["setting"]) for _, node in walk(form))


def _origin(form: Node) -> tuple[float, float]:
    """The first point of a form."""
    point = next(node for _, node in walk(form) if node.production == "point")
    x, y = (float(child.value or 0) if isinstance(child.value, float) else math.nan for child in point.children)
    return x, y


def _points(form: Node) -> list[tuple[int, ...]]:
    """The paths of the points that a form is moved by: those of a translation, or all of a shape's."""
    if form.production == "with_translation":
        return [(0,)]
    return [path for path, node in walk(form) if node.production == "point"]


def shifted(form: Node, x: float, y: float) -> Node:
    """A form moved across and down; only literal points are."""
    for path in _points(form):
        for axis, by in enumerate((x, y)):
            value = at(form, (*path, axis)).value
            assert isinstance(value, float)
            form = replace(form, (*path, axis), _literal(value + by))
    return form


def _moved(one: Sequence[Node], other: Sequence[Node]) -> tuple[float, float] | None:
    """How far a group of forms is from another that is the same, or None where it is another."""
    if [form.production for form in one] != [form.production for form in other]:
        return None
    by: tuple[float, float] | None = None
    for mine, theirs in zip(one, other, strict=True):
        points = {(*path, axis): axis for path in _points(mine) for axis in (0, 1)} if _is_shape(mine) else {}
        nodes, others = list(walk(mine)), list(walk(theirs))
        if [(path, node.production) for path, node in nodes] != [(path, node.production) for path, node in others]:
            return None
        for (path, node), (_, twin) in zip(nodes, others, strict=True):
            if not isinstance(node.value, float) or not isinstance(twin.value, float):
                if node.value != twin.value:
                    return None
                continue
            difference = twin.value - node.value
            if path in points:
                if by is None:
                    there, here = _origin(theirs), _origin(mine)
                    by = (there[0] - here[0], there[1] - here[1])
                difference -= by[points[path]]
            if not abs(difference) <= TOLERANCE:
                return None
    return by


# Loops: forms that go on by equal steps, or by equal turns


@dataclass(frozen=True, slots=True)
class _Run:
    """Groups of `length` forms from place `first` of a body on, `times` of them."""

    first: int
    length: int
    times: int


def with_loops(tree: Node, accepts: Accepts) -> Node:
    """The program with rows of forms as loops; rows of loops become loops of loops."""
    while True:
        for candidate in _loops(tree):
            if accepts(candidate, tree):
                tree = candidate
                break
        else:
            return tree


def _loops(tree: Node) -> Iterator[Node]:
    """Programs with one loop more: the inner loops first, then those of the fewest forms, of these the shortest."""
    found: list[tuple[int, int, int, Node]] = []
    for path, node in walk(tree):
        if node.production not in _BODIES:
            continue
        before = _BODIES[node.production]
        forms = node.children[before:]
        taken = {str(inner.value) for depth in range(len(path) + 1) for inner in _bound(at(tree, path[:depth]))}
        for length, more, first, covered, loop in _loops_among(forms, taken):
            children = (*node.children[: before + first], loop, *forms[first + covered :])
            if more < 0:
                inner = sum(each.production == "dotimes" for _, each in walk(loop))
                new = replace(tree, path, Node(node.production, children, None, node.span))
                found.append((inner, length, more, new))
    yield from (candidate for *_, candidate in sorted(found, key=lambda entry: entry[:3]))


def _bound(node: Node) -> list[Node]:
    """The binders of a form's own head."""
    return [inner for child in node.children if child.production == "counter" for inner in child.children[:1]]


def _loops_among(forms: Sequence[Node], taken: set[str]) -> Iterator[tuple[int, int, int, int, Node]]:
    """Loops for forms of a body: the forms of a turn, the nodes more, where they begin, how many forms, the loop."""
    for length in range(1, LONGEST_GROUP + 1):
        for first in range(len(forms) - FEWEST_TURNS * length + 1):
            run = _run(forms, first, length)
            if run is None:
                continue
            names = {str(node.value) for form in forms[first : first + length] for _, node in walk(form)}
            counter = next(name for name in COUNTERS if name not in names | taken)
            for times, loop in _as_loops(forms, run, counter):
                before = sum(map(count, forms[first : first + times * length]))
                yield length, count(loop) - before, first, times * length, loop


def _run(forms: Sequence[Node], first: int, length: int, fewest: int = FEWEST_TURNS) -> _Run | None:
    """As many groups of one shape as follow one another, if they are enough."""
    shape = [skeleton(form) for form in forms[first : first + length]]
    times = 1
    while [skeleton(form) for form in forms[first + times * length : first + (times + 1) * length]] == shape:
        times += 1
    return _Run(first, length, times) if times >= fewest else None


def skeleton(form: Node) -> list[tuple[tuple[int, ...], str, object]]:
    """What stays the same of a form when its numbers change; definitions and sizes are like no other form."""
    if form.production in ("size", "def", "defn", "defn_value"):
        return [((), form.production, id(form))]
    return [(path, n.production, n.value if not isinstance(n.value, float) else None) for path, n in walk(form)]


def _as_loops(forms: Sequence[Node], run: _Run, counter: str) -> Iterator[tuple[int, Node]]:
    """As much of the run's beginning as goes on evenly as a loop of steps, and all of it as one of turns: how many."""
    groups = [list(forms[run.first + k * run.length : run.first + (k + 1) * run.length]) for k in range(run.times)]
    longest: tuple[int, Node] | None = None
    for times in range(FEWEST_TURNS, run.times + 1):
        body = [stepped([group[i] for group in groups[:times]], counter) for i in range(run.length)]
        if None in body:
            break
        longest = times, dotimes(counter, times, [form for form in body if form is not None])
    if longest:
        yield longest
    if turned := _turned(groups, counter):
        yield run.times, turned


def dotimes(counter: str, times: int, body: Sequence[Node]) -> Node:
    """A loop of so many turns."""
    return Node("dotimes", (Node("counter", (Node("binder", (), counter), _literal(times))), *body))


def stepped(forms: Sequence[Node], counter: str) -> Node | None:
    """The form that all of these are, with steps of the counter for the numbers that go on evenly; None if any jump."""
    form = forms[0]
    for path, node in list(walk(form)):
        if not isinstance(node.value, float):
            continue
        values = np.array([float(at(other, path).value or 0) for other in forms])
        if np.ptp(values) <= 2 * EVEN:
            form = form if np.ptp(values) <= EVEN else replace(form, path, _literal(_short(float(values.mean()), 2)))
            continue
        steps = np.arange(len(values))
        ends = (float(values[0]), float(values[-1] - values[0]) / (len(values) - 1))
        start, step = map(_short, ends)
        if np.abs(start + step * steps - values).max() > EVEN:
            if np.ptp(values) <= TOLERANCE:
                form = replace(form, path, _literal(_short(float(values.mean()), 2)))
                continue
            slope, first = np.polyfit(steps, values, 1)
            start, step = _short(float(first), 2), _short(float(slope))
        if np.abs(start + step * steps - values).max() > TOLERANCE or node.production != "literal":
            return None
        form = replace(form, path, _progress(start, step, counter))
    return form


def _progress(start: float, step: float, counter: str) -> Node:
    """start + counter * step, as a person writes it."""
    size = _reference(counter) if abs(step) == 1 else Node("multiply", (_reference(counter), _literal(abs(step))))
    if step < 0:
        return Node("negate", (size,)) if start == 0 else Node("subtract", (_literal(start), size))
    return size if start == 0 else Node("add", (_literal(start), size))


def _turned(groups: Sequence[Sequence[Node]], counter: str) -> Node | None:
    """Copies turned around one middle, all the way around, as a loop of rotations; None if they are not that."""
    if not all(_is_flat(form) for group in groups for form in group):
        return None
    points = np.array([[p for form in group for p in _coordinates(form)] for group in groups])  # (times, n, 2)
    middle = np.array([_short(value, 1) for value in points.mean(axis=(0, 1))])
    if len(groups[0]) == 1:
        points = _around(points, middle, groups[0][0].production in ("triangle", "quad", "polygon"))
    turn = 2 * math.pi / len(groups)
    for way in (1, -1):
        angles = np.array([way * turn * k for k in range(len(groups))])
        if np.abs(_rotated(points[0] - middle, angles) + middle - points).max() <= 2 * TOLERANCE:
            break
    else:
        return None
    # What is turned is the mean of all copies.
    back = [_rotated(copy - middle, -angle[None])[0] for copy, angle in zip(points, angles, strict=True)]
    mean = np.mean(back, axis=0) if np.abs(back - back[0]).max() > EVEN else back[0]
    angle = Node("divide", (Node("constant", (), "TWO-PI"), _literal(len(groups))))
    swing = Node("multiply", (_reference(counter), angle))
    places = iter(mean.tolist())
    body = [_placed(form, [next(places) for _ in _coordinates(form)]) for form in groups[0]]
    inner = Node("with_rotation", (swing if way == 1 else Node("negate", (swing,)), *body))
    center = Node("point", tuple(map(_literal, map(float, middle))))
    return Node("with_translation", (center, dotimes(counter, len(groups), [inner])))


def _rotated(points: npt.NDArray[np.float64], angles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Points (n, 2) turned around the origin by each angle: (angles, n, 2)."""
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    x, y = points.T
    return np.asarray(np.stack([cos * x - sin * y, sin * x + cos * y], axis=2))


def _around(points: npt.NDArray[np.float64], middle: npt.NDArray[np.float64], closed: bool) -> npt.NDArray[np.float64]:
    """Copies (times, n, 2) in the order in which they go around a middle; closed ones begin at the same corner."""
    center = points.mean(axis=1) - middle
    angles = np.arctan2(center[:, 1], center[:, 0])
    order = np.argsort((angles - angles[0] + 1e-3) % (2 * math.pi), kind="stable")
    points, angles = points[order], angles[order] - angles[0]
    if not closed:
        return points
    there = _rotated(points[0] - middle, angles) + middle
    shifted = np.stack([np.roll(points, k, axis=1) for k in range(points.shape[1])])  # (n, times, n, 2)
    best = np.abs(shifted - there).max(axis=(2, 3)).argmin(axis=0)
    return np.asarray(shifted[best, np.arange(len(points))])


def _placed(form: Node, points: Sequence[tuple[float, float]]) -> Node:
    """A form of nothing but points with these in their place."""
    paths = [path for path, node in walk(form) if node.production == "point"]
    for path, point in zip(paths, points, strict=True):
        for axis in (0, 1):
            form = replace(form, (*path, axis), _literal(_short(point[axis], 2)))
    return form


def _is_flat(form: Node) -> bool:
    """Whether a form is nothing but points, so that it can be turned."""
    if form.production not in ("line", "triangle", "quad", "polygon", "polyline", "bezier", "curve", "dot"):
        return False
    return all(node.production not in ("reference", *arithmetic.OPERATIONS) for _, node in walk(form))


def _coordinates(form: Node) -> list[tuple[float, float]]:
    points = [node for _, node in walk(form) if node.production == "point"]
    return [(float(a.value or 0), float(b.value or 0)) for a, b in (point.children for point in points)]


def _short(value: float, digits: int = 3) -> float:
    """The shortest decimal within a fifth of the tolerance."""
    for places in range(digits + 1):
        if abs(round(value, places) - value) <= EVEN / 50:
            return round(value, places) + 0.0
    return round(value, digits) + 0.0


def _literal(value: float) -> Node:
    return Node("literal", (), round(float(value), 4) + 0.0)


def _reference(name: str) -> Node:
    return Node("reference", (), name)
