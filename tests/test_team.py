"""Processes that train as one: the mean of their gradients, and what becomes of them in the end."""

import os
import time

import pytest
import torch

from treesketch.errors import SketchError
from treesketch.team import Member, gather


def weights(number: int) -> list[torch.nn.Parameter]:
    """Two parameters with gradients that tell whose they are; the second has none in the first process."""
    found = [torch.nn.Parameter(torch.zeros(2, 3)), torch.nn.Parameter(torch.zeros(4))]
    found[0].grad = torch.full((2, 3), 1.0 + number)
    if number:
        found[1].grad = torch.arange(4.0)
    return found


def share(member: Member) -> None:
    member.average(weights(member.number))


def wait(member: Member, file: str) -> None:
    with open(file, "w") as place:
        place.write(str(os.getpid()))
    time.sleep(600)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_everyone_gets_the_mean() -> None:
    with gather(2, share) as member:
        assert member == Member(0, 2)
        mine = weights(0)
        member.average(mine)
    assert mine[0].grad is not None and torch.equal(mine[0].grad, torch.full((2, 3), 1.5))
    assert mine[1].grad is not None and torch.equal(mine[1].grad, torch.arange(4.0) / 2)


def test_alone_nothing_is_started_and_nothing_changes() -> None:
    with gather(1, wait, "never") as member:
        mine = weights(1)
        member.average(mine)
    assert mine[0].grad is not None and torch.equal(mine[0].grad, torch.full((2, 3), 2.0))


def test_one_that_has_gone_is_told() -> None:
    with gather(2, share) as member:
        member.average(weights(0))
        with pytest.raises(SketchError, match="a process that trained along has ended"):
            member.average(weights(0))


def test_none_outlives_the_block(tmp_path: object) -> None:
    file = f"{tmp_path}/pid"
    with pytest.raises(KeyboardInterrupt), gather(2, wait, file):
        while not os.path.exists(file) or not os.path.getsize(file):
            time.sleep(0.02)
        raise KeyboardInterrupt
    with open(file) as place:
        assert not is_alive(int(place.read()))
