"""The loop that trains any system: a config in; a run's folder with weights, metrics, results and a page out.

Batches and all chance in a step are functions of seed and step, so a run that was stopped goes on to the same weights.
The shipped learner has a loop of its own (`treesketch.train`), for several processes and accelerators.
"""

import contextlib
import importlib
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import nn
from torch.utils.data import DataLoader, Dataset

from treesketch.errors import CheckpointError, ConfigError, SketchError
from treesketch.experiments import SYSTEMS
from treesketch.experiments.pairs import choose_numbers
from treesketch.experiments.system import Report, Settings, System
from treesketch.files import write_whole
from treesketch.journal import METRICS, Journal
from treesketch.model.weights import FORMAT, read_tensors, save_tensors
from treesketch.page import write_document, write_figure
from treesketch.picture import to_bytes
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
from treesketch.settings import read_settings, revision

RESULTS, PAGE = "results.json", "report.html"
COLUMNS = ("step", "samples", "seconds", "loss", "held_out")


def load_system(name: str, path: Path, overrides: list[str]) -> System:
    """The system of a config, with fresh weights. Raises ConfigError, and SketchError for pairs that cannot be read."""
    if name not in SYSTEMS:
        raise ConfigError(f"no system '{name}'; there are: {', '.join(SYSTEMS)}", file=str(path))
    module, _, cls = SYSTEMS[name].partition(":")
    kind: type[System] = getattr(importlib.import_module(f"treesketch.experiments.{module}"), cls)
    settings, places = read_settings(kind.settings_type, path, overrides)
    for key in ("steps", "batch", "threads", "evaluate", "held_out", "final"):
        if getattr(settings, key) < 1:
            message = f"'{key}' takes a whole number from 1 up, got {getattr(settings, key)}"
            raise ConfigError(message, file=places.get(key, str(path)))
    for key in ("learning_rate", "clip"):
        if not 0 < getattr(settings, key) < math.inf:
            raise ConfigError(f"'{key}' takes a number above 0, got {getattr(settings, key)}", file=places[key])
    if settings.precision not in ("fp32", "bf16"):
        raise ConfigError(f"'precision' takes fp32 or bf16, got '{settings.precision}'", file=places["precision"])
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    return kind(settings)


def train_system(name: str, path: Path, overrides: list[str], resume: Path | None = None) -> Path:
    """Train a system as a config says, or go on with the run in the folder `resume`; returns the run's folder.

    A run that is done is only measured anew.
    Ctrl-C and SIGTERM save and raise KeyboardInterrupt. Raises ConfigError for the config, SketchError for pairs that
    cannot be read, CheckpointError for a run that cannot be gone on with or a loss that is no number.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    system = load_system(name, path, overrides)
    settings: Settings = system.settings
    learner = Learner(system, " ".join([path.name, *overrides]))
    if settings.start and not resume:
        with _told(Path(settings.start)):
            system.start(learner.module, Path(settings.start))
            learner.average.load_state_dict(learner.module.state_dict())
    if resume:
        _load_state(resume / STATE, learner)
    run = resume or new_run(settings.name or name)
    write_whole(run / CONFIG, to_toml(settings))
    parameters = sum(p.numel() for p in learner.module.parameters() if p.requires_grad)
    console.print(f"{run}: {name}, {parameters / 1e6:.2f}M parameters, {learner.step} of {settings.steps} steps")
    try:
        with catch_interrupt() as interrupted, show_progress(console, learner) as advance:
            _learn_all(run, learner, console, interrupted, advance)
    except KeyboardInterrupt:
        console.print(f"interrupted; go on with: treesketch train {run / CONFIG} --resume {run}")
        raise
    console.print(f"wrote {', '.join(str(run / file) for file in (WEIGHTS, METRICS, RESULTS, PAGE))}")
    return run


class Learner:
    """A system's module, its average and its optimiser; `step` and `seconds` say how far training is."""

    def __init__(self, system: System, told: str):
        """told is the config's name and the overrides."""
        self.told = told
        self.system, self.settings, self.module = system, system.settings, system.build()
        self.average = system.build()
        self.average.load_state_dict(self.module.state_dict())
        trained = decayed_groups(self.module, self.settings.weight_decay)
        self.optimiser = torch.optim.AdamW(trained, lr=self.settings.learning_rate, betas=(0.9, 0.98))
        self.step, self.seconds, self.loss = 0, 0.0, math.nan
        self._sums: dict[str, float] = {}
        self._steps, self._waited, self._worked = 0, 0.0, 0.0

    def share_done(self) -> float:
        """How much of the run is done, 0 to 1."""
        return self.step / int(self.settings.steps)

    def busy(self) -> float:
        """The share of the time that was not spent waiting for batches."""
        return self._worked / ((self._worked + self._waited) or math.nan)

    def learn(self, batches: Iterator[Any]) -> None:
        """One step. Raises CheckpointError for a loss that is no number, SketchError where a worker is lost."""
        began = time.monotonic()
        batch = self._next(batches)
        there = time.monotonic()
        torch.manual_seed(self.settings.seed * 1_000_003 + self.step)
        rng = np.random.default_rng([self.settings.seed, 2, self.step])
        self.module.train()
        self.optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.settings.precision == "bf16"):
            losses = self.system.losses(self.module, batch, rng)
        losses["loss"].backward()
        norm = nn.utils.clip_grad_norm_(self.module.parameters(), self.settings.clip)
        self.loss = losses["loss"].item()
        if not math.isfinite(self.loss) or not torch.isfinite(norm):
            raise CheckpointError(
                f"the loss is {self.loss} and its gradient {norm.item()} at step {self.step}; take a smaller "
                f"learning_rate than {self.settings.learning_rate:g}"
            )
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.settings, self.step)
        self.optimiser.step()
        keep = min(self.settings.ema, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.module.parameters()), 1 - keep)
            for mine, its in zip(self.average.buffers(), self.module.buffers(), strict=True):
                mine.copy_(its)
        self.step += 1
        for key, value in losses.items():
            self._sums[key] = self._sums.get(key, 0.0) + value.item()
        self._steps += 1
        now = time.monotonic()
        self.seconds += now - began
        self._waited, self._worked = self._waited + there - began, self._worked + now - there

    def _next(self, batches: Iterator[Any]) -> Any:
        try:
            return next(batches)
        except Exception as error:
            if not lost_worker(error):
                raise
            raise SketchError(
                f"a process that makes batches was killed at step {self.step}, as it is where memory runs out; go on "
                f"from the last good state with --resume, and fewer workers than {self.settings.workers} or a smaller "
                "batch"
            ) from None

    def row(self) -> dict[str, float]:
        """Means of the losses since the last row."""
        row = {"step": float(self.step), "samples": float(self.step * self.settings.batch)}
        row |= {"seconds": round(self.seconds, 1)} | {key: total / self._steps for key, total in self._sums.items()}
        self._sums, self._steps = {}, 0
        return row

    @torch.no_grad()
    def evaluate(self, pictures: int, looks: int) -> tuple[float, Report]:
        """The held-out loss of the averaged weights, and what they are worth on so many pictures of each set."""
        self.average.eval()
        return self.system.held_out_loss(self.average), self.system.measure(self.average, pictures, looks)


class _Batches(Dataset[Any]):
    """Batch number -> the batch of that step."""

    def __init__(self, system: System, first: int):
        self.system, self.first = system, first

    def __len__(self) -> int:
        return int(self.system.settings.steps) - self.first

    def __getitem__(self, index: int) -> Any:
        settings, step = self.system.settings, self.first + index
        numbers = choose_numbers(len(self.system.pairs), settings.seed, step, settings.batch)
        return self.system.make(self.system.pairs, numbers, np.random.default_rng([settings.seed, 0, step]))


def _learn_all(run: Path, learner: Learner, console: Console, interrupted: Any, advance: Any) -> None:
    settings, system = learner.settings, learner.system
    journal = Journal(run, (*COLUMNS, *system.columns), learner.step)
    workers = settings.workers
    loader = DataLoader(
        _Batches(system, learner.step),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        worker_init_fn=leave_interrupts,
    )
    saved = time.monotonic()

    def look(pictures: int, looks: int = 0) -> Report:
        held_out, report = learner.evaluate(pictures, looks)
        row = learner.row() | {"held_out": held_out} | dict(report.values)
        journal.write(row)
        console.print("  ".join(f"{key} {row[key]:.4g}" for key in journal.columns if key in row))
        return report

    if learner.step == 0:
        look(settings.pictures)
    with batches_of(loader) as batches:
        while learner.share_done() < 1:
            learner.learn(batches)
            if interrupted() or time.monotonic() - saved > settings.save_seconds:
                _save(run, learner)
                saved = time.monotonic()
            if interrupted():
                raise KeyboardInterrupt
            if learner.step % settings.evaluate == 0 and learner.share_done() < 1:
                look(settings.pictures)
            advance()
            if learner.share_done() >= 1:
                _save(run, learner)
    _write_results(run, learner, look(settings.final, settings.looks))


def _write_results(run: Path, learner: Learner, report: Report) -> None:
    settings = learner.settings
    parameters = sum(p.numel() for p in learner.module.parameters() if p.requires_grad)
    results = {
        "system": settings.system,
        "name": settings.name,
        "config": learner.told,
        "parameters": parameters,
        "samples": learner.step * settings.batch,
        "seconds": round(learner.seconds, 1),
        "pictures": settings.final,
        "revision": revision(),
        "programs": {name: [example.program for example in each] for name, each in report.examples.items()},
        "values": {key: round(value, 6) for key, value in report.values.items() if math.isfinite(value)},
    }
    write_whole(run / RESULTS, json.dumps(results, indent=1) + "\n")
    body = [f"<h1>{escape(settings.name)}</h1>"]
    body.append("<table>" + "".join(f"<tr><td>{k}</td><td>{v:.4g}</td></tr>" for k, v in report.values.items()))
    body.append("</table>")
    for name, examples in report.examples.items():
        body.append(f"<h2>{escape(name)}</h2>")
        for example in examples:
            figures = [write_figure(to_bytes(picture), caption) for caption, picture in example.pictures]
            text = f"<pre>{escape(example.program)}</pre>" if example.program else ""
            body.append(f'<article><div class="pictures">{"".join(figures)}</div>{text}</article>')
    write_whole(run / PAGE, write_document(settings.name, "", body))


# The run's state


def _notes(learner: Learner) -> dict[str, str]:
    settings = learner.settings
    return {
        "format": FORMAT,
        "system": settings.system,
        "config": json.dumps(asdict(settings)),
        "seed": str(settings.seed),
        "step": str(learner.step),
        "samples": str(learner.step * settings.batch),
        "seconds": f"{learner.seconds:.1f}",
        "revision": revision(),
    }


def _save(run: Path, learner: Learner) -> None:
    """Write the state to go on from and the averaged weights, in half precision, each whole or not at all."""
    tensors = pack_state(learner.module, learner.average, learner.optimiser)
    save_tensors(run / STATE, tensors, _notes(learner))
    halved = {name: value.half() for name, value in learner.average.state_dict().items()}
    save_tensors(run / WEIGHTS, halved, learner.system.describe(learner.average) | _notes(learner))


def _load_state(path: Path, learner: Learner) -> None:
    if not path.is_file():
        raise CheckpointError(f"no run to go on with: there is no {STATE} here", file=str(path.parent))
    tensors, notes = read_tensors(path)
    there, here = notes.get("system"), learner.settings.system
    if there != here:
        raise CheckpointError(f"a run of the system '{there}', not '{here}'", file=str(path))
    with _told(path):
        unpack_state(tensors, learner.module, learner.average, learner.optimiser)
        learner.step, learner.seconds = int(notes["step"]), float(notes["seconds"])


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, KeyError, ValueError) as error:
        told = str(error).splitlines()[-1].strip()
        raise CheckpointError(f"not these settings' weights: {told}", file=str(path)) from None
