"""The decoder's promise: any choices give a program that parses, checks, ends and draws within the node budget.

For `sketch.lark`, from chance and from untrained networks; and the masks for other grammars, against brute force.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import product

import numpy as np
import pytest
import torch

from treesketch import actions, tree
from treesketch.actions import MAX_BUDGET, MAX_DEPTH, PLACES, Vocabulary, load_vocabulary
from treesketch.check import check
from treesketch.derivation import Choice, Derivation, UnencodableError, encode, sample_tree
from treesketch.errors import ConfigError
from treesketch.interpreter import interpret
from treesketch.language import Language, Slot, load_language, read_language
from treesketch.layers import color_node, ellipse, literal, pair, rect
from treesketch.model.encoder import RESOLUTION
from treesketch.model.graph import FORMS, FORMS_ROLE
from treesketch.model.network import ModelConfig, Network
from treesketch.model.write import Look
from treesketch.raster import rasterise
from treesketch.sampling import SAMPLERS, sample_program
from treesketch.syntax import parse, unparse
from treesketch.tree import Node

DOT = Node("dot", (pair("point", 1, 2),))
NETWORKS = 8  # untrained ones, each of another seed
BY_NETWORKS = 240  # programs written by these

CSG = """
program: expression
?expression: circle | quad | union | cut | move | flip
circle: "(" "circle" radius position ")"
quad: "(" "quad" position size size turn ")"
union: "(" "+" expression~2..4 ")"
cut: "(" "-" expression expression ")"
move: "(" "move" offset? expression ")"
flip: "(" "flip" axis+ expression ")"
?axis: across | down
across: "x"
down: "y"
position: "[" coordinate coordinate "]"
offset: "<" coordinate coordinate ">"
?radius: digit
?size: digit
?turn: digit
?coordinate: digit
digit: NUMBER
NUMBER: /1[0-5]|[0-9]/
%ignore /[ \\n]+/
"""
TUPLES = """
program: pair? many few~1..2
pair: "<" leaf leaf ">"
many: "[" item+ "]"
few: "{" item~2 "}"
?item: leaf | nest
nest: "(" item? ")"
leaf: INT
INT: /[12]/
%ignore /[ \\n]+/
"""
SCOPED = """
program: form*
?form: let | use
let: "(" "let" bind+ form* ")"
bind: "[" binder number "]"
use: "(" "use" number ")"
?number: digit | reference | call
call: "(" "call" label+ ")"
label: SYMBOL
binder: SYMBOL
reference: SYMBOL
digit: INT
INT: /[0-9]+/
SYMBOL: /[a-z]+/
%ignore /[ \\n]+/
"""
DEEP = """
program: a
a: b
b: c c
?c: d
d: e
e: "(" more ")"
?more: leaf | c
leaf: "x"
%ignore /[ \\n]+/
"""


@lru_cache(maxsize=8)
def vocabulary_of(source: str) -> Vocabulary:
    return Vocabulary(read_language("toy", source))


def is_valid(program: Node, budget: int, language: Language) -> None:
    """What is promised of a program of any grammar; of sketch, also that it ends and draws."""
    assert tree.count(program) <= budget
    assert parse(unparse(program, language), language) == program
    assert check(program) == []
    if language.name == "sketch":
        pixels = rasterise(interpret(program), (16, 16))  # interpret raises when the default limits are passed
        assert pixels.shape == (16, 16, 3)


def write_adversely(vocabulary: Vocabulary, budget: int, rng: np.random.Generator) -> Node:
    """A program of the dearest legal choice each time, by chance among equals."""
    derivation = Derivation(vocabulary, budget)
    while decision := derivation.decision:
        cost = np.where(decision.legal, vocabulary.cost[decision.hole], -1)
        action = int(rng.choice(np.flatnonzero(cost == cost.max())))
        derivation.choose(Choice(action, int(rng.integers(PLACES**2)) if vocabulary.is_located[action] else -1))
    return derivation.nodes[0]


def write_by_weights(vocabulary: Vocabulary, budget: int, rng: np.random.Generator) -> Node:
    """A program by random weights of the actions, which are the same at every hole; how far apart is random too."""
    logits = rng.normal(0, rng.choice([0, 1, 3, 9]), len(vocabulary.actions))
    derivation = Derivation(vocabulary, budget)
    while decision := derivation.decision:
        scores = np.where(decision.legal, logits + rng.gumbel(size=len(logits)), -np.inf)
        action = int(scores.argmax())
        derivation.choose(Choice(action, int(rng.integers(PLACES**2)) if vocabulary.is_located[action] else -1))
    return derivation.nodes[0]


def write_calls(vocabulary: Vocabulary, budget: int, rng: np.random.Generator) -> Node:
    """A program of functions, calls, loops and dots wherever these may stand, that goes on while it can."""
    words = [f"production:{name}" for name in ("defn", "defn_value", "call", "value_call", "dotimes", "doseq", "dot")]
    wanted = [vocabulary.action_index[word] for word in ("name:binder", "end", "count:16", "production:vector", *words)]
    derivation = Derivation(vocabulary, budget)
    while decision := derivation.decision:
        options = [action for action in wanted if decision.legal[action]]
        if len(decision.path) == 2 and len(options) > 1:  # in the list of the program's forms
            options.remove(0)
        options = options or list(decision.legal.nonzero()[0])
        action = int(rng.choice(options))
        derivation.choose(Choice(action, int(rng.integers(PLACES**2)) if vocabulary.is_located[action] else -1))
    return derivation.nodes[0]


def budget_of(k: int, rng: np.random.Generator) -> int:
    """Budgets from the least to 400, and now and then up to the most."""
    return int(rng.integers(1, MAX_BUDGET + 1 if k % 500 == 0 else 401))


def promise_by_chance(programs: int) -> Counter[str]:
    """Check programs of uniform choices and of random weights; returns how often each production came up."""
    vocabulary = load_vocabulary()
    seen: Counter[str] = Counter()
    for k in range(programs):
        rng = np.random.default_rng([7, k])
        budget = budget_of(k, rng)
        program = (sample_tree, write_by_weights, write_calls)[k % 3](vocabulary, budget, rng)
        is_valid(program, budget, vocabulary.language)
        seen.update(node.production for _, node in tree.walk(program))
    return seen


def test_programs_of_chance_keep_the_promise() -> None:
    seen = promise_by_chance(2000)
    assert set(seen) == set(load_language().productions)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ten_thousand_programs_keep_the_promise() -> None:
    seen = promise_by_chance(10_000 - BY_NETWORKS)
    seen += promise_by_networks(BY_NETWORKS)
    assert set(seen) == set(load_language().productions)


def promise_by_networks(programs: int) -> Counter[str]:
    """Check programs of untrained networks of random weights, looking at random pictures."""
    vocabulary = load_vocabulary()
    seen: Counter[str] = Counter()
    for seed in range(NETWORKS):
        torch.manual_seed(seed)
        rng = np.random.default_rng([11, seed])
        network = Network(vocabulary, ModelConfig(width=16, heads=2, grid_layers=1, tree_layers=1)).eval()
        with torch.no_grad():
            network.actions.weight *= 2.0**seed  # from nearly even chances to nearly none
        target, drawing = rng.random((2, RESOLUTION, RESOLUTION, 3), dtype=np.float32)
        samples = programs // NETWORKS
        budget = int(rng.integers(2, 200))
        written = Look(network, target, drawing).write((), samples, rng, budget=budget, units=budget)
        for one in written:
            program = Node("program", one.forms)
            is_valid(program, budget + 1, vocabulary.language)
            assert one.ended
            seen.update(node.production for _, node in tree.walk(program))
    return seen


def test_programs_of_untrained_networks_keep_the_promise() -> None:
    assert promise_by_networks(BY_NETWORKS)["program"] == BY_NETWORKS


def test_weights_that_give_no_numbers_keep_the_promise() -> None:
    network = Network(load_vocabulary(), ModelConfig(width=16, heads=2, grid_layers=1, tree_layers=1)).eval()
    with torch.no_grad():
        network.actions.bias[::3] = torch.nan
        network.actions.bias[1::3] = -torch.inf
        network.places.bias[:] = torch.inf
    picture = np.zeros((RESOLUTION, RESOLUTION, 3), np.float32)
    for one in Look(network, picture, picture).write((), 8, np.random.default_rng(0), budget=100, units=100):
        is_valid(Node("program", one.forms), 101, load_language())


@pytest.mark.parametrize("budget", [1, 2, 9, 40, 200, MAX_BUDGET])
def test_the_dearest_choices_never_end_in_a_dead_end(budget: int) -> None:
    for k in range(5):
        program = write_adversely(load_vocabulary(), budget, np.random.default_rng(k))
        is_valid(program, budget, load_language())


def test_the_most_shapes_of_the_largest_budget_are_within_the_limits() -> None:
    # A dot is the smallest shape, 4 nodes; two loops turn it 64 times, 8 nodes beside the program's.
    forms: tuple[Node, ...] = (DOT,) * ((MAX_BUDGET - 9) // 4)
    for turns in (16, 4):
        forms = (Node("dotimes", (Node("counter", (Node("binder", (), "i"), literal(turns))), *forms)),)
    program = Node("program", forms)
    assert MAX_BUDGET - 4 < tree.count(program) <= MAX_BUDGET
    assert len(interpret(program).shapes) == 64 * ((MAX_BUDGET - 9) // 4)


# 1 + the counter's 3 + 4 turns + 4 dots of 4 nodes are 24 steps; 1 + 3 + 16 turns + 16 times these are 404.
DOTS = "(defn dots [] (dotimes [i 16] (dotimes [j 4] (point 0 0))))"


def test_what_calls_spend_is_counted() -> None:
    # 64 calls spend 25,856 steps; 100,000 are enough for three times as many.
    call = "(dotimes [i 16] (dotimes [j 4] (dots)))"
    encode(load_vocabulary(), parse(DOTS + call * 3).children, FORMS, FORMS_ROLE)
    with pytest.raises(UnencodableError, match="production:call is not legal"):
        encode(load_vocabulary(), parse(DOTS + call * 4).children, FORMS, FORMS_ROLE)


def test_what_a_definition_calls_is_paid_for_by_who_calls_it() -> None:
    # Eight calls take 3,232 steps and 16 nodes of their own; so do eight of these, and then it is enough.
    eight = DOTS + f"(defn more [] {'(dots)' * 8})" + f"(defn most [] {'(more)' * 8})"
    for calls, fits in ((3, True), (4, False)):  # (3,232 + 16) * 8 + 16 = 26,000 steps each
        program = parse(eight + "(most)" * calls)
        if fits:
            encode(load_vocabulary(), program.children, FORMS, FORMS_ROLE)
            assert len(interpret(program).shapes) == 64 * 8 * 8 * calls
        else:
            with pytest.raises(UnencodableError, match="callee:0 is not legal"):
                encode(load_vocabulary(), program.children, FORMS, FORMS_ROLE)


def test_names_of_forms_before_are_not_given_again() -> None:
    vocabulary = load_vocabulary()
    before = parse("(defn f1 [] (no-fill)) (defn i [] (no-fill)) (def f3 2)").children
    derivation = Derivation(vocabulary, 40, FORMS, FORMS_ROLE, before=before)
    for action in ("production:defn", "name:binder", "end", "end", "production:defn", "end", "end", "end"):
        derivation.choose(Choice(vocabulary.action_index[action]))
    assert derivation.nodes == list(parse("(defn f2 [ii]) (defn f4 [])").children)
    assert check(Node("program", (*before, *derivation.nodes))) == []


def test_budgets_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="goes from 1 to"):
        sample_tree(load_vocabulary(), 0, np.random.default_rng(0))
    with pytest.raises(ValueError, match=f"to {MAX_BUDGET}"):
        sample_tree(load_vocabulary(), MAX_BUDGET + 1, np.random.default_rng(0))


def test_a_seed_gives_one_program() -> None:
    one, same, other = (sample_tree(load_vocabulary(), 200, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert one == same != other


# Other grammars


@pytest.mark.parametrize("source", [CSG, TUPLES, SCOPED, DEEP], ids=["csg", "tuples", "scoped", "deep"])
def test_any_grammar_keeps_the_promise(source: str) -> None:
    vocabulary = vocabulary_of(source)
    least = vocabulary.minimum["program"]
    seen: Counter[str] = Counter()
    for k in range(200):
        rng = np.random.default_rng([13, k])
        budget = least + int(rng.integers(0, 60))
        program = (sample_tree if k % 4 else write_adversely)(vocabulary, budget, rng)
        is_valid(program, budget, vocabulary.language)
        seen.update(node.production for _, node in tree.walk(program))
    assert set(seen) == set(vocabulary.language.productions)


@pytest.mark.parametrize("source", [CSG, TUPLES, DEEP], ids=["csg", "tuples", "deep"])
def test_any_grammar_is_encoded_as_it_is_written(source: str) -> None:
    vocabulary = vocabulary_of(source)
    for k in range(50):
        program = sample_tree(vocabulary, vocabulary.minimum["program"] + k, np.random.default_rng(k))
        assert decode(vocabulary, [program]) == [program]


def test_numbers_are_those_that_the_grammar_spells() -> None:
    numbers = vocabulary_of(CSG).numbers["coordinate"]
    assert [leaf.value for leaf in numbers.values()] == [float(v) for v in range(16)]


def test_names_of_another_grammar_are_no_words_of_it() -> None:
    source = 'program: use*\nuse: "(" "i" name ")"\nname: SYMBOL\nSYMBOL: /[a-z]/\n%ignore /[ \\n]+/\n'
    vocabulary = vocabulary_of(source)
    assert vocabulary.names["name"][:2] == ["j", "k"]
    program = sample_tree(vocabulary, 9, np.random.default_rng(0))
    is_valid(program, 9, vocabulary.language)


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        (
            "?block: with",
            "?block: nameless | with",
            {"nameless", "defn", "defn_value", "call", "value_call", "function"},
        ),
        (
            'value_call: "(" callee number*',
            'value_call: "(" callee number+',
            {"defn", "defn_value", "call", "value_call"},
        ),
        ('(" "range" end ")"', '(" "range" number ")"', {"doseq", "vector", "range"}),
        ("?sequence: vector", "?sequence: picture | vector", {"doseq", "each"}),
    ],
)
def test_functions_and_loops_of_another_form_are_not_written(before: str, after: str, lost: set[str]) -> None:
    # A function that is named elsewhere, a call of one number or more, a range of any number, a sequence of any length.
    source = load_language().source
    more = 'picture: "picture"\nnameless: "(" "nameless" function ")"\n'
    assert source.count(before) == 1
    vocabulary = Vocabulary(read_language("toy", source.replace(before, after) + more))
    seen: Counter[str] = Counter()
    for k in range(60):
        program = write_calls(vocabulary, 150, np.random.default_rng([17, k]))
        assert parse(unparse(program, vocabulary.language), vocabulary.language) == program
        seen.update(node.production for _, node in tree.walk(program))
    assert lost.isdisjoint(seen) and len(seen) > 10


def test_a_deep_grammar_stays_within_what_is_parsed() -> None:
    # Three brackets a level: 20 levels reach the 60 that the parser allows.
    source = 'program: item\n?item: leaf | nest\nnest: "(" "(" "(" item ")" ")" ")"\nleaf: "x"\n%ignore /[ \\n]+/\n'
    vocabulary = vocabulary_of(source)
    assert vocabulary.levels == 20
    program = write_adversely(vocabulary, MAX_BUDGET, np.random.default_rng(0))
    assert tree.count(program) == 20
    is_valid(program, 20, vocabulary.language)


def test_grammars_that_cannot_be_written_are_refused() -> None:
    with pytest.raises(ConfigError, match="nothing to write for WORD of 'color'"):
        Vocabulary(read_language("toy", 'program: color\ncolor: WORD\nWORD: "red" | "green"\n'))
    with pytest.raises(ConfigError, match="no program without a reference"):
        Vocabulary(read_language("toy", "program: reference\nreference: SYMBOL\nSYMBOL: /[a-z]/\n"))
    with pytest.raises(ConfigError, match="no number of the actions is a 'byte'"):
        Vocabulary(read_language("toy", "program: byte\nbyte: NUMBER\nNUMBER: /0x[0-9]+/\n"))
    rules = "\n".join(f"a{k}: a{k + 1}" for k in range(MAX_DEPTH))
    with pytest.raises(ConfigError, match="the shortest program is 26 levels deep"):
        Vocabulary(read_language("toy", f'program: a0\n{rules}\na{MAX_DEPTH}: "x"\n'))


@pytest.mark.parametrize("budget", [6, 7, 8, 9])
def test_the_mask_is_what_brute_force_finds(budget: int) -> None:
    # Every program within the budget, and every prefix of its actions, against every walk through the mask.
    vocabulary = vocabulary_of(TUPLES)
    wanted = set(programs_by_hand(budget))
    walked = set(walk_mask(vocabulary, budget))
    assert walked == wanted
    assert len(wanted) > 10


def programs_by_hand(budget: int) -> Iterator[str]:
    """Texts of all programs of TUPLES with at most so many nodes, from its rules as they are read above."""

    @cache
    def items(size: int) -> tuple[str, ...]:
        leaves = ("1", "2") if size == 1 else ()
        return leaves + (("( )",) if size == 1 else tuple(f"( {item} )" for item in items(size - 1)))

    def lists(size: int, least: int, most: int) -> Iterator[tuple[str, ...]]:
        if least <= 0 and size == 0:
            yield ()
        if most > 0:
            for first in range(1, size + 1):
                for head, rest in product(items(first), lists(size - first, least - 1, most - 1)):
                    yield (head, *rest)

    pairs = {0: [""], 3: [f"< {a} {b} >" for a in "12" for b in "12"]}
    fews = [[f"{{ {' '.join(two)} }}" for two in lists(size, 2, 2)] for size in range(budget)]
    for total in range(budget):  # nodes below the program's own
        for pair_size, many in product(pairs, range(1, total)):
            for few in range(1, total - pair_size - many):
                other = total - pair_size - 1 - many - 1 - few
                heads = [p + f" [ {' '.join(m)} ] " for p in pairs[pair_size] for m in lists(many, 1, many)]
                if other == 0:
                    yield from ((h + f).strip() for h in heads for f in fews[few])
                elif other > 1:
                    yield from ((h + f + " " + g).strip() for h in heads for f in fews[few] for g in fews[other - 1])


def walk_mask(vocabulary: Vocabulary, budget: int) -> Iterator[str]:
    """The texts of all programs that some legal choices write, each choice of every hole tried."""
    todo: list[tuple[int, ...]] = [()]
    while todo:
        path = todo.pop()
        derivation = Derivation(vocabulary, budget)
        for action in path:
            derivation.choose(Choice(action))
        if derivation.decision:
            todo += [(*path, int(action)) for action in np.flatnonzero(derivation.decision.legal)]
        else:
            text = unparse(derivation.nodes[0], vocabulary.language)
            yield " ".join(text.replace("[", "[ ").replace("(", "( ").replace("]", " ]").replace(")", " )").split())


# Trees to decisions and back


def decode(
    vocabulary: Vocabulary, nodes: list[Node], slot: Slot | None = None, role: str = "start", budget: int = MAX_BUDGET
) -> list[Node]:
    """The nodes that the decisions of others' encoding write."""
    derivation = Derivation(vocabulary, budget, slot, role)
    for decision in encode(vocabulary, nodes, slot, role):
        assert decision.answer is not None
        derivation.choose(decision.answer)
    assert derivation.decision is None
    return derivation.nodes


@pytest.mark.parametrize("kind", sorted(SAMPLERS))
def test_sampled_programs_survive_encoding(kind: str) -> None:
    vocabulary = load_vocabulary()
    for k in range(20):
        program = sample_program(kind, np.random.default_rng(k))
        again = decode(vocabulary, list(program.children[1:]), FORMS, FORMS_ROLE)
        once_more = decode(vocabulary, again, FORMS, FORMS_ROLE)
        assert once_more == again  # what the tables hold is written as it is
        assert len(again) == len(program.children) - 1
        for before, after in zip(program.children[1:], again, strict=True):
            pairs = zip(tree.walk(before), tree.walk(after), strict=True)
            assert all(one.production == other.production for (_, one), (_, other) in pairs)
        settings = [node for node in again if node.production in ("background", "fill", "stroke")]
        assert settings == [n for n in program.children[1:] if n.production in ("background", "fill", "stroke")]


def test_places_are_four_units_apart() -> None:
    # By hand: columns begin 16 units left of the canvas, so x = 20 is column 9; y = 8 is row 6; 41 columns a row.
    assert actions.place_of(20, 8) == 6 * 41 + 9
    assert actions.point_of(6 * 41 + 9) == (20, 8)
    assert actions.place_of(21.9, 8) == 6 * 41 + 9
    assert actions.place_of(-900, 900) == 40 * 41
    assert actions.point_of(40 * 41) == (-16, 144)


def test_points_and_sizes_go_to_places() -> None:
    forms = [rect(10, 22, 31, 0.1), ellipse(64, 64, 17, 40)]
    # The corner (10, 22): Python rounds halves to even, so 26 / 4 = 6.5 -> 6, x = 8, and 38 / 4 = 9.5 -> 10, y = 24.
    # The opposite corner is measured from there: 8 + 31 = 39 -> 40, so 32 wide; next to nothing high becomes 2.
    # The ellipse's 17 is 8.5 from the centre -> 72, so 16 wide; 20 -> 84, so 40 high.
    assert decode(load_vocabulary(), forms, FORMS, FORMS_ROLE) == [rect(8, 24, 32, 2), ellipse(64, 64, 16, 40)]


def test_names_become_canonical_and_scopes_end() -> None:
    text = """
    (let [stripe 12 gap (+ stripe 4)]
      (dotimes [turn 3] (rect (* turn gap) stripe 4 8))
      (rect gap 0 4 8))
    (let [other 4] (rect other other 4 8))
    """
    wanted = """
    (let [i 12 j (+ i 4)]
      (dotimes [k 3] (rect (* k j) i 4 8))
      (rect j 0 4 8))
    (let [i 4] (rect i i 4 8))
    """
    forms = decode(load_vocabulary(), list(parse(text).children), FORMS, FORMS_ROLE)
    assert Node("program", tuple(forms)) == parse(wanted)


def test_functions_and_sequences_are_encoded_as_they_are_written() -> None:
    text = """
    (def gap 24)
    (defn half [number] (/ number 2))
    (defn star [across down]
      (with-translation [across down]
        (doseq [turn (range 0 10 2)]
          (with-rotation [turn] (point gap (half turn))))))
    (dotimes [turn 3] (star (half turn) gap))
    (doseq [x [16 48 (half gap)]] (star x 20))
    """
    wanted = """
    (def i 24)
    (defn f1 [j] (/ j 2))
    (defn f2 [j k]
      (with-translation [j k]
        (doseq [a (range 0 10 2)]
          (with-rotation [a] (point i (f1 a))))))
    (dotimes [j 3] (f2 (f1 j) i))
    (doseq [j [16 48 (f1 i)]] (f2 j 20))
    """
    forms = list(parse(text).children)
    again = decode(load_vocabulary(), forms, FORMS, FORMS_ROLE)
    assert Node("program", tuple(again)) == parse(wanted)
    assert decode(load_vocabulary(), again, FORMS, FORMS_ROLE) == again
    assert check(parse(wanted)) == []


@pytest.mark.parametrize("k", range(40))
def test_programs_of_calls_survive_encoding(k: int) -> None:
    vocabulary = load_vocabulary()
    program = write_calls(vocabulary, 60 + 8 * k, np.random.default_rng([5, k]))
    again = decode(vocabulary, [program], budget=900)  # nodes enough, and steps for calls
    assert decode(vocabulary, again, budget=900) == again
    pairs = zip(tree.walk(program), tree.walk(again[0]), strict=True)
    for (_, before), (_, after) in pairs:  # but for numbers, whose places are pointed at
        assert before.production == after.production
        assert before.value == after.value or isinstance(before.value, float)


def test_translations_move_what_places_are_measured_from() -> None:
    text = "(with-translation [10 20] (rect 1 1 8 8) (with-rotation [0] (line 0 0 5 5))) (rect 1 1 8 8)"
    wanted = "(with-translation [8 20] (rect 0 0 8 8) (with-rotation [0] (line 0 0 4 4))) (rect 0 0 8 8)"
    forms = decode(load_vocabulary(), list(parse(text).children), FORMS, FORMS_ROLE)
    assert Node("program", tuple(forms)) == parse(wanted)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(dotimes [i 100] (rect i 0 1 1))", "a loop's count of 100 is not among"),
        ("(doseq [i (range 0 9 0.3)] (point i 0))", "a loop's stride of 0.3 is not among"),
        ("(doseq [i (range (+ 1 2))] (point i 0))", "production:add is not legal"),
        ("(doseq [i (range 0 144)] (point i 0))", "number:144 is not legal"),
        ("(doseq [i (range 0 144 2)] (point i 0))", "stride:2 is not legal"),
        (f"(doseq [i [{'1 ' * 65}]] (point i 0))", "number:1 is not legal"),
        (f"(dotimes [i 4] (doseq [j [{'1 ' * 17}]] (point j 0)))", "number:1 is not legal"),
        (f"(defn f [{' '.join('abcdefghi')}] (no-fill))", "name:binder is not legal"),
        ("".join(f"(defn g{k} [])" for k in range(9)) + "(g0)", "'g0' is not among the nearest"),
        ("(defn g0 [])" + "".join(f"(defn g{k} [] (g{k - 1}))" for k in range(1, 17)) + "(g16)", "is not legal"),
        ("(defn f [] 1) (defn g [] (f)) (g)", "production:call is not legal"),
        ("(dotimes [i 16] (dotimes [j 16] (rect i j 1 1)))", "count:16 is not legal"),
        ("(let [a 1 b 1 c 1 d 1 e 1 f 1 g 1 h 1 k 1] (rect a 0 1 1))", "'a' is not among"),
        ("(with-rotation [0] " * 25 + "(no-fill)" + ")" * 25, "is not legal"),
    ],
)
def test_what_cannot_be_written_is_told(text: str, reason: str) -> None:
    with pytest.raises(UnencodableError, match=reason):
        encode(load_vocabulary(), parse(text).children, FORMS, FORMS_ROLE)


def test_forms_of_another_grammar_are_told() -> None:
    with pytest.raises(UnencodableError, match="has no 'sphere'"):
        encode(load_vocabulary(), [Node("sphere")], FORMS, FORMS_ROLE)


def test_long_programs_are_encoded_whatever_the_budget() -> None:
    forms = [rect(k % 100, 0, 8, 8) for k in range(300)]  # 2,100 nodes
    decisions = encode(load_vocabulary(), forms, FORMS, FORMS_ROLE)
    assert sum(decision.parent < 0 for decision in decisions) == 301  # the forms and their end


def test_colours_are_cut_as_processing_cuts_them() -> None:
    forms = [Node("fill", (Node("rgb", (literal(300), literal(-5), literal(7.9))),))]
    assert decode(load_vocabulary(), forms, FORMS, FORMS_ROLE) == [Node("fill", (color_node((255, 0, 7)),))]


def test_colours_are_read_where_the_choice_points() -> None:
    vocabulary = load_vocabulary()
    colors = np.zeros((PLACES, PLACES, 3), int)
    colors[6, 9] = 1, 2, 3
    derivation = Derivation(vocabulary, 20, FORMS, FORMS_ROLE, colors)
    derivation.choose(Choice(vocabulary.action_index["production:fill"]))
    derivation.choose(Choice(vocabulary.action_index["locate:color"], actions.place_of(20, 8)))
    assert derivation.nodes == [Node("fill", (color_node((1, 2, 3)),))]


def test_decisions_know_their_parents_and_siblings() -> None:
    # (fill 0 0 0) is a form and a colour; (rect ...) a form, a point and an extent; then the end of the forms.
    forms = [Node("fill", (color_node((0, 0, 0)),)), rect(0, 0, 8, 8)]
    decisions = encode(load_vocabulary(), forms, FORMS, FORMS_ROLE)
    assert [(d.parent, d.sibling, d.position) for d in decisions] == [
        (-1, -1, 0),
        (0, -1, 0),
        (-1, 0, 1),
        (2, -1, 0),
        (2, 3, 1),
        (-1, 2, 2),
    ]
