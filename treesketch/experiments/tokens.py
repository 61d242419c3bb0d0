"""Source text <-> tokens, for systems that write text: a program's words in, numbers of tokens out, and back again.

The words are the grammar's own, the constants, the names that canonical programs bear, and whole numbers. Any other
word of theirs is spelt as the longest of these that it begins with, and pieces: `15.5` is `15` and `.5`.
"""

import string
from collections.abc import Iterable
from functools import lru_cache

from treesketch.actions import FUNCTION, NAMES
from treesketch.arithmetic import CONSTANTS
from treesketch.derivation import UnencodableError
from treesketch.explain import words
from treesketch.language import Language, join_words, load_language

END = 0  # the token behind a program, and before its first
WHOLE = range(-64, 256)  # numbers that are one token: channels, places and nearly all sizes of sampled scenes
PIECES = (".5", ".", *string.digits, "e", "-", "+")  # of which other numbers, and names of functions, go on


class Tokens:
    """The tokens of a grammar: END, words, then pieces, which are glued to what is before them."""

    def __init__(self, language: Language):
        said = [part for p in language.productions.values() for part in p.template if isinstance(part, str)]
        names = [*NAMES, FUNCTION]
        numbers = ["-0", *map(str, WHOLE)]
        self.words = list(dict.fromkeys([*said, *CONSTANTS, *names, *numbers]))
        self.first_piece = 1 + len(self.words)
        self._texts = ["", *self.words, *PIECES]
        self._words = {word: 1 + k for k, word in enumerate(self.words)}
        self._pieces = {piece: self.first_piece + k for k, piece in enumerate(PIECES)}
        self._spelt: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self._texts)

    def encode(self, text: str) -> list[int]:
        """The tokens of a program's text, END behind them. Raises UnencodableError for a word that has none."""
        found: list[int] = []
        for word in words(text):
            found += self._spelt.get(word.text) or self._spell(word.text)
        return [*found, END]

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of any tokens up to the first END, on one line."""
        spelt: list[str] = []
        for token in tokens:
            if token == END:
                break
            if token >= self.first_piece and spelt:
                spelt[-1] += self._texts[token]
            else:
                spelt.append(self._texts[token])
        return join_words(spelt)

    def _spell(self, word: str) -> list[int]:
        found: list[int] = []
        rest = word
        while rest:
            table = self._pieces if found else self._words
            known = next((rest[:end] for end in range(len(rest), 0, -1) if rest[:end] in table), None)
            if known is None:
                raise UnencodableError(f"no tokens for '{word}'")
            found.append(table[known])
            rest = rest[len(known) :]
        if len(self._spelt) < 10_000:
            self._spelt[word] = found
        return found


@lru_cache(maxsize=8)
def load_tokens(name: str = "sketch") -> Tokens:
    """The tokens of a shipped grammar, or of a path to a `.lark` file."""
    return Tokens(load_language(name))
