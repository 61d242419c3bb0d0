"""What every training run has: a folder, a schedule, a progress bar, and a way to be interrupted."""

import contextlib
import json
import math
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.optim import Optimizer

from treesketch.errors import SketchError
from treesketch.files import describe

CONFIG, STATE, WEIGHTS = "config.toml", "state.safetensors", "weights.safetensors"
INTERRUPTS = (signal.SIGINT, signal.SIGTERM)

Batch = TypeVar("Batch")


class Schedule(Protocol):
    """The keys of a config that say how fast a run learns; minutes is 0 where only the steps count."""

    @property
    def steps(self) -> int: ...
    @property
    def minutes(self) -> float: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def warmup(self) -> int: ...
    @property
    def decay(self) -> float: ...


class Course(Protocol):
    """How far a run is."""

    step: int
    loss: float

    def share_done(self) -> float: ...
    def busy(self) -> float: ...


def learning_rate(config: Schedule, step: int, time_share: float = 0.0) -> float:
    """Linear warm-up, flat, then linear down to nothing over the last `decay` of the steps, or of the time if less."""
    left = (config.steps - step) / max(1.0, config.decay * config.steps)
    time_left = max(0.0, 1 - time_share) / config.decay if config.decay and config.minutes else 1.0
    return config.learning_rate * min(1.0, (step + 1) / max(1, config.warmup), left, time_left)


def decayed_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Parameters for an optimiser: matrices decay; embeddings, norms and biases do not."""
    matrices = {p for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d) for p in [m.weight]}
    decayed = [p for p in network.parameters() if p in matrices]
    others = [p for p in network.parameters() if p not in matrices]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def pack_state(network: nn.Module, average: nn.Module, optimiser: Optimizer) -> dict[str, Tensor]:
    """All that resuming needs as tensors by name: both networks' and the optimiser's moments."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.state_dict().items()}
    for number, values in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": value for name, value in values.items()}
    return tensors


def unpack_state(tensors: Mapping[str, Tensor], network: nn.Module, average: nn.Module, optimiser: Optimizer) -> None:
    """Take up what `pack_state` gave. Raises RuntimeError, KeyError or ValueError where it is of other networks."""
    for prefix, module in (("network.", network), ("average.", average)):
        module.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, number, key = name.split(".")
            moments.setdefault(int(number), {})[key] = value
    optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})


def new_run(name: str) -> Path:
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
            raise SketchError(f"cannot make the run's folder: {describe(error)}", file=str(run)) from None


def to_toml(config: Any) -> str:
    """A dataclass of settings as the flat TOML file that gives it."""
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in asdict(config).items())


@contextlib.contextmanager
def show_progress(console: Console, course: Course) -> Iterator[Callable[[], None]]:
    """A progress bar on a terminal, nothing elsewhere; yields what has it look at the run again."""
    loss, busy = TextColumn("loss {task.fields[loss]:.3f}"), TextColumn("busy {task.fields[busy]:.0%}")
    columns = (TextColumn("training"), BarColumn(), TextColumn("{task.fields[step]} steps"), loss, busy)
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, *times, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("training", total=1.0, step=course.step, loss=math.nan, busy=math.nan)

        def advance() -> None:
            busy = course.busy()
            bar.update(task, completed=course.share_done(), step=course.step, loss=course.loss, busy=busy)

        yield advance


@contextlib.contextmanager
def catch_interrupt() -> Iterator[Callable[[], bool]]:
    """Yields whether to stop, as Ctrl-C and SIGTERM ask: a step is finished and saved first. A second one is obeyed."""
    pressed = False

    def press(number: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(number, signal.default_int_handler)

    before = [(number, signal.signal(number, press)) for number in INTERRUPTS]
    try:
        yield lambda: pressed
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def leave_interrupts(_worker: int = 0) -> None:
    """Ctrl-C and SIGTERM are the first process's to handle."""
    for number in INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTS)


@contextlib.contextmanager
def batches_of(loader: Iterable[Batch]) -> Iterator[Iterator[Batch]]:
    """Yields a loader's batches. Its workers, which `leave_interrupts`, hear of none before that, and end quietly."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTS)
    try:
        batches = iter(loader)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
    try:
        yield batches
    finally:
        shut_down = getattr(batches, "_shutdown_workers", None)  # else torch does so later, and complains of lost ones
        if shut_down is not None:
            with contextlib.suppress(RuntimeError, OSError, EOFError):
                shut_down()


def lost_worker(error: Exception) -> bool:
    """Whether an error says that a process which makes batches was killed, as it is where memory runs out.

    One that is killed while it hands a batch over breaks the connection before torch can say so.
    """
    return isinstance(error, ConnectionError | EOFError) or (
        isinstance(error, RuntimeError) and "DataLoader worker" in str(error)
    )
