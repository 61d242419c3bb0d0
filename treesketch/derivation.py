"""Trees <-> decisions: a tree written hole by hole, and the decisions that would write a given tree.

A vocabulary and choices in, trees out; or trees in, decisions with their answers out. Holes are filled in pre-order;
one with a single legal action is filled without asking. Masks and costs are those of `actions`, which says what they
promise.
"""

import math
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from treesketch import arithmetic, tree
from treesketch.actions import (
    FUNCTION,
    IMPOSSIBLE,
    MAX_BUDGET,
    MAX_CHAIN,
    MAX_COPIES,
    MAX_NAMES,
    MAX_PARAMETERS,
    MAX_REPEATS,
    MAX_STEPS,
    PLACE_STEP,
    PLACES,
    RANGES,
    HoleType,
    Vocabulary,
    count_turns,
    place_of,
    point_of,
)
from treesketch.check import DEFINITIONS
from treesketch.language import Language, Slot
from treesketch.layers import color_node, pair
from treesketch.syntax import match_slots
from treesketch.tree import Node, Path

_UNBOUNDED = IMPOSSIBLE - 1  # the budget of a tree that exists already

Point = tuple[float, float]  # canvas units


@dataclass(frozen=True, slots=True)
class Choice:
    """An action and, for a located one, a place (row * PLACES + column); color is what a colour's place should show."""

    action: int
    place: int = -1
    color: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """One hole that has more than one legal action.

    role and hole index `Vocabulary.roles` and `Vocabulary.holes`; legal is a bool mask over the actions (A,). parent is
    the number of the decision that opened this hole and sibling that of the one before it under the same parent, -1
    where there is none; position counts the siblings before it. path is where the node goes: its index among the nodes
    being written, then child indices; at the end of a list, where one more would go. answer is the choice of the tree
    being encoded.
    """

    role: int
    hole: int
    legal: npt.NDArray[np.bool_]
    parent: int
    sibling: int
    position: int
    path: Path
    answer: Choice | None = None

    @property
    def is_end(self) -> bool:
        """Whether the answer is the end of a list, so that no node stands here."""
        return self.answer is not None and self.answer.action == 0


class UnencodableError(ValueError):
    """A tree uses what the actions cannot express (a loop of more turns, a deeper tree)."""


class _Name(NamedTuple):
    """A name in scope: what it is called here and in the targets, and its value where it is known."""

    name: str
    alias: str
    value: float


class _Function(NamedTuple):
    """A function that may be called: its names as those of `_Name`, how it is defined, what a call of it spends.

    steps is an upper bound of what its body takes; chain, how many functions wait for one another, this one included.
    """

    name: str
    alias: str
    definition: str
    arity: int
    steps: int
    chain: int


class _Kept(NamedTuple):
    """A part of an edited node that may be a part of what replaces it."""

    node: Node
    size: int
    levels: int


_Writer = Generator[Decision, Choice, Node | None]


class Derivation:
    """A tree (or the next items of a list) being written, one decision after another.

    `decision` is the hole to decide next, None when all is written; `choose` fills it. Finished items of the outermost
    list stand in `nodes`. colors is a (PLACES, PLACES, 3) array of 0..255 that colour places are read from, black if
    None. With `targets`, each decision carries the answer that writes these nodes (teacher forcing), whatever the
    budget. context holds the decisions of earlier items of the same list; numbering goes on behind them. before holds
    the forms that stand in front of what is written: what they define is not defined again.
    For an edit, old is the node that is replaced: it and its children may be kept, each once. copies says where the
    targets keep them: path -> 0 for the old node, k for its k-th child. levels is how deep what is written may be.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        budget: int,
        slot: Slot | None = None,
        role: str = "start",
        colors: npt.NDArray[np.integer] | None = None,
        targets: Sequence[Node] | None = None,
        context: Sequence[Decision] = (),
        before: Iterable[Node] = (),
        old: Node | None = None,
        copies: Mapping[Path, int] | None = None,
        levels: int | None = None,
    ):
        slot = slot or Slot(vocabulary.language.start)
        least = slot.least * vocabulary.minimum[slot.kind]
        if not least <= budget <= MAX_BUDGET:
            raise ValueError(f"the node budget is {budget}; for {slot.kind} it goes from {least} to {MAX_BUDGET}")
        self.vocabulary = vocabulary
        self.nodes: list[Node] = []
        self.decisions = len(context)
        self._colors = colors
        self._teaching = targets is not None
        self._free = (_UNBOUNDED if self._teaching else budget) - least  # nodes that no open hole needs
        self._names: list[_Name] = []
        self._unbound = 0  # binders that are written and not yet in scope
        self._taken = {str(form.children[0].value) for form in before if form.production in DEFINITIONS}
        self._functions: list[_Function] = []
        self._arity = 0  # of the function that is called
        self._definition = ""  # of which kind it must be
        self._purse = MAX_STEPS - (0 if self._teaching else MAX_REPEATS * budget)  # steps left for functions' bodies
        self._numbers: tuple[float, ...] = ()  # of the range that is written
        self._repeats = 1
        self._origin = (0.0, 0.0)  # of the enclosing translations, canvas units
        self._anchor = (0.0, 0.0)  # the point that an extent or diameters belongs to, canvas units
        self._last: dict[int, tuple[int, int]] = {}  # parent decision -> (its latest child, how many)
        for number, decision in enumerate(context):
            if decision.parent < 0:
                self._last[-1] = (number, decision.position + 1)
        self._copies = copies or {}
        self._kept = {action: part for action, part in zip(vocabulary.copies, _parts(old), strict=False) if part}
        levels = vocabulary.levels if levels is None else levels
        self._writer = self._fill_slot(slot, role, -1, levels, targets or (), self.nodes, (0,))
        self.decision: Decision | None = None
        self._advance(None)

    def choose(self, choice: Choice) -> None:
        """Fill the hole. An illegal choice is our mistake, not a user's."""
        assert self.decision is not None and self.decision.legal[choice.action], "illegal action"
        self._advance(choice)

    def _advance(self, choice: Choice | None) -> None:
        try:
            self.decision = next(self._writer) if choice is None else self._writer.send(choice)
        except StopIteration:
            self.decision = None

    def _fill_slot(
        self, slot: Slot, role: str, parent: int, levels: int, targets: Sequence[Node], into: list[Node], first: Path
    ) -> Generator[Decision, Choice, None]:
        """Write a slot's children into a list; targets are the children that it should get when teaching.

        first is where the first one goes.
        """
        taken = 0
        while slot.repeats or taken < slot.least:
            needed, full = max(slot.least - taken, 0), taken == slot.most
            hole = HoleType(slot.kind, True, needed, full) if slot.repeats else HoleType(slot.kind)
            target = targets[taken] if taken < len(targets) else None
            node = yield from self._fill_hole(hole, role, parent, levels, target, (*first[:-1], first[-1] + taken))
            if node is None:
                return
            into.append(node)
            taken += 1

    def _fill_hole(
        self, hole: HoleType, role: str, parent: int, levels: int, target: Node | None, path: Path
    ) -> _Writer:
        """Write what a hole gets; None is the end of a list."""
        vocabulary = self.vocabulary
        if not hole.listing and (name := vocabulary.only_name(hole.kind)):
            return self._write_name(name)
        index = vocabulary.hole_index[hole]
        slack = self._free + vocabulary.least(hole)
        legal = self._legal(index, slack, levels)
        if self._functions and vocabulary.may_call[index]:
            legal = legal.copy()
            self._forbid_calls(hole.kind, index, slack, legal)
        if role in vocabulary.counting:
            legal = legal & (self._repeats * vocabulary.turns(role, self._numbers) <= MAX_REPEATS)
        if self._kept:
            legal = legal.copy()
            self._allow_kept(hole, slack, levels, path, legal)
        answer = self._answer(hole, target, path) if self._teaching else None
        if answer is not None and not legal[answer.action]:
            raise UnencodableError(f"{vocabulary.actions[answer.action]} is not legal at {hole}")
        options = legal.nonzero()[0]
        assert len(options), f"no legal action at {hole}"
        number = parent
        if len(options) == 1 and not vocabulary.is_located[options[0]]:
            choice = Choice(int(options[0]))
        else:
            number = self.decisions
            self.decisions += 1
            sibling, position = self._last.get(parent, (-1, 0))
            self._last[parent] = (number, position + 1)
            choice = yield Decision(vocabulary.role_index[role], index, legal, parent, sibling, position, path, answer)
        if choice.action in self._kept:
            part = self._kept.pop(choice.action)
            self._free = slack - part.size - vocabulary.owed(hole)
            return part.node
        self._free = slack - int(vocabulary.cost[index, choice.action])
        what, value = vocabulary.meanings[choice.action]
        if what == "production":
            return (yield from self._write_production(value, number, levels, target, path))
        return self._write_leaf(hole.kind, choice)

    def _legal(self, index: int, slack: int, levels: int) -> npt.NDArray[np.bool_]:
        """The actions (A,) that a hole may get with this many nodes and levels left, calls of functions included."""
        offered = min(len(self._names), MAX_NAMES)
        return self.vocabulary.legal(index, slack, levels, offered, bool(self._functions))

    def _forbid_calls(self, kind: str, index: int, slack: int, legal: npt.NDArray[np.bool_]) -> None:
        """Take from the legal actions the calls of functions that are not there or cost more than is left."""
        vocabulary = self.vocabulary
        for action, definition in vocabulary.called:
            if legal[action]:
                spare = slack - int(vocabulary.cost[index, action])
                legal[action] = any(self._can_call(each, definition, spare) for each in self._functions[-MAX_NAMES:])
        if kind == "callee":
            for k in range(MAX_NAMES):
                known = k < len(self._functions)
                legal[vocabulary.callee_start + k] = known and self._can_call(
                    self._functions[-1 - k], self._definition, self._free
                )

    def _can_call(self, function: _Function, definition: str, spare: int) -> bool:
        """Whether a function may be called where so many nodes are left for its arguments."""
        return (
            function.definition == definition
            and function.arity <= spare
            and function.chain < MAX_CHAIN
            and function.steps * self._repeats <= self._purse
        )

    def _allow_kept(self, hole: HoleType, slack: int, levels: int, path: Path, legal: npt.NDArray[np.bool_]) -> None:
        """Add to the legal actions those that keep a part of the old node here; all of it alone would be no edit."""
        vocabulary = self.vocabulary
        owed = vocabulary.owed(hole)
        for action, part in self._kept.items():
            fits = part.size + owed <= slack and part.levels <= levels and not hole.full
            takes = part.node.production in vocabulary.language.kinds[hole.kind]
            legal[action] = fits and takes and (len(path) > 1 or action != vocabulary.copies[0])

    def _write_leaf(self, kind: str, choice: Choice) -> Node | None:
        """The leaf or the literals that a choice stands for; None for the end of a list."""
        what, value = self.vocabulary.meanings[choice.action]
        if what == "end":
            return None
        if what == "reference":
            return Node("reference", (), self._names[-1 - int(value)].name)
        if what == "callee":
            function = self._functions[-1 - int(value)]
            self._arity = function.arity
            self._free -= function.arity
            self._purse -= function.steps * self._repeats
            return Node("callee", (), function.name)
        if what == "constant":
            language = self.vocabulary.language
            leaf = next(name for name in language.kinds[kind] if language.productions[name].terminal == "CONSTANT")
            return Node(leaf, (), value)
        if what == "name":
            return self._write_name(value)
        if what == "locate":
            if value == "color":
                return color_node(choice.color or self._color_at(choice.place))
            return _situate(value, choice.place, self._origin, self._anchor)
        return self.vocabulary.numbers[kind][self.vocabulary.actions[choice.action]]

    def _write_name(self, production: str) -> Node:
        """A leaf with the canonical name for one more in scope."""
        names = self.vocabulary.names[production]
        if production == "function" and self.vocabulary.calls:
            name = next(name for k in count(1) if (name := f"{FUNCTION}{k}") not in self._taken)
            self._taken.add(name)
            return Node(production, (), name)
        letter = name = names[(len(self._names) + self._unbound) % len(names)]
        self._unbound += production == "binder"
        while name in self._taken:
            name += letter
        return Node(production, (), name)

    def _write_production(
        self, name: str, number: int, levels: int, target: Node | None, path: Path
    ) -> Generator[Decision, Choice, Node]:
        slots = self.vocabulary.language.productions[name].slots
        scope, repeats, origin, purse = len(self._names), self._repeats, self._origin, self._purse
        self._definition = self.vocabulary.calls.get(name, "")
        dealt = _deal(target, self.vocabulary.language) if target is not None else [()] * len(slots)
        written: list[list[Node]] = [[] for _ in slots]
        for i in self.vocabulary.order[name]:
            before = sum(max(len(written[k]), slots[k].least) for k in range(i))
            role, first = f"{name}.{i}", (*path, before)
            if name in RANGES:
                self._numbers = tuple(float(done.value or 0) for done in chain(*written[:i]))
            slot = self._limit(name, slots[i], i)
            yield from self._fill_slot(slot, role, number, levels - 1, dealt[i], written[i], first)
            for child in written[i]:
                self._measure_from(name, child)
        del self._names[scope:]
        self._repeats, self._origin = repeats, origin
        node = Node(name, tuple(child for children in written for child in children))
        self._numbers = ()
        self._bind(node, target or node)
        if name in self.vocabulary.calls.values():
            self._purse = purse  # a body is paid for where it is called
            self._define(node, target or node)
        return node

    def _limit(self, name: str, slot: Slot, number: int) -> Slot:
        """A production's slot with the bounds that it has here and no grammar says."""
        if name in self.vocabulary.calls and number == 1:
            return Slot(slot.kind, self._arity, self._arity)
        if self.vocabulary.has_limit(name, slot):
            return Slot(slot.kind, slot.least, MAX_PARAMETERS if name == "parameters" else MAX_REPEATS // self._repeats)
        return slot

    def _define(self, node: Node, target: Node) -> None:
        """Make a finished function known to what is behind it."""
        function, parameters, *body = node.children
        called = [each for form in body for _, part in tree.walk(form) for each in self._called_by(part)]
        self._functions.append(
            _Function(
                str(function.value),
                str(target.children[0].value),
                node.production,
                len(parameters.children),
                sum(map(self._steps_of, body)),
                1 + max((each.chain for each in called), default=0),
            )
        )

    def _called_by(self, node: Node) -> Iterator[_Function]:
        """The function that a node calls, if it is the name of one."""
        return (each for each in self._functions if node.production == "callee" and each.name == node.value)

    def _steps_of(self, node: Node) -> int:
        """An upper bound of the steps that the evaluation of a node takes."""
        steps, turns = 1 + sum(each.steps for each in self._called_by(node)), 1
        for child in node.children:
            steps += turns * self._steps_of(child)
            if child.production in ("counter", "each"):
                turns = self._turns_of(child)
                steps += turns
        return steps

    def _turns_of(self, loop: Node) -> int:
        """How often a loop turns, by its counter or the sequence that it goes through."""
        if loop.production == "counter":
            return count_turns("counter", [self._evaluate(loop.children[-1])])
        sequence = loop.children[-1]
        if sequence.production == "vector":
            return len(sequence.children)
        return count_turns(sequence.production, [self._evaluate(child) for child in sequence.children])

    def _measure_from(self, parent: str, child: Node) -> None:
        """What a finished point changes for its later siblings: where they are measured from."""
        if child.production != "point" or "point" not in self.vocabulary.located:
            return
        x, y = (_usable(self._evaluate(coordinate)) for coordinate in child.children)
        here = (_usable(self._origin[0] + x), _usable(self._origin[1] + y))
        if parent == "with_translation":
            self._origin = here
        else:
            self._anchor = here

    def _bind(self, node: Node, target: Node) -> None:
        """Bring the names of a finished node's binders into scope, for the later siblings of the node."""
        for child, wanted in zip(node.children, target.children, strict=True):
            if child.production == "binder":
                self._unbound -= 1
                value = self._evaluate(node.children[-1])
                if node.production in ("counter", "each"):  # the loop's first turn
                    self._repeats = min(self._repeats * max(self._turns_of(node), 1), MAX_REPEATS)
                    value = self._first_of(node)
                self._names.append(_Name(str(child.value), str(wanted.value), value))

    def _first_of(self, loop: Node) -> float:
        """The name's value in a loop's first turn; 0 where there is none."""
        first = loop.children[-1].children[:1]
        if loop.production == "counter" or loop.children[-1].production == "range" or not first:
            return 0.0
        return self._evaluate(first[0])

    def _evaluate(self, node: Node) -> float:
        """A number's value where it is known, else 0; counters are taken in their first turn."""
        if isinstance(node.value, float):
            return node.value
        if node.production == "reference":
            return next((name.value for name in reversed(self._names) if name.name == node.value), 0.0)
        if node.production == "constant":
            return arithmetic.CONSTANTS.get(str(node.value), 0.0)
        operation = arithmetic.OPERATIONS.get(node.production)
        if operation is None or not node.children or any(child.production == "point" for child in node.children):
            return 0.0
        return operation(*map(self._evaluate, node.children))

    def _color_at(self, place: int) -> tuple[int, int, int]:
        if self._colors is None:
            return (0, 0, 0)
        red, green, blue = self._colors[divmod(place, PLACES)]
        return int(red), int(green), int(blue)

    def _answer(self, hole: HoleType, target: Node | None, path: Path) -> Choice:
        """The choice that writes a target node here; numbers go to the nearest value of their table."""
        vocabulary = self.vocabulary
        if target is not None and path in self._copies:
            return Choice(vocabulary.copies[self._copies[path]])
        if target is None:
            return Choice(vocabulary.action_index["end"])
        if hole.kind in vocabulary.located and not hole.listing and (place := self._point_at(hole.kind, target)):
            return place
        production = vocabulary.language.productions.get(target.production)
        if production is None:
            raise UnencodableError(f"grammar '{vocabulary.language.name}' has no '{target.production}'")
        if isinstance(target.value, float):
            return Choice(vocabulary.action_index[self._nearest(hole.kind, target.value)])
        if production.terminal is None:
            action = f"production:{production.name}"
        elif production.name in ("reference", "callee"):
            known: Sequence[_Name | _Function] = self._names if production.name == "reference" else self._functions
            aliases = [each.alias for each in reversed(known)]
            nearest = str(aliases.index(str(target.value))) if target.value in aliases else "none"
            action = f"{production.name}:{nearest}"
        elif production.terminal == "CONSTANT":
            action = f"constant:{target.value}"
        else:
            action = f"name:{production.name}"
        if action not in vocabulary.action_index:
            raise UnencodableError(f"'{target.value}' is not among the nearest {MAX_NAMES} names or the constants")
        return Choice(vocabulary.action_index[action])

    def _point_at(self, kind: str, target: Node) -> Choice | None:
        """The located choice for a node of literals; None where it takes more than that to write it."""
        action = self.vocabulary.action_index[f"locate:{kind}"]
        if kind != "color":
            place = _locate(kind, target, self._origin, self._anchor)
            return None if place is None else Choice(action, place)
        channels = _literals(target) if target.production in ("gray", "rgb") else []
        if not channels:
            return None
        red, green, blue = (int(min(max(channel, 0.0), 255.0)) for channel in (channels * 3)[:3])
        return Choice(action, 0, (red, green, blue))

    def _nearest(self, kind: str, wanted: float) -> str:
        """The action of the number nearest to a wanted one; what says how often a loop turns must be there itself."""
        leaves = self.vocabulary.numbers[kind]
        action = min(leaves, key=lambda action: abs(float(leaves[action].value or 0) - wanted))
        if self.vocabulary.is_counted(kind) and leaves[action].value != wanted:
            raise UnencodableError(f"a loop's {kind} of {wanted:g} is not among the actions")
        return action


def encode(
    vocabulary: Vocabulary,
    nodes: Sequence[Node],
    slot: Slot | None = None,
    role: str = "start",
    old: Node | None = None,
    copies: Mapping[Path, int] | None = None,
) -> list[Decision]:
    """The decisions that write the nodes into a slot (default: one start symbol), each with its answer.

    Names become canonical and numbers go to their tables; there may be any number of nodes. old and copies are those of
    `Derivation`. Raises UnencodableError where the actions cannot express a node.
    """
    derivation = Derivation(vocabulary, MAX_BUDGET, slot, role, targets=nodes, old=old, copies=copies)
    decisions: list[Decision] = []
    while derivation.decision is not None:
        decision = derivation.decision
        assert decision.answer is not None
        decisions.append(decision)
        derivation.choose(decision.answer)
    return decisions


def sample_tree(vocabulary: Vocabulary, budget: int, rng: np.random.Generator) -> Node:
    """A random tree of the whole language: each decision uniform among its legal actions.

    Raises ValueError for a budget that no program fits, or above MAX_BUDGET.
    """
    colors = rng.integers(0, 256, (PLACES, PLACES, 3))
    derivation = Derivation(vocabulary, budget, colors=colors)
    while derivation.decision is not None:
        options = derivation.decision.legal.nonzero()[0]
        action = int(options[rng.integers(len(options))])
        derivation.choose(Choice(action, int(rng.integers(PLACES**2)) if vocabulary.is_located[action] else -1))
    return derivation.nodes[0]


# Pointing


def _locate(kind: str, node: Node, origin: Point, anchor: Point) -> int | None:
    """The place that a point, extent or diameters node stands for, or None if it is not made of finite literals."""
    values = _literals(node)
    if node.production != kind or len(values) != 2 or not all(map(math.isfinite, values)):
        return None
    a, b = values
    if kind == "point":
        return place_of(a + origin[0], b + origin[1])
    half = 2.0 if kind == "diameters" else 1.0
    return place_of(anchor[0] + a / half, anchor[1] + b / half)


def _situate(kind: str, place: int, origin: Point, anchor: Point) -> Node:
    """The inverse of `_locate`. An extent that would vanish becomes half a step wide, so it still draws."""
    x, y = point_of(place)
    if kind == "point":
        return pair("point", x - origin[0], y - origin[1])
    half = 2.0 if kind == "diameters" else 1.0
    width, height = (x - anchor[0]) * half, (y - anchor[1]) * half
    if kind == "diameters":
        width, height = abs(width), abs(height)
    least = PLACE_STEP / 2
    return pair(kind, width if abs(width) >= least else least, height if abs(height) >= least else least)


def _literals(node: Node) -> list[float]:
    """The values of a node's children; none unless all of them are numbers."""
    values = [child.value for child in node.children if isinstance(child.value, float)]
    return values if len(values) == len(node.children) else []


def _usable(value: float) -> float:
    """A coordinate to measure from: what is not finite counts as 0, what is far off the canvas is cut."""
    return min(max(value, -4096.0), 4096.0) if math.isfinite(value) else 0.0


def _parts(old: Node | None) -> list[_Kept | None]:
    """The old node and its first children; None for those of one node, which are written as quickly as kept."""
    parts = [old, *old.children[:MAX_COPIES]] if old else []
    return [_Kept(part, tree.count(part), tree.height(part)) if part.children else None for part in parts]


def _deal(node: Node, language: Language) -> list[tuple[Node, ...]]:
    """A node's children, slot by slot."""
    return [children for part, children in match_slots(node, language) if isinstance(part, Slot)]
