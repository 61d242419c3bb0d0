"""Systems and the loop that trains them: every config runs, a run goes on to the same bits, mistakes are told."""

import importlib
import json
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from journals import rows_of
from safetensors.torch import load

from treesketch.cli import main
from treesketch.errors import CheckpointError, SketchError
from treesketch.experiments import SYSTEMS, find_system
from treesketch.experiments.loop import train_system
from treesketch.experiments.pairs import choose_numbers, load_pairs
from treesketch.experiments.scoring import score
from treesketch.experiments.show_and_tell import ShowAndTell
from treesketch.settings import read_settings
from treesketch.shards.store import HELD_OUT, TRAIN

ROOT = Path(__file__).resolve().parent.parent
CONFIGS = [path for path in sorted((ROOT / "configs").glob("*.toml")) if find_system(path, [])]
SMALL = (
    *("steps=2", "batch=4", "evaluate=1", "held_out=4", "pictures=1", "final=2", "looks=3", "workers=0"),
    "precision=fp32",
)
SIZES = {  # of each system's network and of what it writes
    "tree": ("width=24", "tree_layers=1", "units=2"),
    "styled": ("width=24", "tree_layers=1", "units=2", "start="),
    "show-and-tell": ("width=16", "channels=8", "longest=60", "budget=40"),
    "restorer": ("width=4", "blocks=1", "drawings="),
}
TELL = ROOT / "configs" / "show_and_tell.toml"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def one_thread() -> object:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def tell(shards: Path, *overrides: str, resume: Path | None = None) -> Path:
    """Train a small show-and-tell."""
    small = [f"shards={shards}", *SMALL, *SIZES["show-and-tell"], "attention=true", *overrides]
    return train_system("show-and-tell", TELL, small, resume)


def same_weights(one: Path, other: Path) -> bool:
    """Whether two runs ended with the same bits: the weights, and the state with its moments."""
    for name in ("weights.safetensors", "state.safetensors"):
        here, there = load((one / name).read_bytes()), load((other / name).read_bytes())
        if set(here) != set(there) or not all(torch.equal(here[key], there[key]) for key in here):
            return False
    return True


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_every_config_is_of_a_system_and_reads(config: Path) -> None:
    module, _, name = SYSTEMS[find_system(config, []) or ""].partition(":")
    kind = getattr(importlib.import_module(f"treesketch.experiments.{module}"), name)
    settings, _ = read_settings(kind.settings_type, config, [])
    assert settings.name and settings.steps > 1


@pytest.mark.parametrize("config", [c for c in CONFIGS if find_system(c, []) in SIZES], ids=lambda path: path.stem)
def test_a_config_trains_and_tells_what_came_of_it(config: Path, pairs_folder: Path) -> None:
    system = find_system(config, [])
    assert system
    assert main(["train", str(config), f"shards={pairs_folder}", *SMALL, *SIZES[system], "name=it"]) == 0
    run = Path("runs/it")
    results = json.loads((run / "results.json").read_text())
    assert (results["system"], results["name"], results["samples"], results["pictures"]) == (system, "it", 8, 2)
    weights = load((run / "weights.safetensors").read_bytes())
    assert results["parameters"] == sum(value.numel() for value in weights.values())
    rows = rows_of(run)
    assert [row["step"] for row in rows] == ["0", "1", "2"]
    final = {key: value for key, value in results["values"].items() if np.isfinite(value)}
    assert final and all(float(rows[-1][key]) == pytest.approx(value, rel=1e-4) for key, value in final.items())
    page = (run / "report.html").read_text()
    assert (
        page.count("<article>") == (8 if system == "styled" else 4) and "<h1>it</h1>" in page
    )  # two pictures of each of two sets, or in each of four styles
    assert "steps = 2\n" in (run / "config.toml").read_text()


def test_a_run_that_was_stopped_goes_on_to_the_same_bits(
    pairs_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = tell(pairs_folder, "steps=5", "evaluate=9", "name=whole")
    real, calls = ShowAndTell.losses, [0]

    def losses(self: ShowAndTell, module: Any, batch: Any, rng: np.random.Generator) -> Any:
        calls[0] += module.training
        if calls[0] == 3 and module.training:
            signal.raise_signal(signal.SIGINT)
        return real(self, module, batch, rng)

    monkeypatch.setattr(ShowAndTell, "losses", losses)
    with pytest.raises(KeyboardInterrupt):
        tell(pairs_folder, "steps=5", "evaluate=9", "name=stopped")
    stopped = Path("runs/stopped")
    assert f"go on with: treesketch train {stopped}/config.toml --resume {stopped}" in capsys.readouterr().err
    assert not (stopped / "results.json").exists()
    tell(pairs_folder, "steps=5", "evaluate=9", "name=stopped", resume=stopped)
    assert same_weights(whole, stopped)
    assert rows_of(stopped)[-1]["held_out"] == rows_of(whole)[-1]["held_out"]


def test_a_run_may_start_with_the_weights_of_another(pairs_folder: Path) -> None:
    first = tell(pairs_folder, "name=first")
    second = tell(pairs_folder, "steps=1", f"start={first}/weights.safetensors", "seed=7", "name=second")
    held_out = [float(row["held_out"]) for row in (rows_of(second)[0], rows_of(first)[-1])]
    assert held_out[0] == pytest.approx(held_out[1], rel=1e-3)  # weights are kept in half precision
    with pytest.raises(CheckpointError, match=r"weights.safetensors: not these settings' weights: size mismatch"):
        tell(pairs_folder, "width=24", f"start={first}/weights.safetensors")
    with pytest.raises(CheckpointError, match="a run of the system 'show-and-tell', not 'tree'"):
        train_system("tree", ROOT / "configs/tree.toml", [f"shards={pairs_folder}", *SMALL, "width=24"], first)
    with pytest.raises(CheckpointError, match="no run to go on with: there is no state.safetensors here"):
        tell(pairs_folder, resume=Path("nowhere"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["system=painter"], "no system 'painter'; there are: tree, "),
        (["stepps=2"], "stepps=2: no key 'stepps'; did you mean 'steps'?"),
        (["units=2"], "units=2: no key 'units'"),
        (["batch=0"], "batch=0: 'batch' takes a whole number from 1 up, got 0"),
        (["learning_rate=0"], "learning_rate=0: 'learning_rate' takes a number above 0, got 0"),
        (["precision=fp8"], "precision=fp8: 'precision' takes fp32 or bf16, got 'fp8'"),
        (["shards=nowhere"], "nowhere: no such folder of shards"),
        (["shards=."], ".: holds no manifest.json; treesketch data build makes one"),
        (["width=33"], "'width' takes a multiple of heads = 2, got 33"),
        (["channels=12"], "'channels' takes a multiple of 8, got 12"),
        (["heads=0"], "'heads' takes a whole number from 1 up, got 0"),
        (["mask=true", "budget=5000"], "'budget' takes a whole number from 1 to 1536, got 5000"),
    ],
)
def test_mistakes_in_a_config_are_told(
    words: list[str], message: str, pairs_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", str(TELL), f"shards={pairs_folder}", *words]) == 1
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1
    assert not Path("runs").exists()


def test_a_loss_that_is_no_number_is_told(pairs_folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"at step \d+; take a smaller learning_rate than 1e\+30"):
        tell(pairs_folder, "learning_rate=1e30", "warmup=1", "steps=9", "evaluate=9")


@pytest.mark.parametrize("error", [ConnectionResetError(), RuntimeError("DataLoader worker (pid 7) is killed")])
def test_a_lost_worker_is_told(error: Exception, pairs_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(system: ShowAndTell, *rest: object) -> object:
        raise error

    shown = ShowAndTell.make
    calls = iter([shown])  # the held-out loss before the first step
    monkeypatch.setattr(ShowAndTell, "make", lambda *rest: next(calls, make)(*rest))
    with pytest.raises(SketchError, match="a process that makes batches was killed at step 0, .* --resume"):
        tell(pairs_folder)


def test_each_pair_is_learnt_from_once_before_any_is_again() -> None:
    numbers = [number for step in range(15) for number in choose_numbers(20, 5, step, 8)]
    epochs = [numbers[first : first + 20] for first in range(0, 120, 20)]
    assert all(Counter(epoch) == Counter(range(20)) for epoch in epochs)
    assert epochs[0] != epochs[1]
    assert choose_numbers(20, 5, 3, 8) == numbers[24:32] != choose_numbers(20, 6, 3, 8)
    assert Counter(choose_numbers(3, 0, 0, 7)).keys() == {0, 1, 2}  # a batch larger than all pairs


def test_pairs_are_those_of_a_split(pairs_folder: Path) -> None:
    train, held_out = load_pairs(pairs_folder, TRAIN), load_pairs(pairs_folder, HELD_OUT)
    assert len(train) + len(held_out) == 40 and not set(train.programs) & set(held_out.programs)
    assert train.picture(0).shape == (64, 64, 3) and train.picture(0).dtype == np.uint8
    some = train.only(("flags",), 3)
    assert some.kinds == ["flags"] * 3 and set(some.programs) <= set(train.programs)


def test_scores_are_what_they_say() -> None:
    white = np.ones((64, 64, 3), np.float32)
    half = white.copy()
    half[:, :32] = 0  # black on the left: a mean square error of a half against white
    left = "(size 128 128) (background 255) (fill 0) (no-stroke) (rect 0 0 64 128)"
    same = score([left, "(size 128 128)(background 255.0)"], [half, half], [left, left])
    assert (same.pictures, same.valid, same.exact) == (2, 1.0, 0.5)
    assert same.rmse == pytest.approx(np.sqrt(0.5) / 2, abs=1e-3)
    assert same.nodes == (18 + 7) / 2  # program 1, size 3, background 3; fill 3, no-stroke 1, rect 1 + 3 + 3
    bad = score(["(rect 1 2 3", "(rect 1 2 3 q)"], [half, half], [left, left])
    ground = 204 / 255  # of a program that says nothing
    assert (bad.valid, bad.exact) == (0.0, 0.0) and np.isnan(bad.nodes)
    assert bad.rmse == pytest.approx(np.sqrt((ground**2 + (1 - ground) ** 2) / 2), abs=1e-3)
