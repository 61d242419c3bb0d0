"""Programs in other languages: what is written, what is refused, and that Processing draws the same picture from it."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from programs import PROGRAMS, random_program

from treesketch.check import check
from treesketch.cli import main
from treesketch.errors import ExportError
from treesketch.export import export
from treesketch.export.names import Names, camel, canvas_size
from treesketch.interpreter import interpret
from treesketch.raster import rasterise
from treesketch.syntax import parse

HERE = Path(__file__).parent
HOUSE = """(size 60 40)
(def wide 20)
(def far (random 30))
(defn half [x] (/ x 2))
(defn new [x]
  (with-translation [x 0] (rect 0 0 wide (half wide))))
(fill 255 0 0)
(new 3)
(dotimes [i 3]
  (when (not= i 1) (new (* i 1/2))))
""".replace("1/2", "0.5")


def java(text: str) -> str:
    tree = parse(text)
    assert check(tree) == []
    return export(tree, "processing", "x")


def body(text: str) -> list[str]:
    """The statements of setup behind size."""
    lines = java(text).split("void setup() {\n  size(100, 100);\n")[1].split("\n}\n")[0]
    return [line.strip() for line in lines.split("\n")]


def test_a_whole_processing_sketch() -> None:
    assert (
        java(HOUSE)
        == """float wide = 20;
float far;

void setup() {
  size(60, 40);
  randomSeed(0);
  far = random(30);
  fill(255, 0, 0);
  new2(3);
  for (int i = 0; i < 3; i++) {
    if (i != 1) {
      new2(i * 0.5);
    }
  }
}

float half(float x) {
  return x / 2;
}

void new2(float x) {
  pushMatrix();
  translate(x, 0);
  rect(0, 0, wide, half(wide));
  popMatrix();
}
"""
    )


def test_a_whole_quil_sketch() -> None:
    assert (
        export(parse(HOUSE), "quil", "My house 1")
        == """(ns my-house-1
  (:refer-clojure :exclude [abs far half new2 wide])
  (:use [quil.core :exclude [far half new2 wide]]))

(def wide 20)

(declare far)

(defn half [x] (/ x 2))

(defn new2 [x]
  (with-translation [x 0]
    (rect 0 0 wide (half wide))))

(defn setup []
  (no-loop))

(defn draw []
  (random-seed 0)
  (def far (random 30))
  (fill 255 0 0)
  (new2 3)
  (dotimes [i 3]
    (when (not (== i 1))
      (new2 (* i 0.5)))))

(defsketch picture
  :size [60 40]
  :setup setup
  :draw draw)
"""
    )


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("(rect (/ 7 2) (/ 1 2 4) (- 3) (- 1 -2))", "rect(7.0 / 2, 1.0 / 2 / 4, -3, 1 - -2);"),
        ("(rect (* 2 (+ 1 3)) (- 1 (- 2 3)) (/ 8 (/ 4 2)) (- (+ 1 2)))",
         "rect(2 * (1 + 3), 1 - (2 - 3), 8 / (4.0 / 2), -(1 + 2));"),
        ("(rect (* 100000 100000) (inc 1) (min 1 2.5 3) (quot 7 2))",
         "rect(100000.0 * 100000, 1 + 1, min(min(1, 2.5), 3), (float) (int) (7.0 / 2));"),
        ("(fill 300 -4 (+ 200 100) 0.5)", "fill(255, 0, (float) (200 + 100), 0.5);"),
        ("(ellipse-mode :corners)", "ellipseMode(CORNERS);"),
        ("(arc 1 2 3 4 0 PI :chord)", "arc(1, 2, 3, 4, 0, PI, CHORD);"),
        ("(rotate (if (and true (< 1 2 3)) TWO-PI 0))", "rotate(true && (1 < 2 && 2 < 3) ? TWO_PI : 0);"),
        ("(rotate (map-range 1 2 3 4 5))", "rotate(map(1, 2, 3, 4, 5));"),
    ],
)  # fmt: skip
def test_expressions(text: str, statement: str) -> None:
    assert body(text) == [statement]


def test_names_that_hide_others_get_names_of_their_own() -> None:
    assert body("(let [a 1 a (+ a 1)] (dotimes [a 2] (rotate a)) (rotate a))") == [
        "{",
        "float a = 1;",
        "float a2 = a + 1;",
        "for (int a3 = 0; a3 < 2; a3++) {",
        "rotate(a3);",
        "}",
        "rotate(a2);",
        "}",
    ]


def test_names() -> None:
    assert [camel(name) for name in ("a", "size-of-head", "ok?", "go-2!")] == ["a", "sizeOfHead", "ok", "go2"]
    names = Names({"new"}, camel)
    assert [names.bind(name) for name in ("new", "a-b", "aB")] == ["new2", "aB", "aB2"]
    names.release("aB")
    assert "aB" not in names and names["a-b"] == "aB" and names.bind("aB") == "aB2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(when (random 3) (rect 1 2 3 4))", "1:7: a number as a test always holds"),
        ("(when (< 1 (random 3) 2) (rect 1 2 3 4))", "1:7: this comparison"),
        ("(rect 1 2 3 4)" * 2_000, "a method of Java holds about"),
    ],
)
def test_what_processing_cannot_say_is_told(text: str, message: str) -> None:
    with pytest.raises(ExportError) as error:
        java(text)
    assert message in str(error.value)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program, out = tmp_path / "house.clj", tmp_path / "house.pde"
    program.write_text(HOUSE)
    assert main(["export", str(program), "--to", "processing", "-o", str(out)]) == 0
    assert out.read_text() == java(HOUSE)
    assert main(["export", str(program), "--to", "quil"]) == 0
    assert capsys.readouterr().out.startswith("(ns house\n")
    assert main(["export", str(program), "--to", "svg"]) == 0
    assert capsys.readouterr().out.startswith("<svg ")
    assert main(["export", str(program), "--to", "quill"]) == 2
    assert "did you mean 'quil'?" in capsys.readouterr().err
    program.write_text("(when (random 3) (rect 1 2 3 4))")
    assert main(["export", str(program), "--to", "processing", "-o", str(tmp_path / "no.pde")]) == 1
    assert capsys.readouterr().err.startswith(f"{program}:1:7: ") and not (tmp_path / "no.pde").exists()


def as_java(name: str, sketch: str) -> str:
    """What Processing's own preprocessor makes of a sketch: a class, floats that say so, methods that are public."""
    sketch = re.sub(r"^  size\(.*\n", "", sketch, flags=re.M)
    sketch = re.sub(r"(?<![\w.])(\d+\.\d+(?:e[-+]?\d+)?|\d+e[-+]?\d+)(?![\w.])", r"\1f", sketch)
    sketch = re.sub(r"^(void|float|float\[\]) (?=\w+\(.*\{$)", r"public \1 ", sketch, flags=re.M)
    return f"import processing.core.*; import processing.data.*;\npublic class {name} extends PApplet {{\n{sketch}}}\n"


@pytest.mark.oracle
def test_exported_sketches_draw_the_same_picture_in_processing(tmp_path: Path) -> None:
    pytest.importorskip("jpype", reason="needs jpype1 and py5: pip install '.[oracle]'")
    if not shutil.which("javac"):
        pytest.skip("no javac here")
    import jpype
    import processing

    processing.start()
    texts = [path.read_text(encoding="utf-8") for path in sorted((HERE / "sketches").rglob("*.clj"))]
    texts += [path.read_text(encoding="utf-8") for path in sorted((HERE.parent / "examples").glob("*.clj"))]
    texts += [random_program(number) for number in range(PROGRAMS)]
    for number, text in enumerate(texts):
        (tmp_path / f"S{number}.java").write_text(as_java(f"S{number}", java(text)))
    jar = next(str(file.locate()) for file in processing.files("py5") or () if file.name == "core.jar")
    (tmp_path / "sources").write_text("\n".join(map(str, tmp_path.glob("*.java"))))
    command = ["javac", "-nowarn", "-cp", jar, f"@{tmp_path / 'sources'}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]
    url = jpype.java.io.File(str(tmp_path)).toURI().toURL()
    loader = jpype.java.net.URLClassLoader([url])
    differences = []
    for number, text in enumerate(texts):
        scene = interpret(parse(text))
        sketch = jpype.JClass(loader.loadClass(f"S{number}"))()
        canvas = processing.ProcessingCanvas(*canvas_size(parse(text)))
        sketch.g, sketch.width, sketch.height = canvas.g, *canvas.size
        sketch.setup()
        differences.append(float(np.abs(canvas.pixels().astype(int) - rasterise(scene)).mean()))
    worst = int(np.argmax(differences))
    print(f"{len(texts)} sketches: mean difference {np.mean(differences):.3f} of 255, worst {max(differences):.3f}")
    assert np.mean(differences) < 0.3 and max(differences) < 2, texts[worst]
