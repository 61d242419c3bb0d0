"""A parsed tree -> the list of its errors: names, functions, counts and sizes that no grammar can see.

Nothing is evaluated.
"""

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from treesketch.errors import CheckError
from treesketch.explain import SHOWN, explain_form, quote
from treesketch.tree import Node

MAX_NUMBER = 1e6  # magnitude of a literal
MAX_SIDE = 8192  # canvas units
MAX_COUNT = 10_000  # turns of one loop
FUNCTIONS = frozenset({"defn", "defn_value"})  # the productions that define one
DEFINITIONS = frozenset({"def", *FUNCTIONS})
MOST_ERRORS = 100  # named at once
MOST_GUESSED = 200  # names that a wrong one is compared with


class Function(NamedTuple):
    """What a call must know of a definition."""

    parameters: tuple[str, ...]
    gives_number: bool


@dataclass(slots=True)
class Scope:
    """What is known at a place: how often each name is bound there, the names of definitions, the functions."""

    names: Counter[str] = field(default_factory=Counter)
    globals: set[str] = field(default_factory=set)
    functions: dict[str, Function] = field(default_factory=dict)
    inside: str | None = None  # the function whose definition this is
    answer: Node | None = None  # the call that is all of its body, and so gives what the function gives
    later: frozenset[str] = frozenset()  # functions that the program defines somewhere

    def knows(self, name: str) -> bool:
        """Whether a name stands for a number here."""
        return self.names[name] > 0 or name in self.globals


def check(tree: Node, before: Iterable[Node] = ()) -> list[CheckError]:
    """The errors of a program in reading order, the first hundred; an empty list means that it may be drawn.

    before holds the forms that come before it, as in a REPL, which have been checked: what they define is known.
    """
    scope = Scope(
        later=frozenset(str(form.children[0].value) for form in tree.children if form.production in FUNCTIONS)
    )
    for form in before:
        _define(form, scope)
    return list(islice(_check(tree, scope), MOST_ERRORS))


def _check(node: Node, scope: Scope) -> Iterator[CheckError]:
    """Errors below a node; the names that are bound in the scope are left as they were found."""
    yield from _RULES.get(node.production, _no_rule)(node, scope)
    if node.production in DEFINITIONS:
        yield from _check_definition(node, scope)
        return
    bound: list[str] = []
    for child in node.children:
        yield from _check(child, scope)
        for name in _bound_by(child):
            scope.names[name] += 1
            bound.append(name)
    for name in bound:
        scope.names[name] -= 1


def _bound_by(node: Node) -> list[str]:
    """Names that a node gives a value for its later siblings: those of the binders among its children."""
    return [str(child.value) for child in node.children if child.production == "binder" and node.production != "def"]


def _no_rule(node: Node, scope: Scope) -> Iterator[CheckError]:
    return iter(())


# Definitions


def _check_definition(node: Node, scope: Scope) -> Iterator[CheckError]:
    """The errors of a definition; what it defines is known from here on."""
    name, *rest = node.children
    own = None if node.production == "def" else str(name.value)
    inside = Scope(Counter(), scope.globals, scope.functions, own, _answer(node), scope.later)
    if node.production != "def":
        parameters = [str(each.value) for each in rest[0].children]
        for i, parameter in enumerate(parameters):
            if parameter in parameters[:i]:
                yield CheckError(f"two parameters are called {quote(parameter)}", rest[0].children[i].span)
        inside.names.update(parameters)
    for child in rest:
        yield from _check(child, inside)
    other = scope.functions if node.production == "def" else scope.globals
    if str(name.value) in other or (node.production != "def" and str(name.value) in scope.functions):
        yield CheckError(f"{quote(str(name.value))} is defined already; take another name", name.span)
        return
    _define(node, scope)


def _define(form: Node, scope: Scope) -> None:
    """Make known what a form defines, if it is a definition."""
    if form.production not in DEFINITIONS:
        return
    name = str(form.children[0].value)
    if form.production == "def":
        scope.globals.add(name)
    else:
        parameters = tuple(str(each.value) for each in form.children[1].children)
        answer = _answer(form)
        called = scope.functions.get(str(answer.children[0].value)) if answer else None
        gives_number = called.gives_number if called else form.production == "defn_value"
        scope.functions[name] = Function(parameters, gives_number)


def _answer(form: Node) -> Node | None:
    """The call that is all of a function's body; where it gives a number, which no grammar sees, the function does."""
    body = form.children[2:] if form.production == "defn" else ()
    return body[0] if len(body) == 1 and body[0].production == "call" else None


def number_functions(forms: Iterable[Node]) -> set[str]:
    """The functions among checked forms that give a number."""
    scope = Scope()
    for form in forms:
        _define(form, scope)
    return {name for name, function in scope.functions.items() if function.gives_number}


def _call(node: Node, scope: Scope) -> Iterator[CheckError]:
    callee, *arguments = node.children
    if callee.production != "callee":  # another grammar's
        return
    name, gives_number = str(callee.value), node.production == "value_call"
    function = scope.functions.get(name)
    if function is None:
        if name == scope.inside:
            yield CheckError(f"{quote(name)} calls itself; a function may only call those before it", callee.span)
        elif name in scope.later:
            yield CheckError(f"{quote(name)} is defined only further down; move its definition up", callee.span)
        elif scope.knows(name):
            yield CheckError(f"{quote(name)} is a number and cannot be called; write it without brackets", callee.span)
        else:
            yield CheckError(explain_form(name, islice(scope.functions, MOST_GUESSED), gives_number), callee.span)
    elif scope.names[name]:
        yield CheckError(f"{quote(name)} is the name of a number here; call one of them something else", callee.span)
    elif function.gives_number and not gives_number and node is not scope.answer:
        yield CheckError(f"{quote(name)} gives a number and draws nothing", callee.span)
    elif gives_number and not function.gives_number:
        yield CheckError(f"{quote(name)} draws and gives no number; a number is needed here", callee.span)
    elif len(arguments) != len(function.parameters):
        wanted, given = len(function.parameters), len(arguments)
        takes = f"{wanted} number{'' if wanted == 1 else 's'}" if wanted else "no numbers"
        names = f" ({' '.join(function.parameters)})" if wanted else ""
        yield CheckError(f"{name[:SHOWN]} takes {takes}{names}, got {given}", node.span)


def _reference(node: Node, scope: Scope) -> Iterator[CheckError]:
    name = str(node.value)
    if scope.knows(name):
        return
    if name in scope.functions:
        yield CheckError(f"{quote(name)} is a function; call it: ({name[:SHOWN]} ...)", node.span)
        return
    known = list(islice((other for other in (*scope.names, *scope.globals) if scope.knows(other)), MOST_GUESSED))
    close = difflib.get_close_matches(name[:SHOWN], known, n=1, cutoff=0.6)
    hint = f"; did you mean '{close[0]}'?" if close else "; bind it with (let [...] ...)"
    yield CheckError(f"no name {quote(name)} here{hint}", node.span)


# Numbers


def _literal(node: Node, scope: Scope) -> Iterator[CheckError]:
    assert isinstance(node.value, float)
    if not abs(node.value) <= MAX_NUMBER:
        yield CheckError(f"{node.value:g} is too large; numbers go up to {MAX_NUMBER:.0f} either way", node.span)


def _dimension(node: Node, scope: Scope) -> Iterator[CheckError]:
    assert isinstance(node.value, float)
    if not (1 <= node.value <= MAX_SIDE and node.value == int(node.value)):
        yield CheckError(f"size takes whole numbers from 1 to {MAX_SIDE}, got {node.value:g}", node.span)


def _counter(node: Node, scope: Scope) -> Iterator[CheckError]:
    count = node.children[1]
    if isinstance(count.value, float) and not (0 <= count.value <= MAX_COUNT and count.value == int(count.value)):
        yield CheckError(f"dotimes takes a whole number from 0 to {MAX_COUNT}, got {count.value:g}", count.span)


def _divide(node: Node, scope: Scope) -> Iterator[CheckError]:
    for divisor in node.children[1:]:
        if divisor.production == "literal" and divisor.value == 0:
            yield CheckError(f"{_DIVISIONS[node.production]} divides by zero", divisor.span)


def _range_by(node: Node, scope: Scope) -> Iterator[CheckError]:
    step = node.children[2]
    if step.production == "literal" and step.value == 0:
        yield CheckError("a range with a step of 0 never ends", step.span)


_DIVISIONS = {"divide": "/", "quot": "quot", "rem": "rem", "mod": "mod"}
_RULES: dict[str, Callable[[Node, Scope], Iterator[CheckError]]] = {
    "call": _call,
    "value_call": _call,
    "reference": _reference,
    "literal": _literal,
    "dimension": _dimension,
    "counter": _counter,
    "range_by": _range_by,
    **dict.fromkeys(_DIVISIONS, _divide),
}
