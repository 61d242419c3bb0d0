"""Training as a user meets it: a run's folder, going on after a kill, and what goes wrong."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from journals import rows_of
from safetensors.torch import load

from treesketch import files, train
from treesketch.actions import load_vocabulary
from treesketch.cli import main
from treesketch.errors import CheckpointError, ConfigError, SketchError
from treesketch.journal import Journal
from treesketch.model.network import Network
from treesketch.model.weights import load_network
from treesketch.runs import learning_rate
from treesketch.team import gather
from treesketch.train import Config, Learner, read_config

TINY = Path(__file__).resolve().parent.parent / "configs" / "tiny.toml"
SMALL = ["width=16", "batch=4", "held_out=4", "drawings=1", "threads=1", "workers=0", "save_seconds=0"]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def one_thread() -> object:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def run(*overrides: str, resume: Path | None = None, config: Path = TINY) -> Path:
    return train.train(config, [*SMALL, *overrides], resume)


def same_weights(one: Path, other: Path) -> bool:
    """Whether two runs ended with the same bits: the weights, and the state with its moments."""
    for name in ("weights.safetensors", "state.safetensors"):
        here, there = load((one / name).read_bytes()), load((other / name).read_bytes())
        if set(here) != set(there) or not all(torch.equal(here[key], there[key]) for key in here):
            return False
    return True


def start(
    *overrides: str, launcher: tuple[str, ...] = (), most_bytes: int = 0, place: str = "."
) -> subprocess.Popen[str]:
    """The command in a process of its own, or of a launcher's, in a folder; no file of more than most_bytes, if any."""
    words = ["-m", *launcher, *(["-m"] if launcher else []), "treesketch", "train", str(TINY), *SMALL, *overrides]
    limit = f"import resource, signal; resource.setrlimit(resource.RLIMIT_FSIZE, ({most_bytes}, {most_bytes})); "
    module = "import runpy, sys; sys.argv = sys.argv[2:]; runpy.run_module('treesketch', run_name='__main__')"
    return subprocess.Popen(
        [sys.executable, *(["-c", limit + module] if most_bytes else []), *words],
        stderr=subprocess.PIPE,
        text=True,
        cwd=place,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def helpers_of(pid: int) -> list[tuple[int, str]]:
    """The processes that a process has started, each with its command line."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (place / "stat").read_text().rpartition(")")[2].split()[1] == str(pid):
                found.append((int(place.name), (place / "cmdline").read_text().replace("\0", " ")))
    return found


def wait_for_step(run: Path, step: int) -> None:
    """Until a state of at least this step is saved."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (run / "state.safetensors").is_file() and saved_step(run) >= step:
            return
        time.sleep(0.02)
    raise AssertionError(f"no state of step {step}")


def saved_step(run: Path) -> int:
    from treesketch.model.weights import read_tensors

    return int(read_tensors(run / "state.safetensors")[1]["step"])


def test_a_run_is_a_folder_with_all_that_came_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    folder = run("steps=4", "evaluate=2")
    assert folder == Path("runs/tiny")
    assert {"config.toml", "metrics.csv", "state.safetensors", "weights.safetensors"} < set(os.listdir(folder))
    assert [name for name in os.listdir(folder) if name.startswith("events.out.tfevents")]
    rows = rows_of(folder)
    assert [row["step"] for row in rows] == ["0", "2", "4"]
    assert [row["samples"] for row in rows] == ["0", "8", "16"]
    assert all(0 <= float(row["drawing"]) <= 1 and float(row["held_out"]) > 0 for row in rows)
    assert read_config(folder / "config.toml", []) == read_config(TINY, [*SMALL, "steps=4", "evaluate=2"])
    load_network(folder / "weights.safetensors")
    said = capsys.readouterr().err
    assert "runs/tiny: 0." in said and "parameters on cpu, 0 of 4 steps" in said
    assert "lightning" not in said.lower() and "Precision" not in said
    assert run("steps=1") == Path("runs/tiny-2")  # nothing is written over


def test_events_hold_what_the_table_holds() -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = run("steps=2", "evaluate=1")
    events = EventAccumulator(str(folder))
    events.Reload()
    values = [event.value for event in events.Scalars("held_out")]
    assert values == pytest.approx([float(row["held_out"]) for row in rows_of(folder)], rel=1e-4)


@pytest.mark.parametrize("setting", ["workers=0", "workers=1", "processes=2", "grammar=csg2d"])
def test_a_killed_run_goes_on_to_the_same_weights(setting: str) -> None:
    settings = ("steps=24", "evaluate=10", setting)
    whole = run(*settings)
    process = start(*settings)
    killed = Path("runs/tiny-2")
    try:
        wait_for_step(killed, 5)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert saved_step(killed) < 24
    assert run(*settings, resume=killed) == killed
    assert same_weights(whole, killed)
    assert [row["step"] for row in rows_of(killed)] == ["0", "10", "20", "24"]
    for one, other in zip(rows_of(whole), rows_of(killed), strict=True):
        assert all(one[name] == other[name] for name in ("held_out", "drawing", "improved", "solved"))


def test_evaluating_changes_nothing() -> None:
    assert same_weights(run("steps=6", "evaluate=6"), run("steps=6", "evaluate=1", "drawings=2"))


def test_a_finished_run_goes_on_when_it_gets_more_steps(capsys: pytest.CaptureFixture[str]) -> None:
    folder = run("steps=2")
    assert run("steps=2", resume=folder) == folder
    assert "has 2 of 2 steps; give steps=N to go on" in capsys.readouterr().err
    run("steps=5", resume=folder)
    assert saved_step(folder) == 5
    assert [row["step"] for row in rows_of(folder)] == ["0", "2", "5"]


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_and_says_how_to_go_on(asked: signal.Signals) -> None:
    process = start("steps=100000", "evaluate=100000", "save_seconds=1000", "workers=1")
    folder = Path("runs/tiny")
    deadline = time.monotonic() + 60
    while not (folder / "metrics.csv").is_file() or len(rows_of(folder)) < 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, asked)  # as a terminal sends it: to the workers too
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"go on with: treesketch train {folder}/config.toml --resume {folder}" in said
    assert "Traceback" not in said
    step = saved_step(folder)
    assert main(["train", f"{folder}/config.toml", f"steps={step + 1}", "--resume", str(folder)]) == 0
    assert saved_step(folder) == step + 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stepps = 3", "c.toml: no key 'stepps'; did you mean 'steps'?"),
        ("color = 3", "c.toml: no key 'color'; there are: name, grammar, seed"),
        ("steps = 'many'", "c.toml: 'steps' takes int, got 'many'"),
        ("steps = 2.5", "c.toml: 'steps' takes int, got 2.5"),
        ("steps = true", "c.toml: 'steps' takes int, got True"),
        ("steps = 0", "c.toml: 'steps' takes a whole number from 1 up, got 0"),
        ("learning_rate = nan", "c.toml: 'learning_rate' takes a finite number, got nan"),
        ("plain = inf", "c.toml: 'plain' takes a finite number, got inf"),
        ("ema = 1", "c.toml: 'ema' takes a number from 0 up to, not including, 1, got 1.0"),
        ("precision = 'fp8'", "c.toml: 'precision' takes bf16 or fp32, got 'fp8'"),
        ("width = 100", "c.toml: 'width' takes a multiple of 8 x heads = 32, got 100"),
        ("name = '../up'", "c.toml: 'name' takes a folder's name, got '../up'"),
        (
            "plain = 0\nflags = 0\ncutouts = 0",
            "c.toml: 'plain' takes a number above 0 unless flags, cutouts or real is, got 0.0",
        ),
        ("steps 3", "c.toml: not TOML: Expected '=' after a key in a key/value pair (at line 1, column 7)"),
        ("grammar = 'klingon'", "no grammar 'klingon'"),
        ("batch = 9\nprocesses = 2", "c.toml: 'batch' takes a multiple of processes x accumulate = 2 x 1, got 9"),
    ],
)
def test_mistakes_in_a_config_are_told(text: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("c.toml").write_text(text)
    assert main(["train", "c.toml"]) == 1
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1
    assert not Path("runs").exists()


def test_mistakes_in_overrides_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(TINY), "steps=ten"]) == 1
    assert "steps=ten: 'steps' takes int, got 'ten'" in capsys.readouterr().err
    assert main(["train", str(TINY), "batchsize=3"]) == 1
    assert "batchsize=3: no key 'batchsize'; did you mean 'batch'?" in capsys.readouterr().err


def test_configs_that_cannot_be_read_are_told() -> None:
    with pytest.raises(ConfigError, match="c.toml: no such file"):
        read_config(Path("c.toml"), [])
    with pytest.raises(ConfigError, match="this is a folder, not a file"):
        read_config(Path("."), [])
    Path("c.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8 text at byte 0"):
        read_config(Path("c.toml"), [])


def test_overrides_win_and_whole_numbers_may_stand_for_fractions() -> None:
    config = read_config(TINY, ["steps=7", "name=other", "learning_rate=1"])
    assert (config.steps, config.name, config.learning_rate) == (7, "other", 1.0)


def test_runs_that_cannot_be_gone_on_with_are_told() -> None:
    with pytest.raises(CheckpointError, match=r"nowhere: no run to go on with: there is no state.safetensors here"):
        run("steps=2", resume=Path("nowhere"))
    folder = run("steps=2")
    with pytest.raises(CheckpointError, match='another model: {"width": 16, .* there, {"width": 32, ') as caught:
        run("steps=4", "width=32", resume=folder)
    assert "use its own config, runs/tiny/config.toml" in str(caught.value)
    state = folder / "state.safetensors"
    state.write_bytes(state.read_bytes()[:-9])
    with pytest.raises(CheckpointError, match="not whole safetensors weights"):
        run("steps=4", resume=folder)
    state.write_bytes((folder / "weights.safetensors").read_bytes())
    with pytest.raises(CheckpointError, match="no whole state: "):
        run("steps=4", resume=folder)


@pytest.mark.parametrize("spoilt", ["loss", "gradient"])
def test_a_loss_that_is_no_number_keeps_the_last_good_state(spoilt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real, steps = train._losses, [0]

    def losses(network: torch.nn.Module, *rest: object) -> dict[str, torch.Tensor]:
        found: dict[str, torch.Tensor] = real(network, *rest)  # type: ignore[arg-type]
        if network.training:
            steps[0] += 1
            if steps[0] == 4:
                weight = next(network.parameters())
                # A root of nothing has an endless slope: the loss stays finite, the gradient does not.
                found["loss"] = found["loss"] + ((weight - weight).sum().sqrt() if spoilt == "gradient" else torch.nan)
        return found

    monkeypatch.setattr(train, "_losses", losses)
    with pytest.raises(
        CheckpointError, match=f"the {spoilt} is (nan|inf) at step 3; take a smaller learning_rate"
    ) as caught:
        run("steps=9")
    assert "go on from the last good state with --resume runs/tiny" in str(caught.value)
    folder = Path("runs/tiny")
    assert saved_step(folder) == 2  # the last one whose loss was seen to be finite after it
    assert all(value.isfinite().all() for value in load((folder / "state.safetensors").read_bytes()).values())
    monkeypatch.setattr(train, "_losses", real)
    run("steps=9", "learning_rate=1e-4", resume=folder)
    assert saved_step(folder) == 9


def test_a_full_disk_leaves_the_old_state(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = run("steps=2")
    before = (folder / "state.safetensors").read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "os", SimpleNamespace(**{**vars(os), "fsync": full}))
    with pytest.raises(SketchError, match="cannot write: no space left on device"):
        run("steps=4", resume=folder)
    assert (folder / "state.safetensors").read_bytes() == before
    assert not [name for name in os.listdir(folder) if name.startswith(".")]
    monkeypatch.setattr(files, "os", os)
    run("steps=4", resume=folder)
    assert saved_step(folder) == 4


def test_a_disk_that_fills_up_is_told_and_the_old_state_kept() -> None:
    """The kernel's own refusal: no file of this process may be larger than 100,000 bytes, and a state is."""
    folder = run("steps=2")
    before = (folder / "state.safetensors").read_bytes()
    assert len(before) > 100_000
    process = start("steps=9", "--resume", str(folder), most_bytes=100_000)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1 and "Traceback" not in said
    assert said.splitlines()[-1] == (
        f"{folder}/state.safetensors: cannot write: file too large; make room, "
        f"and go on from the last good state with --resume {folder}"
    )
    assert (folder / "state.safetensors").read_bytes() == before


def test_events_that_do_not_fit_on_the_disk_are_told(tmp_path: Path) -> None:
    journal = Journal(tmp_path, ("step", "samples", "loss"), 0)
    journal.events.unlink()
    journal.events.symlink_to("/dev/full")
    with pytest.raises(SketchError, match="events.*: cannot write: no space left on device"):
        journal.write({"step": 1.0, "samples": 2.0, "loss": 3.0})


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_no_memory_is_told_and_the_last_state_kept(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = Network.forward, [0]

    def forward(network: Network, *rest: object) -> object:
        calls[0] += network.training
        if calls[0] == 4:
            raise error
        return real(network, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Network, "forward", forward)
    with pytest.raises(SketchError) as caught:
        run("steps=9")
    assert str(caught.value) == (
        "runs/tiny: out of memory at step 3 with batch = 4, accumulate = 1 and width = 16; take a larger accumulate, "
        "or a smaller batch or width, and go on from the last good state with --resume runs/tiny"
    )
    assert saved_step(Path("runs/tiny")) == 2
    monkeypatch.setattr(Network, "forward", real)
    run("steps=4", "accumulate=2", resume=Path("runs/tiny"))
    assert saved_step(Path("runs/tiny")) == 4


@pytest.mark.parametrize("error", [ConnectionResetError(104, "Connection reset by peer"), EOFError()])
def test_a_helper_killed_while_it_hands_a_batch_over_is_told(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def forward(network: Network, *rest: object) -> object:
        raise error

    monkeypatch.setattr(Network, "forward", forward)
    with pytest.raises(SketchError, match="a process that samples pictures was killed at step 0"):
        run("steps=1", "workers=0")


def test_a_mistake_of_ours_is_not_taken_for_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    def forward(network: Network, *rest: object) -> object:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)")

    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        monkeypatch.setattr(Network, "forward", forward)
        run("steps=1")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes as Linux tells of them")
@pytest.mark.parametrize(
    ("setting", "command", "told"),
    [
        ("workers=1", "treesketch train", "a process that samples pictures was killed at step"),
        ("processes=2", "spawn_main", "a process that trained along has ended at step"),
    ],
)
def test_a_killed_helper_is_told_and_the_last_state_kept(setting: str, command: str, told: str) -> None:
    process = start("steps=100000", "evaluate=100000", setting)
    folder = Path("runs/tiny")
    wait_for_step(folder, 3)
    (helper,) = [pid for pid, line in helpers_of(process.pid) if command in line]
    os.kill(helper, signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1 and "Traceback" not in said
    assert told in said and said.endswith(f", and go on from the last good state with --resume {folder}\n")
    assert saved_step(folder) >= 3


def test_parts_or_processes_make_no_difference() -> None:
    """One process in two parts, or two processes: the same examples in each batch, so the same mean."""
    settings = ("steps=8", "evaluate=4", "precision=fp32")
    parts, two = run(*settings, "accumulate=2"), run(*settings, "processes=2")
    for one, other in zip(rows_of(parts), rows_of(two), strict=True):
        assert float(one["held_out"]) == pytest.approx(float(other["held_out"]), rel=1e-4)


def test_threads_are_as_many_as_the_config_says() -> None:
    """Whatever Lightning Fabric thinks of it: another number adds in another order, to other bits."""
    config = Config(threads=3, width=16, heads=2)
    with gather(config.team(), print) as fabric:
        torch.set_num_threads(2)
        Learner(load_vocabulary("sketch"), config, config.team()).join(fabric)
        assert torch.get_num_threads() == 3


@pytest.mark.slow
def test_torchrun_trains_to_the_same_bits() -> None:
    settings = ("steps=12", "evaluate=6")
    two = run(*settings, "processes=2")
    process = start(*settings, launcher=("torch.distributed.run", "--nproc-per-node=2"))
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0 and "on 2 processes, cpu, 0 of 12 steps" in said
    assert same_weights(two, Path("runs/tiny-2"))


@pytest.mark.slow
def test_machines_that_share_no_folder_train_to_the_same_bits() -> None:
    """Two machines as torchrun has them, both of them here: each with a launcher, a folder and one process."""
    settings, two = ("steps=12", "evaluate=6"), run("steps=12", "evaluate=6", "processes=2")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        meeting = ("--master-addr=127.0.0.1", f"--master-port={free.getsockname()[1]}")
    processes = []
    for number in (0, 1):
        launcher = ("torch.distributed.run", "--nnodes=2", f"--node-rank={number}", "--nproc-per-node=1", *meeting)
        Path(f"machine{number}").mkdir()
        processes.append(start(*settings, launcher=launcher, place=f"machine{number}"))
    said = [process.communicate(timeout=180)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert "on 2 processes, cpu, 0 of 12 steps" in said[0]
    assert same_weights(two, Path("machine0/runs/tiny"))
    assert not list(Path("machine1").iterdir())  # the first machine keeps what comes of it


@pytest.mark.slow
def test_torchrun_goes_on_after_a_kill() -> None:
    settings, launcher = ("steps=24", "evaluate=10"), ("torch.distributed.run", "--nproc-per-node=2")
    whole, killed = run(*settings, "processes=2"), Path("runs/tiny-2")
    process = start(*settings, launcher=launcher)
    try:
        wait_for_step(killed, 5)
    finally:
        members = [pid for pid, _ in helpers_of(process.pid)]
        for pid in (process.pid, *members):  # torchrun gives each a group of its own
            os.kill(pid, signal.SIGKILL)
        process.communicate()
    assert saved_step(killed) < 24
    process = start(*settings, "--resume", str(killed), launcher=launcher)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert same_weights(whole, killed)


@pytest.mark.parametrize("setting", ["processes=1", "processes=2"])
def test_a_run_may_end_by_the_clock(setting: str, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ("steps=100000", "minutes=0.15", "drawings=0", "evaluate=100000", setting)
    folder = run(*settings)
    first, last = rows_of(folder)
    assert 0 < int(last["step"]) < 100_000 and float(last["lr"]) == 0
    assert 1 < float(last["seconds"]) < 30
    said = capsys.readouterr().err
    assert f"{last['step']} of 100000 steps, 0." in said and " of 0.15 minutes; wrote" in said
    assert saved_step(folder) == int(last["step"])
    run(*settings, resume=folder)
    assert "give minutes=M to go on" in capsys.readouterr().err


def test_the_clock_takes_the_learning_rate_down() -> None:
    """Half of the run decays: at three quarters of the time half is left, wherever the steps are."""
    config = Config(steps=1000, learning_rate=1.0, warmup=1, decay=0.5, minutes=1)
    assert [learning_rate(config, 10, share) for share in (0, 0.5, 0.75, 1, 1.2)] == pytest.approx([1, 1, 0.5, 0, 0])
    assert learning_rate(config, 750, 0.1) == pytest.approx(0.5)
    assert learning_rate(Config(steps=1000, learning_rate=1.0, warmup=1), 10, 0.9) == 1


def test_the_table_says_where_the_time_goes() -> None:
    rows = rows_of(run("steps=4", "evaluate=2"))
    assert rows[0]["busy"] == ""
    for row in rows[1:]:
        shares = [float(row[name]) for name in ("wait", "forward", "backward", "update")]
        assert all(0 < share < 1 for share in shares) and sum(shares) <= 1.001
        assert float(row["busy"]) == pytest.approx(sum(shares[1:]), abs=1e-4)
        assert 0 < float(row["cores"]) < 1


def test_a_torn_table_does_not_stop_a_run() -> None:
    folder = run("steps=2")
    with open(folder / "metrics.csv", "a") as table:
        table.write("3,12,0.")
    run("steps=4", resume=folder)
    assert [row["step"] for row in rows_of(folder)] == ["0", "2", "4"]


def test_the_learning_rate_rises_stays_and_falls() -> None:
    config = Config(steps=100, learning_rate=1.0, warmup=10, decay=0.2)
    assert [learning_rate(config, step) for step in (0, 4, 9, 50, 80)] == pytest.approx([0.1, 0.5, 1, 1, 1])
    assert [learning_rate(config, step) for step in (90, 99)] == pytest.approx([0.5, 0.05])


@pytest.mark.parametrize("grammar", ["sketch", "csg2d", "tinysvg"])
def test_training_lowers_the_loss_on_what_it_has_not_seen(grammar: str) -> None:
    settings = ("steps=40", "batch=8", "width=32", "held_out=16", "warmup=5", "evaluate=40", "drawings=0")
    rows = rows_of(run(*settings, f"grammar={grammar}"))
    assert float(rows[1]["held_out"]) < 0.95 * float(rows[0]["held_out"])
    assert rows[1]["drawing"] == rows[1]["solved"] == ""


def test_problems_are_measured_by_what_edits_do() -> None:
    rows = rows_of(run("steps=1", "grammar=csg2d", "drawings=4"))
    assert all(0 <= float(row[name]) <= 1 for row in rows for name in ("improved", "solved"))
    assert rows[0]["drawing"] == rows[0]["whole"] == "" and float(rows[1]["site"]) > 0 and float(rows[1]["value"]) > 0


def test_batches_that_come_again_are_learnt_by_heart() -> None:
    settings = ("steps=60", "repeat=1", "width=32", "learning_rate=5e-3", "warmup=5", "evaluate=20", "drawings=0")
    _, first, *_, last = rows_of(run(*settings))
    assert float(last["loss"]) < 0.5 * float(first["loss"])
    assert float(last["held_out"]) > 2 * float(last["loss"])


@pytest.mark.parametrize("repeat", [0, 3])
def test_batches_come_again_after_so_many(repeat: int) -> None:
    """A learner at step 2 of 8 gets batches 2 to 7, or with 3 of them numbers 2, 0, 1, 2, 0, 1."""
    config = Config(steps=8, batch=2, repeat=repeat, width=16, heads=2, workers=0)
    learner = Learner(load_vocabulary("sketch"), config, config.team())
    learner.take_up(2, 0.0, 0.0)
    all_batches = config.batches(config.seed, 2, 0, 8)
    expected = [all_batches[number] for number in ([2, 0, 1, 2, 0, 1] if repeat else range(2, 8))]
    found = [batch for batch, _ in train._load_batches(config, learner)]
    assert len(found) == 6
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one[0], other[0]) and torch.equal(one[2].action, other[2].action)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_network_learns_where_shapes_are() -> None:
    """A few thousand examples of csg2d: far better than chance, which is all that an untrained network has."""
    settings = ("steps=250", "batch=32", "width=64", "learning_rate=2e-3", "warmup=30", "evaluate=250", "held_out=128")
    before, after = rows_of(run(*settings, "drawings=64", "grammar=csg2d"))
    assert float(after["held_out"]) < 0.75 * float(before["held_out"])
    assert float(after["improved"]) > float(before["improved"])  # eight edits by chance help often already
    assert float(after["solved"]) > float(before["solved"])
