"""One picture's program in different hands. A checked program in, the same picture in a named style and order out.

What is here are the names alone, so that whoever learns or asks for a style imports nothing else: `restyle` writes a
style, `recognise` tells which one wrote a program.
"""

STYLES = {
    "flat": "one form a shape: no loops, functions, names or arithmetic",
    "named": "flat, with names for numbers and colours that recur",
    "looped": "dotimes and doseq for what repeats; no functions",
    "grouped": "a function for each part, called in order",
}
"""Style -> what is meant by it, in the order in which a learner numbers them."""

ORDERS = {
    "paint": "as the program paints them",
    "reading": "from the top left to the bottom right",
    "largest": "the largest first",
}
"""Order of the shapes -> what is meant by it; where shapes overlap, what is behind comes first in all of them."""

CANONICAL_ORDER = "reading"
"""The order that a learner is taught, by the samplers' own rule: what one picture shows is told in one order."""
