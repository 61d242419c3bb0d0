"""What no grammar can see: names, counts, sizes. The words of each error are in tests/errors."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strategies import trees
from treesketch.check import MOST_ERRORS, check
from treesketch.syntax import parse
from treesketch.tree import Node, replace, walk


def places(text: str) -> list[tuple[int, int]]:
    return [error.span[:2] for error in check(parse(text)) if error.span]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "(let [a 1 b (+ a 1) a b] (fill a))",
        "(let [a 1] (let [a (* a 2)] (fill a)))",
        "(let [i 3] (dotimes [i i] (fill i)))",
        "(size 1 8192)",
        "(dotimes [i 0]) (dotimes [i 10000])",
        "(fill 1e6 -1000000)",
        "(let [z 0] (fill (/ 1 z)))",
        "(fill (/ 0 1))",
    ],
)
def test_no_errors(text):
    assert check(parse(text)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(fill a)", [(1, 7)]),
        ("(let [a a] (fill 1))", [(1, 9)]),
        ("(let [a b b 1] (fill a))", [(1, 9)]),
        ("(let [a 1] (fill a)) (fill a)", [(1, 28)]),
        ("(dotimes [i i])", [(1, 13)]),
        ("(dotimes [i 2] (fill i))\n(fill i)", [(2, 7)]),
        ("(let [a 1] (dotimes [a 2]) (fill a)) (fill a)", [(1, 44)]),
        ("(size 0 8193)", [(1, 7), (1, 9)]),
        ("(size 1.5 1)", [(1, 7)]),
        ("(dotimes [i 10001])", [(1, 13)]),
        ("(dotimes [i -1])", [(1, 13)]),
        ("(dotimes [i 0.5])", [(1, 13)]),
        ("(fill 1000001)", [(1, 7)]),
        ("(fill -1e999)", [(1, 7)]),
        ("(fill (/ 1 2 0 0.0))", [(1, 14), (1, 16)]),
        ("(rect a 1\n b 2)", [(1, 7), (2, 2)]),
    ],
)
def test_errors_and_their_places(text, found):
    assert places(text) == found


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(trees(), st.data())
def test_check_never_raises(tree, data):
    """Whatever number or name stands in a leaf."""
    leaves = [(path, node) for path, node in walk(tree) if node.value is not None]
    if leaves:
        path, node = data.draw(st.sampled_from(leaves))
        value = data.draw(st.floats()) if isinstance(node.value, float) else data.draw(st.text(min_size=1))
        tree = replace(tree, path, Node(node.production, (), value))
    assert all("\n" not in str(error) for error in check(tree))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(trees())
def test_trees_of_the_strategies_pass(tree):
    assert check(tree) == []


@pytest.mark.parametrize(
    "text",
    [
        "(fill nothing)" * 6_000,
        "(let [" + " ".join(f"name{i} {i}" for i in range(6_000)) + "] " + "(fill nam)" * 6_000 + ")",
        "(let [a 1] " + "(let [b 2] (fill b a)) " * 4_000 + ")",
        "(fill " + "q" * 900_000 + ")",
        "(" + "q" * 900_000 + " 1)",
    ],
    ids=["unknown", "many names", "many scopes", "long name", "long call"],
)
def test_time_grows_with_the_text(text):
    tree = parse(text)
    began = time.perf_counter()
    errors = check(tree)
    assert time.perf_counter() - began < 3
    assert len(errors) <= MOST_ERRORS and all(len(str(error)) < 200 for error in errors)
