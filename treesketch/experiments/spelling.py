"""Programs as sequences of tokens for a recurrent network: a program in, tokens to learn out; tokens in, a program out.

There are two ways to spell: the source text, where any token may follow any other, and the decisions of a derivation,
where the legal mask says what may follow, so that whatever is told parses and checks.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from treesketch.actions import PLACES, Vocabulary
from treesketch.derivation import Choice, Derivation, encode
from treesketch.experiments.tokens import END, Tokens
from treesketch.experiments.tree_decoder import unparse_forms
from treesketch.model.graph import FORMS, FORMS_ROLE
from treesketch.model.places import on_canvas, pixel_of_place, point_at_color
from treesketch.syntax import parse

UNTAUGHT = -1  # a token that is not learnt: nothing in the picture shows what it should say

Mask = npt.NDArray[np.bool_]


class Spelt(NamedTuple):
    """A program's tokens, and which tokens are legal at each (tokens, size of the spelling); None where all are."""

    tokens: list[int]
    legal: Mask | None


class Telling(ABC):
    """One program being told; at first nothing is."""

    done = False

    @property
    @abstractmethod
    def legal(self) -> Mask | None:
        """The tokens that may come next (size of the spelling,); None where all may."""

    @abstractmethod
    def take(self, token: int) -> None:
        """Go on with a legal token; `done` says whether it was the last."""

    @abstractmethod
    def text(self) -> str:
        """The program that has been told."""


class Spelling(ABC):
    """A way to spell programs. Tokens count from 0, which is what a network hears before the first."""

    size: int

    @abstractmethod
    def spell(self, program: str, picture: np.ndarray, rng: np.random.Generator) -> Spelt:
        """The tokens of a program that draws a picture (64, 64, 3) in 0..1. Raises UnencodableError where it has none.

        rng chooses which of the places that show a colour is told.
        """

    @abstractmethod
    def begin(self, picture: np.ndarray) -> Telling:
        """A program to tell for a picture (64, 64, 3) in 0..1."""


# The source text


class SourceSpelling(Spelling):
    """Tokens of the source text, no more of them than `longest`: what a longer program has behind these is cut off."""

    def __init__(self, tokens: Tokens, longest: int):
        self.tokens, self.longest, self.size = tokens, longest, len(tokens)

    def spell(self, program: str, picture: np.ndarray, rng: np.random.Generator) -> Spelt:
        return Spelt(self.tokens.encode(program)[: self.longest], None)

    def begin(self, picture: np.ndarray) -> Telling:
        return _SourceTelling(self)


class _SourceTelling(Telling):
    def __init__(self, spelling: SourceSpelling):
        self._spelling = spelling
        self._told: list[int] = []

    @property
    def legal(self) -> Mask | None:
        return None

    def take(self, token: int) -> None:
        self._told.append(token)
        self.done = token == END or len(self._told) == self._spelling.longest

    def text(self) -> str:
        return self._spelling.tokens.decode(self._told)


# Decisions


class DecisionSpelling(Spelling):
    """Decisions, one behind the other: an action, and behind a located one the row and the column of its place.

    budget is in nodes, of a program that is told.
    """

    def __init__(self, vocabulary: Vocabulary, budget: int):
        self.vocabulary, self.budget = vocabulary, budget
        self.rows = 1 + len(vocabulary.actions)  # where the tokens of rows begin; those of columns follow
        self.columns = self.rows + PLACES
        self.size = self.columns + PLACES
        inside = on_canvas().numpy().reshape(PLACES, PLACES)
        self._lines = [self._mask(self.rows, np.ones(PLACES, bool)), self._mask(self.columns, np.ones(PLACES, bool))]
        high, wide = np.asarray(inside.any(1)), np.asarray(inside.any(0))
        self._inner = [self._mask(self.rows, high), self._mask(self.columns, wide)]
        self._color = vocabulary.action_index["locate:color"]
        self._pixels = pixel_of_place().numpy()

    def spell(self, program: str, picture: np.ndarray, rng: np.random.Generator) -> Spelt:
        tokens: list[int] = []
        legal: list[Mask] = []
        for decision in encode(self.vocabulary, parse(program).children[1:], FORMS, FORMS_ROLE):
            assert decision.answer is not None
            answer = point_at_color(decision.answer, picture, rng)
            tokens.append(1 + answer.action)
            legal.append(self.actions(decision.legal))
            if self.vocabulary.is_located[answer.action]:
                row, column = divmod(answer.place, PLACES)
                known = answer.place >= 0
                tokens += [self.rows + row, self.columns + column] if known else [UNTAUGHT] * 2
                legal += self.lines(answer.action)
        return Spelt(tokens, np.stack(legal))

    def begin(self, picture: np.ndarray) -> Telling:
        colors = (picture.reshape(-1, 3)[self._pixels] * 255).round().astype(np.int32)
        return _DecisionTelling(self, colors.reshape(PLACES, PLACES, 3))

    def actions(self, legal: Mask) -> Mask:
        """The tokens of legal actions (A,)."""
        return self._mask(1, legal)

    def lines(self, action: int) -> list[Mask]:
        """The tokens of rows, and of columns, that a located action may take: a colour is read from the canvas."""
        return self._inner if action == self._color else self._lines

    def _mask(self, first: int, legal: Mask) -> Mask:
        mask = np.zeros(self.size, bool)
        mask[first : first + len(legal)] = legal
        return mask


class _DecisionTelling(Telling):
    def __init__(self, spelling: DecisionSpelling, colors: npt.NDArray[np.int32]):
        self._spelling = spelling
        self._derivation = Derivation(spelling.vocabulary, spelling.budget, FORMS, FORMS_ROLE, colors)
        self._begun: list[int] = []  # a located action, and its row
        self.done = self._derivation.decision is None

    @property
    def legal(self) -> Mask | None:
        if self._begun:
            return self._spelling.lines(self._begun[0])[len(self._begun) - 1]
        assert self._derivation.decision is not None
        return self._spelling.actions(self._derivation.decision.legal)

    def take(self, token: int) -> None:
        spelling = self._spelling
        if not self._begun and not spelling.vocabulary.is_located[token - 1]:
            self._choose(Choice(token - 1))
        elif len(self._begun) < 2:
            self._begun.append(token - (spelling.rows if self._begun else 1))
        else:
            action, row = self._begun
            self._begun = []
            self._choose(Choice(action, row * PLACES + token - spelling.columns))

    def _choose(self, choice: Choice) -> None:
        self._derivation.choose(choice)
        self.done = self._derivation.decision is None

    def text(self) -> str:
        return unparse_forms(self._derivation.nodes)
