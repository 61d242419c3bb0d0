"""What a decoder may do at each hole, for any grammar file. A language in, actions and their costs out.

A tree is written in pre-order, one decision a hole: a production, a leaf's value, a place in the picture (for a point,
an extent, a colour), or the end of a list. The legal mask keeps the promise that any choices whatever give a tree that
parses, checks, ends and draws within a node budget:

- every action has a cost, the least number of nodes that it commits to; an action is legal when the budget left beyond
  the least that all open holes need covers what it costs beyond this hole's least. If the root fits, the cheapest
  action of every hole fits, so there is no dead end (induction over the holes);
- an action is legal only if the levels left hold it with its holes filled in the cheapest way, so the cheapest action
  of every hole stays legal in depth too;
- a name is offered only where it is in scope, and a divisor is never a literal zero;
- how often a loop turns is settled by numbers of TABLES (`counting`) or by the length of a vector, so it is known while
  the loop is written. Nested loops never turn more than MAX_REPEATS times, multiplied: outside of functions a program
  of a budget of B nodes takes at most B * MAX_REPEATS steps (a step evaluates a node), and as many turns;
- a function may be called only behind its end, so nothing calls itself. Then its arity is known, whether it gives a
  number, and how many steps its body takes at most: those of its nodes and turns, times the turns around each, and of
  the functions that it calls. A call needs nodes for its arguments and, from what B * MAX_REPEATS leaves of MAX_STEPS,
  the body's steps times the turns around the call; what is called in a definition is paid for when that is called. A
  call is never the cheapest action of a hole, so there is no dead end where no call is left;
- where a node of a program is edited, it or a child of it may be kept as a part of what replaces it (`copy`), which
  costs the nodes that it has.

So a program takes at most MAX_STEPS steps, and MAX_STEPS turns beside them: far less than the interpreter's fuel. A
shape takes four steps or more (a dot), and a third of a step for each of its points or more (an arc), so there are at
most 25,000 shapes and 300,000 points, which are within the interpreter's limits too.

Of a grammar's own words only these mean something here, and only where the grammar has them in the form of
`sketch.lark`: `reference` and `binder` (names), `counter` (a loop's name and count), `each` with the sequences of
LOOP_FORMS, the functions of FUNCTION_FORMS, the kinds of TABLES, and those of LOCATED with `with_translation`, which
moves what places are measured from. Kinds of MEASURED are decided behind the place that they are measured from. Loops
and functions of another form are never written, nor is what needs them.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import numpy as np
import numpy.typing as npt

from treesketch import arithmetic
from treesketch.errors import ConfigError
from treesketch.language import NUMERIC_TERMINALS, Language, Production, Slot, load_language
from treesketch.syntax import MAX_DEPTH as MAX_BRACKETS
from treesketch.syntax import format_number
from treesketch.tree import Node

MAX_BUDGET = 1536  # nodes
MAX_DEPTH = 24  # of the tree, in nodes
MAX_REPEATS = 64  # turns of nested loops, multiplied
MAX_STEPS = 100_000  # that a program takes: four for each shape that the interpreter allows
MAX_CHAIN = 16  # functions that wait for one another
MAX_PARAMETERS = 8  # of a function
MAX_NAMES = 8  # names that may be referred to, and functions that may be called: the nearest ones
MAX_COPIES = 6  # children of an edited node that may be kept: the first ones
NAMES = "ijkabcdefghlmnopqrstuvwxyz"  # canonical names, by how many are in scope
FUNCTION = "f"  # canonical functions: f1, f2, ...
CALLS = {"call": "defn", "value_call": "defn_value"}  # what calls a function -> what defines one of its kind
RANGES = {"range": ("end",), "range_between": ("first", "end"), "range_by": ("first", "end", "stride")}
# Functions and loops over sequences as `sketch.lark` has them: productions with the kinds of their slots.
FUNCTION_FORMS = {
    "defn": ("function", "parameters", "step*"),
    "defn_value": ("function", "parameters", "value"),
    "parameters": ("binder*",),
    **dict.fromkeys(CALLS, ("callee", "number*")),
}
LOOP_FORMS = {"each": ("binder", "sequence"), "vector": ("number*",), **RANGES}

CANVAS = 128.0  # units of the square canvas that places refer to
PLACE_STEP = 4.0  # units between neighbouring places
PLACE_MARGIN = 16.0  # units of places beyond each side of the canvas
PLACES = int((CANVAS + 2 * PLACE_MARGIN) / PLACE_STEP) + 1  # along one side; PLACES ** 2 in all

IMPOSSIBLE = 1 << 20  # the cost of an action of the wrong type

# Values of number leaves, by the kind of their slot; kinds that are not listed take those of "number".
_SIZES = (*np.arange(0, 4, 0.5), *range(4, 32), *range(32, 64, 2), *range(64, 145, 4))
_NUMBERS = tuple(sorted({float(sign * size) + 0.0 for sign in (-1, 1) for size in _SIZES}))
TABLES: dict[str, tuple[float, ...]] = {
    "number": _NUMBERS,
    "divisor": tuple(value for value in _NUMBERS if value),
    "angle": tuple(round(k * math.pi / 24, 4) for k in (*range(-24, 48), *range(48, 73, 2))),
    "length": (0.5, 1.0, 1.5, *map(float, range(2, 17)), 18.0, 20.0, 24.0, 28.0, 32.0, 40.0, 48.0, 64.0),
    "channel": tuple(float(17 * k) for k in range(16)),
    "count": tuple(map(float, range(1, 17))),
    "stride": tuple(float(sign * size) for sign in (1, -1) for size in (0.5, *range(1, 13), 16, 20, 24, 32, 48)),
    "canvas_width": (32.0, 64.0, 96.0, 128.0),
    "canvas_height": (32.0, 64.0, 96.0, 128.0),
}
# Subtrees written by pointing: kind -> (productions of their literal forms with how many numbers, nodes at most).
LOCATED: dict[str, tuple[dict[str, int], int]] = {
    "point": ({"point": 2}, 3),
    "extent": ({"extent": 2}, 3),
    "diameters": ({"diameters": 2}, 3),
    "color": ({"gray": 1, "rgb": 3}, 4),
}
# Kinds of numbers that reach to the sides of a place; they are decided behind the place, which has kinds of its own.
MEASURED: dict[str, tuple[str, ...]] = {"width": ("x",), "height": ("y",), "radius": ("x", "y")}
_AS_PRINTED = (0.0, -16.0, 12.5, 0.1309, 1e-05, -1234.5678)  # a grammar with places must read numbers like these


@dataclass(frozen=True, slots=True)
class HoleType:
    """What a hole may take: one of a kind, or (listing) one more of a kind, `needed` of which are still owed."""

    kind: str
    listing: bool = False
    needed: int = 0
    full: bool = False  # the list has reached its most


class Vocabulary:
    """The actions, holes and roles of a language, by name, and the cost tables.

    cost and depth are (number of hole types, A) int32: the least nodes that an action commits to at a hole, and the
    levels of the tree that has just these; out of reach where the action is of the wrong type. fits and shallow are the
    masks that follow, (hole types, how much is left, A) bool. levels is how deep a tree may be. Programs can be edited
    if a subtree means the same wherever it stands (there are no names, no places) and no list stands where nothing is
    chosen; copies are the actions that keep the old node and its first children.
    Raises ConfigError for a grammar whose leaves have no actions, or whose programs are all too deep.
    """

    def __init__(self, language: Language):
        self.language = language
        self.calls = CALLS if self._has_functions() else {}
        self.has_loops = self._has_loops()
        self._unwritten = (() if self.calls else ("function", "callee")) + (() if self.has_loops else ("each",))
        self.minimum = _minimum_sizes(language, {"reference", "callee", *self._unwritten})
        self._depth = _cheapest_depths(language, self.minimum)
        if self.calls:  # what is called is there where a call may be written
            self.minimum["callee"] = self._depth["callee"] = 1
        self.levels = min(MAX_DEPTH, MAX_BRACKETS // max(map(_brackets, language.productions.values())))
        if self._depth[language.start] > self.levels:
            raise ConfigError(
                f"grammar '{language.name}': the shortest program is {self._depth[language.start]} levels deep; "
                f"at most {self.levels} are written"
            )
        self.located = frozenset(kind for kind in LOCATED if self._can_locate(kind))
        self.constants = [word for word in arithmetic.CONSTANTS if language.spells("CONSTANT", word)]
        self.names = {p.name: self._names(p) for p in language.productions.values() if self._is_name(p)}
        chosen = [name for name in self.names if self._is_chosen(name)]
        tables = sorted({kind if kind in TABLES else "number" for kind in language.kinds})
        self.actions = ["end"]
        self.actions += [f"production:{p.name}" for p in language.productions.values() if not p.terminal]
        self.actions += [f"locate:{kind}" for kind in LOCATED if kind in self.located]
        self.actions += [f"{table}:{value:g}" for table in tables for value in TABLES[table]]
        self.actions += [f"constant:{name}" for name in arithmetic.CONSTANTS]
        self.actions += [f"reference:{k}" for k in range(MAX_NAMES)]
        self.actions += [f"callee:{k}" for k in range(MAX_NAMES if self.calls else 0)]
        self.actions += [f"name:{name}" for name in chosen]
        self.order = {p.name: self._slot_order(p) for p in language.productions.values()}
        self.is_editable = not self.names and not self.located and not self._has_forced_lists()
        copies = [f"copy:{k}" for k in range(MAX_COPIES + 1)] if self.is_editable else []
        self.copies = range(len(self.actions), len(self.actions) + len(copies))
        self.actions += copies
        self.action_index = {name: i for i, name in enumerate(self.actions)}
        self.meanings = [(what, value) for what, _, value in (name.partition(":") for name in self.actions)]
        self.is_located = np.array([what == "locate" for what, _ in self.meanings])
        self.reference_start = self.action_index["reference:0"]
        self.callee_start = self.action_index.get("callee:0", -1)
        self.called = [(self.action_index[f"production:{call}"], definition) for call, definition in self.calls.items()]
        self.roles = ["start", *(f"{p.name}.{i}" for p in language.productions.values() for i in range(len(p.slots)))]
        self.role_index = {name: i for i, name in enumerate(self.roles)}
        self.holes = list(dict.fromkeys(self._all_holes()))
        self.hole_index = {hole: i for i, hole in enumerate(self.holes)}
        self.numbers = {kind: self._numbers(kind) for kind in language.kinds}
        self.counting = self._counting()
        self._counted = frozenset(self.counting.values()) | ({"first"} if self.has_loops else set())
        self.cost = np.full((len(self.holes), len(self.actions)), IMPOSSIBLE, np.int32)
        self.depth = self.cost.copy()
        for i, hole in enumerate(self.holes):
            self._fill_row(hole, self.cost[i], self.depth[i])
        self.fits, self.shallow = _thresholds(self.cost), _thresholds(self.depth)
        self.calling = [action for action, _ in self.called]
        self.calling += [action for action, (what, _) in enumerate(self.meanings) if what == "callee"]
        self.may_call = [bool((row < IMPOSSIBLE).any()) for row in self.cost[:, self.calling]]
        self._legal: dict[tuple[int, int, int, int, bool], npt.NDArray[np.bool_]] = {}
        self._turns: dict[tuple[str, tuple[float, ...]], npt.NDArray[np.int32]] = {}

    def legal(self, hole: int, slack: int, levels: int, names: int, calls: bool) -> npt.NDArray[np.bool_]:
        """The actions (A,) for which so many nodes and levels are left at a hole; not to be written to.

        names is how many may be referred to, calls whether there are functions that might be called.
        """
        nodes, height = min(slack, self.fits.shape[1] - 1), min(levels, self.shallow.shape[1] - 1)
        key = (hole, nodes, height, names, calls)
        found = self._legal.get(key)
        if found is None:
            found = self._legal[key] = self.fits[hole, nodes] & self.shallow[hole, height]
            found[self.reference_start + names : self.reference_start + MAX_NAMES] = False
            if not calls:
                found[self.calling] = False
            found.flags.writeable = False
        return found

    def least(self, hole: HoleType) -> int:
        """The least number of nodes that a hole needs."""
        minimum = self.minimum[hole.kind]
        return hole.needed * minimum if hole.listing else minimum

    def owed(self, hole: HoleType) -> int:
        """The least nodes that a list still needs behind this hole's own node."""
        return max(hole.needed - 1, 0) * self.minimum[hole.kind] if hole.listing else 0

    def only_name(self, kind: str) -> str | None:
        """The production of a kind that is nothing but a name, so that there is nothing to choose; else None."""
        options = self.language.kinds[kind]
        return options[0] if len(options) == 1 and options[0] in self.names else None

    def turns(self, role: str, before: tuple[float, ...]) -> npt.NDArray[np.int32]:
        """How often a loop turns (A,), by the action at a role of `counting`; before: its range's numbers so far."""
        if (role, before) not in self._turns:
            table = self._turns[role, before] = np.zeros(len(self.actions), np.int32)
            for action, leaf in self.numbers[self.counting[role]].items():
                table[self.action_index[action]] = count_turns(
                    role.partition(".")[0], (*before, float(leaf.value or 0))
                )
        return self._turns[role, before]

    def is_counted(self, kind: str) -> bool:
        """Whether a kind says how often a loop turns: a number only, so that what a program spends is known in time."""
        return kind in self._counted

    def _all_holes(self) -> Iterator[HoleType]:
        for kind in self.language.kinds:
            yield HoleType(kind)
            yield HoleType(kind, listing=True)
        for production in self.language.productions.values():
            for slot in production.slots:
                if slot.repeats:
                    yield from (HoleType(slot.kind, True, needed) for needed in range(1, slot.least + 1))
                    if slot.most is not None or self.has_limit(production.name, slot):
                        yield HoleType(slot.kind, True, 0, True)

    def _fill_row(self, hole: HoleType, cost: npt.NDArray[np.int32], depth: npt.NDArray[np.int32]) -> None:
        language, index = self.language, self.action_index
        if hole.listing and hole.needed == 0:
            cost[index["end"]] = depth[index["end"]] = 0
        if hole.full:
            return
        owed = self.owed(hole)
        written = not self.is_counted(hole.kind)  # as a subtree
        for name in language.kinds[hole.kind]:
            production = language.productions[name]
            if production.terminal is not None:
                for action in self._leaves(hole.kind, name):
                    cost[index[action]], depth[index[action]] = 1 + owed, 1
            elif written and name not in self._unwritten and (size := _size(production, self.minimum)) < IMPOSSIBLE:
                cost[index[f"production:{name}"]] = size + owed
                depth[index[f"production:{name}"]] = _levels(production, self._depth)
        if hole.kind in self.located and not hole.listing:
            cost[index[f"locate:{hole.kind}"]], depth[index[f"locate:{hole.kind}"]] = LOCATED[hole.kind][1], 2

    def _leaves(self, kind: str, name: str) -> list[str]:
        """The actions that write a leaf of a kind."""
        if self.language.productions[name].terminal in NUMERIC_TERMINALS:
            return [action for action, leaf in self.numbers[kind].items() if leaf.production == name]
        if self.is_counted(kind) or name in self._unwritten:
            return []
        if name == "reference" or name == "callee":
            return [f"{name}:{k}" for k in range(MAX_NAMES)]
        if name in self.names:
            return [f"name:{name}"] if f"name:{name}" in self.action_index else []
        return [f"constant:{word}" for word in self.constants]

    def _numbers(self, kind: str) -> dict[str, Node]:
        """The number leaves of a kind by their actions: its own table's, or any where its terminals spell no two."""
        productions = [self.language.productions[name] for name in self.language.kinds[kind]]
        productions = [p for p in productions if p.terminal in NUMERIC_TERMINALS]
        found: dict[str, Node] = {}
        for table in dict.fromkeys((kind, "number")):
            found = {
                f"{table}:{value:g}": Node(production.name, (), value)
                for value in TABLES.get(table, ())
                for production in productions
                if self.language.spells(production.terminal or "", format_number(value))
            }
            if len(found) >= 2:
                break
        silent = {p.name for p in productions} - {leaf.production for leaf in found.values()}
        if silent:
            raise ConfigError(f"grammar '{self.language.name}': no number of the actions is a '{min(silent)}'")
        return found

    def _is_name(self, production: Production) -> bool:
        """Whether a production is a leaf that bears a new name: a text that is neither a constant nor a reference."""
        terminal = production.terminal
        if terminal is None or terminal in NUMERIC_TERMINALS or production.name in ("reference", "callee"):
            return False
        if production.name in self._unwritten:
            return False
        return terminal != "CONSTANT" or not self.constants

    def _names(self, production: Production) -> list[str]:
        """The names that a leaf may bear; those of a binder must be what a reference can say."""
        said = [production, self.language.productions.get("reference") if production.name == "binder" else None]
        names = [name for name in NAMES if all(self.language.spells(p.terminal or "", name) for p in said if p)]
        if not names:
            raise ConfigError(
                f"grammar '{self.language.name}': nothing to write for {production.terminal} of '{production.name}'; "
                f"there are numbers ({', '.join(sorted(NUMERIC_TERMINALS))}), one-letter names, and words in a rule"
            )
        return names

    def _is_chosen(self, name: str) -> bool:
        """Whether a name's leaf may be chosen: beside others of a kind, or one more or none in a list."""
        slots = [slot for p in self.language.productions.values() for slot in p.slots]
        among = [kind for kind, options in self.language.kinds.items() if name in options]
        return any(len(self.language.kinds[kind]) > 1 for kind in among) or any(
            slot.repeats and slot.kind in among for slot in slots
        )

    def _can_locate(self, kind: str) -> bool:
        """Whether a kind of LOCATED is here what it is in `sketch.lark`: made of number literals of any value."""
        language = self.language

        def takes_literals(name: str, numbers: int) -> bool:
            slots = language.productions[name].slots if name in language.kinds.get(kind, ()) else ()
            return len(slots) == numbers and all(
                not slot.repeats and slot.least == 1 and "literal" in language.kinds[slot.kind] for slot in slots
            )

        literal = language.productions.get("literal")
        if literal is None or literal.terminal not in NUMERIC_TERMINALS:
            return False
        return all(takes_literals(*form) for form in LOCATED[kind][0].items()) and all(
            language.spells(literal.terminal, format_number(value)) for value in _AS_PRINTED
        )

    def _slot_order(self, production: Production) -> list[int]:
        """The numbers of a production's slots as they are decided: in their order, but MEASURED ones last."""
        kinds = [slot.kind for slot in production.slots]
        if any(slot.repeats for slot in production.slots):
            return list(range(len(kinds)))
        return sorted(range(len(kinds)), key=lambda i: kinds[i] in MEASURED and set(MEASURED[kinds[i]]) <= set(kinds))

    def _has_forced_lists(self) -> bool:
        """Whether a production with a list is the only one of a kind: never decided on, so it cannot be edited."""
        productions, kinds = self.language.productions, self.language.kinds
        used = {self.language.start, *(slot.kind for production in productions.values() for slot in production.slots)}
        alone = [productions[kinds[kind][0]] for kind in used if len(kinds[kind]) == 1]
        return any(slot.repeats for production in alone for slot in production.slots)

    def _counting(self) -> dict[str, str]:
        """The roles of numbers that settle how often a loop turns, with their kinds."""
        counts = {"counter.1": "count"} if "count:1" in self.numbers.get("count", ()) else {}
        ranges = RANGES.items() if self.has_loops else ()
        return counts | {f"{name}.{len(kinds) - 1}": kinds[-1] for name, kinds in ranges}

    def has_limit(self, name: str, slot: Slot) -> bool:
        """Whether a list has a most that no grammar says: as many parameters as may be, and turns of a loop."""
        limited = ("parameters",) * bool(self.calls) + ("vector",) * self.has_loops
        return slot.most is None and name in limited

    def _has_functions(self) -> bool:
        """Whether functions are defined and called here as in `sketch.lark`: at the top level, with numbers."""
        productions, kinds = self.language.productions, self.language.kinds
        if not self._has_forms(FUNCTION_FORMS):
            return False
        slots = [(p.name, slot.kind) for p in productions.values() for slot in p.slots]
        used = {word: {name for name, kind in slots if kind == word} for word in ("function", "callee")}
        defining = {kind for kind, options in kinds.items() if not set(CALLS.values()).isdisjoint(options)}
        return (
            used == {"function": set(CALLS.values()), "callee": set(CALLS)}
            and all(
                options == (kind,) for kind, options in kinds.items() if not {"function", "callee"}.isdisjoint(options)
            )
            and all(self.language.spells(productions[word].terminal or "", f"{FUNCTION}1") for word in used)
            and all(name == self.language.start for name, kind in slots if kind in defining)
            and any(productions[name].terminal in NUMERIC_TERMINALS for name in kinds["number"])
        )

    def _has_loops(self) -> bool:
        """Whether loops over sequences are here as in `sketch.lark`, and can always be told to turn once at most."""
        if not self._has_forms(LOOP_FORMS) or not {*RANGES, "vector"}.issuperset(self.language.kinds["sequence"]):
            return False
        leaves = [self._numbers(kind).values() for kind in RANGES["range_by"]]
        first, end, stride = ([float(leaf.value or 0) for leaf in found] for found in leaves)
        return bool(first and end) and min(end) <= min(0, *first) and min(stride) < 0 < max(stride) and 0 not in stride

    def _has_forms(self, forms: Mapping[str, tuple[str, ...]]) -> bool:
        """Whether productions of these names have these slots: kinds, with a star behind those of lists."""
        productions = self.language.productions
        slots = {
            name: tuple(slot.kind + "*" * (slot.most is None) for slot in productions[name].slots)
            for name in forms
            if name in productions
        }
        return slots == dict(forms)


@lru_cache(maxsize=8)
def load_vocabulary(name: str = "sketch") -> Vocabulary:
    """The vocabulary of a shipped grammar, or of a path to a `.lark` file."""
    return Vocabulary(load_language(name))


def count_turns(production: str, numbers: Sequence[float]) -> int:
    """How often a loop turns, by its count or the numbers of its range, which are counted to MAX_REPEATS + 1."""
    if production == "counter":
        return arithmetic.times(numbers[0])
    return sum(1 for _ in islice(arithmetic.steps(*arithmetic.span(*numbers)), MAX_REPEATS + 1))


def _size(production: Production, minimum: dict[str, int]) -> int:
    """The least nodes of a tree with this production at its root, where `minimum` says those of its slots."""
    return min(1 + sum(slot.least * minimum[slot.kind] for slot in production.slots), IMPOSSIBLE)


def _minimum_sizes(language: Language, without: Collection[str]) -> dict[str, int]:
    """The least nodes of each kind, by fixpoint; as `Language.minimum_size`, but without some productions."""
    minimum = dict.fromkeys(language.kinds, IMPOSSIBLE)
    before: dict[str, int] = {}
    while before != minimum:
        before = dict(minimum)
        for kind, options in language.kinds.items():
            sizes = [_size(language.productions[name], minimum) for name in options if name not in without]
            minimum[kind] = min(sizes, default=IMPOSSIBLE)
    if minimum[language.start] >= IMPOSSIBLE:
        raise ConfigError(f"grammar '{language.name}': no program without a reference to a name; give it literals")
    return minimum


def _levels(production: Production, depth: dict[str, int]) -> int:
    """Levels of a production's cheapest tree, where `depth` says those of its slots."""
    return 1 + max((depth[slot.kind] for slot in production.slots if slot.least), default=0)


def _cheapest_depths(language: Language, minimum: dict[str, int]) -> dict[str, int]:
    """Levels of each kind's cheapest tree (the shallowest of these): what can always be written where it fits."""
    depth: dict[str, int] = {}
    for kind in sorted(minimum, key=lambda kind: minimum[kind]):  # a tree's parts are cheaper than the tree
        options = [language.productions[name] for name in language.kinds[kind]]
        cheapest = [p for p in options if _size(p, minimum) == minimum[kind] < IMPOSSIBLE]
        depth[kind] = min((_levels(p, depth) for p in cheapest), default=IMPOSSIBLE)
    return depth


def _thresholds(needs: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """(holes, left, A): whether what is left covers what an action needs; the last row stands for more, too."""
    most = int(needs[needs < IMPOSSIBLE].max(initial=0))
    return needs[:, None, :] <= np.arange(most + 1)[:, None]


def _brackets(production: Production) -> int:
    """How many brackets are open around a production's children at most (1 at least)."""
    depth, deepest = 0, 1
    for part in production.template:
        if isinstance(part, str):
            depth += sum((c in "([") - (c in ")]") for c in part)
            deepest = max(deepest, depth)
    return deepest


# Places


def place_of(x: float, y: float) -> int:
    """The place nearest to a point in canvas units; what lies beyond the margin goes to its border."""
    column = min(max(round((x + PLACE_MARGIN) / PLACE_STEP), 0), PLACES - 1)
    row = min(max(round((y + PLACE_MARGIN) / PLACE_STEP), 0), PLACES - 1)
    return row * PLACES + column


def point_of(place: int) -> tuple[float, float]:
    """The point of a place, in canvas units."""
    row, column = divmod(place, PLACES)
    return column * PLACE_STEP - PLACE_MARGIN, row * PLACE_STEP - PLACE_MARGIN
