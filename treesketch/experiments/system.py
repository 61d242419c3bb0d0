"""What the loop asks of a system: its settings, batches from pairs, losses, and what it is measured by."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from treesketch.experiments.pairs import Pairs, load_pairs
from treesketch.experiments.scoring import Score, distance, draw_text, score
from treesketch.model.weights import read_tensors
from treesketch.shards.store import CORPUS, HELD_OUT, TRAIN

SCENES, CHARACTERS = ("plain", "flags", "cutouts"), ("cutouts",)


@dataclass(frozen=True, slots=True)
class Settings:
    """What every system's config says; each system adds its own keys. Counts are of optimiser steps.

    shards is a folder of pairs and `drawings` one of drawings of packages, or "" for none. start is a weights file of
    the same module to begin from. ema is the decay of the averaged weights, which are what is measured; precision (fp32
    or bf16) is that of the losses in training. Every `evaluate` steps `held_out` pairs give the held-out loss and
    `pictures` of each set are drawn; `final` of each, at the end, and then also by a search that looks at `looks`
    drawings for each picture (0: not).
    """

    system: str = ""
    name: str = ""
    seed: int = 0
    shards: str = "shards"
    drawings: str = ""
    start: str = ""
    steps: int = 1000
    batch: int = 64
    learning_rate: float = 1e-3
    warmup: int = 100
    decay: float = 0.4
    weight_decay: float = 0.02
    clip: float = 1.0
    ema: float = 0.995
    precision: str = "fp32"
    threads: int = 1
    workers: int = 1
    evaluate: int = 1000
    held_out: int = 256
    pictures: int = 24
    final: int = 256
    looks: int = 64
    save_seconds: float = 60.0

    @property
    def minutes(self) -> float:
        """No limit of time: systems are compared at equal samples."""
        return 0.0


@dataclass(frozen=True, slots=True)
class Picture:
    """One line of a report: pictures (64, 64, 3) in 0..1 with captions, and the program that was written, if any."""

    pictures: Sequence[tuple[str, np.ndarray]]
    program: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a system is worth in the end: values by name, and examples to look at by the set they are from."""

    values: Mapping[str, float]
    examples: Mapping[str, Sequence[Picture]] = field(default_factory=dict)


class System(ABC):
    """One system: what `build` gives holds all that is trained and saved; everything else follows from the settings."""

    settings_type: ClassVar[type[Settings]] = Settings
    columns: ClassVar[tuple[str, ...]] = ()  # of metrics.csv, behind those that every system has

    def __init__(self, settings: Any):
        """Raises SketchError where the pairs cannot be read, ConfigError for settings that cannot be."""
        self.settings = settings
        self.pairs = load_pairs(Path(settings.shards), TRAIN)
        self.held_out = load_pairs(Path(settings.shards), HELD_OUT)

    @abstractmethod
    def build(self) -> nn.Module:
        """The module with fresh weights."""

    def start(self, module: nn.Module, path: Path) -> None:
        """Give a module a file's weights. Raises CheckpointError for what is none, RuntimeError for other sizes."""
        module.load_state_dict(read_tensors(path)[0])

    def describe(self, module: nn.Module) -> dict[str, str]:
        """What goes with the weights on disk so that others than this system can read them."""
        return {}

    @abstractmethod
    def make(self, pairs: Pairs, numbers: Sequence[int], rng: np.random.Generator) -> Any:
        """A batch from pairs with these numbers; a worker process may be asked for it."""

    @abstractmethod
    def losses(self, module: nn.Module, batch: Any, rng: np.random.Generator) -> dict[str, Tensor]:
        """Means over a batch; `loss` is what is learnt from, the others are told."""

    @abstractmethod
    def measure(self, module: nn.Module, pictures: int, looks: int = 0) -> Report:
        """How good the module is, on so many held-out pictures of each set; called without gradients.

        A system that writes programs also searches, where it may look at so many drawings for each picture.
        """

    def held_out_loss(self, module: nn.Module) -> float:
        """The loss on held-out pairs, the same ones each time."""
        size, n = int(self.settings.batch), min(int(self.settings.held_out), len(self.held_out))
        total = 0.0
        for first in range(0, n, size):
            rng = np.random.default_rng([self.settings.seed, 1, first])
            numbers = range(first, min(first + size, n))
            total += self.losses(module, self.make(self.held_out, numbers, rng), rng)["loss"].item() * len(numbers)
        return total / n

    def sets(self, count: int) -> dict[str, Pairs]:
        """Held-out pairs by what they are: sampled scenes, characters, and real drawings where there are any."""
        found = {"scenes": self.held_out.only(SCENES, count), "characters": self.held_out.only(CHARACTERS, count)}
        if self.settings.drawings:
            found["real"] = load_pairs(Path(self.settings.drawings), HELD_OUT).only((CORPUS,), count)
        return found


class Writer(System):
    """A system that writes programs for pictures; `renders` counts every drawing that it looks at while it writes."""

    renders = 0

    @abstractmethod
    def write(self, module: nn.Module, targets: Sequence[np.ndarray]) -> list[str]:
        """A program's text for each target (64, 64, 3) float32 in 0..1, by the likeliest choices."""

    @abstractmethod
    def search(self, module: nn.Module, targets: Sequence[np.ndarray], looks: int) -> list[str]:
        """The best program found for each target with at most so many drawings of each looked at."""

    def measure(self, module: nn.Module, pictures: int, looks: int = 0) -> Report:
        """Each set's score, as `scoring.score` has it, and its first examples; `best` is the rmse of the search."""
        values: dict[str, float] = {}
        examples: dict[str, list[Picture]] = {}
        for name, pairs in self.sets(pictures).items():
            targets = [pairs.picture(k).astype(np.float32) / 255 for k in range(len(pairs))]
            before = self.renders
            texts = self.write(module, targets)
            values |= score(texts, targets, pairs.programs).named(name)
            values[f"{name}_renders"] = (self.renders - before) / len(targets)
            if looks:
                before = self.renders
                found = self.search(module, targets, looks)
                values[f"{name}_best"] = score(found, targets, pairs.programs).rmse
                values[f"{name}_looks"] = (self.renders - before) / len(targets)
            examples[name] = [show_drawn(*each) for each in zip(texts[:24], targets[:24], strict=True)]
        return Report(values, examples)


def show_drawn(text: str, target: np.ndarray) -> Picture:
    """A target (64, 64, 3) in 0..1 beside what a program draws, if it draws."""
    picture = draw_text(text)
    shown = [("target", target)]
    if picture is not None:
        shown.append((f"drawn, rmse {distance(picture, target):.3f}", picture))
    return Picture(shown, text)


def to_pictures(arrays: Sequence[np.ndarray]) -> Tensor:
    """Pictures (H, W, 3), uint8 or 0..1, as a batch (B, 3, H, W) float32 in 0..1."""
    batch = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2)
    return batch.float() / 255 if batch.dtype == torch.uint8 else batch.float()


def score_columns(*sets: str) -> tuple[str, ...]:
    """The columns of a Writer's scores."""
    names = [*Score(0, 0, 0, 0, 0).named(""), "_renders", "_best", "_looks"]
    return tuple(f"{each}{name}" for each in sets for name in names)
