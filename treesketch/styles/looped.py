"""The looped hand: what repeats as dotimes and doseq. A flat program in, one with loops and no functions out.

Long rows are looked for first, step by step, which is quick; short programs then get all that `simplify` knows of loops
(rows of rows, turns around a middle); last come lists: forms that differ in one number that goes on unevenly.
"""

from collections.abc import Iterator, Sequence

from treesketch.layers import literal
from treesketch.simplify import (
    COUNTERS,
    FEWEST_TURNS,
    LONGEST_GROUP,
    Accepts,
    dotimes,
    length,
    skeleton,
    stepped,
    with_loops,
)
from treesketch.styles.carry import value
from treesketch.styles.words import fresh
from treesketch.tree import Node, at, replace, walk

MOST_FORMS = 100  # of a program in which all sorts of loops are looked for
LONG_ROW = 12  # turns of a row that is taken at once
EQUAL = 0.002  # between numbers, in their units, that are taken for the same

Forms = tuple[Node, ...]


def with_repetition(tree: Node, accepts: Accepts) -> Node:
    """The program with loops for what repeats, as far as they are accepted; as it was where nothing does."""
    while True:
        fewest = LONG_ROW if len(tree.children) <= MOST_FORMS else FEWEST_TURNS
        longer = _accepted(tree, _rows(tree.children, fewest), accepts)
        if longer is None:
            break
        tree = longer
    if len(tree.children) <= MOST_FORMS:
        tree = with_loops(tree, accepts)
    while (longer := _accepted(tree, _lists(tree.children), accepts)) is not None:
        tree = longer
    return tree


Found = tuple[int, int, int, Node]  # nodes saved, the first form, how many forms, what stands for them


def _accepted(tree: Node, found: Iterator[Found], accepts: Accepts) -> Node | None:
    """The program with all loops that have room beside those that say more, or with the first that is accepted."""
    ranked = sorted((entry for entry in found if entry[0] > 0), key=lambda entry: (-entry[0], entry[1]))
    free = [True] * len(tree.children)
    together: list[Found] = []
    for entry in ranked:
        if all(free[entry[1] : entry[1] + entry[2]]):
            free[entry[1] : entry[1] + entry[2]] = [False] * entry[2]
            together.append(entry)
    for some in [together, *([entry] for entry in ranked)] if ranked else []:
        forms = list(tree.children)
        for _, first, covered, loop in sorted(some, key=lambda entry: -entry[1]):
            forms[first : first + covered] = [loop]
        candidate = Node("program", tuple(forms))
        if accepts(candidate, tree):
            return candidate
    return None


class _Row:
    """Forms in a row: what kind each is, forms that differ in numbers alone being of one, and its numbers."""

    def __init__(self, forms: Forms):
        self.forms = forms
        looks: dict[object, int] = {}
        self.kinds = [looks.setdefault(tuple(skeleton(form)), len(looks)) for form in forms]
        self.values = [[n.value for _, n in walk(form) if isinstance(n.value, float)] for form in forms]


class _Groups:
    """Forms that come again in groups of one length: where, how often, and their numbers."""

    def __init__(self, row: _Row, size: int):
        self.size, self.values = size, row.values
        forms, kinds = row.forms, row.kinds
        self.alike = [0] * (len(forms) + 1)  # how many forms from here on look like those one group further
        for i in reversed(range(len(forms) - size)):
            self.alike[i] = self.alike[i + 1] + 1 if kinds[i] == kinds[i + size] else 0

    def times(self, first: int) -> int:
        """How many groups from a form on look alike."""
        return 1 + self.alike[first] // self.size

    def numbers(self, first: int, turn: int) -> list[float]:
        """The numbers of the group that is so many turns behind a form."""
        start = first + turn * self.size
        return [number for form in self.values[start : start + self.size] for number in form]


def _rows(forms: Forms, fewest: int) -> Iterator[Found]:
    """Loops for groups whose numbers go on by equal steps."""
    row = _Row(forms)
    for size in range(1, LONGEST_GROUP + 1):
        groups = _Groups(row, size)
        first = 0
        while first + fewest * size <= len(forms):
            times = _even(groups, first)
            if times >= fewest:
                taken = {str(n.value) for form in forms[first : first + size] for _, n in walk(form)}
                counter = next(name for name in COUNTERS if name not in taken)
                turns = [forms[first + i : first + times * size : size] for i in range(size)]
                body = [stepped(turn, counter) for turn in turns]
                if None not in body:
                    loop = dotimes(counter, times, [form for form in body if form is not None])
                    yield _saved(forms[first : first + times * size], loop), first, times * size, loop
            first += max(1, (times - 1) * size)


def _even(groups: _Groups, first: int) -> int:
    """How many groups from a form on go by the step that the first two take."""
    most = groups.times(first)
    if most < FEWEST_TURNS:
        return 1
    start = groups.numbers(first, 0)
    steps = [b - a for a, b in zip(start, groups.numbers(first, 1), strict=True)]
    times = 2
    while times < most:
        there = groups.numbers(first, times)
        if any(abs(a + times * step - b) > EQUAL for a, step, b in zip(start, steps, there, strict=True)):
            break
        times += 1
    return times


def _lists(forms: Forms) -> Iterator[Found]:
    """Loops over a list, for groups that differ in one number; the same number may stand in several places, moved."""
    row = _Row(forms)
    for size in range(1, LONGEST_GROUP + 1):
        groups = _Groups(row, size)
        first = 0
        while first + 2 * size <= len(forms):
            values, slots = _one_number(groups, first)
            if len(values) > 1:
                group = forms[first : first + size]
                loop = _doseq(group, values, slots)
                covered = len(values) * size
                yield _saved(forms[first : first + covered], loop), first, covered, loop
            first += max(1, (len(values) - 1) * size)


def _one_number(groups: _Groups, first: int) -> tuple[list[float], set[int]]:
    """The values of the one number in which groups from a form on differ, and where in the first group it stands."""
    start = groups.numbers(first, 0)
    values: list[float] = []
    slots: set[int] = set()
    for turn in range(1, groups.times(first)):
        steps = [b - a for a, b in zip(start, groups.numbers(first, turn), strict=True)]
        slots = slots or {i for i, step in enumerate(steps) if abs(step) > EQUAL}
        if not slots:
            break  # drawn twice at one place: nothing to list
        step = steps[min(slots)]
        if any(abs(by - (step if i in slots else 0.0)) > EQUAL for i, by in enumerate(steps)):
            break
        values = values or [start[min(slots)]]
        values.append(round(start[min(slots)] + step, 9))
    return values, slots


def _doseq(group: Forms, values: Sequence[float], slots: set[int]) -> Node:
    """The group once for each value; the slots are the numbers of the group, counted through, that follow it."""
    taken = {str(n.value) for form in group for _, n in walk(form)}
    base: float | None = None
    name = ""
    body = []
    count = 0
    for form in group:
        for path, node in list(walk(form)):
            if not isinstance(node.value, float):
                continue
            if count in slots:
                if base is None:
                    base, name = value(node), fresh(_word(form, path), taken)
                form = replace(form, path, _offset(name, value(node) - base))
            count += 1
        body.append(form)
    listed = Node("vector", tuple(map(literal, values)))
    return Node("doseq", (Node("each", (Node("binder", (), name), listed)), *body))


def _offset(name: str, by: float) -> Node:
    """A name's number and so much more, as a person writes it."""
    by = round(by, 9)
    reference = Node("reference", (), name)
    if not by:
        return reference
    return Node("add" if by > 0 else "subtract", (reference, literal(abs(by))))


def _word(form: Node, path: tuple[int, ...]) -> str:
    """What a number at a place of a form is called in a list."""
    parent = at(form, path[:-1])
    match parent.production:
        case "point":
            return "xy"[path[-1]]
        case "extent" | "diameters":
            return "side"
        case "gray" | "gray_alpha" | "rgb" | "rgb_alpha":
            return "shade"
        case "stroke_weight":
            return "pen"
    return "n"


def _saved(forms: Forms, loop: Node) -> int:
    return sum(map(length, forms)) - length(loop)
