"""The REPL: what is one unit, what each command does, that errors keep picture and definitions."""

import subprocess
import sys
import urllib.request
import webbrowser

import pytest
from PIL import Image

from treesketch import batch, repl
from treesketch.errors import PictureError
from treesketch.language import load_language
from treesketch.repl import COMMANDS, Session
from treesketch.syntax import unparse
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
        (":view moon", ":view takes one of off blocks kitty iterm sixel browser, got 'moon'"),
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
    file.write_text("(fill 1) #_(fill 2)\n")
    session.enter(f":save {file}")
    assert "would be lost" in capsys.readouterr().err


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
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "(rect x y width height)  from its corner; a negative side goes the other way"
    assert len(lines) == 3
    session.enter("(defn star [x side] (rect x x side side))\n:help star")
    assert capsys.readouterr().out == "(star x side)\n"


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


def test_a_file_is_stepped_through_form_by_form(session, tmp_path, capsys):
    file = tmp_path / "a.clj"
    file.write_text("(size 9 9)\n(fill 1)\n(rect 0 0 1 1)\n(rect 2 2 1 1)\n")
    session.enter(f"(fill 5)\n:step {file}")
    assert program(session) == "" and capsys.readouterr().out.startswith("4 forms to draw;")
    session.enter(":next")
    assert (program(session), capsys.readouterr().out) == ("(size 9 9)\n", "(size 9 9)\n3 forms to go\n")
    session.enter(":next 2\n(no-stroke)")
    assert program(session) == "(size 9 9)\n(fill 1)\n(rect 0 0 1 1)\n(no-stroke)\n"
    session.enter(":undo\n:undo\n:next\n:next")
    assert program(session) == file.read_text() and not session.failed
    session.enter(":next")
    assert "no form is waiting; :step FILE begins a file" in capsys.readouterr().err
    session.enter(":undo\n:undo\n:undo\n:undo\n:undo")
    assert program(session) == "(fill 5)\n"


@pytest.mark.parametrize("count", ["0", "-1", "x", "1.5", "²"])
def test_next_takes_a_count(session, tmp_path, capsys, count):
    file = tmp_path / "a.clj"
    file.write_text("(fill 1)\n")
    session.enter(f":step {file}\n:next {count}")
    assert capsys.readouterr().err == f":next takes how many forms to draw, got '{count}'\n"


def test_the_browser_follows_the_program(session, monkeypatch, capsys):
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: not opened.append(address))
    session.enter("(size 20 10)\n:view browser")
    with urllib.request.urlopen(f"{opened[0]}picture.png") as answer:
        white = Image.open(answer).convert("RGB")
    session.enter("(background 255 0 0)")
    with urllib.request.urlopen(f"{opened[0]}picture.png") as answer:
        red = Image.open(answer).convert("RGB")
    assert white.size == (1024, 512) and white.getpixel((5, 5)) == (204, 204, 204)
    assert red.getpixel((5, 5)) == (255, 0, 0) and opened[0] in capsys.readouterr().out


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
