"""Shards of training data: what goes into them, what must not, and that a build can be stopped and checked."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import torch
from PIL import Image, ImageDraw

from treesketch import data
from treesketch.actions import load_vocabulary
from treesketch.cli import main
from treesketch.errors import ConfigError, SketchError
from treesketch.interpreter import interpret
from treesketch.layers import Layer, ellipse, rect
from treesketch.raster import rasterise
from treesketch.sampling import SAMPLERS
from treesketch.shards import build, scenes, store
from treesketch.shards.corpora import read_corpora
from treesketch.shards.drawings import FINER, Bounds, Dropped, convert, in_order, snap
from treesketch.shards.likeness import ALIKE, NEAR, Known, read_known, silhouette
from treesketch.shards.store import HELD_OUT, TRAIN
from treesketch.syntax import parse
from treesketch.tree import Node
from treesketch.vector import Painter

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "configs" / "data.toml"
SAMPLED = ["samples=12", "rows=3", "seed=3"]
DISC = '<circle cx="8" cy="8" r="6" fill="#c00"/>'
BOXES = '<path d="M1 1h6v6H1z"/><path fill="#00f" d="M9 9h6v6H9z"/>'
RING = '<path d="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 3a4 4 0 1 1 0 8 4 4 0 0 1 0-8z"/>'


def svg(inside: str, box: str = "0 0 16 16") -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{inside}</svg>'.encode()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A package of three drawings, and others that are left out or dropped."""
    icons = tmp_path / "package" / "icons"
    icons.mkdir(parents=True)
    about = {"name": "@we/icons", "version": "1.2.3", "license": "CC-BY-4.0"}
    (icons.parent / "package.json").write_text(json.dumps(about))
    pictures = {"disc": DISC, "boxes": BOXES, "ring": RING, "the-disc": DISC, "red-flag": BOXES + RING}
    pictures["hand-dark-skin-tone"] = RING + DISC
    for name, inside in pictures.items():
        (icons / f"{name}.svg").write_bytes(svg(inside))
    (icons / "wide.svg").write_bytes(svg(DISC, "0 0 32 16"))
    return icons


@pytest.fixture(scope="module")
def painter() -> Iterator[Painter]:
    with Painter(64 * FINER) as painter:
        yield painter


def run(*arguments: object) -> int:
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as stop:
        assert isinstance(stop.code, int)
        return stop.code


def rows_of(folder: Path) -> list[dict[str, object]]:
    """All rows, as another reader of Parquet gives them."""
    return [row for file in sorted(folder.glob("*.parquet")) for row in pyarrow.parquet.read_table(file).to_pylist()]


def sums_of(folder: Path) -> dict[str, str]:
    return {shard.file: shard.sha256 for shard in store.read_manifest(folder).shards}


# Building


def test_sampled_rows_are_programs_with_their_pictures(tmp_path: Path) -> None:
    assert run("data", "build", CONFIG, "-o", tmp_path / "shards", *SAMPLED) == 0
    rows = rows_of(tmp_path / "shards")
    assert 9 <= len(rows) <= 12 and {row["kind"] for row in rows} == set(SAMPLERS)
    for row in rows:
        picture = np.asarray(Image.open(io.BytesIO(row["picture"])).convert("RGB"))
        drawn = rasterise(interpret(parse(str(row["program"]))), (64, 64))  # not through layers
        assert picture.shape == (64, 64, 3) and np.abs(picture.astype(int) - drawn).max() <= 2
        assert row["split"] in (TRAIN, HELD_OUT) and row["licence"] == "MIT"


def test_shards_follow_from_the_config_whatever_the_jobs(tmp_path: Path) -> None:
    for name, jobs in (("one", 1), ("two", 2)):
        assert run("data", "build", CONFIG, "-o", tmp_path / name, "--jobs", jobs, *SAMPLED) == 0
    assert sums_of(tmp_path / "one") == sums_of(tmp_path / "two")
    run("data", "build", CONFIG, "-o", tmp_path / "three", *SAMPLED, "seed=4")
    assert not set(sums_of(tmp_path / "three").values()) & set(sums_of(tmp_path / "one").values())


def test_weights_share_the_samples_out() -> None:
    config = build.Config(samples=100, plain=1, flags=0, cutouts=3)
    assert config.counts() == {"plain": 25, "flags": 0, "cutouts": 75}


def test_a_corpus_gives_programs_with_source_and_licence(tmp_path: Path, corpus: Path) -> None:
    folder = tmp_path / "shards"
    assert run("data", "build", CONFIG, "-o", folder, "samples=0", f'corpora=["{corpus}"]') == 0
    rows = {row["source"]: row for row in rows_of(folder)}
    assert set(rows) == {f"@we/icons 1.2.3/{name}" for name in ("disc", "boxes", "ring")}
    assert {row["licence"] for row in rows.values()} == {"CC-BY-4.0"}
    disc = parse("(size 128 128) (background 255) (fill 204 0 0) (no-stroke) (ellipse 64 64 96 96)")
    assert parse(str(rows["@we/icons 1.2.3/disc"]["program"])) == disc  # 8 units of 128 to one of 16
    manifest = store.read_manifest(folder)
    assert manifest.corpora[0]["left_out"] == {"a copy": 1, "a flag": 1, "another skin tone": 1}
    assert manifest.shards[0].dropped == {"@we/icons 1.2.3": {"not square": 1}}
    assert run("data", "check", folder, "--every", 1) == 0


def test_a_corpus_needs_a_licence(tmp_path: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = corpus.parent / "package.json"
    package.write_text('{"name": "a", "version": "1"}')
    assert run("data", "build", CONFIG, "-o", tmp_path / "x", f'corpora=["{corpus}"]') == 1
    assert '"license" that is a text' in one_line(capsys) and not (tmp_path / "x").exists()
    package.unlink()
    assert run("data", "build", CONFIG, "-o", tmp_path / "x", f'corpora=["{corpus}"]') == 1
    assert "no package.json here or above" in one_line(capsys)


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "Traceback" not in error, error
    return error


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["sampels=3"], 1, "no key 'sampels'; did you mean 'samples'?"),
        (["corpora=nowhere.json"], 1, "nowhere.json: no such file or folder"),
        (["corpora=."], 1, "a corpus is a folder of .svg files"),
        (["samples=0"], 1, "'samples' takes a number above 0 unless there are corpora, got 0"),
        (["rows=0"], 1, "'rows' takes a whole number from 1 up, got 0"),
        (["corpora=[3]"], 1, "'corpora' takes a list of texts, got [3]"),
        (["three"], 2, "an override is key=value, got 'three'"),
        (["--exclude", "nowhere"], 1, "nowhere: is no folder of pictures to exclude"),
        (["--exclude", "."], 1, ".: holds no pictures"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("data", "build", CONFIG, "-o", "shards", *words) == code
    assert says in one_line(capsys)
    assert not Path("shards").exists()


def test_a_full_disk_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("treesketch.files.os.fsync", full)
    assert run("data", "build", CONFIG, "-o", tmp_path / "shards", *SAMPLED) == 1
    assert "cannot write: no space left on device" in one_line(capsys)
    assert os.listdir(tmp_path / "shards") == []


def test_a_build_that_is_killed_goes_on(tmp_path: Path) -> None:
    words = ["data", "build", str(CONFIG), "samples=60", "rows=5", "-o"]
    code = "import sys; from treesketch.cli import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen([sys.executable, "-c", code, *words, str(tmp_path / "killed")])
    try:
        deadline = time.monotonic() + 60
        while len(list((tmp_path / "killed").glob("*.parquet"))) < 3:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = sums_of(tmp_path / "killed")
    assert 2 <= len(before) < 12
    spoilt = tmp_path / "killed" / min(before)
    spoilt.write_bytes(spoilt.read_bytes()[:-1])
    others = {name: (tmp_path / "killed" / name).stat().st_mtime_ns for name in before if name != spoilt.name}
    assert run(*words, tmp_path / "killed") == run(*words, tmp_path / "whole") == 0
    assert sums_of(tmp_path / "killed") == sums_of(tmp_path / "whole")
    assert {name: (tmp_path / "killed" / name).stat().st_mtime_ns for name in others} == others  # not made again


def test_another_build_is_not_mixed_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("data", "build", CONFIG, "-o", tmp_path / "shards", *SAMPLED) == 0
    capsys.readouterr()
    assert run("data", "build", CONFIG, "-o", tmp_path / "shards", *SAMPLED, "seed=5") == 1
    assert "was begun with other settings (seed: 3 there, 5 here); give another folder" in one_line(capsys)


def test_check_finds_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "shards"
    assert run("data", "build", CONFIG, "-o", folder, *SAMPLED) == 0
    assert run("data", "check", folder, "--every", 1) == 0
    shards = store.read_manifest(folder).shards
    (folder / shards[0].file).unlink()
    spoil(folder, shards[1].file, lambda row: replace(row, program=row.program.replace("(", "", 1)))
    spoil(folder, shards[2].file, lambda row: replace(row, picture=store.encode_png(np.zeros((64, 64, 3), np.uint8))))
    capsys.readouterr()
    assert run("data", "check", folder, "--every", 1) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if shards[0].file in line and "missing or not what its checksum says" in line]
    assert [line for line in lines if shards[1].file in line and "1:1" in line]
    assert [line for line in lines if shards[2].file in line and "does not draw its picture" in line]
    assert run("data", "check", tmp_path) == 1


def spoil(folder: Path, name: str, change: object) -> None:
    """Change every row of a shard, with a checksum to match."""
    rows = [change(row) for row in store.read_rows(folder / name)]  # type: ignore[operator]
    content = store.encode_rows(rows)
    (folder / name).write_bytes(content)
    manifest = store.read_manifest(folder)
    shards = [replace(s, sha256=store.digest(content)) if s.file == name else s for s in manifest.shards]
    store.write_manifest(folder, replace(manifest, shards=shards))


def test_a_manifest_names_no_file_elsewhere(tmp_path: Path) -> None:
    assert run("data", "build", CONFIG, "-o", tmp_path / "shards", *SAMPLED) == 0
    path = tmp_path / "shards" / "manifest.json"
    path.write_text(path.read_text().replace("plain-00000", "../plain-00000"))
    with pytest.raises(SketchError, match="names a shard outside of its folder"):
        store.read_manifest(tmp_path / "shards")


# Drawings


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("", "nothing to see"),
        ('<filter id="f"><feGaussianBlur stdDeviation="2"/></filter><g filter="url(#f)">' + DISC + "</g>", "more than"),
        ("".join(f'<circle cx="{k % 16}" cy="{k // 16}" r=".4"/>' for k in range(41)), "more than 40 layers"),
        (
            f'<path d="M1 1{"".join(f"L{k % 15} {(k * 7) % 13}" for k in range(200))}z"/>',
            "each layer takes more than 60",
        ),
        (
            '<linearGradient id="g"><stop stop-color="#000"/><stop offset="1" stop-color="#fff"/></linearGradient>'
            '<rect width="12" height="16" fill="url(#g)"/>',
            "not like its picture",
        ),
    ],
)
def test_what_is_not_kept_says_why(painter: Painter, inside: str, reason: str) -> None:
    with pytest.raises(Dropped, match=reason):
        convert(svg(inside), "a.svg", painter, Bounds())


def test_a_drawing_is_near_to_what_resvg_draws_of_it(painter: Painter) -> None:
    for inside in (DISC, BOXES, RING):
        assert convert(svg(inside), "a.svg", painter, Bounds()).error < 0.02


def test_caps_and_joins_are_drawn_and_written(painter: Painter) -> None:
    line = (
        '<path d="M3.125 12.125L8.125 4.125l5 8" fill="none" stroke="#000" stroke-width="3" stroke-linejoin="round"/>'
    )
    found = convert(svg(line), "a.svg", painter, Bounds())
    assert [(layer.cap, layer.join) for layer in found.layers] == [("square", "round")]
    assert found.error < 0.03


def test_hidden_layers_go(painter: Painter) -> None:
    hidden = '<circle cx="8" cy="8" r="2"/>' + DISC
    assert len(convert(svg(hidden), "a.svg", painter, Bounds()).layers) == 1


def form(text: str) -> Node:
    return parse(text).children[0]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("(rect 1.3 2.24 3.3 0.1)", "(rect 1.5 2 3 0.5)"),  # the far edge 4.6 goes to 4.5, nothing vanishes
        ("(ellipse 1.3 2.2 0.1 5.3)", "(ellipse 1.5 2 0.5 5.5)"),
        ("(arc 1.3 2.2 4.1 5.3 0.123 1.239)", "(arc 1.5 2 4 5.5 0.12 1.24)"),
        (
            "(begin-shape) (vertex 1 1) (vertex 1.1 1.1) (vertex 5 1) (bezier-vertex 5.6 1 7 2.2 8 3) (end-shape)",
            "(begin-shape) (vertex 1 1) (vertex 5 1) (bezier-vertex 5.5 1 7 2 8 3) (end-shape)",
        ),
    ],
)
def test_numbers_go_to_the_grid(text: str, wanted: str) -> None:
    assert snap(form(text)) == form(wanted)


def test_the_order_is_the_samplers() -> None:
    below, right, over = (Layer(rect(*at, 20, 20), (0, 0, 0)) for at in ((10, 60), (70, 10), (20, 55)))
    assert in_order([below, right, over]) == [right, below, over]


def test_variants_are_of_one_split(corpus: Path) -> None:
    (corpus / "ring-outline.svg").write_bytes(svg(RING + RING))
    (found,) = read_corpora([str(corpus)], 0)
    families = {drawing.name: drawing.family for drawing in found.drawings}
    assert families["ring"] == families["ring-outline"]
    assert len(read_corpora([str(corpus)], 2)[0].drawings) == 2


# What nothing may look like


def picture_of(draw: object, size: int = 64) -> np.ndarray:
    image = Image.new("RGB", (4 * size, 4 * size), "white")
    draw(ImageDraw.Draw(image))  # type: ignore[operator]
    return np.asarray(image.resize((size, size), Image.Resampling.BOX), np.float32) / 255


def star(pen: ImageDraw.ImageDraw, fill: str = "black", scale: float = 1.0, shift: float = 0.0) -> None:
    corners = [
        (128, 10),
        (160, 95),
        (250, 100),
        (180, 155),
        (205, 245),
        (128, 195),
        (50, 245),
        (75, 155),
        (5, 100),
        (95, 95),
    ]
    pen.polygon([(scale * x + shift, scale * y + shift) for x, y in corners], fill=fill)


def test_copies_look_alike() -> None:
    known = Known([("star", picture_of(star))])
    assert known.find(picture_of(star)) is not None
    recolored = known.find(picture_of(lambda pen: star(pen, "#0a5")))
    smaller = known.find(picture_of(lambda pen: star(pen, "black", 0.6, 50)))
    assert recolored and recolored.picture > NEAR and recolored.silhouette < ALIKE
    assert smaller and smaller.picture > NEAR and smaller.silhouette < ALIKE


def test_others_do_not() -> None:
    known = Known([("star", picture_of(star))])
    assert known.find(picture_of(lambda pen: pen.ellipse((10, 10, 240, 240), fill="black"))) is None
    assert known.find(picture_of(lambda pen: pen.line((10, 10, 240, 240), fill="black", width=20))) is None
    assert known.find(np.ones((64, 64, 3), np.float32)) is None
    assert Known([]).find(picture_of(star)) is None


def test_a_silhouette_is_cut_out_and_stretched() -> None:
    mark = silhouette(picture_of(lambda pen: pen.rectangle((100, 40, 139, 199), fill="#0000ff")))
    assert mark.shape == (32, 32) and mark.min() == pytest.approx(1)


def test_a_build_drops_what_looks_like_an_excluded_picture(tmp_path: Path, corpus: Path) -> None:
    (tmp_path / "judges" / "icons").mkdir(parents=True)
    disc = picture_of(lambda pen: pen.ellipse((60, 60, 420, 420), fill="#00f"), 128)
    Image.fromarray((disc * 255).astype(np.uint8)).save(tmp_path / "judges" / "icons" / "blue.png")
    words = ["samples=0", f'corpora=["{corpus}"]', "--exclude", tmp_path / "judges"]
    assert run("data", "build", CONFIG, "-o", tmp_path / "shards", *words) == 0
    (shard,) = store.read_manifest(tmp_path / "shards").shards
    assert {str(row["source"]).split("/")[-1] for row in rows_of(tmp_path / "shards")} == {"boxes", "ring"}
    assert shard.dropped["@we/icons 1.2.3"]["like a picture that is excluded"] == 1
    assert [(found["source"], found["like"]) for found in shard.alike] == [("@we/icons 1.2.3/disc", "icons/blue.png")]
    assert store.read_manifest(tmp_path / "shards").excluded["pictures"] == 1


@pytest.mark.skipif(
    not {"TREESKETCH_BENCH", "TREESKETCH_SHARDS"} <= set(os.environ),
    reason="TREESKETCH_BENCH names pictures to judge by, TREESKETCH_SHARDS shards",
)
def test_no_shard_looks_like_what_judges() -> None:
    known, folder = read_known([Path(os.environ["TREESKETCH_BENCH"])]), Path(os.environ["TREESKETCH_SHARDS"])
    found = []
    for shard in store.read_manifest(folder).shards:
        for row in store.read_rows(folder / shard.file, ("picture", "source")):
            picture = np.asarray(Image.open(io.BytesIO(row.picture)).convert("RGB"), np.float32) / 255
            if like := known.find(picture):
                found.append((row.source, like))
    assert not found


# Training


@pytest.fixture
def shards(tmp_path: Path, corpus: Path) -> Path:
    """A folder of shards of the corpus; two of its drawings are trained on, one is held out."""
    folder = tmp_path / "shards"
    assert run("data", "build", CONFIG, "-o", folder, "samples=0", f'corpora=["{corpus}"]') == 0
    (shard,) = store.read_manifest(folder).shards
    held = {"@we/icons 1.2.3/ring": HELD_OUT}
    spoil(folder, shard.file, lambda row: replace(row, split=held.get(row.source, TRAIN)))
    return folder


def test_training_sees_only_its_split(shards: Path) -> None:
    train, held_out = scenes.Drawings(shards, TRAIN), scenes.Drawings(shards, HELD_OUT)
    assert len(train) == 2 and len(held_out) == 1
    (target,) = held_out.targets(5)
    assert target.shape == (64, 64, 3) and target[32, 32].min() == 1 and target[32, 10].max() < 0.2  # a ring


def test_examples_of_drawings_follow_from_the_seed(shards: Path) -> None:
    make, vocabulary = scenes.Mixed(shards, 1.0), load_vocabulary()
    made = [[e for _ in range(6) for e in make(vocabulary, {}, rng)] for rng in map(np.random.default_rng, (1, 1, 2))]
    assert len(made[0]) == 6 * data.EXAMPLES_A_SCENE
    assert all(torch.equal(a.graph.action, b.graph.action) for a, b in zip(made[0], made[1], strict=True))
    assert not all(np.array_equal(a.target, b.target) for a, b in zip(made[0], made[2], strict=True))


def test_forms_that_are_too_long_are_not_what_is_to_be_written() -> None:
    layers = [Layer(rect(8 + 40 * k, 8, 32, 32), (200, 0, 0)) for k in range(3)]
    scene = data.compose(layers, (255, 255, 255))
    vocabulary, rng = load_vocabulary(), np.random.default_rng(0)
    names = vocabulary.actions
    for _ in range(30):
        for example in scenes.make_drawn(vocabulary, scene, [False, False, False], rng):
            role = vocabulary.role_index["program.1"]
            tops = example.graph.is_hole & (example.graph.role == role)
            first = names[example.graph.action[tops].tolist()[0]]
            assert first in ("production:background", "end")


def test_recolouring_keeps_what_is_seen_apart() -> None:
    layers = [Layer(rect(0, 0, 64, 64), (0, 0, 0)), Layer(ellipse(90, 90, 20, 20), (255, 0, 0, 128), (0, 0, 0), 2.0)]
    for seed in range(50):
        (box, dot), ground = scenes.recolor(layers, (255, 255, 255), np.random.default_rng(seed))
        assert box.fill is not None and dot.fill is not None and dot.fill[3] == 128 and dot.stroke == box.fill
        gaps = [abs(a - b) for a, b in zip(box.fill, ground, strict=True)]
        assert min(gaps) >= scenes.LEAST_CONTRAST and max(*box.fill, *ground) <= 255 and min(*box.fill, *ground) >= 0


def test_memory_is_bounded(shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenes, "MOST_NODES", 1)
    drawings = scenes.Drawings(shards, TRAIN)
    first = drawings.read(0)
    assert drawings.read(0) is first
    drawings.read(1)
    assert drawings.read(0) is not first and drawings.read(0) == first


def test_a_run_learns_from_drawings(
    tmp_path: Path, shards: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["steps=2", "evaluate=1", "width=16", "batch=4", "held_out=4", "drawings=1", "threads=1", "workers=1"]
    config = ROOT / "configs" / "tiny.toml"
    assert run("train", config, *words, f"shards={shards}", "real=1", "plain=0", "flags=0", "cutouts=0") == 0
    header, *rows = (tmp_path / "runs" / "tiny" / "metrics.csv").read_text().splitlines()
    cells = dict(zip(header.split(","), rows[-1].split(","), strict=True))
    assert 0 < float(cells["drawing_real"]) < 1 and cells["drawing"] == ""
    capsys.readouterr()
    assert run("train", config, *words, "real=1") == 1
    assert "'real' takes a number above 0 with 'shards'" in one_line(capsys)
    assert run("train", config, *words, "real=1", f"shards={tmp_path}") == 1
    assert "holds no manifest.json" in one_line(capsys)


def test_shards_without_drawings_are_refused(tmp_path: Path) -> None:
    assert run("data", "build", CONFIG, "-o", tmp_path / "shards", *SAMPLED) == 0
    with pytest.raises(ConfigError, match="no drawings of the split 'train'"):
        scenes.load_drawings(tmp_path / "shards", TRAIN)
