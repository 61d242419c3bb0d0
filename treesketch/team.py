"""Processes that train as one: each takes its share of a batch, all step with the mean of their gradients.

One thread a process on its own share is much quicker than several threads on the whole batch. With one process there is
nothing to share and nothing is started.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, multiprocessing

from treesketch.errors import SketchError


@dataclass(frozen=True, slots=True)
class Member:
    """One process of `size` that train together; number 0 evaluates, saves and reports."""

    number: int = 0
    size: int = 1

    def average(self, parameters: Iterable[Tensor]) -> None:
        """Replace each parameter's gradient by the mean over all members. Raises SketchError when one has gone."""
        if self.size == 1:
            return
        held = list(parameters)
        for parameter in held:
            if parameter.grad is None:  # nothing in this member's share of the batch asked for it
                parameter.grad = torch.zeros_like(parameter)
        flat = torch.cat([parameter.grad.flatten() for parameter in held if parameter.grad is not None])
        try:
            dist.all_reduce(flat)
        except RuntimeError:
            raise SketchError(
                "a process that trained along has ended; is there memory enough? go on with --resume"
            ) from None
        parts = torch.split(flat / self.size, [parameter.numel() for parameter in held])
        for parameter, part in zip(held, parts, strict=True):
            parameter.grad = part.view_as(parameter)


@contextlib.contextmanager
def gather(size: int, help_out: Callable[..., None], *arguments: object) -> Iterator[Member]:
    """Start size - 1 processes that each call help_out(member, *arguments); yields this process's own membership.

    When the block is left, for whatever reason, the others are gone.
    """
    if size == 1:
        yield Member()
        return
    with tempfile.TemporaryDirectory() as folder:
        meeting = str(Path(folder) / "meeting")
        context = multiprocessing.get_context("spawn")
        others = [
            context.Process(target=_join, args=(Member(number, size), meeting, help_out, *arguments))
            for number in range(1, size)
        ]
        for other in others:
            other.start()
        try:
            _meet(Member(0, size), meeting)
            yield Member(0, size)
        finally:
            for other in others:
                other.kill()
                other.join()
            if dist.is_initialized():
                dist.destroy_process_group()


def _join(member: Member, meeting: str, help_out: Callable[..., None], *arguments: object) -> None:
    _meet(member, meeting)
    help_out(member, *arguments)


def _meet(member: Member, meeting: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=member.number, world_size=member.size)
