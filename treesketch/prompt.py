"""The line that is typed: completion, the form's signature below it, colours, history. Texts out, one an entry."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.layout.processors import HighlightMatchingBracketProcessor
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.styles import Style

from treesketch.hints import complete, describe, open_head, unfinished
from treesketch.language import Language
from treesketch.units import is_complete

STYLE = Style.from_dict(
    {
        "head": "bold ansiblue",
        "unknown": "ansired",
        "number": "ansicyan",
        "command": "ansimagenta",
        "comment": "ansigray",
    }
)

_PIECE = re.compile(r'(?P<comment>;.*)|(?P<string>"[^"]*"?)|(?P<bracket>[()\[\]])|(?P<word>[^\s()\[\],;"]+)|[\s,]+')
_NUMBER = re.compile(r"[-+]?\d[\d.eE+-]*")
_COMMAND = re.compile(r"\s*:[\w-]*")

Definitions = Callable[[], Mapping[str, str]]  # the names that the program defines, with how each is written


def read_texts(language: Language, commands: Iterable[str], defined: Definitions) -> Iterator[str]:
    """What is typed, an entry at a time, until ctrl-d; ctrl-c gives the entry up.

    Enter ends an entry when all its brackets are closed, else it begins another line.
    """
    commands = list(commands)

    def signature() -> str | None:
        head = open_head(get_app().current_buffer.document.text_before_cursor)
        return describe(head, language, defined()) or None

    session: PromptSession[str] = PromptSession(
        "> ",
        multiline=Condition(lambda: not is_complete(get_app().current_buffer.text, language)),
        prompt_continuation="  ",
        history=open_history(),
        completer=WordCompleter(language, commands, defined),
        complete_while_typing=True,
        lexer=HeadLexer(language, commands, defined),
        bottom_toolbar=signature,
        input_processors=[HighlightMatchingBracketProcessor(chars="[](){}")],
        style=STYLE,
    )
    while True:
        try:
            yield session.prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def open_history() -> History:
    """Entries of earlier sessions, from the user's state folder; in memory only where that cannot be written."""
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "treesketch"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "history"
        file.touch(mode=0o600)
        return FileHistory(file)
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return InMemoryHistory()


class WordCompleter(Completer):
    """Completes the word before the cursor: a command at the start of an entry, else what `hints` says."""

    def __init__(self, language: Language, commands: Iterable[str], defined: Definitions):
        self._language, self._commands, self._defined = language, sorted(commands), defined

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        before = document.text_before_cursor
        word = unfinished(before)
        if before.lstrip().startswith(":"):
            known = [name for name in self._commands if name.startswith(word) and before.strip() == word]
            yield from (Completion(name, -len(word)) for name in known)
            return
        defined = self._defined()
        for name in complete(before, self._language, defined):
            about = describe(name, self._language, defined).partition("\n")[0]
            yield Completion(name, -len(word), display_meta=about)


class HeadLexer(Lexer):
    """Colours: known and unknown form names, numbers, commands, comments."""

    def __init__(self, language: Language, commands: Iterable[str], defined: Definitions):
        self._words, self._commands, self._defined = {*language.words, "draw"}, set(commands), defined

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        words = self._words.union(self._defined())
        return lambda number: self._color(document.lines[number], words)

    def _color(self, line: str, words: set[str]) -> StyleAndTextTuples:
        fragments: StyleAndTextTuples = []
        if command := _COMMAND.match(line):
            known = command[0].strip() in self._commands
            return [("class:command" if known else "", command[0]), ("", line[command.end() :])]
        after_bracket = False
        for match in _PIECE.finditer(line):
            style = ""
            if match["comment"]:
                style = "class:comment"
            elif match["word"] and after_bracket:
                style = "class:head" if match[0] in words else "class:unknown"
            elif match["word"] and _NUMBER.fullmatch(match[0]):
                style = "class:number"
            fragments.append((style, match[0]))
            after_bracket = match[0] == "("
        return fragments
