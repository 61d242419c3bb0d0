"""The abstract syntax tree: frozen nodes with spans, paths into it, and replacement of a subtree.

A node is one use of a production of a grammar; which productions there are is `language`'s affair, so the same
tree serves every `.lark` file. A leaf production (one terminal on its right-hand side) carries a value.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from dataclasses import replace as _with

from treesketch.errors import Span

Path = tuple[int, ...]  # child indices from the root; () is the root


@dataclass(frozen=True, slots=True)
class Node:
    """One production applied: `production` is its name in the grammar, `value` a leaf's number or symbol.

    Equality ignores spans, so `parse(unparse(tree)) == tree`.
    """

    production: str
    children: "tuple[Node, ...]" = ()
    value: float | str | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


def walk(tree: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every node with its path, in pre-order (a parent before its children, left to right)."""
    stack = [(path, tree)]
    while stack:
        here, node = stack.pop()
        yield here, node
        stack.extend((here + (i,), node.children[i]) for i in reversed(range(len(node.children))))


def count(tree: Node) -> int:
    """The number of nodes."""
    return sum(1 for _ in walk(tree))


def height(tree: Node) -> int:
    """The number of levels; 1 for a leaf."""
    return 1 + max(len(path) for path, _ in walk(tree))


def at(tree: Node, path: Path) -> Node:
    """The node at a path. Raises IndexError where there is none."""
    for index in path:
        tree = tree.children[index]
    return tree


def replace(tree: Node, path: Path, new: Node) -> Node:
    """A copy of the tree with the node at `path` replaced; untouched subtrees are shared."""
    if not path:
        return new
    index, rest = path[0], path[1:]
    children = list(tree.children)
    children[index] = replace(children[index], rest, new)
    return _with(tree, children=tuple(children))


def insert(tree: Node, path: Path, new: Node) -> Node:
    """A copy of the tree with `new` as the child at `path`, later siblings moved right."""
    parent, index = at(tree, path[:-1]), path[-1]
    children = (*parent.children[:index], new, *parent.children[index:])
    return replace(tree, path[:-1], _with(parent, children=children))


def remove(tree: Node, path: Path) -> Node:
    """A copy of the tree without the node at `path`, later siblings moved left."""
    parent, index = at(tree, path[:-1]), path[-1]
    children = parent.children[:index] + parent.children[index + 1 :]
    return replace(tree, path[:-1], _with(parent, children=children))
