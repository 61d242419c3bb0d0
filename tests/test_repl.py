"""The REPL: what is one unit, what each command does, that errors keep the session and the picture, and the prompt."""

import os
import subprocess
import sys

import numpy as np
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from treesketch import batch, prompt, repl
from treesketch.errors import PictureError
from treesketch.language import load_language
from treesketch.repl import COMMANDS, Session
from treesketch.scene import Scene
from treesketch.syntax import unparse
from treesketch.terminal import choose_view, fit, half_blocks, iterm_image, kitty_image, picture_text
from treesketch.units import is_complete, is_number, split_units

LANGUAGE = load_language()


def texts(text: str) -> list[str]:
    return [unit.text for unit in split_units(text, LANGUAGE)]


def program(session: Session) -> str:
    return unparse(session.program)


def pipe(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "treesketch", "repl", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120)


@pytest.fixture
def session() -> Session:
    return Session()


# Units


def test_units_are_forms_numbers_and_commands():
    text = '(rect 1 2 3 4) ; a (comment\n(+ 1\n 2) 7,PI\n:view off ; all of it\n(draw "a (1).png") (fill\n1)'
    expected = ["(rect 1 2 3 4)", "(+ 1\n 2)", "7", "PI", ":view off ; all of it", '(draw "a (1).png")', "(fill\n1)"]
    assert texts(text) == expected


def test_units_know_where_they_begin():
    places = [(unit.line, unit.column) for unit in split_units("(fill 1)\n\n  (fill\n2) (fill 3)", LANGUAGE)]
    assert places == [(1, 1), (3, 3), (4, 4)]


def test_a_shape_of_several_brackets_is_one_unit():
    shape = "(begin-shape) (vertex 1 2)\n(vertex 3 4) ; last\n(end-shape :close)"
    assert texts(f"{shape} (fill 1)") == [shape, "(fill 1)"]
    assert texts("(begin-shape) (rect 1 2 3 4)") == ["(begin-shape)", "(rect 1 2 3 4)"]
    assert texts(f"(let [a 1] {shape})") == [f"(let [a 1] {shape})"]


@pytest.mark.parametrize("text", ["", "  ; note", "(fill 1)", "7", ")", "(rect 1]", ":draw (", "(fill 1) )"])
def test_complete(text):
    assert is_complete(text, LANGUAGE)


@pytest.mark.parametrize(
    "text", ["(", "(fill 1) (", "(let [a 1]", "(fill 1 ; )", "(begin-shape)", "(begin-shape) (vertex 1 2)"]
)
def test_incomplete(text):
    assert not is_complete(text, LANGUAGE)


@pytest.mark.parametrize(("text", "number"), [("(+ 1 2)", True), ("PI", True), ("-3", True), ("x", True)])
def test_numbers(text, number):
    assert is_number(next(split_units(text, LANGUAGE)), LANGUAGE) == number


@pytest.mark.parametrize("text", ["(rect 1 2 3 4)", "()", ")", "(elipse)", "[1]"])
def test_not_numbers(text):
    assert not is_number(next(split_units(text, LANGUAGE)), LANGUAGE)


# Evaluation


def test_forms_add_up(session):
    session.enter("(fill 1 2 3)")
    session.enter("(rect 1 2 3 4) (ellipse 5 6 7 8)")
    assert program(session) == "(fill 1 2 3)\n(rect 1 2 3 4)\n(ellipse 5 6 7 8)\n"
    assert len(session.scene.shapes) == 2


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("(+ 1 2)", "3"),
        ("(/ 1 4)", "0.25"),
        ("PI", "3.141592653589793"),
        ("(/ 1 (- 1 1))", "inf"),
        ("(* 2 (- 3))", "-6"),
    ],
)
def test_numbers_are_printed_and_not_kept(session, capsys, text, printed):
    session.enter(text)
    assert capsys.readouterr().out == printed + "\n"
    assert program(session) == ""


def test_size_goes_to_the_front_and_all_is_drawn_again(session):
    session.enter("(rect 1 2 3 4) (size 20 30) (size 40 50)")
    assert program(session) == "(size 40 50)\n(rect 1 2 3 4)\n"
    assert (session.scene.width, session.scene.height, len(session.scene.shapes)) == (40, 50, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(fill 1)\n  (rect 1 2 q 4)", "2:13: no name 'q' here; bind it with (let [...] ...)"),
        ("(elipse 1 2 3 4)", "1:2: no form 'elipse'; did you mean 'ellipse'?"),
        ("q", "1:1: no name 'q' here; bind it with (let [...] ...)"),
        ("(let [n (* 1e6 1e6)]\n (dotimes [i n]))", "steps"),
        ("(rect 1 2", "1:1: this '(' is never closed"),
        (":nothing", "no command ':nothing'; :help lists them"),
        (":save", ":save needs FILE"),
        (":undo 2", ":undo takes nothing, got '2'"),
        (":undo", "nothing to undo"),
        (":view moon", ":view takes one of off blocks kitty iterm, got 'moon'"),
        (":load missing.clj", "missing.clj: no such file or folder"),
        ("(draw 'x)", "1:7: ''x' is not a word of the language"),
    ],
)
def test_errors_are_one_line_and_the_session_goes_on(capsys, text, message):
    session = Session()
    assert session.enter(text)
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    session.enter("(rect 1 2 3 4)")
    assert len(session.scene.shapes) == 1 and session.failed


def test_a_form_that_fails_half_way_leaves_the_picture(session, capsys):
    session.enter("(fill 9) (rect 0 0 1 1)")
    before = session.scene
    session.enter("(dotimes [i 9999] (dotimes [j 9999] (rect i j 1 1)))")
    assert session.scene == before and "(dotimes" not in program(session)
    session.enter(":undo")
    assert program(session) == "(fill 9)\n"
    session.enter("(size 9000 9000)")
    assert program(session) == "(fill 9)\n"


# Commands


def test_undo_clear_and_quit(session):
    session.enter("(fill 1) (rect 0 0 1 1)\n:clear\n:undo\n:undo")
    assert program(session) == "(fill 1)\n"
    assert len(session.scene.shapes) == 0
    assert not session.enter(":quit\n(fill 2)")
    assert program(session) == "(fill 1)\n"


def test_save_and_load(session, tmp_path, capsys):
    file = tmp_path / "a b.clj"
    session.enter(f"(size 9 9) (let [a 1] (rect a 0 1 1))\n:save {file}")
    assert file.read_text() == "(size 9 9)\n(let [a 1]\n  (rect a 0 1 1))\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a b.clj"]
    other = Session()
    other.enter(f"(fill 1)\n:load {file}")
    assert other.scene == session.scene
    other.enter(":undo")
    assert program(other) == "(fill 1)\n"


def test_save_never_loses_comments(session, tmp_path, capsys):
    file = tmp_path / "a.clj"
    file.write_text("(fill 1) ; red?\n")
    session.enter(f":load {file}\n:save {file}")
    assert capsys.readouterr().err == f"{file}: the comments in it would be lost; save under another name\n"
    assert file.read_text() == "(fill 1) ; red?\n"


@pytest.mark.parametrize("text", ["(fill 1) (rect 1 2 3)", "(rect q 0 1 1)", "(dotimes [i 9999] (dotimes [j 9999]))"])
def test_a_file_that_cannot_be_drawn_is_not_loaded(session, tmp_path, capsys, text):
    file = tmp_path / "bad.clj"
    file.write_text(text)
    session.enter(f"(fill 1)\n:load {file}")
    assert capsys.readouterr().err.startswith(f"{file}:1:")
    assert program(session) == "(fill 1)\n"


def test_forms_and_help(session, capsys):
    session.enter("(let [a 1] (rect a 0 1 1))\n:forms")
    assert capsys.readouterr().out == "(let [a 1]\n  (rect a 0 1 1))\n"
    session.enter(":help")
    out = capsys.readouterr().out
    assert all(f":{name}" in out for name in COMMANDS) and all(word in out for word in LANGUAGE.words)
    session.enter(":help rect")
    assert capsys.readouterr().out == "(rect x y width height)\n"


@pytest.mark.parametrize("text", [":draw flag 1.png", '(draw "flag 1.png")', '( draw "flag 1.png" ) ; please'])
def test_draw_evaluates_the_found_program_form_by_form(session, capsys, monkeypatch, text):
    jobs, shown = [], []

    def draw_one(job: batch.Job, progress: batch.Progress | None = None) -> batch.Drawn:
        jobs.append(job)
        return batch.Drawn("(size 8 4)\n(background 255)\n(rect 0 0 4 4)\n", 0.0123, 10, 0.5)

    monkeypatch.setattr(batch, "draw_one", draw_one)
    monkeypatch.setattr(repl, "show", lambda scene, view: shown.append(len(scene.shapes)))
    session.enter("(fill 1)")
    shown.clear()
    session.enter(text)
    assert str(jobs[0].picture) == "flag 1.png" and jobs[0].network
    assert program(session) == "(size 8 4)\n(background 255)\n(rect 0 0 4 4)\n"
    assert shown == [0, 0, 1]
    assert "0.0123" in capsys.readouterr().out
    session.enter(":undo")
    assert program(session) == "(fill 1)\n"


def test_draw_names_the_picture_at_fault(session, capsys, monkeypatch):
    def draw_one(job: batch.Job, progress: batch.Progress | None = None) -> batch.Drawn:
        raise PictureError("not a picture")

    monkeypatch.setattr(batch, "draw_one", draw_one)
    session.enter("(fill 1)\n:draw notes.txt")
    assert capsys.readouterr().err == "notes.txt: not a picture\n"
    assert program(session) == "(fill 1)\n"


# The process


def test_pipe():
    done = pipe("(rect 1 2 3 4)\n(+ 1 2)\n:forms\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "3\n(rect 1 2 3 4)\n", "")


def test_pipe_with_errors_goes_on_and_says_so():
    done = pipe("(rect 1 2 3 4)\n(fil 3)\n:forms\n")
    assert (done.returncode, done.stdout) == (1, "(rect 1 2 3 4)\n")
    assert done.stderr == "stdin:2:2: no form 'fil'; did you mean 'fill'?\n"


def test_file_is_loaded_first(tmp_path):
    file = tmp_path / "a.clj"
    file.write_text("(fill 1)\n")
    assert pipe(":forms", str(file)).stdout == "(fill 1)\n"
    file.write_text("(fill 1")
    done = pipe(":forms", str(file))
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{file}:1:1: this '(' is never closed\n")


# Pictures in the terminal


def test_half_blocks_of_a_known_picture():
    pixels = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8)
    first, second = "\x1b[38;2;255;0;0m\x1b[48;2;0;0;255m▀", "\x1b[38;2;0;255;0m\x1b[48;2;255;255;255m▀"
    assert half_blocks(pixels) == first + second + "\x1b[0m\n"


def test_half_blocks_set_a_colour_only_where_it_changes():
    pixels = np.full((3, 2, 3), 7, np.uint8)
    assert half_blocks(pixels) == "\x1b[38;2;7;7;7m\x1b[48;2;7;7;7m▀▀\x1b[0m\n\x1b[38;2;7;7;7m▀▀\x1b[0m\n"


def test_kitty_image_is_sent_in_chunks():
    text = kitty_image(bytes(4000), 5)  # 4000 bytes are 5336 characters of base64
    assert text.startswith("\x1b_Ga=T,f=100,q=2,r=5,m=1;AAAA") and text.endswith("==\x1b\\\n")
    assert text.count("\x1b_G") == 2 and "\x1b_Gm=0;" in text
    assert all(len(part.split(";")[1]) <= 4096 for part in text.split("\x1b\\")[:-1])


def test_iterm_image():
    assert iterm_image(b"png", 5) == "\x1b]1337;File=inline=1;size=3;height=5:cG5n\x07\n"


@pytest.mark.parametrize(
    ("environment", "view"),
    [
        ({"TERM": "xterm-256color"}, "blocks"),
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "iterm"),
        ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1"}, "blocks"),
        ({"TERM": "dumb"}, "off"),
        ({}, "off"),
    ],
)
def test_choose_view(environment, view):
    assert choose_view(environment) == view


def test_fit_keeps_the_shape():
    assert fit(Scene(200, 100, (0, 0, 0, 255)), 80, 60) == (40, 80)
    assert fit(Scene(100, 200, (0, 0, 0, 255)), 80, 60) == (60, 30)
    assert fit(Scene(8000, 1, (0, 0, 0, 255)), 80, 60) == (1, 80)


def test_picture_text():
    scene = Scene(100, 50, (10, 20, 30, 255))
    assert picture_text(scene, "off", 80, 24) == ""
    blocks = picture_text(scene, "blocks", 10, 24).splitlines()
    assert [line.count("▀") for line in blocks] == [10, 10, 10]  # 10 x 5 pixels
    assert "r=3," in picture_text(scene, "kitty", 10, 24)
    assert "height=3:" in picture_text(scene, "iterm", 10, 24)


# The prompt


def test_enter_ends_an_entry_only_when_its_brackets_are_closed(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text("(let [a 1]\r(rect a 0 1 1))\r(fill\x03(fill 2)\r:undo\r\x04")
        entries = list(prompt.read_texts(LANGUAGE, [":undo"]))
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
        ("elli", []),
        ("(rect wid", []),
        ("(rect 1 ", []),
    ],
)
def test_completion(text, words):
    completer = prompt.HeadCompleter(LANGUAGE, [f":{name}" for name in COMMANDS])
    assert [found.text for found in completer.get_completions(Document(text), CompleteEvent())] == words


def test_highlighting():
    lexer = prompt.HeadLexer(LANGUAGE, [":undo"])
    line = lexer.lex_document(Document("(rect 1 x) (rekt) ; n"))(0)
    assert "".join(text for _, text in line) == "(rect 1 x) (rekt) ; n"
    styles = {text: style for style, text in line}
    assert [styles[word] for word in ("rect", "1", "x", "rekt", "; n")] == [
        "class:head",
        "class:number",
        "",
        "class:unknown",
        "class:comment",
    ]
    assert lexer.lex_document(Document(":undo"))(0)[0] == ("class:command", ":undo")


# Definitions


def test_definitions_are_known_to_what_is_entered_later(session, capsys):
    session.enter("(def side 8)\n(defn half [x] (/ x 2))\n(defn dab [x] (rect x 0 side (half side)))")
    session.enter("(dab 3)")
    assert session.scene.shapes[0].path.points[2] == (11, 4) and not session.failed
    session.enter("side (half side) (* 2 (half 5))")
    assert capsys.readouterr().out.split()[-3:] == ["8", "4", "5"]


def test_what_is_undone_is_no_longer_known(session, capsys):
    session.enter("(def side 8)")
    session.enter(":undo")
    session.enter("(rect 0 0 side side)")
    assert "no name 'side' here" in capsys.readouterr().err and session.scene.shapes == ()


def test_balanced_forms_of_several_brackets_are_one_unit(session):
    session.enter("(push-matrix) (translate 5 5) (push-matrix) (scale 2) (rect 0 0 1 1) (pop-matrix) (pop-matrix)")
    session.enter(
        "(begin-shape) (vertex 1 1) (vertex 9 1) (begin-contour) (vertex 2 2) (vertex 3 2) (end-contour) (end-shape)"
    )
    assert len(session.scene.shapes) == 2 and len(session.forms) == 2 and not session.failed


def test_a_function_defined_again_takes_the_place_of_the_first(session, capsys):
    session.enter("(defn dab [x] (rect x 0 1 1)) (dab 3)")
    session.enter("(defn dab [x] (rect x 9 2 2))")
    assert session.scene.shapes[0].path.points[0] == (3, 9) and len(session.forms) == 2
    session.enter("(defn dab [x y] (rect x y 2 2))")
    assert "dab takes 2 numbers (x y), got 1" in capsys.readouterr().err
    assert session.scene.shapes[0].path.points[0] == (3, 9)
    session.enter(":undo")
    assert session.scene.shapes[0].path.points[0] == (3, 0)
