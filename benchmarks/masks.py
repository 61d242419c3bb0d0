"""The decoder's mask beside grammar engines: `python benchmarks/masks.py` prints the table of the README.

llguidance and XGrammar get the same productions as a context-free grammar, made from our `Language`: one space between
parts, names of one letter or of a function, numbers of up to four digits and two decimals. What is not context-free
(names in scope, how many numbers a function takes, divisors that are not 0, a bound on what loops spend) they cannot
say. Their tokens are the words of the language and single ASCII characters, the smallest vocabulary in which a word is
one step. A row of a batch is a program under way, each timed step's choice is uniform among what the mask allows, and
the three take turns, step by step. Our mask is that of types and node budget; scope, turns and calls are looked at row
by row, in the time that a choice takes to be written, and so is that of the tree. `sound` are the programs, of those
that ended by uniform choices, which pass the checks.
"""

import sys
import time
from importlib.metadata import version
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.table import Table

from treesketch.actions import PLACES, Vocabulary, load_vocabulary
from treesketch.check import check
from treesketch.derivation import Choice, Derivation
from treesketch.errors import SketchError
from treesketch.language import Language, Slot, load_language
from treesketch.syntax import parse, unparse

try:
    import llguidance
    import llguidance.numpy
    import xgrammar
except ImportError as error:
    sys.exit(f"{error}; pip install llguidance xgrammar")

BATCH = 256
STEPS = 300  # of each; the first third warms up
BUDGET = 200  # nodes of ours, as `treesketch sample` has it
SPREADS = (0, 2, 5)  # of random weights
SEED = 1
PATIENCE = 1000  # steps within which a program should end
LEAVES = {  # terminal -> its texts as a regular expression and in EBNF
    "NUMBER": (r"/-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,2})?/", '"-"? ("0" | [1-9] [0-9]{0,3}) ("." [0-9]{1,2})?'),
    "SYMBOL": ("/[a-z]|f[1-9]/", '[a-z] | "f" [1-9]'),
    "CONSTANT": ("/(TWO-|HALF-|QUARTER-)?PI/", '("TWO-" | "HALF-" | "QUARTER-")? "PI"'),
}


# The grammar for the engines


def context_free(language: Language, lark: bool) -> str:
    """The productions as rules, `start` or `root` a program: in Lark's format with regular expressions, or as EBNF."""
    start, define = ("start", ":") if lark else ("root", "::=")
    lines = [f"{start} {define} k_{language.start}"]
    for kind, options in language.kinds.items():
        lines.append(f"k_{kind} {define} " + " | ".join(f"p_{name}" for name in options))
    for production in language.productions.values():
        right = LEAVES[production.terminal][not lark] if production.terminal else body(production.template)
        lines.append(f"p_{production.name} {define} {right}")
    return "\n".join(lines) + "\n"


def body(template: tuple[str | Slot, ...]) -> str:
    """The right side of a production: its words and slots, one space between them, none inside brackets."""
    pieces: list[str] = []
    glued = True  # whether no space is due
    for i, part in enumerate(template):
        space = "" if glued or part in (")", "]") else '" " '
        if isinstance(part, str):
            pieces.append(f'{space}"{part}"')
            glued = part in ("(", "[")
            continue
        kind = f"k_{part.kind}"
        if not part.repeats:
            pieces.append(" ".join([space + kind] * part.least))
            glued = False
        elif part.most == 1:
            pieces.append(f"({space}{kind})?")
            glued = glued and i == 0  # only a program's size is missing in front of what follows
        elif glued:  # a list at the beginning: of a program's forms, or in a bracket
            pieces.append(f'{kind} (" " {kind})*' if part.least else f'({kind} (" " {kind})*)?')
        else:
            pieces.append(" ".join([space + kind] * part.least) + f" ({space}{kind})*")
            glued = False
    return " ".join(pieces)


def tokens_of(language: Language) -> list[bytes]:
    """The engines' tokens: single characters and the words of the language; the last one ends a program."""
    parts = {part for p in language.productions.values() for part in p.template if isinstance(part, str)}
    words = sorted(parts | {"PI", "TWO-PI", "HALF-PI", "QUARTER-PI"})
    return [bytes([code]) for code in range(32, 127)] + [w.encode() for w in words if len(w) > 1] + [b"</s>"]


# What is timed


def pick(allowed: npt.NDArray[np.bool_], weights: npt.NDArray[np.float64], rng: np.random.Generator) -> Any:
    """One of what each row allows, by chance and weights."""
    assert allowed.any(1).all(), "nothing is allowed"
    return np.where(allowed, weights + rng.gumbel(size=weights.shape), -np.inf).argmax(1)


class Ours:
    """Programs under way, each a derivation, which notes in a row of `asked` what its next mask depends on."""

    name, step = "treesketch", "a hole"

    def __init__(self, batch: int) -> None:
        self.vocabulary = load_vocabulary()
        self.fits, self.shallow = (np.packbits(t, axis=-1) for t in (self.vocabulary.fits, self.vocabulary.shallow))
        self.most = (len(self.fits) - 1, self.fits.shape[1] - 1, self.shallow.shape[1] - 1)
        self.asked = np.zeros((batch, 3), np.intp)  # hole, nodes and levels left, of each row
        self.rows = [Seen(self.vocabulary, asked) for asked in self.asked]
        self.weights = np.zeros((batch, len(self.vocabulary.actions)))
        self.ended: list[str] = []

    def mask(self) -> None:
        """The types' and the budget's mask of the whole batch, a bit an action as the engines': two look-ups."""
        holes, slack, levels = np.minimum(self.asked, self.most).T
        self.bits = self.fits[holes, slack] & self.shallow[holes, levels]

    def choose(self, rng: np.random.Generator) -> None:
        actions = pick(np.array([row.decision.legal for row in self.rows if row.decision]), self.weights, rng)
        places = np.where(self.vocabulary.is_located[actions], rng.integers(PLACES**2, size=len(actions)), -1)
        self.choices = list(map(Choice, actions.tolist(), places.tolist()))

    def advance(self) -> None:
        for row, choice in zip(self.rows, self.choices, strict=True):
            row.choose(choice)

    def settle(self, renew: bool) -> None:
        """Take out the programs that have ended, others in their place where they are to be renewed."""
        self.ended += [unparse(row.nodes[0]) for row in self.rows if row.decision is None]
        kept = [k for k, row in enumerate(self.rows) if renew or row.decision]
        self.weights, self.asked = self.weights[kept], self.asked[kept]
        rows = [self.rows[k] for k in kept]
        for row, asked in zip(rows, self.asked, strict=True):
            row.asked = asked
        self.rows = [row if row.decision else Seen(self.vocabulary, row.asked) for row in rows]


class Seen(Derivation):
    """A derivation that writes down what its last mask was asked for: hole, nodes and levels left, (3,)."""

    def __init__(self, vocabulary: Vocabulary, asked: npt.NDArray[np.intp]):
        self.asked = asked
        super().__init__(vocabulary, BUDGET)

    def _legal(self, index: int, slack: int, levels: int) -> npt.NDArray[np.bool_]:
        self.asked[:] = index, slack, levels
        return super()._legal(index, slack, levels)


class Engine:
    """Programs under way, each a matcher of an engine with the bit mask that it fills."""

    step = "a token"

    def __init__(self, batch: int) -> None:
        self.tokens = tokens_of(load_language())
        self.weights = np.zeros((batch, len(self.tokens)))
        self.bits = np.full((batch, (len(self.tokens) + 31) // 32), -1, np.int32)
        self.rows = [self.begin() for _ in range(batch)]
        self.texts = [b""] * batch
        self.ended: list[str] = []

    def begin(self) -> Any:
        """A matcher at the beginning of a program."""
        raise NotImplementedError

    def accept(self, row: Any, token: int) -> bool:
        """Write a token; whether the engine took it."""
        raise NotImplementedError

    def choose(self, rng: np.random.Generator) -> None:
        allowed = np.unpackbits(self.bits.view(np.uint8), axis=1, bitorder="little")[:, : len(self.tokens)]
        self.choices = pick(allowed.astype(bool), self.weights, rng).tolist()

    def advance(self) -> None:
        taken = [self.accept(row, token) for row, token in zip(self.rows, self.choices, strict=True)]
        assert all(taken)

    def settle(self, renew: bool) -> None:
        """Take out the programs that have ended, others in their place where they are to be renewed."""
        end = len(self.tokens) - 1
        texts = [text + self.tokens[token] for text, token in zip(self.texts, self.choices, strict=True)]
        self.ended += [text.decode() for text, token in zip(self.texts, self.choices, strict=True) if token == end]
        kept = [k for k, token in enumerate(self.choices) if renew or token != end]
        self.rows = [self.begin() if self.choices[k] == end else self.rows[k] for k in kept]
        self.texts = [b"" if self.choices[k] == end else texts[k] for k in kept]
        self.bits, self.weights = self.bits[: len(kept)], self.weights[kept]


class Llguidance(Engine):
    name = "llguidance"

    def __init__(self, batch: int) -> None:
        class Characters:
            tokens = tokens_of(load_language())
            eos_token_id, bos_token_id, special_token_ids = len(tokens) - 1, None, [len(tokens) - 1]

            def __call__(self, text: bytes) -> list[int]:
                return [code - 32 for code in text]

        self.tokenizer = llguidance.LLTokenizer(llguidance.TokenizerWrapper(Characters()))
        self.grammar = llguidance.LLMatcher.grammar_from_lark(context_free(load_language(), lark=True))
        self.executor = llguidance.LLExecutor(num_threads=1)
        super().__init__(batch)

    def begin(self) -> Any:
        matcher = llguidance.LLMatcher(self.tokenizer, self.grammar)
        assert not matcher.is_error(), matcher.get_error()
        return matcher

    def mask(self) -> None:
        pairs = [(row, k) for k, row in enumerate(self.rows)]
        llguidance.numpy.fill_next_token_bitmask_par(self.executor, pairs, self.bits)

    def accept(self, row: Any, token: int) -> bool:
        return bool(row.consume_token(token))


class Xgrammar(Engine):
    name = "xgrammar"

    def __init__(self, batch: int) -> None:
        tokens = tokens_of(load_language())
        about = xgrammar.TokenizerInfo(tokens, xgrammar.VocabType.RAW, stop_token_ids=[len(tokens) - 1])
        compiler = xgrammar.GrammarCompiler(about, max_threads=1)
        self.grammar = compiler.compile_grammar(context_free(load_language(), lark=False))
        self.filler = xgrammar.BatchGrammarMatcher(max_threads=1)
        super().__init__(batch)

    def begin(self) -> Any:
        return xgrammar.GrammarMatcher(self.grammar)

    def mask(self) -> None:
        self.filler.batch_fill_next_token_bitmask(self.rows, torch.from_numpy(self.bits))

    def accept(self, row: Any, token: int) -> bool:
        return bool(row.accept_token(token))


def take_turns() -> list[tuple[float, float]]:
    """Microseconds a row for the mask and for the rest of a step, of ours and of each engine: medians of the steps."""
    all_rows = [kind(BATCH) for kind in (Ours, Llguidance, Xgrammar)]
    taken: list[list[tuple[float, float]]] = [[] for _ in all_rows]
    rng = np.random.default_rng(SEED)
    for _ in range(STEPS):
        for rows, times in zip(all_rows, taken, strict=True):
            began = time.perf_counter()
            rows.mask()
            masked = time.perf_counter()
            rows.choose(rng)
            chosen = time.perf_counter()
            rows.advance()
            done = time.perf_counter()
            rows.settle(renew=True)
            times.append((masked - began, done - chosen))
    steady = [times[STEPS // 3 :] for times in taken]
    return [tuple(median(part) / BATCH * 1e6 for part in zip(*times, strict=True)) for times in steady]


def watch_endings(kind: type[Ours | Llguidance | Xgrammar], spread: float) -> tuple[float, float]:
    """The share of programs that end within PATIENCE steps, and the share of those that do which pass the checks.

    Each row has random weights of its own, as far apart as `spread` says: those of some untrained network.
    """
    rows, rng = kind(BATCH), np.random.default_rng(SEED)
    rows.weights = rng.normal(0, spread, rows.weights.shape)
    for _ in range(PATIENCE):
        if rows.rows:
            rows.mask()
            rows.choose(rng)
            rows.advance()
            rows.settle(renew=False)
    return len(rows.ended) / BATCH, sum(map(is_sound, rows.ended)) / max(len(rows.ended), 1)


def is_sound(text: str) -> bool:
    """Whether a program may be drawn."""
    try:
        return not check(parse(text))
    except SketchError:
        return False


def main() -> None:
    table = Table(title=f"A step of a row at batch {BATCH}, one core; programs that end within {PATIENCE} steps")
    headings = (
        "",
        "a step",
        "mask, us",
        "mask and choice written, us",
        *(f"end, weights +-{each}" for each in SPREADS),
        "sound",
    )
    for heading in headings:
        table.add_column(heading, justify="right" if heading else "left")
    results = take_turns()
    for kind, (mask, rest) in zip((Ours, Llguidance, Xgrammar), results, strict=True):
        shares = [watch_endings(kind, spread) for spread in SPREADS]
        name = kind.name if kind is Ours else f"{kind.name} {version(kind.name)}"
        ends = [f"{ended:.1%}" for ended, _ in shares]
        table.add_row(name, kind.step, f"{mask:.2f}", f"{mask + rest:.1f}", *ends, f"{shares[0][1]:.1%}")
    Console(width=120).print(table)
    for name, (mask, _) in zip(("llguidance", "xgrammar"), results[1:], strict=True):
        print(f"the mask of {name} takes {mask / results[0][0]:.0f} times as long")


if __name__ == "__main__":
    main()
