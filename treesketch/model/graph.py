"""Decisions -> a torch-geometric graph: one node a decision, edges only from what is known to what is not yet.

The edges carry the tree (parent, earlier sibling) and the order of writing (the few decisions before), so teacher
forcing is exact: what a node receives was all known when its hole was filled. Where a program is edited all of it is
known, before the hole and after it: its decisions hear each other, and the holes hear them all; they never hear holes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch_geometric.data import Data

from treesketch.actions import Vocabulary
from treesketch.derivation import Choice, Decision
from treesketch.language import Slot
from treesketch.model.spots import siblings_of, spots_of

FORMS = Slot("form", 0, None)  # the hole after a program's forms
FORMS_ROLE = "program.1"
CONTEXT = 16  # decisions before the hole that the network sees

RELATIONS = PARENT, SIBLING, PREVIOUS, EARLIER = 0, 1, 2, 3
# In and from a program that is edited: before and after in it, a child, of the same parent; the old node, inside it.
AROUND = BEFORE, AFTER, CHILD, KIN, OLD, INSIDE = 4, 5, 6, 7, 8, 9
AROUND_REACH = 64  # how many decisions away an edge within or from an edited program goes
REACH = 7  # how many decisions back an edge 'earlier' goes
MAX_POSITION = 15


def sources_of(number: int, decision: Decision) -> list[tuple[int, int]]:
    """The earlier decisions that a decision hears from, each with its relation (an index into RELATIONS)."""
    near = max(0, number - REACH)
    found = []
    for source in range(near, number):
        relation = PARENT if source == decision.parent else SIBLING if source == decision.sibling else EARLIER
        found.append((source, PREVIOUS if relation == EARLIER and source == number - 1 else relation))
    far = ((decision.parent, PARENT), (decision.sibling, SIBLING))
    return found + [(source, relation) for source, relation in far if 0 <= source < near]


def decisions_to_graph(
    decisions: Sequence[Decision], answers: Sequence[Choice | None], first_hole: int, actions: int, style: int = 0
) -> Data:
    """A graph of N decisions; those from `first_hole` on are also holes to be decided.

    Node fields (N,): role, hole, position, action (-1 where there is no answer yet), place, is_hole; color (N, 3), -1
    where there is none; legal (holes, A). edge_index (2, E) runs from source to target decision with relation (E,).
    style (1,) is the number of what the program is asked to be written in, of network.HANDS.
    """
    n = len(decisions)
    chosen = [answer or Choice(-1) for answer in answers]
    edges = [(s, t, kind) for t, decision in enumerate(decisions) for s, kind in sources_of(t, decision)]
    return Data(
        num_nodes=n,
        role=torch.tensor([d.role for d in decisions]),
        hole=torch.tensor([d.hole for d in decisions]),
        position=torch.tensor([min(d.position, MAX_POSITION) for d in decisions]),
        action=torch.tensor([c.action for c in chosen]),
        place=torch.tensor([c.place for c in chosen]),
        color=torch.tensor([c.color or (-1, -1, -1) for c in chosen]),
        style=torch.tensor([style]),
        is_hole=torch.arange(n) >= first_hole,
        legal=torch.from_numpy(np.array([d.legal for d in decisions[first_hole:]]).reshape(-1, actions)),
        edge_index=torch.tensor([(s, t) for s, t, _ in edges], dtype=torch.long).reshape(-1, 2).T,
        relation=torch.tensor([kind for _, _, kind in edges], dtype=torch.long),
    )


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The decisions that write a new subtree, in place of that of the context's decision `site`; -1: of nothing."""

    site: int
    decisions: Sequence[Decision]


def relate_context(decisions: Sequence[Decision]) -> npt.NDArray[np.int8]:
    """(C, C): how each decision of a program that is all known hears each other one; -1 where it does not."""
    n = len(decisions)
    numbers = np.arange(n)
    parent = np.array([d.parent for d in decisions], int)
    sibling = np.array([d.sibling for d in decisions], int)
    ahead = numbers[None, :] - numbers[:, None]  # source - target
    table = np.where(ahead < 0, BEFORE, AFTER).astype(np.int8)
    table[ahead == -1] = PREVIOUS
    table[abs(ahead) > AROUND_REACH] = -1
    table[(parent[None, :] == parent[:, None]) & (parent[:, None] >= 0) & (table >= 0)] = KIN
    for relation, source in ((SIBLING, sibling), (PARENT, parent)):
        known = source >= 0
        table[numbers[known], source[known]] = relation
    table[parent[parent >= 0], numbers[parent >= 0]] = CHILD
    np.fill_diagonal(table, -1)
    return table


def relate_rewrite(
    context: Sequence[Decision], site: int, decisions: Sequence[Decision], first: int = 0
) -> npt.NDArray[np.int8]:
    """(G - first, C + G): how the decisions of a rewrite from `first` on hear the context and those before them."""
    c, g = len(context), len(decisions)
    table = np.full((g - first, c + g), -1, np.int8)
    if site >= 0:
        path = context[site].path
        end = site + 1
        while end < c and context[end].path[: len(path)] == path:
            end += 1
        row = np.where(np.arange(c) < site, BEFORE, AFTER).astype(np.int8)
        row[site], row[site + 1 : end] = OLD, INSIDE
        row[: max(site - AROUND_REACH, 0)] = row[end + AROUND_REACH :] = -1
        table[:, :c] = row
    for number in range(first, g):
        decision, row = decisions[number], table[number - first]
        row[c : c + number] = EARLIER
        if number:
            row[c + number - 1] = PREVIOUS
        if decision.parent >= 0:
            for other in range(decision.parent + 1, number):
                if decisions[other].parent == decision.parent:
                    row[c + other] = KIN
            if decision.sibling >= 0:
                row[c + decision.sibling] = SIBLING
            row[c + decision.parent] = PARENT
        elif site >= 0:
            above = context[site]
            if above.sibling >= 0:
                row[above.sibling] = SIBLING
            if above.parent >= 0:
                row[above.parent] = PARENT
    return table


def program_to_graph(
    vocabulary: Vocabulary, context: Sequence[Decision], rewrites: Sequence[Rewrite], sites: Sequence[int], edits: int
) -> Data:
    """A graph of a program's decisions, and of rewrites in it whose decisions are holes to be decided.

    Beside the fields of `decisions_to_graph` but color: site (N,), the shares of the decisions where an edit is to be
    made (each of `sites` gets the same); context (N,), where one can be made; was (N,), the action that stood where a
    rewrite's decision stands, or -1; spot (N, 2), what its numbers stand for; edits (1,), how many are left (-1: not
    asked).
    """
    c = len(context)
    written = [decision for rewrite in rewrites for decision in rewrite.decisions]
    n = c + len(written)
    table = np.full((n, n), -1, np.int8)
    table[:c, :c] = relate_context(context)
    positions = [min(d.position, MAX_POSITION) for d in context]
    was, spots = [-1] * c, [(0, 0)] * c
    start = c
    for rewrite in rewrites:
        for number, decision in enumerate(rewrite.decisions):
            siblings = siblings_of(context, rewrite.site, rewrite.decisions, number)
            spots.append(spots_of(vocabulary).find(decision, siblings))
        was += [action_before(context, rewrite.site, d) for d in rewrite.decisions]
        end = start + len(rewrite.decisions)
        related = relate_rewrite(context, rewrite.site, rewrite.decisions)
        table[start:end, :c], table[start:end, start:end] = related[:, :c], related[:, c:]
        positions += [position_of(context, rewrite.site, d) for d in rewrite.decisions]
        start = end
    target, source = np.nonzero(table >= 0)
    share = np.zeros(n, np.float32)
    share[list(sites)] = 1 / max(len(sites), 1)
    decisions = [*context, *written]
    chosen = [decision.answer or Choice(-1) for decision in decisions]
    return Data(
        num_nodes=n,
        role=torch.tensor([d.role for d in decisions]),
        hole=torch.tensor([d.hole for d in decisions]),
        position=torch.tensor(positions),
        action=torch.tensor([choice.action for choice in chosen]),
        place=torch.full((n,), -1),
        was=torch.tensor(was),
        spot=torch.tensor(spots),
        is_hole=torch.arange(n) >= c,
        legal=torch.from_numpy(np.array([d.legal for d in written], bool).reshape(-1, len(vocabulary.actions))),
        edge_index=torch.from_numpy(np.stack([source, target])),
        relation=torch.from_numpy(table[target, source].astype(np.int64)),
        site=torch.from_numpy(share),
        context=torch.tensor([i < c and not d.is_end for i, d in enumerate(decisions)]),
        edits=torch.tensor([edits]),
    )


def action_before(context: Sequence[Decision], site: int, decision: Decision) -> int:
    """The action of the context where a rewrite's decision goes, if that is a hole of the same role; else -1."""
    if site < 0:
        return -1
    path = (*context[site].path, *decision.path[1:])
    for number in range(site, len(context)):
        there = context[number]
        if there.path == path and not there.is_end:
            return there.answer.action if there.answer and there.role == decision.role else -1
        if number > site and len(there.path) <= len(context[site].path):
            break
    return -1


def position_of(context: Sequence[Decision], site: int, decision: Decision) -> int:
    """A rewrite's decision's position among its siblings; that of the node which gives way, for the outermost."""
    position = context[site].position if decision.parent < 0 and site >= 0 else decision.position
    return min(position, MAX_POSITION)


def keep_recent(decisions: Sequence[Decision], count: int) -> list[Decision]:
    """The last `count` decisions, renumbered; links to what is left out become -1."""
    cut = max(0, len(decisions) - count)

    def moved(number: int) -> int:
        return number - cut if number >= cut else -1

    return [replace(d, parent=moved(d.parent), sibling=moved(d.sibling)) for d in decisions[cut:]]
