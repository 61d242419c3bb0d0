"""The command line: exit codes, one-line errors, files whole or not at all, and a quick start."""

import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import webbrowser
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlparse

import numpy as np
import pytest
from PIL import Image

from treesketch import batch
from treesketch.batch import Drawn, Job
from treesketch.cli import main
from treesketch.errors import PictureError
from treesketch.evaluate import compare
from treesketch.syntax import parse
from treesketch.tree import Node

FLAG = "(size 60 30)\n(background 255)\n(no-stroke)\n(fill 200 0 0)\n(rect 0 0 30 30)\n"
BROKEN = "(size 60 30)\n(elipse 1 2 3 4)\n"
UNKNOWN = "(rect a 0 1 1)\n(rect 0 b 1 1)\n"
# Each function calls the one before it twice: 30 definitions that would take 2 ** 30 calls.
DOUBLING = "(defn f0 [x] (+ x 1)) "
DOUBLING += "".join(f"(defn f{i} [x] (f{i - 1} (f{i - 1} x))) " for i in range(1, 31)) + "(rect (f30 1) 0 1 1)"
NOT_UTF8 = b"(size 60 30)\n; \xff\n"


@pytest.fixture
def flag(tmp_path: Path) -> Path:
    path = tmp_path / "flag.clj"
    path.write_text(FLAG)
    return path


def _complaint(capsys: pytest.CaptureFixture[str]) -> str:
    """Standard error, which has to be one line that is no traceback."""
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.endswith("\n") and "Traceback" not in error
    return error


def _exit_code(*arguments: object) -> int:
    """The exit code of a command, also where argparse itself leaves."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as stop:
        assert isinstance(stop.code, int)
        return stop.code


# --- starting -------------------------------------------------------------------------------------------------------


def test_help_is_quick() -> None:
    def seconds() -> float:
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "treesketch", "--help"], capture_output=True, text=True, check=True
        )
        assert "write the program that draws a picture" in done.stdout
        return time.perf_counter() - start

    assert min(seconds() for _ in range(3)) < 0.3


@pytest.mark.parametrize(
    "command",
    [
        "render {flag} -o {out}.png",
        "render {flag} -o {out}.svg",
        "check {flag}",
        "fmt {flag}",
        "restyle {flag} -o {out}.clj",
    ],
)
def test_light_commands_do_not_load_torch(command: str, flag: Path, tmp_path: Path) -> None:
    arguments = command.format(flag=flag, out=tmp_path / "out").split()
    script = (
        "import sys; from treesketch.cli import main; code = main(sys.argv[1:]); "
        "heavy = {'torch', 'torch_geometric', 'scipy', 'hy'} & set(sys.modules); sys.exit(code or sorted(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        ("drwa a.png -o a.clj", "no command 'drwa'; did you mean 'draw'?"),
        ("draw a.png", "required: -o"),
        ("draw a.png -o a.clj --secnds 4", "did you mean '--seconds'?"),
        ("draw a.png -o a.clj --seconds 0", "a number of seconds above 0, got '0'"),
        ("draw a.png -o a.clj --seconds nan", "a number of seconds above 0, got 'nan'"),
        ("draw a.png -o a.clj --detail 0", "a number from 0.05 to 20, got '0'"),
        ("draw a.png -o a.clj --detail nan", "a number from 0.05 to 20, got 'nan'"),
        ("draw a.png -o a.clj --forms 0", "a whole number, 1 or more, got '0'"),
        ("draw a.png -o a.clj --jobs 1.5", "a whole number, 1 or more, got '1.5'"),
        ("draw a.png -o a.clj --renders 0", "a whole number, 1 or more, got '0'"),
        ("draw a.png -o a.clj --seconds 1,5", "a number of seconds above 0, got '1,5'"),
        ("draw a.png -o a.clj --background bleu", "takes a colour such as 'navy', '#f80', '#ff8800' or '255,128,0'"),
        ("eval pictures --background 1,2,300", "takes a colour such as 'navy'"),
        ("eval pictures --seconds 1,x", "a number of seconds above 0, got 'x'"),
        ("eval pictures --seconds 2,2.0", "takes different times, got '2,2.0'"),
        ("draw a.png -o a.clj --seed -1", "a whole number, 0 or more, got '-1'"),
        ("draw a.png -o a.clj --no-network --weights w", "exclude each other"),
        ("draw a.png -o a.png", "names the program to write"),
        ("draw a.png -o missing/a.clj", "mkdir -p missing"),
        ("render a.clj -o a.bmp", "must end in .png or .svg"),
        ("render a.clj -o a.png --size 0", "from 1 to 8192, got '0'"),
        ("render a.clj -o a.svg --size 9", "an SVG has none"),
        ("sample -n 2 -o out --grammar sketsh", "did you mean 'sketch'?"),
        ("sample -n 2 -o out --max-nodes 0", "1 or more, got '0'"),
        ("train c.toml steps", "an override is key=value, got 'steps'"),
        ("eval pictures -o report.txt", "must end in .html"),
        ("check", "required: FILE"),
    ],
)
def test_flags_at_fault(
    arguments: str, phrase: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _exit_code(*arguments.split()) == 2
    assert phrase in _complaint(capsys)
    assert list(tmp_path.iterdir()) == []


# --- check, fmt, render ---------------------------------------------------------------------------------------------


def test_check_names_every_mistake_of_every_file(
    tmp_path: Path, flag: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(flag)]) == 0
    broken, unknown = tmp_path / "broken.clj", tmp_path / "unknown.clj"
    broken.write_text(BROKEN)
    unknown.write_text(UNKNOWN)
    capsys.readouterr()
    assert main(["check", str(unknown), str(tmp_path / "none.clj"), str(broken), str(flag)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        f"{unknown}:1:7",
        f"{unknown}:2:9",
        f"{tmp_path / 'none.clj'}",
        f"{broken}:2:2",
    ]
    assert "did you mean 'ellipse'?" in lines[3]


@pytest.mark.parametrize("command", ["check", "fmt", "render"])
@pytest.mark.parametrize(
    ("content", "phrase"),
    [
        (None, "no such file"),
        ("folder", "a folder, not a file"),
        (NOT_UTF8, ":2:3: byte 0xff is not UTF-8"),
        (b"(", "closed"),
    ],
)
def test_a_program_that_cannot_be_read(
    command: str, content: bytes | str | None, phrase: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "p.clj", tmp_path / "p.png"
    if content == "folder":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    assert main([command, str(path), *(["-o", str(out)] if command == "render" else [])]) == 1
    error = _complaint(capsys)
    assert error.startswith(str(path)) and phrase in error
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("(size 0 50)", "1:7: "),
        ("(size 9000 50)", "8192"),
        ("(" * 100_000, "1:61: forms are nested more than 60 deep"),
        ("(rect 1e7 0 1 1)", "1:7: "),
        ("(dotimes [i (* 1e6 1e6)] (no-fill))", "steps"),
        ("(doseq [i (range 0 1 0)] (rect i 0 1 1))", "a range with a step of 0 never ends"),
        ("(doseq [i (range 1 2 (- 1 1))] (rect i 0 1 1))", "this range never ends"),
        ("(doseq [i (range 0 1e6 1e-6)] (no-fill))", "steps"),
        ("(doseq [i (range (/ 1 (- 1 1)))] (no-fill))", "steps"),
        ("(defn f [] (f)) (f)", "'f' calls itself"),
        ("(defn f [] (g)) (defn g [] (f)) (f)", "'g' is defined only further down"),
        ("(defn f [x] (dotimes [i 9999] (rect x i 1 1))) (dotimes [i 9999] (f i))", "shapes"),
        (DOUBLING, "steps"),
        ("(scale 1e6) " * 70 + "(rect 0 0 1 1) (rect (pow 10 400) 0 1 1)", None),
        ("(stroke-weight 1e6) (scale 1e6) (ellipse 0 0 1e6 1e6) (bezier 0 0 1e6 1e6 -1e6 1e6 9 9)", None),
        ("(rect (/ 0 0.0) 0 1 1)", "divides by zero"),
        ("(let [z (- 1 1)] (rect (/ z z) 0 (sqrt -1) (mod 1 z)) (rotate (/ 1 z)) (rect 0 0 9 9))", None),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)  # fmt: skip
def test_a_program_that_asks_for_too_much_ends_in_time(
    text: str, phrase: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "p.clj", tmp_path / "p.png"
    path.write_text(text)
    began = time.perf_counter()
    code = main(["render", str(path), "-o", str(out)])
    assert time.perf_counter() - began < 5
    assert (code, out.exists()) == ((0, True) if phrase is None else (1, False))
    if phrase is not None:
        assert phrase in (error := _complaint(capsys)) and error.startswith(f"{path}:1:")


@pytest.mark.skipif(os.name != "posix", reason="the permissions of Unix")
@pytest.mark.parametrize("command", ["render", "fmt", "check"])
def test_what_may_not_be_read_or_written_is_said(command: str, flag: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        path = folder / "p.clj"
        path.write_text("(rect 1 2 3   4)")
        path.chmod(0o600 if command == "check" else 0o644)
        arguments = [command, str(path), *(["-o", str(folder / "p.png")] if command == "render" else [])]
        main([command, str(flag), *(["-o", str(flag.with_suffix(".png"))] if command == "render" else [])])  # loads all
        capsys.readouterr()
        folder.chmod(0o555)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)  # nobody's
        elif command == "check":
            path.chmod(0)
        try:
            assert main(arguments) == 1
        finally:
            os.seteuid(user)
            folder.chmod(0o755)
        assert "permission denied" in _complaint(capsys).lower()
        assert [each.name for each in folder.iterdir()] == ["p.clj"]
        path.chmod(0o644)
        assert path.read_text() == "(rect 1 2 3   4)"


def test_fmt_writes_only_what_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tidy, untidy, broken = tmp_path / "tidy.clj", tmp_path / "untidy.clj", tmp_path / "broken.clj"
    tidy.write_text(FLAG)
    untidy.write_text("(rect 0   0, 1 1) ; a corner\n\n\n(rect 1 1\n1 1)")
    untidy.chmod(0o640)
    broken.write_text("(rect 1 2")
    before = tidy.stat()

    assert main(["fmt", "--check", str(tidy), str(untidy)]) == 1
    assert str(untidy) in capsys.readouterr().out
    assert untidy.read_text().startswith("(rect 0   0,")

    assert main(["fmt", str(broken), str(tidy), str(untidy)]) == 1
    assert str(broken) in _complaint(capsys)
    assert broken.read_text() == "(rect 1 2"
    assert (tidy.stat().st_mtime_ns, tidy.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert untidy.read_text() == "(rect 0 0 1 1) ; a corner\n\n(rect 1 1 1 1)\n"
    assert untidy.stat().st_mode & 0o777 == 0o640
    assert main(["fmt", "--check", str(tidy), str(untidy)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"tidy.clj", "untidy.clj", "broken.clj"}


@pytest.mark.parametrize(("size", "expected"), [(None, (60, 30)), (120, (120, 60)), (7, (7, 4))])
def test_render_png(size: int | None, expected: tuple[int, int], flag: Path, tmp_path: Path) -> None:
    out = tmp_path / "flag.png"
    assert main(["render", str(flag), "-o", str(out), *(["--size", str(size)] if size else [])]) == 0
    with Image.open(out) as image:
        assert (image.size, image.mode) == (expected, "RGB")
        pixels = np.asarray(image)
    assert tuple(pixels[0, 0]) == (200, 0, 0)
    assert tuple(pixels[0, -1]) == (255, 255, 255)


def test_render_svg(flag: Path, tmp_path: Path) -> None:
    out = tmp_path / "flag.svg"
    assert main(["render", str(flag), "-o", str(out)]) == 0
    root = ElementTree.parse(out).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert (root.get("width"), root.get("height")) == ("60", "30")


def test_an_error_while_drawing_leaves_the_old_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program, out = tmp_path / "endless.clj", tmp_path / "out.png"
    loops = "(dotimes [i 9999] (dotimes [j 9999] (dotimes [k 9999] (rect i j k 1))))"
    program.write_text(loops)
    out.write_bytes(b"old")
    assert main(["render", str(program), "-o", str(out)]) == 1
    assert _complaint(capsys).startswith(str(program))
    assert out.read_bytes() == b"old"


def test_no_room_on_the_disk_leaves_the_old_picture(
    flag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    (tmp_path / "full.png").symlink_to("/dev/full")
    assert main(["render", str(flag), "-o", str(tmp_path / "full.png")]) == 1
    assert "no space left" in _complaint(capsys)


def test_a_reader_that_leaves_is_no_error(flag: Path) -> None:
    command = [sys.executable, "-m", "treesketch", "check", str(flag)]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert done.stderr == ""


# --- draw: the command around the search ----------------------------------------------------------------------------


def _fake_draw(job: Job, progress: object = None) -> Drawn:
    """Stands in for the search: a picture called bad is at fault, any other becomes FLAG."""
    if job.picture.stem == "bad":
        raise PictureError("is not a picture", file=str(job.picture))
    if job.picture.stem == "bug":
        raise AssertionError("ours")
    return Drawn(FLAG, 0.0123, 42, 1.5)


def test_draw_a_folder_keeps_names_and_goes_on_after_a_bad_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(batch, "draw_one", _fake_draw)
    folder, out = tmp_path / "pictures", tmp_path / "programs"
    folder.mkdir()
    for name in ("a.png", "bad.png", "bug.png", "c.JPG", "c.png", "d.svg", "notes.txt"):
        (folder / name).write_bytes(b"")
    assert main(["draw", str(folder), "-o", str(out)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert {path.name for path in out.iterdir()} == {"a.clj", "c.clj", "d.clj"}
    assert (out / "a.clj").read_text() == FLAG
    assert sum("rmse 0.0123, 5 forms, 4 numbers, 42 renders, 1.5 s" in line for line in lines) == 3
    assert f"{folder / 'bad.png'}: is not a picture" in lines
    assert any(line.startswith(f"{folder / 'bug.png'}: a bug in treesketch (test_cli.py:") for line in lines)
    assert any(line.startswith(f"{folder / 'c.png'}: c.JPG has the same name") for line in lines)


def test_draw_one_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[Job] = []
    monkeypatch.setattr(batch, "draw_one", lambda job, progress: seen.append(job) or _fake_draw(job))
    picture, out = tmp_path / "a.png", tmp_path / "a.clj"
    flags = ["--seconds", "2.5", "--forms", "9", "--seed", "3", "--no-network", "--background", "#f80"]
    assert main(["draw", str(picture), "-o", str(out), *flags]) == 0
    assert out.read_text() == FLAG
    settings = (("seconds", 2.5), ("forms", 9), ("seed", 3))
    assert seen == [Job(picture, settings, network=False, background=(255, 136, 0))]
    assert re.search(r"a\.png -> .*a\.clj: rmse", _complaint(capsys))
    assert main(["draw", str(picture), "-o", str(tmp_path)]) == 0
    assert main(["draw", str(tmp_path / "bad.png"), "-o", str(tmp_path / "bad.clj")]) == 1
    assert not (tmp_path / "bad.clj").exists()


@pytest.mark.parametrize(("flags", "seconds"), [([], math.inf), (["--seconds", "7"], 7.0)])
def test_renders_alone_leave_time_unlimited(
    flags: list[str], seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Job] = []
    monkeypatch.setattr(batch, "draw_one", lambda job, progress: seen.append(job) or _fake_draw(job))
    assert main(["draw", str(tmp_path / "a.png"), "-o", str(tmp_path), "--renders", "500", *flags]) == 0
    assert dict(seen[0].options) == {"seconds": seconds, "renders": 500, "seed": 0}


def test_draw_a_folder_without_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", str(tmp_path), "-o", str(tmp_path / "out")]) == 1
    assert "no picture in this folder" in _complaint(capsys)
    assert list(tmp_path.iterdir()) == []


def test_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(job: Job, progress: object) -> Drawn:
        signal.raise_signal(signal.SIGINT)
        return _fake_draw(job)

    monkeypatch.setattr(batch, "draw_one", interrupt)
    assert main(["draw", str(tmp_path / "a.png"), "-o", str(tmp_path / "a.clj")]) == 130
    assert _complaint(capsys) == "treesketch: interrupted\n"
    assert list(tmp_path.iterdir()) == []


def test_interrupted_with_a_program_found_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(job: Job, progress: Callable[[Node, float], None]) -> Drawn:
        progress(parse("(fill 1)"), 0.2)
        progress(parse(FLAG), 0.1)
        signal.raise_signal(signal.SIGINT)
        return _fake_draw(job)

    monkeypatch.setattr(batch, "draw_one", interrupt)
    assert main(["draw", str(tmp_path / "a.png"), "-o", str(tmp_path / "a.clj")]) == 130
    assert _complaint(capsys) == f"interrupted; the best so far is in {tmp_path / 'a.clj'}: rmse 0.1000\n"
    assert (tmp_path / "a.clj").read_text() == FLAG


def test_open_shows_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], examples: Path
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(batch, "draw_one", _fake_draw)
    monkeypatch.setattr(webbrowser, "open", lambda address: not opened.append(address))
    assert main(["draw", str(examples / "dice.png"), "-o", str(tmp_path / "a.clj"), "--open"]) == 0
    page = Path(unquote(urlparse(opened[0]).path))
    text = page.read_text(encoding="utf-8")
    page.unlink()
    assert text.count("<img") == 3 and "(rect 0 0 30 30)" in text and str(page) in capsys.readouterr().err


# --- draw: with the real search -------------------------------------------------------------------------------------


def test_draw_a_real_picture(examples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sweden.clj"
    flags = ["--seconds", "1", "--no-network", "--show"]
    assert main(["draw", str(examples / "sweden.png"), "-o", str(out), *flags]) == 0
    assert capsys.readouterr().out.startswith(out.read_text())
    assert main(["check", str(out)]) == 0
    assert compare(out.read_text(), examples / "sweden.png") < 0.02  # a cross of two colours


def test_renders_decide_alone(examples: Path, tmp_path: Path) -> None:
    # Also not the order of sets, which differs from process to process, nor the process that draws.
    found = []
    for number, flags in enumerate((["--jobs", "1"], ["--jobs", "2"])):
        folder, out = tmp_path / "pictures", tmp_path / str(number)
        folder.mkdir(exist_ok=True)
        for name in ("ghana.png", "arrow.png"):
            (folder / name).write_bytes((examples / name).read_bytes())
        command = [sys.executable, "-m", "treesketch", "draw", str(folder), "-o", str(out), "--renders", "900"]
        environment = os.environ | {"PYTHONHASHSEED": str(number)}
        subprocess.run([*command, *flags], check=True, capture_output=True, env=environment)
        found.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert found[0] == found[1] and len(found[0]) == 2


def test_an_svg_over_a_color(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture, out = tmp_path / "a.svg", tmp_path / "a.clj"
    picture.write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 4"><rect width="4" height="4"/></svg>')
    flags = ["--renders", "300", "--no-network", "--background", "0,128,255"]
    assert main(["draw", str(picture), "-o", str(out), *flags]) == 0
    assert out.read_text().startswith("(size 128 64)") and "0 128 255" in out.read_text()
    assert "rmse 0.0000" in capsys.readouterr().err
    assert compare(out.read_text(), picture) > 0.3  # over white


def test_processes_draw_what_can_be_drawn(examples: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "pictures", tmp_path / "programs"
    folder.mkdir()
    for name in ("sweden.png", "arrow.png"):
        (folder / name).write_bytes((examples / name).read_bytes())
    (folder / "cut.png").write_bytes((examples / "dice.png").read_bytes()[:300])
    (folder / "empty.png").write_bytes(b"")
    command = [sys.executable, "-m", "treesketch", "draw", str(folder), "-o", str(out)]
    done = subprocess.run([*command, "--seconds", "1", "--jobs", "2", "--no-network"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) == 4
    assert f"{folder / 'cut.png'}: " in done.stderr and f"{folder / 'empty.png'}: " in done.stderr
    assert {path.name for path in out.iterdir()} == {"sweden.clj", "arrow.clj"}


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_ends_a_folder_at_once(jobs: str, examples: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "treesketch", "draw", str(examples), "-o", str(tmp_path / "out")]
    flags = ["--seconds", "600", "--jobs", jobs, "--no-network"]
    process = subprocess.Popen([*command, *flags], stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not (tmp_path / "out").exists():  # made just before the drawing begins
        time.sleep(0.05)
        assert process.poll() is None
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (130, "treesketch: interrupted\n")


@pytest.mark.parametrize("content", [None, b"", b"not weights"])
def test_weights_at_fault_are_named_once(
    content: bytes | None, examples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "w.safetensors"
    if content is not None:
        weights.write_bytes(content)
    assert main(["draw", str(examples), "-o", str(tmp_path / "out"), "--weights", str(weights)]) == 1
    assert _complaint(capsys).startswith(f"{weights}: ")
