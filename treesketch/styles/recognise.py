"""Which hand wrote a program, from the tree alone. A tree in, a name of STYLES out."""

from treesketch.tree import Node, walk

_SIGNS = (
    ("grouped", frozenset({"defn", "defn_value"})),
    ("looped", frozenset({"dotimes", "doseq"})),
    ("named", frozenset({"def", "let"})),
)


def recognise(tree: Node) -> str:
    """The style of a program: the last of flat, named, looped and grouped whose sign it has.

    A function is the sign of grouped, a loop that of looped, a name for a number that of named. Where a hand has
    nothing to show (nothing recurs, repeats or belongs together), it writes the flat program, and that is recognised.
    """
    found = {node.production for _, node in walk(tree)}
    return next((style for style, signs in _SIGNS if signs & found), "flat")
