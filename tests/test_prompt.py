"""The line that is typed: when an entry ends, completion, the form around the cursor, colours, history."""

import os

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from treesketch import prompt
from treesketch.hints import open_head
from treesketch.language import load_language
from treesketch.repl import COMMANDS

LANGUAGE = load_language()


def test_enter_ends_an_entry_only_when_its_brackets_are_closed(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text("(let [a 1]\r(rect a 0 1 1))\r(fill\x03(fill 2)\r:undo\r\x04")
        entries = list(prompt.read_texts(LANGUAGE, [":undo"], dict))
    assert entries == ["(let [a 1]\n(rect a 0 1 1))", "(fill 2)", ":undo"]
    history = (tmp_path / "treesketch" / "history").read_text()
    assert "(fill 2)" in history


@pytest.mark.skipif(os.name != "posix", reason="permissions")
def test_history_in_memory_where_nothing_can_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert type(prompt.open_history()).__name__ == "InMemoryHistory"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(elli", ["ellipse", "ellipse-mode"]),
        ("(fill 1) (no-", ["no-fill", "no-stroke"]),
        ("(end", ["end-contour", "end-shape"]),
        (":u", [":undo"]),
        (":undo :u", []),
        ("elli", []),
        ("(rect wid", []),
        ("(rect 1 ", []),
        ("(st", ["star", "stroke", "stroke-cap", "stroke-join", "stroke-weight"]),
        ("(rect si", ["side"]),
        ("(rect st", []),
        ("(rect (* 2 P", ["PI"]),
        ("(let [sister 3] (rect si", ["side", "sister"]),
        ("(rect-mode :c", [":corner", ":corners", ":center"]),
        ("(arc 1 2 3 4 5 6 :", [":open", ":chord", ":pie"]),
        ("(end-shape :", [":close"]),
        ("(rect :", []),
    ],
)
def test_completion(text, words):
    defined = {"side": "side", "star": "(star x)"}
    completer = prompt.WordCompleter(LANGUAGE, [f":{name}" for name in COMMANDS], lambda: defined)
    found = [found.text for found in completer.get_completions(Document(text), CompleteEvent())]
    assert found == words


def test_completions_say_what_they_are():
    completer = prompt.WordCompleter(LANGUAGE, [], dict)
    (found,) = completer.get_completions(Document("(ellipse-m"), CompleteEvent())
    assert found.display_meta_text.startswith("(ellipse-mode :corner|:corners|:center|:radius)  the same for")


@pytest.mark.parametrize(
    ("before", "head"),
    [
        ("(rect 1 ", "rect"),
        ("(rect 1 (+ 2 3) ", "rect"),
        ("(rect (", "rect"),
        ("(with-translation [3 ", "with-translation"),
        ("(fill 1) ", ""),
        ("(fill 1) ; (rect", ""),
        (")) (a (b) [c", "a"),
    ],
)
def test_the_head_of_the_form_around_the_cursor(before, head):
    assert open_head(before) == head


def test_highlighting():
    lexer = prompt.HeadLexer(LANGUAGE, [":undo"], lambda: {"star": "(star x)"})
    line = lexer.lex_document(Document("(rect 1 x) (rekt) (star) ; n"))(0)
    assert "".join(text for _, text in line) == "(rect 1 x) (rekt) (star) ; n"
    styles = {text: style for style, text in line}
    assert [styles[word] for word in ("rect", "1", "x", "rekt", "star", "; n")] == [
        "class:head",
        "class:number",
        "",
        "class:unknown",
        "class:head",
        "class:comment",
    ]
    assert lexer.lex_document(Document(":undo"))(0)[0] == ("class:command", ":undo")
