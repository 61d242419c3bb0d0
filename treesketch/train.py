"""`treesketch train CONFIG`: sampled scenes in, weights out. Read it from `train` down.

A run is a folder: config.toml (resolved), metrics.csv, TensorBoard events, state.safetensors (all that resuming needs)
and weights.safetensors (the averaged weights that drawing uses). Batches are a function of seed and step, so a run that
is killed goes on from its last state with the batches that it has not seen, to the same weights with one thread.
"""

import contextlib
import csv
import gc
import io
import json
import math
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter
from torch_geometric.data import Batch

from treesketch.actions import Vocabulary, load_vocabulary
from treesketch.data import Batches, Maker, make_examples, paint_forms, require_samplers, sample_targets
from treesketch.errors import CheckpointError, ConfigError, SketchError
from treesketch.files import describe as describe_error
from treesketch.files import write_whole
from treesketch.lessons import make_lessons, require_editable, spoil_problem
from treesketch.model.editing import Editor
from treesketch.model.encoder import see
from treesketch.model.network import ModelConfig, Network
from treesketch.model.weights import describe, read_tensors, save_network, save_tensors
from treesketch.model.write import draw_alone
from treesketch.sampling.problems import PROBLEMS, sample_problem, simplify
from treesketch.settings import read_settings, revision
from treesketch.shards.scenes import Mixed, load_drawings
from treesketch.shards.store import HELD_OUT, TRAIN
from treesketch.solving.judge import Judge
from treesketch.solving.network import solve
from treesketch.team import Member, gather
from treesketch.tree import Node

STATE, WEIGHTS, METRICS = "state.safetensors", "weights.safetensors", "metrics.csv"
HELD_OUT_SEED = 1_000_003  # added to a run's seed: scenes that no batch of it shows
UNITS = 12  # forms that draw, at most, in a program that the network writes alone
EDITS = 8  # of one program, drawn to see whether one of them helps
RENDERS = 64  # that the search for a problem has
COLUMNS = (
    "step",
    "samples",
    "seconds",
    "rate",
    "lr",
    "loss",
    "action",
    "point",
    "color",
    "site",
    "value",
    "held_out",
    "drawing",
    "drawing_real",
    "whole",
    "improved",
    "solved",
)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that a training run depends on. Counts are of optimiser steps; samples = steps x batch.

    mixture weights the samplers; real is the weight of the drawings in `shards`, a folder that `treesketch data build`
    wrote. decay is the last share of the steps, over which the learning rate falls to nothing;
    ema is the decay of the averaged weights; a batch is shared by so many processes, each with its threads and workers;
    every `evaluate` steps the held-out loss is taken and pictures are drawn, every `save_seconds` the state is written.
    """

    name: str = "base"
    grammar: str = "sketch"
    seed: int = 0
    steps: int = 20_000
    batch: int = 64
    learning_rate: float = 1e-3
    warmup: int = 200
    decay: float = 0.3
    weight_decay: float = 0.02
    clip: float = 1.0
    ema: float = 0.999
    precision: str = "bf16"
    device: str = "auto"
    processes: int = 1
    threads: int = 2
    workers: int = 1
    evaluate: int = 1000
    held_out: int = 256
    drawings: int = 16
    save_seconds: float = 60.0
    width: int = 128
    heads: int = 4
    grid_layers: int = 2
    tree_layers: int = 3
    plain: float = 1.0
    flags: float = 1.0
    cutouts: float = 1.0
    shards: str = ""
    real: float = 0.0

    def model(self) -> ModelConfig:
        """The network's sizes."""
        return ModelConfig(self.width, self.heads, self.grid_layers, self.tree_layers)

    def batches(
        self, seed: int, size: int, first: int, last: int, share: tuple[int, int] = (0, 1), split: str = TRAIN
    ) -> Batches:
        """Batches of what the grammar's networks learn from, as `data.Batches` takes them; drawings are of a split."""
        make: Maker = make_lessons if self.grammar in PROBLEMS else make_examples
        if self.real:
            make = Mixed(Path(self.shards), self.real / (self.real + sum(self.mixture().values())), split)
        return Batches(self.grammar, self.mixture(), seed, size, first, last, share, make)

    def mixture(self) -> dict[str, float]:
        """The samplers' weights."""
        return {"plain": self.plain, "flags": self.flags, "cutouts": self.cutouts}


def read_config(path: Path, overrides: list[str]) -> Config:
    """A flat TOML file and `key=value` overrides -> a config. Unknown keys and wrong types are errors."""
    config, places = read_settings(Config, path, overrides)
    _validate(config, places, str(path))
    return config


def _validate(config: Config, places: Mapping[str, str], path: str) -> None:
    def refuse(key: str, rule: str) -> None:
        raise ConfigError(f"'{key}' takes {rule}, got {getattr(config, key)!r}", file=places.get(key, path))

    for key, value in asdict(config).items():
        if isinstance(value, float) and not math.isfinite(value):
            refuse(key, "a finite number")
    sizes = ("width", "heads", "grid_layers", "tree_layers")
    for key in ("steps", "batch", "processes", "threads", "evaluate", "held_out", *sizes):
        if getattr(config, key) < 1:
            refuse(key, "a whole number from 1 up")
    weights = ("plain", "flags", "cutouts", "real")
    for key in ("warmup", "workers", "drawings", "weight_decay", "save_seconds", "seed", *weights):
        if getattr(config, key) < 0:
            refuse(key, "a number from 0 up")
    for key in ("decay", "ema"):
        if not 0 <= getattr(config, key) < 1:
            refuse(key, "a number from 0 up to, not including, 1")
    for key in ("learning_rate", "clip"):
        if getattr(config, key) <= 0:
            refuse(key, "a number above 0")
    if config.precision not in ("bf16", "fp32"):
        refuse("precision", "bf16 or fp32")
    if config.width % (8 * config.heads):
        refuse("width", f"a multiple of 8 x heads = {8 * config.heads}")
    if not sum(config.mixture().values()) + config.real:
        refuse("plain", "a number above 0 unless flags, cutouts or real is")
    if config.real and config.grammar in PROBLEMS:
        refuse("real", f"0 with grammar = '{config.grammar}', which learns from its problems")
    if bool(config.real) != bool(config.shards):
        refuse("real", "a number above 0 with 'shards', a folder that treesketch data build wrote, and 0 without")
    if config.device not in ("auto", "cpu", "cuda"):
        refuse("device", "auto, cpu or cuda")
    if config.batch % config.processes:
        refuse("batch", f"a multiple of processes = {config.processes}")
    if config.processes > 1 and _on_cuda(config):
        refuse("processes", "1 with CUDA; or device=cpu")
    if config.device == "cuda" and not torch.cuda.is_available():
        refuse("device", "auto or cpu on this machine, which has no CUDA")
    if not config.name or config.name in (".", "..") or not config.name.isprintable() or set(config.name) & set("/\\"):
        refuse("name", "a folder's name")


def _on_cuda(config: Config) -> bool:
    return config.device != "cpu" and torch.cuda.is_available()


def train(config_path: Path, overrides: list[str], resume: Path | None = None) -> Path:
    """Train as a config says, or go on with the run in the folder `resume`; returns the run's folder.

    Ctrl-C saves and raises KeyboardInterrupt. Raises ConfigError for the config, CheckpointError for a run that cannot
    be gone on with or whose loss is no number any more; what is saved always had a finite loss.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    config = read_config(config_path, overrides)
    if config.grammar in PROBLEMS:
        require_editable(load_vocabulary(config.grammar))
    elif sum(config.mixture().values()):
        require_samplers(load_vocabulary(config.grammar), config.mixture())
    if config.real:
        load_drawings(Path(config.shards), TRAIN)  # says now that there are none
    learner = _start_learner(config, resume)
    run = resume or _new_run(config.name)
    if learner.step >= config.steps:
        console.print(f"{run}: has {learner.step} of {config.steps} steps; give steps=N to go on")
        return run
    write_whole(run / "config.toml", _to_toml(config))
    parameters = sum(p.numel() for p in learner.network.parameters())
    size = f"{parameters / 1e6:.2f}M parameters"
    console.print(f"{run}: {size} on {learner.device}, step {learner.step} of {config.steps}")
    gc.freeze()  # what start-up left behind is never garbage; half the time of sampling would go into looking at it
    try:
        with (
            gather(config.processes, _help_learn, config, resume) as learner.member,
            _catch_interrupt() as interrupted,
            _show_progress(console, config.steps, learner.step) as advance,
        ):
            _learn_all(run, config, learner, console, interrupted, advance)
    except FloatingPointError as error:
        hint = f"take a smaller learning_rate than {config.learning_rate:g}"
        if (run / STATE).is_file():
            hint += f" and go on from the last good state with --resume {run}"
        raise CheckpointError(f"{error}; {hint}", file=str(run)) from None
    except KeyboardInterrupt:
        if (run / STATE).is_file():
            console.print(f"interrupted; go on with: treesketch train {run / 'config.toml'} --resume {run}")
        raise
    console.print(f"wrote {run / WEIGHTS}, {run / STATE} and {run / METRICS}")
    return run


def _start_learner(config: Config, resume: Path | None) -> "Learner":
    """A learner with fresh weights, the same for the same seed, or at the state of the run in the folder `resume`."""
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    learner = Learner(load_vocabulary(config.grammar), config, torch.device("cuda" if _on_cuda(config) else "cpu"))
    if resume:
        load_state(resume / STATE, config, learner)
    return learner


def _help_learn(member: Member, config: Config, resume: Path | None) -> None:
    """What another process of a training run does: the same steps on its own share of each batch, nothing written."""
    _leave_interrupts(0)
    learner = _start_learner(config, resume)
    learner.member = member
    gc.freeze()
    # The first process says what went wrong: a loss that is no number, or that one of them has gone.
    with contextlib.suppress(FloatingPointError, SketchError):
        for batch in _load_batches(config, learner):
            learner.take_gradients(*batch)
            learner.apply_gradients()


def _load_batches(config: Config, learner: "Learner") -> DataLoader[tuple[Tensor, Tensor, Batch]]:
    """This process's share of the batches that the learner has yet to see."""
    member = learner.member
    size = config.batch // member.size
    share = (member.number, member.size)
    return DataLoader(
        config.batches(config.seed, size, learner.step, config.steps, share),
        batch_size=None,
        num_workers=config.workers,
        prefetch_factor=4 if config.workers else None,
        worker_init_fn=_leave_interrupts,
    )


def _learn_all(
    run: Path,
    config: Config,
    learner: "Learner",
    console: Console,
    interrupted: Callable[[], bool],
    advance: Callable[[int, float], None],
) -> None:
    """The steps from where the learner is to the last, with evaluations and saves between them."""
    held_out = prepare_held_out(config)
    log = Log(run, learner.step)
    if learner.step == 0:
        log.write(config, learner, {}, evaluate(learner.average, config, held_out))
    recent: list[dict[str, float]] = []
    saved = started = time.monotonic()
    for batch in _load_batches(config, learner):
        losses = learner.take_gradients(*batch)
        # Now these weights are known to give a finite loss, so they are worth keeping.
        stop = interrupted()
        if stop or time.monotonic() - saved > config.save_seconds:
            save_run(run, config, learner)
            saved = time.monotonic()
        if stop:
            raise KeyboardInterrupt
        learner.apply_gradients()
        recent.append(losses)
        now = time.monotonic()
        learner.seconds, started = learner.seconds + now - started, now
        if learner.step % config.evaluate == 0 or learner.step == config.steps:
            row = log.write(config, learner, _mean(recent), evaluate(learner.average, config, held_out))
            console.print("  ".join(f"{name} {row[name]:.4g}" for name in COLUMNS if name in row))
            if not math.isfinite(row["held_out"]):
                raise FloatingPointError(f"the held-out loss is {row['held_out']} at step {learner.step}")
            save_run(run, config, learner)
            recent = []
            saved = started = time.monotonic()
        advance(learner.step, losses["loss"])
    log.close()


# One step


class Learner:
    """The network, its average and its optimiser; `step` and `seconds` say how far training is, `member` with whom."""

    def __init__(self, vocabulary: Vocabulary, config: Config, device: torch.device):
        self.config, self.device = config, device
        self.network = Network(vocabulary, config.model()).to(device)
        self.average = Network(vocabulary, config.model()).to(device)
        self.average.load_state_dict(self.network.state_dict())
        self.optimiser = torch.optim.AdamW(_groups(self.network, config), lr=config.learning_rate, betas=(0.9, 0.98))
        self.member = Member()
        self.step = 0
        self.seconds = 0.0

    def take_gradients(self, target: Tensor, drawing: Tensor, graph: Batch) -> dict[str, float]:
        """The losses of one batch in nats; leaves their gradients. Raises FloatingPointError if not finite."""
        self.network.train()
        losses = _losses(self.network, self.config, target, drawing, graph)
        self.optimiser.zero_grad(set_to_none=True)
        losses["loss"].backward()
        self.member.average(self.network.parameters())
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        for name, value in (("loss", losses["loss"]), ("gradient", norm)):
            if not math.isfinite(value.item()):
                raise FloatingPointError(f"the {name} is {value.item()} at step {self.step}")
        return {name: value.item() for name, value in losses.items()}

    def apply_gradients(self) -> None:
        """One optimiser step, and the averaged weights moved toward the network's."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.config, self.step)
        self.optimiser.step()
        keep = min(self.config.ema, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for mean, value in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(value, 1 - keep)
        self.step += 1


def _losses(network: Network, config: Config, target: Tensor, drawing: Tensor, graph: Batch) -> dict[str, Tensor]:
    device = next(network.parameters()).device
    pictures = [p.to(device).float() / 255 for p in (target, drawing)]
    with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16"):
        losses: dict[str, Tensor] = network(graph.to(device), *pictures)
    return losses


def learning_rate(config: Config, step: int) -> float:
    """Linear warm-up, flat, then linear down to nothing over the last `decay` of the steps."""
    left = (config.steps - step) / max(1.0, config.decay * config.steps)
    return config.learning_rate * min(1.0, (step + 1) / max(1, config.warmup), left)


def _groups(network: Network, config: Config) -> list[dict[str, Any]]:
    """Matrices decay; embeddings, norms and biases do not."""
    matrices = {p for m in network.modules() if isinstance(m, torch.nn.Linear | torch.nn.Conv2d) for p in [m.weight]}
    decayed = [p for p in network.parameters() if p in matrices]
    others = [p for p in network.parameters() if p not in matrices]
    return [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]


# Evaluation


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What a run is measured on, the same each time: batches for the loss, pictures (64, 64, 3) to draw.

    A grammar with problems has these instead of pictures, each with a program that is some edits away. real are the
    pictures of held-out drawings, where a run learns from drawings.
    """

    batches: list[tuple[Tensor, Tensor, Batch]]
    targets: list[np.ndarray]
    problems: list[tuple[Node, Node]]
    real: list[np.ndarray]


def prepare_held_out(config: Config) -> HeldOut:
    """Sample what a run is measured on."""
    seed = config.seed + HELD_OUT_SEED
    batches = config.batches(seed, config.batch, 0, -(-config.held_out // config.batch), split=HELD_OUT)
    held_out, rng = [batches[i] for i in range(len(batches))], np.random.default_rng(seed)
    if config.grammar not in PROBLEMS:
        sampled = sample_targets(config.mixture(), rng, config.drawings) if sum(config.mixture().values()) else []
        real = load_drawings(Path(config.shards), HELD_OUT).targets(config.drawings) if config.real else []
        return HeldOut(held_out, sampled, [], real)
    vocabulary, problems = load_vocabulary(config.grammar), []
    for _ in range(config.drawings):
        problem = simplify(sample_problem(config.grammar, rng), config.grammar)
        problems.append((problem, spoil_problem(vocabulary, problem, rng)))
    return HeldOut(held_out, [], problems, [])


@torch.no_grad()
def evaluate(network: Network, config: Config, held_out: HeldOut) -> dict[str, float]:
    """Held-out loss in nats a decision, and how well the network draws what it has not seen.

    Without problems: the rmse of programs that it writes alone, by the likeliest choices: `drawing` looks again after
    each form, `whole` writes the program from one look, `drawing_real` is `drawing` for held-out drawings. With
    problems: `improved` is the share of spoilt programs of which one of EDITS sampled edits is nearer to the target,
    `solved` that of problems solved within RENDERS renders.
    """
    network.eval()
    result = {
        "held_out": float(np.mean([_losses(network, config, *batch)["loss"].item() for batch in held_out.batches]))
    }
    device = next(network.parameters()).device
    network.to("cpu")  # decisions are taken one by one, which only costs waiting on an accelerator
    targets, real = held_out.targets, held_out.real
    for name, look_again, pictures in (
        ("drawing", True, targets),
        ("drawing_real", True, real),
        ("whole", False, targets),
    ):
        errors = []
        for target in pictures:
            forms = draw_alone(network, target, paint_forms, UNITS, np.random.default_rng(0), look_again=look_again)
            errors.append(float(np.sqrt(((paint_forms(forms) - target) ** 2).mean())))
        if errors:
            result[name] = float(np.mean(errors))
    if held_out.problems:
        result["improved"] = float(np.mean([_improves(network, *pair) for pair in held_out.problems]))
        result["solved"] = float(np.mean([_solves(network, problem) for problem, _ in held_out.problems]))
    network.to(device)
    return result


def _improves(network: Network, problem: Node, there: Node) -> bool:
    """Whether one of EDITS edits of a program draws something nearer to a problem than the program does."""
    draw = PROBLEMS[network.vocabulary.language.name].draw
    target, before = see(draw(problem)), see(draw(there))
    (proposals,) = Editor(network, target).read([there], [before]).edit(EDITS, np.random.default_rng(0))
    errors = [np.abs(see(draw(proposal.program)) - target).mean() for proposal in proposals]
    return bool(min(errors) < np.abs(before - target).mean())


def _solves(network: Network, problem: Node) -> bool:
    """Whether the network's search finds a program for a problem's picture within RENDERS renders."""
    grammar = network.vocabulary.language.name
    judge = Judge(grammar, PROBLEMS[grammar].draw(problem), RENDERS)
    solve(judge, np.random.default_rng(0), network)
    return judge.solved_at is not None


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    return {key: sum(row[key] for row in rows) / len(rows) for key in rows[0]}


# The run's folder


def _new_run(name: str) -> Path:
    """A fresh folder runs/NAME, or runs/NAME-2 and so on."""
    number = 1
    while True:
        run = Path("runs") / (name if number == 1 else f"{name}-{number}")
        try:
            run.mkdir(parents=True)
            return run
        except FileExistsError:
            number += 1
        except OSError as error:
            raise SketchError(f"cannot make the run's folder: {describe_error(error)}", file=str(run)) from None


def _to_toml(config: Config) -> str:
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in asdict(config).items())


def save_run(run: Path, config: Config, learner: Learner) -> None:
    """Write the state to go on from and the weights to draw with, each whole or not at all."""
    tensors = {f"network.{name}": value for name, value in learner.network.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in learner.average.state_dict().items()}
    for number, values in learner.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": value for name, value in values.items()}
    notes = {
        "config": json.dumps(asdict(config)),
        "seed": str(config.seed),
        "step": str(learner.step),
        "samples": str(learner.step * config.batch),
        "seconds": f"{learner.seconds:.1f}",
        "revision": revision(),
    }
    save_tensors(run / STATE, tensors, describe(learner.network, config.grammar, notes))
    save_network(run / WEIGHTS, learner.average, config.grammar, notes)


def load_state(path: Path, config: Config, learner: Learner) -> None:
    """Take up a saved run: weights, averages and the optimiser's moments.

    Raises CheckpointError where there is none, it is damaged, or its network has another grammar or other sizes.
    """
    if not path.is_file():
        raise CheckpointError(f"no run to go on with: there is no {STATE} here", file=str(path.parent))
    tensors, metadata = read_tensors(path)
    wanted = describe(learner.network, config.grammar, {})
    for key in ("grammar", "model", "actions", "roles", "holes"):
        if metadata.get(key) != wanted[key]:
            detail = f": {metadata.get(key)} there, {wanted[key]} here" if key in ("grammar", "model") else ""
            message = f"the run has another {key}{detail}; use its own config, {path.parent / 'config.toml'}"
            raise CheckpointError(message, file=str(path))
    try:
        for prefix, module in (("network.", learner.network), ("average.", learner.average)):
            module.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith("optimiser."):
                _, number, key = name.split(".")
                moments.setdefault(int(number), {})[key] = value.to(learner.device) if key != "step" else value
        groups = learner.optimiser.state_dict()["param_groups"]
        learner.optimiser.load_state_dict({"state": moments, "param_groups": groups})
        learner.step, learner.seconds = int(metadata["step"]), float(metadata["seconds"])
    except (RuntimeError, KeyError, ValueError) as error:
        raise CheckpointError(f"no whole state: {str(error).splitlines()[-1].strip()}", file=str(path)) from None


class Log:
    """metrics.csv and TensorBoard events, one row an evaluation; rows behind the step that a run goes on from go."""

    def __init__(self, run: Path, step: int):
        self.path = run / METRICS
        self.rows: list[list[str]] = []
        if step and self.path.is_file():
            with open(self.path, newline="", encoding="utf-8") as file:
                rows = [row for row in csv.reader(file) if len(row) == len(COLUMNS) and row[0].isdecimal()]
            self.rows = [row for row in rows if int(row[0]) <= step]
        self.board = SummaryWriter(str(run), purge_step=step or None)

    def write(
        self, config: Config, learner: Learner, losses: Mapping[str, float], held_out: Mapping[str, float]
    ) -> dict[str, float]:
        """Append one row; returns it."""
        samples = learner.step * config.batch
        row = {
            "step": float(learner.step),
            "samples": float(samples),
            "seconds": round(learner.seconds, 1),
            "rate": samples / learner.seconds if learner.seconds else 0.0,
            "lr": learning_rate(config, learner.step),
            **losses,
            **held_out,
        }
        cells = [str(learner.step), str(samples)]
        cells += [f"{row[name]:.6g}" if name in row else "" for name in COLUMNS[2:]]
        self.rows.append(cells)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([list(COLUMNS), *self.rows])
        write_whole(self.path, text.getvalue())
        for name, value in row.items():
            self.board.add_scalar(name, value, learner.step)
        self.board.flush()
        return row

    def close(self) -> None:
        """Write out what TensorBoard's events still hold."""
        self.board.close()


# Watching and stopping


@contextlib.contextmanager
def _show_progress(console: Console, steps: int, done: int) -> Iterator[Callable[[int, float], None]]:
    """A progress bar on a terminal, nothing elsewhere; yields what tells it the steps done and their loss."""
    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("loss {task.fields[loss]:.3f}"))
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, *times, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("training", total=steps, completed=done, loss=math.nan)
        yield lambda step, loss: bar.update(task, completed=step, loss=loss)


@contextlib.contextmanager
def _catch_interrupt() -> Iterator[Callable[[], bool]]:
    """Yields whether Ctrl-C was pressed: the step is finished and saved first. A second Ctrl-C stops at once."""
    pressed = False

    def press(_signal: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _leave_interrupts(_worker: int) -> None:
    """Ctrl-C is the training process's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
