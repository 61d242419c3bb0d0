"""Edits of programs, in any grammar without names: two programs in, the steps from one to the other out.

An edit replaces the node at a path by a small new subtree, of which parts may be kept from what was there: the node
itself (something is put around it) or its children (something around them goes, or becomes something else). The steps
come from a tree-edit path as in Tree Diffusion (Kapur, Jenner and Russell, ICLR 2025), which keeps no parts, so its
steps cannot add to a large tree or take from one. The other way round, `spoil` makes random edits.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import NamedTuple

import numpy as np

from treesketch import tree
from treesketch.actions import MAX_COPIES, Vocabulary
from treesketch.derivation import Choice, Derivation
from treesketch.language import Language, Slot
from treesketch.syntax import match_slots
from treesketch.tree import Node, Path

MOST_WRITTEN = 10  # nodes that one edit writes anew
LARGE = 4  # where a tree of more gives way to another altogether, every so many nodes count as an edit
NODE_COST = 1e-3  # of a written node beside the edit's own cost of 1: of as many edits, those that write least
NEAR = 3  # how far down its grammar's list a number goes at most when it is changed a little


@dataclass(frozen=True, slots=True)
class Edit:
    """One step: the node at `path` gives way to `new`.

    copies says which parts of `new` were there: path into `new` -> 0 for the old node, k for its k-th child.
    """

    path: Path
    new: Node
    copies: Mapping[Path, int] = field(default_factory=dict)

    def apply(self, program: Node) -> Node:
        """The program after the edit."""
        return tree.replace(program, self.path, self.new)


def distance(old: Node, new: Node, language: Language) -> int:
    """How many edits the path from one tree to another takes."""
    return find_path(old, new, language)[0]


def find_path(old: Node, new: Node, language: Language) -> tuple[int, list[Edit]]:
    """How many edits the path from one tree to another takes, and those of them that can be made at once, by place."""
    paths = _Paths(language)
    plan = paths.plan(old, new, language.start)
    return round(plan.cost), sorted(paths.steps(plan, old, new, ()), key=lambda edit: edit.path)


class _Part(NamedTuple):
    """A part of an edit's new node that was in the old one (0: itself, k: its k-th child), and what it must become."""

    path: Path
    copy: int
    plan: "_Plan"


class _Plan(NamedTuple):
    """The cheapest way from one tree to another: its cost, whether the root is edited, and what else has to change.

    parts are children that stay where they are, or what an edit keeps.
    """

    cost: float
    edits_root: bool
    parts: tuple[_Part, ...]


_DONE = _Plan(0.0, False, ())


def _cost(plan: _Plan) -> float:
    return plan.cost


class _Paths:
    """Plans for pairs of trees of one language, each found once."""

    def __init__(self, language: Language):
        self.language = language
        self._plans: dict[tuple[str, int, int], _Plan] = {}  # by the identities of nodes that are there all along
        self._sizes: dict[int, int] = {}

    def size(self, node: Node) -> int:
        """The number of nodes."""
        found = self._sizes.get(id(node))
        if found is None:
            found = self._sizes[id(node)] = 1 + sum(map(self.size, node.children))
        return found

    def plan(self, old: Node, new: Node, kind: str) -> _Plan:
        """The cheapest way from `old` to `new` in a hole of a kind."""
        if old is new or old == new:
            return _DONE
        key = (kind, id(old), id(new))
        found = self._plans.get(key)
        if found is None:
            found = self._plans[key] = self._find(old, new, kind)
        return found

    def _find(self, old: Node, new: Node, kind: str) -> _Plan:
        kinds, size = kinds_of_children(new, self.language), self.size(new)
        count = 1 if size <= MOST_WRITTEN else ceil(size / LARGE)
        best = _Plan(count + size * NODE_COST, True, ())
        if old.production == new.production and old.value == new.value and len(old.children) == len(new.children):
            parts = self._pair(old, new, kinds)
            way = _Plan(sum(part.plan.cost for part in parts), False, parts)
            best = min(way, best, key=_cost)
            if best.cost < 1 + 2 * NODE_COST:  # one node written: nothing is cheaper
                return best
        # Where one edit does, only one that keeps parts just as they are can do with fewer nodes.
        ways = self._keep_parts(old, new, kind, kinds, best.cost < 2)
        return min([best, *ways], key=_cost)

    def _keep_parts(self, old: Node, new: Node, kind: str, kinds: list[str], exact: bool) -> Iterator[_Plan]:
        """The ways that begin with an edit of the root which keeps something of it."""
        language = self.language
        if new.children and old.children:
            for i, child in enumerate(new.children):  # put something around the old node
                written = self.size(new) - self.size(child)
                if child.children and written <= MOST_WRITTEN and old.production in language.kinds[kinds[i]]:
                    plan = self._plan_part(old, child, kinds[i], exact)
                    if plan is not None:
                        yield _Plan(1 + written * NODE_COST + plan.cost, True, (_Part((i,), 0, plan),))
            yield from self._realign(old, new, kinds, exact)
        for k, child in enumerate(old.children[:MAX_COPIES], 1):  # leave nothing but a child of it
            if child.children and child.production in language.kinds[kind]:
                plan = self._plan_part(child, new, kind, exact)
                if plan is not None:
                    yield _Plan(1 + NODE_COST + plan.cost, True, (_Part((), k, plan),))

    def _plan_part(self, old: Node, new: Node, kind: str, exact: bool) -> _Plan | None:
        """The plan for a part that is kept; None where it must not change and does."""
        if exact:
            return _DONE if old == new else None
        return self.plan(old, new, kind)

    def _pair(self, old: Node, new: Node, kinds: list[str]) -> tuple[_Part, ...]:
        """What has to change in children that stay where they are."""
        pairs = enumerate(zip(old.children, new.children, strict=True))
        plans = [_Part((i,), i + 1, self.plan(one, other, kinds[i])) for i, (one, other) in pairs]
        return tuple(part for part in plans if part.plan.cost)

    def _realign(self, old: Node, new: Node, kinds: list[str], exact: bool) -> Iterator[_Plan]:
        """Another node with some of the old one's children, in their order; the other children are written anew."""
        # cheapest[j]: the cheapest way to get the new children so far from the first j old ones, with what is kept
        cheapest: list[_Plan] = [_Plan(NODE_COST, True, ())] * (min(len(old.children), MAX_COPIES) + 1)
        for i, child in enumerate(new.children):
            fresh = self.size(child) * NODE_COST
            rows = [_Plan(plan.cost + fresh, True, plan.parts) for plan in cheapest]
            for j, source in enumerate(old.children[:MAX_COPIES], 1):
                if rows[j - 1].cost < rows[j].cost:
                    rows[j] = rows[j - 1]
                if child.children and source.children and source.production in self.language.kinds[kinds[i]]:
                    plan, before = self._plan_part(source, child, kinds[i], exact), cheapest[j - 1]
                    if plan is not None and before.cost + plan.cost < rows[j].cost:
                        rows[j] = _Plan(before.cost + plan.cost, True, (*before.parts, _Part((i,), j, plan)))
            cheapest = rows
        way = cheapest[-1]
        kept_nodes = sum(self.size(tree.at(new, part.path)) for part in way.parts)
        if way.parts and self.size(new) - kept_nodes <= MOST_WRITTEN:
            yield way._replace(cost=way.cost + 1)

    def steps(self, plan: _Plan, old: Node, new: Node, path: Path) -> Iterator[Edit]:
        """The edits of a plan that can be made on the old tree, which stands at a path."""
        if plan.edits_root:
            copies = {part.path: part.copy for part in plan.parts}
            written = new
            for part in plan.parts:
                source = old if part.copy == 0 else old.children[part.copy - 1]
                written = tree.replace(written, part.path, source)
            yield Edit(path, written, copies)
        for part in plan.parts:
            source, below = (old, path) if part.copy == 0 else (old.children[part.copy - 1], (*path, part.copy - 1))
            yield from self.steps(part.plan, source, tree.at(new, part.path), below)


def kinds_of_children(node: Node, language: Language) -> list[str]:
    """The kind of the hole that each child of a node stands in."""
    slots = language.productions[node.production].slots
    if not any(slot.repeats for slot in slots):
        return [slot.kind for slot in slots]
    return [part.kind for part, dealt in match_slots(node, language) if isinstance(part, Slot) for _ in dealt]


def kind_at(program: Node, path: Path, language: Language) -> str:
    """The kind of the hole that the node at a path stands in."""
    if not path:
        return language.start
    return kinds_of_children(tree.at(program, path[:-1]), language)[path[-1]]


# Random edits


def spoil(program: Node, vocabulary: Vocabulary, rng: np.random.Generator) -> Node:
    """The program after one random edit: a leaf changed, a part rewritten, dropped, put around another or renamed.

    A sort of edit is drawn first, leaves twice as often as another, then a place for it. A program that has a place for
    none is returned as it is.
    """
    language = vocabulary.language
    found = list(places(program, language))
    sorts = (_change_leaf, _change_leaf, _rewrite, _drop, _surround, _rename)
    for number in rng.permutation(len(sorts)):
        for index in rng.permutation(len(found)):
            path, node, kind = found[index]
            new = sorts[number](node, kind, vocabulary, rng)
            if new is not None and new != node:
                return tree.replace(program, path, new)
    return program


def places(program: Node, language: Language) -> Iterator[tuple[Path, Node, str]]:
    """Every node below the root with its path and the kind of its hole."""
    waiting: list[tuple[Path, Node]] = [((), program)]
    while waiting:
        path, node = waiting.pop()
        kinds = kinds_of_children(node, language)
        for i, child in enumerate(node.children):
            yield (*path, i), child, kinds[i]
            waiting.append(((*path, i), child))


def grow(kind: str, budget: int, vocabulary: Vocabulary, rng: np.random.Generator) -> Node:
    """A random tree of a kind: each decision uniform among its legal actions. budget is in nodes."""
    derivation = Derivation(vocabulary, budget, Slot(kind))
    while derivation.decision is not None:
        options = derivation.decision.legal.nonzero()[0]
        derivation.choose(Choice(int(options[rng.integers(len(options))])))
    return derivation.nodes[0]


def _fresh(kind: str, vocabulary: Vocabulary, rng: np.random.Generator) -> Node:
    return grow(kind, max(MOST_WRITTEN - 2, vocabulary.minimum[kind]), vocabulary, rng)


def _change_leaf(node: Node, kind: str, vocabulary: Vocabulary, rng: np.random.Generator) -> Node | None:
    """Another leaf of the kind, mostly one near to it in the grammar's list."""
    leaves = _leaves(kind, vocabulary)
    if node not in leaves or len(leaves) < 2:
        return None
    here = leaves.index(node)
    near = rng.random() < 0.6
    options = leaves[max(here - NEAR, 0) : here + NEAR + 1] if near else leaves
    return options[rng.integers(len(options))]


def _leaves(kind: str, vocabulary: Vocabulary) -> list[Node]:
    """The leaves that a hole of a kind may get, in the order of the grammar and of the numbers."""
    productions = (vocabulary.language.productions[name] for name in vocabulary.language.kinds[kind])
    words = [Node(p.name) for p in productions if p.terminal is None and not p.slots]
    return words + sorted(vocabulary.numbers[kind].values(), key=lambda leaf: float(leaf.value or 0))


def _rewrite(node: Node, kind: str, vocabulary: Vocabulary, rng: np.random.Generator) -> Node | None:
    """Something else in the place of a small part."""
    return _fresh(kind, vocabulary, rng) if 1 < tree.count(node) <= MOST_WRITTEN else None


def _drop(node: Node, kind: str, vocabulary: Vocabulary, rng: np.random.Generator) -> Node | None:
    """One of a node's children in its place."""
    options = [c for c in node.children if c.children and c.production in vocabulary.language.kinds[kind]]
    return options[rng.integers(len(options))] if options else None


def _surround(node: Node, kind: str, vocabulary: Vocabulary, rng: np.random.Generator) -> Node | None:
    """The node as a part of something new."""
    language = vocabulary.language
    options = [
        (production, i)
        for production in (language.productions[name] for name in language.kinds[kind])
        for i, slot in enumerate(production.slots)
        if node.children and node.production in language.kinds[slot.kind]
    ]
    if not options:
        return None
    production, place = options[rng.integers(len(options))]
    children: list[Node] = []
    for i, slot in enumerate(production.slots):
        given = [node] if i == place else []
        children += given + [_fresh(slot.kind, vocabulary, rng) for _ in range(slot.least - len(given))]
    return Node(production.name, tuple(children))


def _rename(node: Node, kind: str, vocabulary: Vocabulary, rng: np.random.Generator) -> Node | None:
    """Another production with the same children."""
    productions = vocabulary.language.productions
    slots = productions[node.production].slots
    options = [name for name in vocabulary.language.kinds[kind] if productions[name].slots == slots]
    return Node(options[rng.integers(len(options))], node.children) if node.children and options else None
