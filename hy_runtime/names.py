"""Gives every name of a checked tree a name of its own: a tree in, the same tree with resolved names out.

No two binders share a name afterwards, so shadowing, Hy's closures and Python's scopes cannot differ from Clojure's
sequential `let`; and because the new names are ours, no word of a program reaches Hy as it was written. Only what
`def` and `defn` define keeps one name in all programs, for later forms to find it.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import count

from treesketch.errors import CheckError
from treesketch.tree import Node


def resolve(tree: Node, known: Collection[str] = ()) -> Node:
    """The tree with its n-th binder, and all that refer to it, renamed to `name-n-WORD`.

    The scope rule is the grammar's: a binder's parent gives it a value, and later siblings of that parent may refer
    to it. A name that `def` defines becomes `global-WORD`, a function `function-WORD`; known holds those (renamed) that
    were defined before. Raises CheckError for a reference that no binder or definition is in scope for.
    """
    numbers = count(1)
    defined = set(known)

    def rename(node: Node, names: Mapping[str, str]) -> tuple[Node, Mapping[str, str]]:
        """The renamed node, and the names that its later siblings may use."""
        word = str(node.value)
        if node.production == "reference":
            name = names.get(word, f"global-{word}")
            if word not in names and name not in defined:
                raise CheckError(f"no name '{word}' here", node.span)
            return replace(node, value=name), names
        if node.production == "callee":
            if f"function-{word}" not in defined:
                raise CheckError(f"no function '{word}' here", node.span)
            return replace(node, value=f"function-{word}"), names
        if node.production == "function":
            return replace(node, value=f"function-{word}"), names
        inside, bound = names, dict[str, str]()
        children = []
        for child in node.children:
            if child.production == "binder" and node.production == "def":
                children.append(replace(child, value=f"global-{child.value}"))
            elif child.production == "binder":
                fresh = f"name-{next(numbers)}-{child.value}"
                bound[str(child.value)] = fresh
                children.append(replace(child, value=fresh))
            else:
                renamed, inside = rename(child, inside)
                children.append(renamed)
        if node.production in ("def", "defn", "defn_value"):
            defined.add(str(children[0].value))
        return replace(node, children=tuple(children)), {**names, **bound} if bound else names

    return rename(tree, {})[0]
