"""The shape of a random tree of operations with two sides: how many leaves in, a tree of lists out."""

from random import Random

Twig = list["Twig"]  # [] is a leaf, [first, second] an operation


def grow_twigs(leaves: int, random: Random, others: int) -> Twig:
    """A tree with so many leaves, as Tree Diffusion's sampler grows one.

    Of all symbols that wait, one is drawn at a time: an expression becomes an operation while leaves are missing, and
    an operation gives way to its two expressions and to `others` symbols that only make the waiting longer.
    """
    root: Twig = []
    waiting: list[tuple[str, Twig]] = [("expression", root)]
    missing = leaves - 1
    while missing:
        symbol, twig = waiting.pop(random.randrange(len(waiting)))
        if symbol == "expression":
            waiting.append(("operation", twig))
            missing -= 1
        elif symbol == "operation":
            twig += [[], []]
            waiting += [("expression", side) for side in twig]
            waiting += [("other", [])] * others
    for symbol, twig in waiting:
        if symbol == "operation":
            twig += [[], []]
    return root
