"""Processes that train as one: the mean of their gradients, and what becomes of them in the end."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from treesketch import team
from treesketch.team import Team, average, gather, has_gone

ALONE, TWO = Team("cpu", "fp32"), Team("cpu", "fp32", 2, 2)


def weights(number: int) -> list[torch.nn.Parameter]:
    """Two parameters with gradients that tell whose they are; the second has none in the first process."""
    found = [torch.nn.Parameter(torch.zeros(2, 3)), torch.nn.Parameter(torch.zeros(4))]
    found[0].grad = torch.full((2, 3), 1.0 + number)
    if number:
        found[1].grad = torch.arange(4.0)
    return found


def share(member: Team, fabric: Fabric) -> None:
    average(fabric, weights(member.number))


def wait(member: Team, fabric: Fabric, file: str) -> None:
    with open(file, "w") as place:
        place.write(str(os.getpid()))
    time.sleep(600)


def fail(member: Team, fabric: Fabric) -> None:
    sys.exit(3)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_everyone_gets_the_mean() -> None:
    with gather(TWO, share) as fabric:
        assert (fabric.world_size, fabric.global_rank, fabric.device) == (2, 0, torch.device("cpu"))
        mine = weights(0)
        average(fabric, mine)
    assert mine[0].grad is not None and torch.equal(mine[0].grad, torch.full((2, 3), 1.5))
    assert mine[1].grad is not None and torch.equal(mine[1].grad, torch.arange(4.0) / 2)


def test_alone_nothing_is_started_and_nothing_changes() -> None:
    with gather(ALONE, wait, "never") as fabric:
        mine = weights(1)
        average(fabric, mine)
    assert mine[0].grad is not None and torch.equal(mine[0].grad, torch.full((2, 3), 2.0))


def test_one_that_has_gone_is_noticed() -> None:
    with gather(TWO, share) as fabric:
        average(fabric, weights(0))
        with pytest.raises(RuntimeError) as caught:
            average(fabric, weights(0))
    assert has_gone(caught.value)
    assert not has_gone(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_one_that_fails_ends_a_process_that_waits_for_something_else() -> None:
    code = """
import time
from test_team import TWO, fail, gather, team
team.GRACE = 0.5
with gather(TWO, fail):
    time.sleep(100)
"""
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=90
    )
    assert ended.returncode == 1 and time.monotonic() - began < 60
    assert "which trained along, ended with code 3; go on with --resume" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_none_outlives_the_block(tmp_path: object) -> None:
    file = f"{tmp_path}/pid"
    with pytest.raises(KeyboardInterrupt), gather(TWO, wait, file):
        while not os.path.exists(file) or not os.path.getsize(file):
            time.sleep(0.02)
        raise KeyboardInterrupt
    with open(file) as place:
        assert not is_alive(int(place.read()))


def test_torchrun_says_who_belongs_to_a_team(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second process on the third of three machines with two each: the sixth of six."""
    said = {"WORLD_SIZE": "6", "LOCAL_WORLD_SIZE": "2", "RANK": "5", "LOCAL_RANK": "1", "TORCHELASTIC_RUN_ID": "none"}
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    found = team.find_team("cuda", "bf16", 1)
    assert (found.size, found.here, found.number) == (6, 2, 5)
    assert found.device == torch.device("cuda", 1)
