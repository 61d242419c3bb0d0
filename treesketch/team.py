"""Processes that train as one: each takes its share of a batch, all step with the mean of their gradients.

Lightning Fabric carries a team out: devices, precision, the mean of gradients over gloo or NCCL. What flows in is how
large a team is, what flows out is each process's Fabric. `torchrun` starts the processes where it is used, on one
machine or several; else the first one starts the others here, since Fabric's own launchers would run the command anew
or end without a word when a process dies. Alone, nothing is started.
"""

import contextlib
import logging
import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.strategies.single_device import SingleDeviceStrategy
from lightning_fabric.strategies.strategy import Strategy
from torch import Tensor, multiprocessing
from torch.nn import Module

logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it tells users of its defaults
PRECISIONS = {"bf16": "bf16-mixed", "fp32": "32-true"}
GRACE = 20.0  # seconds that a process has to find out by itself that another one is gone
_GONE = re.compile(r"gloo|nccl|connection|socket|broken pipe", re.I)


@dataclass(frozen=True, slots=True)
class Team:
    """How a run's processes are made up; number 0 evaluates, saves and reports.

    accelerator is cpu or cuda, precision bf16 or fp32; here is how many processes this machine has, size how many all
    machines have; number is this process's among all, place its among those here.
    """

    accelerator: str
    precision: str
    size: int = 1
    here: int = 1
    number: int = 0
    place: int = 0

    @property
    def device(self) -> torch.device:
        """What this process computes on."""
        return torch.device("cpu") if self.accelerator == "cpu" else torch.device("cuda", self.place)


def is_torchrun() -> bool:
    """Whether torchrun started this process and says who belongs to its team."""
    return dist.is_available() and dist.is_torchelastic_launched()


def find_team(accelerator: str, precision: str, here: int) -> Team:
    """The team as torchrun has it, else `here` processes of which this is the first."""
    if not is_torchrun():
        return Team(accelerator, precision, here, here)
    size, local, number, place = (int(os.environ[name]) for name in _TORCHRUN)
    return Team(accelerator, precision, size, local, number, place)


_TORCHRUN = ("WORLD_SIZE", "LOCAL_WORLD_SIZE", "RANK", "LOCAL_RANK")


@contextlib.contextmanager
def gather(team: Team, help_out: Callable[..., None], *arguments: object) -> Iterator[Fabric]:
    """This process's Fabric, ready to compute; the others call help_out(team, fabric, *arguments) with theirs.

    When the block is left, for whatever reason, those that it started are gone. When one of them ends while this one
    cannot notice it, this process ends too, and says so.
    """
    if is_torchrun() or team.size == 1:
        with _meet(team, "env://") as fabric:
            yield fabric
        return
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{Path(folder) / 'meeting'}"
        context = multiprocessing.get_context("spawn")
        others = [
            context.Process(target=_join, args=(_member(team, number), meeting, help_out, *arguments))
            for number in range(1, team.size)
        ]
        for other in others:
            other.start()
        over = threading.Event()
        threading.Thread(target=_watch, args=(others, over), daemon=True).start()
        try:
            with _meet(team, meeting) as fabric:
                yield fabric
            over.set()
            for other in others:
                other.join(GRACE)
        finally:
            over.set()
            for other in others:
                other.kill()
                other.join()


def average(fabric: Fabric, parameters: Iterable[Tensor]) -> None:
    """Replace each parameter's gradient by the mean over the team; one that is missing counts as nothing."""
    if fabric.world_size == 1:
        return
    held = list(parameters)
    grads = [torch.zeros_like(one) if one.grad is None else one.grad for one in held]
    mean = fabric.all_reduce(torch.cat([grad.flatten() for grad in grads]))
    assert isinstance(mean, Tensor)
    for one, part in zip(held, torch.split(mean, [one.numel() for one in held]), strict=True):
        one.grad = part.view_as(one)


def has_gone(error: BaseException) -> bool:
    """Whether an error says that another process of the team has ended."""
    return isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and bool(_GONE.search(str(error))))


def _member(team: Team, number: int) -> Team:
    return Team(team.accelerator, team.precision, team.size, team.here, number, number)


def _join(team: Team, meeting: str, help_out: Callable[..., None], *arguments: object) -> None:
    with _meet(team, meeting) as fabric:
        help_out(team, fabric, *arguments)


@contextlib.contextmanager
def _meet(team: Team, meeting: str) -> Iterator[Fabric]:
    """Find the others at a meeting place, as torch.distributed names it; yields this process's Fabric."""
    strategy: Strategy = SingleDeviceStrategy(team.device)
    if team.size > 1:
        # Parameters that a share of a batch does not ask for have no gradient there, and the mean is still to be had.
        strategy = _OneMean()
        backend, device = ("nccl", team.device) if team.accelerator == "cuda" else ("gloo", None)
        dist.init_process_group(backend, meeting, rank=team.number, world_size=team.size, device_id=device)
    try:
        fabric = Fabric(
            accelerator=team.accelerator,
            strategy=strategy,
            devices=team.here if team.size > 1 or team.accelerator == "cpu" else [team.place],
            num_nodes=team.size // team.here,
            precision=PRECISIONS[team.precision],  # type: ignore[arg-type]
            plugins=[_Place(team)],
        )
        fabric.launch()
        yield fabric
    finally:
        if team.size > 1:
            dist.destroy_process_group()


class _OneMean(DDPStrategy):
    """Leaves the network as it is: `average` takes the mean of all gradients at once.

    A share of a batch need not ask for every parameter. torch's wrapper looks for those it does not in each step and
    warns; for a few million parameters one mean at the end is as quick, and its order of addition is always the same.
    """

    def setup_module(self, module: Module) -> Module:  # type: ignore[override]
        return module


class _Place(LightningEnvironment):
    """Tells Fabric which of its processes this is: all have been started."""

    def __init__(self, team: Team):
        super().__init__()
        self.team = team

    @property
    def creates_processes_externally(self) -> bool:
        return True

    def local_rank(self) -> int:
        return self.team.place

    def node_rank(self) -> int:
        return self.team.number // self.team.here


def _watch(others: list[BaseProcess], over: threading.Event) -> None:
    """End this process when another has failed and it does not notice: waiting for a GPU, it may wait for hours."""
    while not over.wait(1.0):
        failed = [other for other in others if other.exitcode]
        if failed and not over.wait(GRACE):
            told = f"process {failed[0].pid}, which trained along, ended with code {failed[0].exitcode}"
            print(f"treesketch: {told}; go on with --resume", file=sys.stderr, flush=True)
            for other in others:
                other.kill()
            os._exit(1)
