"""A `.lark` file read once: its productions, kinds and minimum sizes. The grammar file in, a `Language` out.

Everything that knows what can be written (parser, printer, checker, decoder, sampler) asks this module.
The file is read by Lark's own grammar loader, so a file that Lark refuses is refused here with Lark's words.
A rule is a production; a rule that begins with `?` is a kind, the union of the productions that it names.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path as FilePath

from lark import Lark, Token, Tree
from lark.exceptions import LarkError, UnexpectedCharacters
from lark.grammar import NonTerminal, Terminal
from lark.lark import PostLex
from lark.load_grammar import Grammar, GrammarBuilder

from treesketch.errors import ConfigError

_DOC = re.compile(r"^\??(\w+)(?:\.\d+)?:.* // (.+)$", re.M)
NUMERIC_TERMINALS = frozenset({"NUMBER", "INT"})  # their tokens become floats; all others stay text


class _WholeWords(PostLex):
    """Has Lark keep the terminal WORD though no rule uses it: `12` is one word, not `1` `2`, and `Circles` is none."""

    always_accept = ("WORD",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        return stream


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for children: `least` to `most` of a kind (most None: no upper bound)."""

    kind: str
    least: int = 1
    most: int | None = 1

    @property
    def repeats(self) -> bool:
        """Whether the number of children is not fixed."""
        return self.least != self.most


@dataclass(frozen=True, slots=True)
class Production:
    """One way to write a node: literal text and slots in order. A leaf has a terminal and no slots."""

    name: str
    template: tuple[str | Slot, ...]
    terminal: str | None = None

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The places for children, in order."""
        return tuple(part for part in self.template if isinstance(part, Slot))

    @property
    def head(self) -> str | None:
        """The word after the opening parenthesis, or None where the production has none."""
        text = self.template[:2]
        return text[1] if len(text) == 2 and text[0] == "(" and isinstance(text[1], str) else None


@dataclass(frozen=True)
class Language:
    """What one grammar file says.

    productions maps a name to its production, in file order; kinds maps every rule name to the productions that may
    stand there (file order). minimum_size gives the least number of nodes that a kind needs.
    """

    name: str
    start: str
    source: str
    productions: dict[str, Production]
    kinds: dict[str, tuple[str, ...]]
    minimum_size: dict[str, int]

    def production_minimum(self, name: str) -> int:
        """The least number of nodes of a tree with this production at its root."""
        return 1 + sum(slot.least * self.minimum_size[slot.kind] for slot in self.productions[name].slots)

    @cached_property
    def heads(self) -> dict[str, str]:
        """Word after the parenthesis -> production name; the first where several share a word."""
        heads: dict[str, str] = {}
        for production in self.productions.values():
            if production.head:
                heads.setdefault(production.head, production.name)
        return heads

    @cached_property
    def bodies(self) -> frozenset[str]:
        """The kinds of what a program is a list of, and of what may stand for one of these: forms, not their parts."""
        listed = [slot.kind for slot in self.productions[self.start].slots if slot.most is None]
        forms = {name for kind in listed for name in self.kinds[kind]}
        return frozenset(kind for kind, options in self.kinds.items() if forms.issuperset(options))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Every word that may follow an opening parenthesis, in file order: the heads, and `end-shape`."""
        parts = [production.template for production in self.productions.values()]
        words = [word for part in parts for before, word in pairwise(part) if before == "(" and isinstance(word, str)]
        return tuple(dict.fromkeys(words))

    def parser(self, start: str | None = None) -> Lark:
        """Lark's LALR parser for texts of a kind (default: the file's start), built once.

        The basic lexer keeps whole words together: `rect1` is never `rect` `1`. A grammar without names and numbers
        has a terminal WORD for that, which need not stand in any rule.
        """
        start = start or self.start
        if start not in self._parsers:
            self._parsers[start] = Lark(
                self.source,
                parser="lalr",
                lexer="basic",
                start=start,
                keep_all_tokens=True,  # `syntax` reads from them where a node stands, faster than Lark does
                maybe_placeholders=False,
                postlex=_WholeWords(),
            )
        return self._parsers[start]

    @cached_property
    def _parsers(self) -> dict[str, Lark]:
        return {}

    def spells(self, terminal: str, text: str) -> bool:
        """Whether a text is read as one token of a terminal; a word that a rule spells out is none of a SYMBOL."""
        try:
            return [token.type for token in self._lexer.lex(text)] == [terminal]
        except UnexpectedCharacters:
            return False

    @cached_property
    def _lexer(self) -> Lark:
        return Lark(self.source, parser=None, lexer="basic", start=self.start)

    def spellings(self, terminals: Iterable[str]) -> list[str]:
        """The words that these terminals spell out, in file order; what stands for many texts is left out."""
        wanted = set(terminals)
        patterns = [terminal.pattern for terminal in self.parser().terminals if terminal.name in wanted]
        return [pattern.value for pattern in patterns if pattern.type == "str"]

    def signature(self, name: str) -> list[str]:
        """The slots of a production spelt out to single values, as a person writes them: ['x1', 'y1', 'x2', 'y2']."""
        words: list[str] = []
        for slot in self.productions[name].slots:
            words += [word + ("..." if slot.repeats else "") for word in self._spell(slot.kind)]
        return number_words(words)

    def usage(self, name: str) -> str:
        """How a production is written: '(dotimes [name count] form ...)'; of a list of parts only the first.

        What may be missing has a question mark behind it.
        """
        pieces: list[str] = []
        depth = listed = 0
        for part in self.productions[name].template:
            if isinstance(part, str):
                pieces.append(part)
                depth += (part in "([") - (part in ")]")
                continue
            options = self.kinds[part.kind]
            literal = all(any(isinstance(p, str) for p in self.productions[each].template) for each in options)
            if literal and depth == 0 and part.kind not in self.bodies:
                pieces += [self.usage(options[0]), "..."] if not listed else []
                listed += 1
                continue
            words = [self.usage(options[0])] if literal and len(options) == 1 else self._spell(part.kind)
            if part.most is None:
                words[-1] += " ..."
            pieces += [word + "?" for word in words] if not part.least and part.most == 1 else words
        return join_words(number_words(pieces))

    @cached_property
    def sequences(self) -> dict[str, tuple[frozenset[str], str]]:
        """Forms of several brackets in a row: the first one's head -> (heads that may follow, the last one's head)."""
        rows = {name: self._row(name) for name in self.productions}
        found = {}
        for heads, kinds in rows.values():
            if len(heads) > 1:
                inside = {head for kind in kinds for name in self.kinds[kind] for head in rows[name][0]}
                found[heads[0]] = (frozenset(inside), heads[-1])
        return found

    def _row(self, name: str) -> tuple[list[str], list[str]]:
        """The heads of a production's brackets in a row, and the kinds of what stands between them."""
        depth, heads, kinds = 0, list[str](), list[str]()
        template = self.productions[name].template
        for i, part in enumerate(template):
            if part == "(" and depth == 0:
                heads.append(str(template[i + 1]))
            if isinstance(part, str):
                depth += (part == "(") - (part == ")")
            elif depth == 0:
                kinds.append(part.kind)
        return heads, kinds

    @cached_property
    def docs(self) -> dict[str, str]:
        """What a production means, by name: the comment behind its rule in the grammar file."""
        return {name: doc for name, doc in _DOC.findall(self.source) if name in self.productions}

    def describe(self, head: str) -> str:
        """All ways to write the forms with this head, a line each, with what they mean; '' where there is none."""
        lines = [
            f"{self.usage(name)}  {self.docs.get(name, '')}".rstrip()
            for name, production in self.productions.items()
            if production.head == head
        ]
        return "\n".join(lines)

    def _spell(self, kind: str) -> list[str]:
        options = self.kinds[kind]
        keywords = [part for name in options for part in self.productions[name].template if str(part).startswith(":")]
        if len(keywords) == len(options):
            return ["|".join(map(str, keywords))]
        if kind in self.bodies and len(options) > 1:
            return ["form"]
        if len(options) == 1 and self.productions[options[0]].terminal == "SYMBOL":
            return ["name"]
        if len(options) == 1 and not self.productions[options[0]].terminal:
            only = self.productions[options[0]]
            if all(isinstance(part, Slot) and not part.repeats for part in only.template):
                return [word for slot in only.slots for word in self._spell(slot.kind)]
        return [kind.replace("_", "-")]


def number_words(words: Sequence[str]) -> list[str]:
    """Words for values with numbers behind those that occur more than once: ['x1', 'y1', 'x2', 'y2']."""
    bare = [word.rstrip("?") for word in words]
    seen: Counter[str] = Counter()
    numbered = []
    for word, name in zip(words, bare, strict=True):
        seen[name] += 1
        twice = name.replace("-", "").isalpha() and bare.count(name) > 1
        numbered.append(f"{name}{seen[name]}{word[len(name) :]}" if twice else word)
    return numbered


def join_words(words: Iterable[str]) -> str:
    """Words with single spaces between them, none inside brackets."""
    text = ""
    for word in words:
        if text and word not in (")", "]") and text[-1] not in "([":
            text += " "
        text += word
    return text


@lru_cache(maxsize=16)
def load_language(name: str = "sketch") -> Language:
    """The language of `grammar/NAME.lark` (a shipped name), or of a path that ends in .lark.

    Raises ConfigError when there is no such file or it is not a grammar that this project can read.
    """
    if name.endswith(".lark"):
        path = FilePath(name)
        if not path.is_file():
            raise ConfigError(f"no grammar file {name}")
        return read_language(path.stem, path.read_text(encoding="utf-8"))
    if name not in shipped_languages():
        raise ConfigError(f"no grammar '{name}'; there are: {', '.join(shipped_languages())}")
    text = (files("treesketch.grammar") / f"{name}.lark").read_text(encoding="utf-8")
    return read_language(name, text)


def shipped_languages() -> list[str]:
    """Names of the grammar files that come with the package."""
    return sorted(item.name[:-5] for item in files("treesketch.grammar").iterdir() if item.name.endswith(".lark"))


def read_language(name: str, source: str) -> Language:
    """The language that the text of a `.lark` file describes; its first rule is the start."""
    try:
        builder = GrammarBuilder()
        builder.load_grammar(source)
        grammar: Grammar = builder.build()
    except LarkError as error:
        raise ConfigError(f"grammar '{name}': {str(error).splitlines()[0]}") from error
    productions: dict[str, Production] = {}
    unions: dict[str, list[str]] = {}  # kind -> productions and kinds it names directly
    for rule, _parameters, expansions, options in grammar.rule_defs:
        unions[str(rule)] = [
            _read_alternative(name, str(rule), alternative, options.expand1, len(expansions.children), productions)
            for alternative in expansions.children
        ]
    kinds = {kind: tuple(dict.fromkeys(_flatten(kind, unions, productions, ()))) for kind in unions}
    minimum = _minimum_sizes(name, productions, kinds)
    return Language(name, str(grammar.rule_defs[0][0]), source, productions, kinds, minimum)


def _read_alternative(
    language: str, rule: str, alternative: Tree[Token], is_kind: bool, among: int, productions: dict[str, Production]
) -> str:
    """Read one alternative of a rule; returns the name (production, or kind) that it adds to the rule's kind."""
    alias = None
    if alternative.data == "alias":
        expansion, word = alternative.children
        assert isinstance(expansion, Tree)
        alternative, alias = expansion, str(word.name) if isinstance(word, NonTerminal) else None
    parts = tuple(_read_part(language, rule, part) for part in alternative.children)
    only = parts[0] if len(parts) == 1 else None
    if is_kind and not alias and isinstance(only, Slot) and not only.repeats:
        return only.kind
    if among > 1 and not alias:
        raise ConfigError(f"grammar '{language}': give this alternative of '{rule}' a name with '-> name'")
    name = alias or rule
    terminals = [part[1] for part in parts if isinstance(part, tuple)]
    if terminals and (len(terminals) > 1 or any(isinstance(part, Slot) for part in parts)):
        raise ConfigError(f"grammar '{language}': put the terminal {terminals[0]} of '{rule}' in a rule of its own")
    template = tuple(part for part in parts if not isinstance(part, tuple))
    productions[name] = Production(name, template, terminals[0] if terminals else None)
    return name


def _read_part(language: str, rule: str, part: object) -> str | Slot | tuple[str, str]:
    """A literal's text, a slot, or ('terminal', NAME)."""
    refuse = ConfigError(f"grammar '{language}': '{rule}' uses what has no place in a tree; use plain rules")
    if isinstance(part, Tree) and part.data == "expr":
        inner, operator, *bounds = part.children
        slot = _read_part(language, rule, inner)
        if not isinstance(slot, Slot):
            raise refuse
        if operator == "~":
            numbers = [int(str(bound)) for bound in bounds]
            return Slot(slot.kind, numbers[0], numbers[-1])
        least, most = {"?": (0, 1), "*": (0, None), "+": (1, None)}[str(operator)]
        return Slot(slot.kind, least, most)
    if isinstance(part, Tree) and part.data == "value":
        value = part.children[0]
        if isinstance(value, NonTerminal):
            return Slot(str(value.name))
        if isinstance(value, Terminal):
            return ("terminal", str(value.name))
        if isinstance(value, Tree) and value.data == "literal" and str(value.children[0]).startswith('"'):
            return str(value.children[0])[1:-1]
    raise refuse


def _flatten(
    kind: str, unions: dict[str, list[str]], productions: dict[str, Production], seen: tuple[str, ...]
) -> Iterator[str]:
    for name in unions[kind]:
        if name in productions:
            yield name
        elif name not in seen:
            yield from _flatten(name, unions, productions, (*seen, kind))


def _minimum_sizes(
    language: str, productions: dict[str, Production], kinds: dict[str, tuple[str, ...]]
) -> dict[str, int]:
    """Least number of nodes a kind needs, by fixpoint from below infinity."""
    infinite = 1 << 30
    minimum = dict.fromkeys(kinds, infinite)
    changed = True
    while changed:
        changed = False
        for kind, names in kinds.items():
            for name in names:
                size = 1 + sum(slot.least * minimum[slot.kind] for slot in productions[name].slots)
                if size < minimum[kind]:
                    minimum[kind], changed = size, True
    endless = [kind for kind, size in minimum.items() if size >= infinite]
    if endless:
        raise ConfigError(f"grammar '{language}': no finite tree for {', '.join(endless)}")
    return minimum
