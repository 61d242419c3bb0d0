"""`treesketch train CONFIG`: sampled scenes in, weights out. Read it from `train` down.

A run is a folder: config.toml (resolved), metrics.csv, TensorBoard events, state.safetensors (all that resuming needs)
and weights.safetensors (the averaged weights that drawing uses). Batches are a function of seed and step, so a run that
is killed goes on from its last state with the batches that it has not seen, to the same weights with one thread a
process. One command trains on the CPU, on GPUs, and on several machines under torchrun.
"""

import contextlib
import errno
import gc
import json
import math
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from rich.console import Console
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torch_geometric.data import Batch

from treesketch.actions import Vocabulary, load_vocabulary
from treesketch.data import Batches, Maker, make_examples, paint_forms, require_samplers, sample_targets
from treesketch.errors import CheckpointError, ConfigError, SketchError
from treesketch.files import write_whole
from treesketch.journal import METRICS, Journal, Stopwatch
from treesketch.lessons import make_lessons, require_editable, spoil_problem
from treesketch.model.editing import Editor
from treesketch.model.encoder import see
from treesketch.model.network import ModelConfig, Network
from treesketch.model.weights import describe, read_tensors, save_network, save_tensors
from treesketch.model.write import draw_alone
from treesketch.runs import (
    CONFIG,
    STATE,
    WEIGHTS,
    batches_of,
    catch_interrupt,
    decayed_groups,
    learning_rate,
    leave_interrupts,
    lost_worker,
    new_run,
    pack_state,
    show_progress,
    to_toml,
    unpack_state,
)
from treesketch.sampling.problems import PROBLEMS, sample_problem, simplify
from treesketch.settings import read_settings, revision
from treesketch.shards.scenes import Mixed, load_drawings
from treesketch.shards.store import HELD_OUT, TRAIN
from treesketch.solving.judge import Judge
from treesketch.solving.network import solve
from treesketch.team import Team, average, find_team, gather, has_gone
from treesketch.tree import Node

HELD_OUT_SEED = 1_000_003  # added to a run's seed: scenes that no batch of it shows
UNITS = 12  # forms that draw, at most, in a program that the network writes alone
EDITS = 8  # of one program, drawn to see whether one of them helps
RENDERS = 64  # that the search for a problem has
LOOK = 64  # steps on a GPU between two looks at whether all numbers are finite: each look waits for it
PACE = 10  # steps between two agreements of several processes on how much of the time is gone
NETWORK = ("forward", "backward", "update")  # laps of a step that are not spent waiting for its batch
COLUMNS = (
    "step",
    "samples",
    "seconds",
    "rate",
    "lr",
    "wait",
    "forward",
    "backward",
    "update",
    "busy",
    "cores",
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
    wrote. decay is the last share of the steps, over which the learning rate falls to nothing; with `minutes` above 0
    that share is of the time, all told, if it is up before the steps are done. ema is the decay of the averaged
    weights. A batch is shared by so many `processes` on the CPU, or `devices` of CUDA, each with its threads and
    workers, unless torchrun says how many; each takes its share in `accumulate` parts, one after another.
    With `repeat` above 0 the first so many batches come again and again, to be learnt by heart; else each is new.
    Every `evaluate` steps the held-out loss is taken and pictures are drawn, every `save_seconds` the state is written.
    """

    name: str = "base"
    grammar: str = "sketch"
    seed: int = 0
    steps: int = 20_000
    repeat: int = 0
    minutes: float = 0.0
    batch: int = 64
    accumulate: int = 1
    learning_rate: float = 1e-3
    warmup: int = 200
    decay: float = 0.3
    weight_decay: float = 0.02
    clip: float = 1.0
    ema: float = 0.999
    precision: str = "bf16"
    device: str = "auto"
    processes: int = 1
    devices: int = 1
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

    def team(self) -> Team:
        """The processes that train, and which of them this is."""
        cuda = self.device != "cpu" and torch.cuda.is_available()
        here = self.devices if cuda else self.processes
        return find_team("cuda" if cuda else "cpu", self.precision, here)

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
    for key in ("steps", "batch", "accumulate", "processes", "devices", "threads", "evaluate", "held_out", *sizes):
        if getattr(config, key) < 1:
            refuse(key, "a whole number from 1 up")
    weights = ("plain", "flags", "cutouts", "real")
    for key in ("repeat", "minutes", "warmup", "workers", "drawings", "weight_decay", "save_seconds", "seed", *weights):
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
    if config.device == "cuda" and not torch.cuda.is_available():
        refuse("device", "auto or cpu on this machine, which has no CUDA")
    team = config.team()
    if config.batch % (team.size * config.accumulate):
        count = "processes" if team.accelerator == "cpu" else "devices"
        refuse("batch", f"a multiple of {count} x accumulate = {team.size} x {config.accumulate}")
    if team.accelerator == "cuda" and team.here > torch.cuda.device_count():
        refuse("devices", f"a number up to {torch.cuda.device_count()}, or fewer processes from torchrun")
    if not config.name or config.name in (".", "..") or not config.name.isprintable() or set(config.name) & set("/\\"):
        refuse("name", "a folder's name")


def train(config_path: Path, overrides: list[str], resume: Path | None = None) -> Path:
    """Train as a config says, or go on with the run in the folder `resume`; returns the run's folder.

    Ctrl-C and SIGTERM save and raise KeyboardInterrupt. Raises ConfigError for the config, CheckpointError for a run
    that cannot be gone on with or whose loss is no number any more, SketchError where memory, disk or a process fails;
    what is saved always had a finite loss. A process of torchrun's other than the first leaves with SystemExit.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    config = read_config(config_path, overrides)
    if config.grammar in PROBLEMS:
        require_editable(load_vocabulary(config.grammar))
    elif sum(config.mixture().values()):
        require_samplers(load_vocabulary(config.grammar), config.mixture())
    if config.real:
        load_drawings(Path(config.shards), TRAIN)  # says now that there are none
    team = config.team()
    with _tell(config, resume):
        learner = _start_learner(team, config, resume)
    if team.number:
        if learner.share_done() < 1:
            with gather(team, _help_learn) as fabric:
                _help_along(learner, fabric)
        sys.exit(0)
    run = resume or new_run(config.name)
    if learner.share_done() >= 1:
        console.print(f"{run}: has {learner.describe()}; give {learner.more()} to go on")
        return run
    write_whole(run / CONFIG, to_toml(config))
    parameters = sum(p.numel() for p in learner.network.parameters())
    place = str(team.device) if team.size == 1 else f"{team.size} processes, {team.accelerator}"
    console.print(f"{run}: {parameters / 1e6:.2f}M parameters on {place}, {learner.describe()}")
    gc.freeze()  # what start-up left behind is never garbage; half the time of sampling would go into looking at it
    try:
        with (
            _tell(config, run, learner),
            gather(team, _help_learn, config, resume) as fabric,
            catch_interrupt() as interrupted,
            show_progress(console, learner) as advance,
        ):
            learner.join(fabric)
            _learn_all(run, config, learner, console, interrupted, advance)
    except KeyboardInterrupt:
        if (run / STATE).is_file():
            console.print(f"interrupted; go on with: treesketch train {run / CONFIG} --resume {run}")
        raise
    console.print(f"{learner.describe()}; wrote {run / WEIGHTS}, {run / STATE} and {run / METRICS}")
    return run


@contextlib.contextmanager
def _tell(config: Config, run: Path | None, learner: "Learner | None" = None) -> Iterator[None]:
    """Turn what can go wrong with a machine into one line: what it was, what to do, and what is left of the run."""
    try:
        yield
    except Exception as error:
        told = _explain(error, config, learner.step if learner else 0)
        if told is None:
            raise
        if run and (run / STATE).is_file():
            told += f", and go on from the last good state with --resume {run}"
        kind = CheckpointError if isinstance(error, FloatingPointError) else SketchError
        raise kind(told, file=getattr(error, "file", None) or (str(run) if run else None)) from None


def _explain(error: Exception, config: Config, step: int) -> str | None:
    """What went wrong in training and what to do; None for errors that are ours or say so themselves."""
    said, code = str(error), getattr(error.__cause__ or error, "errno", None)
    if isinstance(error, FloatingPointError):
        return f"{error}; take a smaller learning_rate than {config.learning_rate:g}"
    if isinstance(error, SketchError) and code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"{error.message}; make room"
    full = isinstance(error, MemoryError | torch.OutOfMemoryError) or code == errno.ENOMEM
    if full or (isinstance(error, RuntimeError) and re.search("out of memory|allocate memory|enough memory", said)):
        sizes = f"batch = {config.batch}, accumulate = {config.accumulate} and width = {config.width}"
        return f"out of memory at step {step} with {sizes}; take a larger accumulate, or a smaller batch or width"
    if lost_worker(error):
        why = f"a process that samples pictures was killed at step {step}"
        return f"{why}, as it is where memory runs out; take fewer workers than {config.workers} or a smaller batch"
    if has_gone(error):
        return f"a process that trained along has ended at step {step}; see what it said, or whether memory ran out"
    return None


def _start_learner(team: Team, config: Config, resume: Path | None) -> "Learner":
    """A learner with fresh weights, the same for the same seed, or at the state of the run in the folder `resume`."""
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    if team.accelerator == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32 for what is not done in bf16
    learner = Learner(load_vocabulary(config.grammar), config, team)
    if resume:
        load_state(resume / STATE, config, learner)
    return learner


def _help_learn(team: Team, fabric: Fabric, config: Config, resume: Path | None) -> None:
    """What another process of a training run does."""
    with _tell(config, resume):
        learner = _start_learner(team, config, resume)
    gc.freeze()
    _help_along(learner, fabric)


def _help_along(learner: "Learner", fabric: Fabric) -> None:
    """The same steps on this process's own share of each batch; nothing is written, Ctrl-C is left to the first one."""
    leave_interrupts()
    learner.join(fabric)
    try:
        with batches_of(_load_batches(learner.config, learner)) as batches:
            while learner.share_done() < 1:
                learner.take_gradients(batches)
                learner.apply_gradients()
    except Exception as error:
        told = _explain(error, learner.config, learner.step)
        if told is None:
            raise
        # The first process tells by itself of a loss that is no number, and if it is gone it has said why.
        if not isinstance(error, FloatingPointError) and not has_gone(error):
            print(f"treesketch: process {learner.team.number}: {told}", file=sys.stderr, flush=True)
        sys.exit(1)


class Timed(Dataset[tuple[tuple[Tensor, Tensor, Batch], float]]):
    """The parts of batches from number `first` to `last`, each with the processor's seconds that it took."""

    def __init__(self, batches: Batches, first: int, last: int):
        """Behind the last of `batches` the first one comes again."""
        self.batches, self.first, self.last = batches, first, last

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, index: int) -> tuple[tuple[Tensor, Tensor, Batch], float]:
        before = time.process_time()
        item = self.batches[(self.first + index) % len(self.batches)]
        return item, time.process_time() - before


def _load_batches(config: Config, learner: "Learner") -> DataLoader[tuple[tuple[Tensor, Tensor, Batch], float]]:
    """This process's share, part by part, of the batches that the learner has yet to see."""
    team, parts = learner.team, config.accumulate
    size = config.batch // (team.size * parts)
    batches = config.batches(config.seed, size, 0, (config.repeat or config.steps) * parts, (team.number, team.size))
    return DataLoader(
        Timed(batches, learner.step * parts, config.steps * parts),
        batch_size=None,
        num_workers=config.workers,
        prefetch_factor=4 if config.workers else None,
        worker_init_fn=leave_interrupts,
        pin_memory=team.accelerator == "cuda",
    )


def _learn_all(
    run: Path,
    config: Config,
    learner: "Learner",
    console: Console,
    interrupted: Callable[[], bool],
    advance: Callable[[], None],
) -> None:
    """The steps from where the learner is to the last, with evaluations and saves between them."""
    held_out = prepare_held_out(config)
    journal = Journal(run, COLUMNS, learner.step)
    if learner.step == 0:
        journal.write(learner.row() | evaluate(learner.average, config, held_out))
    with batches_of(_load_batches(config, learner)) as batches:
        saved = time.monotonic()
        learner.watch.skip()
        while learner.share_done() < 1:
            learner.take_gradients(batches)
            stop = interrupted()
            if stop or time.monotonic() - saved > config.save_seconds:
                learner.require_finite()  # these weights give a finite loss, so they are worth keeping
                save_run(run, config, learner)
                saved = time.monotonic()
                learner.watch.lap("save")
            if stop:
                raise KeyboardInterrupt
            learner.apply_gradients()
            if learner.step % config.evaluate == 0 or learner.share_done() >= 1:
                learner.require_finite()
                row = learner.row() | evaluate(learner.average, config, held_out)
                journal.write(row)
                console.print("  ".join(f"{name} {row[name]:.4g}" for name in COLUMNS if name in row))
                if not math.isfinite(row["held_out"]):
                    raise FloatingPointError(f"the held-out loss is {row['held_out']} at step {learner.step}")
                save_run(run, config, learner)
                saved = time.monotonic()
                learner.watch.skip()
            advance()


# One step


class Learner:
    """The network, its average and its optimiser; `step` and `seconds` say how far training is, `team` with whom.

    Nothing here waits for a GPU but `require_finite`, which every LOOK steps, every row and every save ask.
    """

    def __init__(self, vocabulary: Vocabulary, config: Config, team: Team):
        self.config, self.team, self.device = config, team, team.device
        self.network = Network(vocabulary, config.model()).to(self.device)
        self.average = Network(vocabulary, config.model()).to(self.device)
        self.average.load_state_dict(self.network.state_dict())
        fused = True if self.device.type == "cuda" else None
        self.optimiser = torch.optim.AdamW(
            decayed_groups(self.network, config.weight_decay), lr=config.learning_rate, betas=(0.9, 0.98), fused=fused
        )
        self.step = 0
        self.seconds = 0.0  # of training, without evaluation
        self.loss = math.nan  # the last that was looked at
        self.watch = Stopwatch()
        self._began, self._elapsed_before, self._time_share = time.monotonic(), 0.0, 0.0
        self._sums, self._steps = {}, 0  # type: dict[str, Tensor], int
        self._sampling, self._computing = 0.0, 0.0  # seconds of the processors since the last row
        self._trouble = torch.tensor([-1.0, 0.0, 0.0], dtype=torch.float64, device=self.device)

    def join(self, fabric: Fabric) -> None:
        """Train with the others of the team."""
        torch.set_num_threads(self.config.threads)  # which Fabric has ideas of its own about
        self.fabric = fabric
        self.trained, self.stepper = fabric.setup(self.network, self.optimiser, move_to_device=False)

    def take_up(self, step: int, seconds: float, elapsed: float) -> None:
        """Go on from a step of a run that took so many seconds of training, and all told."""
        self.step, self.seconds, self._elapsed_before = step, seconds, elapsed
        self._time_share = self._share_of_time()

    def elapsed(self) -> float:
        """Seconds since the run's beginning, evaluations included, pauses not."""
        return self._elapsed_before + time.monotonic() - self._began

    def _share_of_time(self) -> float:
        return self.elapsed() / 60 / self.config.minutes if self.config.minutes else 0.0

    def share_done(self) -> float:
        """How much of the run is done, of its steps or of its time: 1 at the end; the same in every process."""
        return max(self.step / self.config.steps, self._time_share)

    def take_gradients(self, batches: Iterator[tuple[tuple[Tensor, Tensor, Batch], float]]) -> None:
        """Leave the gradients of the next step's batch. Raises FloatingPointError, on a GPU later, if not finite."""
        self.trained.train()
        self.optimiser.zero_grad(set_to_none=True)
        parts = self.config.accumulate
        losses: dict[str, Tensor] = {}
        for _ in range(parts):
            batch, cost = next(batches)
            self.seconds += self.watch.lap("wait")
            self._sampling += cost
            before = time.process_time()
            found = _losses(self.trained, *batch)
            self.seconds += self.watch.lap("forward")
            self.fabric.backward(found["loss"] / parts)
            self.seconds += self.watch.lap("backward")
            self._computing += time.process_time() - before
            for name, value in found.items():
                losses[name] = losses.get(name, 0) + value.detach().double() / parts
        average(self.fabric, self.network.parameters())
        self.seconds += self.watch.lap("wait")  # for the others, where there are any
        norm = self.fabric.clip_gradients(
            self.trained, self.stepper, max_norm=self.config.clip, error_if_nonfinite=False
        )
        assert norm is not None
        self._note(losses, norm)
        self.seconds += self.watch.lap("backward")
        if self.device.type == "cpu" or self.step % LOOK == 0:
            self.require_finite()

    def _note(self, losses: dict[str, Tensor], norm: Tensor) -> None:
        """Add to the sums, and keep the first step whose loss or gradient is no number."""
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0) + value
        self._steps += 1
        self._last_loss = losses["loss"]
        seen = torch.stack([torch.full_like(losses["loss"], self.step), losses["loss"], norm.detach().double()])
        first = ~seen.isfinite().all() & (self._trouble[0] < 0)
        self._trouble = torch.where(first, seen, self._trouble)

    def require_finite(self) -> None:
        """Raises FloatingPointError if a loss or gradient so far was not."""
        self.loss = self._last_loss.item()
        step, loss, norm = self._trouble.tolist()
        if step >= 0:
            name, value = ("gradient", norm) if math.isfinite(loss) else ("loss", loss)
            raise FloatingPointError(f"the {name} is {value} at step {int(step)}")

    def apply_gradients(self) -> None:
        """One optimiser step, and the averaged weights moved toward the network's."""
        before = time.process_time()
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.config, self.step, self._time_share)
        self.stepper.step()
        keep = min(self.config.ema, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 1 - keep)
        self.step += 1
        if self.config.minutes and (self.team.size == 1 or self.step % PACE == 0):
            self._time_share = self.fabric.broadcast(self._share_of_time())
        self._computing += time.process_time() - before
        self.seconds += self.watch.lap("update")

    def busy(self) -> float:
        """The share of this process's time since the last row that went into the network."""
        spent = self.watch.seconds
        return sum(spent.get(name, 0.0) for name in NETWORK) / (sum(spent.values()) or math.nan)

    def row(self) -> dict[str, float]:
        """Means since the last row, and where the time went: `busy` is the share in the network, not on the clock only.

        wait, forward, backward and update are shares of the time of this process (on a GPU those of the host, which
        waits in whichever part asks for a result); cores is the share of the processors' time that the network had of
        what it and the sampling of its batches took.
        """
        samples = self.step * self.config.batch
        row = {
            "step": float(self.step),
            "samples": float(samples),
            "seconds": round(self.seconds, 1),
            "rate": samples / self.seconds if self.seconds else 0.0,
            "lr": learning_rate(self.config, self.step, self._time_share),
        }
        if self._steps:
            shares = self.watch.shares()
            row |= {name: shares.get(name, 0.0) for name in ("wait", *NETWORK)}
            row["busy"] = sum(row[name] for name in NETWORK)
            row["cores"] = self._computing / (self._computing + self._sampling)
            row |= {name: value.item() / self._steps for name, value in self._sums.items()}
        self._sums, self._steps, self._sampling, self._computing = {}, 0, 0.0, 0.0
        return row

    def describe(self) -> str:
        """How far training is: '5 of 10 steps', and minutes where they count."""
        told = f"{self.step} of {self.config.steps} steps"
        return f"{told}, {self.elapsed() / 60:.1f} of {self.config.minutes:g} minutes" if self.config.minutes else told

    def more(self) -> str:
        """The keys whose larger values let a finished run go on."""
        return "minutes=M" if self.step < self.config.steps else "steps=N"


def _losses(network: torch.nn.Module, target: Tensor, drawing: Tensor, graph: Batch) -> dict[str, Tensor]:
    device = next(network.parameters()).device
    pictures = [p.to(device, non_blocking=True).float() / 255 for p in (target, drawing)]
    losses: dict[str, Tensor] = network(graph.to(device, non_blocking=True), *pictures)
    return losses


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
    device = next(network.parameters()).device
    with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16"):
        losses = [_losses(network, *batch)["loss"].item() for batch in held_out.batches]
    result = {"held_out": float(np.mean(losses))}
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


# The run's folder


def save_run(run: Path, config: Config, learner: Learner) -> None:
    """Write the state to go on from and the weights to draw with, each whole or not at all."""
    tensors = pack_state(learner.network, learner.average, learner.optimiser)
    notes = {
        "config": json.dumps(asdict(config)),
        "seed": str(config.seed),
        "step": str(learner.step),
        "samples": str(learner.step * config.batch),
        "seconds": f"{learner.seconds:.1f}",
        "elapsed": f"{learner.elapsed():.1f}",
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
            message = f"the run has another {key}{detail}; use its own config, {path.parent / CONFIG}"
            raise CheckpointError(message, file=str(path))
    try:
        unpack_state(tensors, learner.network, learner.average, learner.optimiser)
        learner.take_up(int(metadata["step"]), float(metadata["seconds"]), float(metadata["elapsed"]))
    except (RuntimeError, KeyError, ValueError) as error:
        raise CheckpointError(f"no whole state: {str(error).splitlines()[-1].strip()}", file=str(path)) from None
