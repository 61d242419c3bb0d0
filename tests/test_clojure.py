"""Programs in real Clojure: it reads them, and calls the same words with the same numbers as the interpreter.

`clojure/quil/core.clj` gives Quil's words to Clojure and prints their calls. Needs the command `clojure`;
`pytest -m oracle` runs this, and skips it where there is none.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from programs import PROGRAMS, random_program

from treesketch.canvas import Canvas
from treesketch.check import check
from treesketch.export import export
from treesketch.export.names import canvas_size
from treesketch.interpreter import Interpreter
from treesketch.syntax import parse, unparse

pytestmark = pytest.mark.oracle

HERE = Path(__file__).parent
NOT_CLOJURES = {"noise", "not-a-number"}  # the noise is Processing's alone; Clojure throws where a number is none
Call = tuple[str, tuple[float | str, ...]]


class Recorder(Canvas):
    """A canvas that keeps the words it was called with, as Quil spells them."""

    def __init__(self) -> None:
        super().__init__()
        self.calls_made: list[Call] = []

    def tell(self, word: str, *arguments) -> None:
        self.calls_made.append((word.replace("_", "-"), tuple(_flat(arguments))))

    def set_size(self, width: float, height: float) -> None:
        super().set_size(width, height)
        self.tell("size", width, height)

    def dot(self, *numbers: float) -> None:
        self.tell("point", *numbers)

    def polygon(self, points) -> None:
        self.tell({3: "triangle", 4: "quad"}[len(points)], points)

    def shape(self, corners, contours, closed) -> None:
        def run(part) -> None:
            for word, points in part:
                self.tell(word if word == "vertex" else f"{word}_vertex", points)

        self.tell("begin_shape")
        run(corners)
        for contour in contours:
            self.tell("begin_contour")
            run(contour)
            self.tell("end_contour")
        self.tell("end_shape", *(["close"] if closed else []))

    @contextmanager
    def kept(self) -> Iterator[None]:
        self.tell("push_matrix")
        yield
        self.tell("pop_matrix")


def _word(word: str) -> Callable[..., None]:
    return lambda self, *arguments: self.tell(word, *arguments)


for _each in (
    "background fill no_fill stroke no_stroke stroke_weight stroke_cap stroke_join rect_mode ellipse_mode rect ellipse "
    "arc line bezier curve translate rotate scale shear_x shear_y"
).split():
    setattr(Recorder, _each, _word(_each))


def _flat(values) -> Iterator[float | str]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _flat(value)
        elif value is not None:
            yield value


def clojure(files: list[Path]) -> dict[str, list[Call]]:
    """The calls that Clojure makes in each file, by its name."""
    command = ["clojure", "-cp", str(HERE / "clojure"), str(HERE / "clojure" / "run.clj"), *map(str, files)]
    text = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True).stdout
    calls: dict[str, list[Call]] = {}
    for line in text.splitlines():
        word, *arguments = line.split()
        assert word != "error", f"{list(calls)[-1]}: {line}"
        if word == "program":
            calls[Path(arguments[0]).stem] = current = []
        else:
            current.append((word, tuple(a if a[0].isalpha() and a[0].islower() else float(a) for a in arguments)))
    return calls


def _same(found: float | str, wanted: float | str) -> bool:
    return found == wanted if isinstance(wanted, str) else found == pytest.approx(wanted, rel=1e-6, abs=1e-9)


def ours(text: str) -> list[Call]:
    tree = parse(text)
    assert check(tree) == []
    canvas = Recorder()
    Interpreter(canvas).run(tree)
    return canvas.calls_made


def programs() -> dict[str, str]:
    """The texts by their names."""
    if not shutil.which("clojure"):
        pytest.skip("no clojure here")
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted((HERE / "sketches").rglob("*.clj"))}
    texts |= {path.stem: path.read_text(encoding="utf-8") for path in sorted((HERE.parent / "examples").glob("*.clj"))}
    manual = (HERE.parent / "docs" / "language.md").read_text(encoding="utf-8")
    texts |= {f"manual{i}": text for i, text in enumerate(re.findall(r"```clojure\n(.*?)```", manual, re.S))}
    texts |= {f"random{number}": random_program(number) for number in range(PROGRAMS)}
    return {name: text for name, text in texts.items() if name not in NOT_CLOJURES}


def compare(found: dict[str, list[Call]], wanted: dict[str, list[Call]]) -> None:
    assert found.keys() == wanted.keys()
    for name, calls in found.items():
        assert [word for word, _ in calls] == [word for word, _ in wanted[name]], name
        for (word, numbers), (_, expected) in zip(calls, wanted[name], strict=True):
            assert len(numbers) == len(expected) and all(map(_same, numbers, expected)), (name, word, numbers, expected)
    print(f"{len(found)} programs, {sum(map(len, found.values()))} calls alike")


def write(folder: Path, texts: dict[str, str]) -> list[Path]:
    for name, text in texts.items():
        (folder / f"{name}.clj").write_text(text, encoding="utf-8")
    return [folder / f"{name}.clj" for name in texts]


def test_clojure_runs_programs_as_we_do(tmp_path: Path) -> None:
    texts = programs()
    printed = {name: unparse(parse(text)) for name, text in texts.items()}
    compare(clojure(write(tmp_path, printed)), {name: ours(text) for name, text in texts.items()})


def test_exported_sketches_run_as_their_programs(tmp_path: Path) -> None:
    texts = {f"x-{name}": text for name, text in programs().items()}
    sketches = {name: export(parse(text), "quil", name) for name, text in texts.items()}
    found = clojure(write(tmp_path, sketches))
    for name, calls in found.items():
        size = next(call for call in calls if call[0] == "size")
        assert size[1] == canvas_size(parse(texts[name]))
        found[name] = [call for call in calls if call[0] != "size"]
    compare(found, {name: [call for call in ours(text) if call[0] != "size"] for name, text in texts.items()})
