"""The choice of a solver: who tries programs, with whose weights, and what is said when there are none."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from treesketch import exam
from treesketch.actions import load_vocabulary
from treesketch.cli import main
from treesketch.errors import CheckpointError
from treesketch.language import load_language
from treesketch.model import weights as stored
from treesketch.model.network import ModelConfig, Network
from treesketch.model.weights import save_network
from treesketch.sampling.problems import PROBLEMS
from treesketch.solving import csg2d, solvers
from treesketch.solving import network as by_network
from treesketch.solving.judge import Judge
from treesketch.solving.solvers import BOTH, CLIMBING, NETWORK, READING, make_solver
from treesketch.syntax import parse
from treesketch.tree import Node

EFFORT = by_network.Effort(written=3, looked_at=3, edited=2, edits=3)
SOLID = parse("(- (Quad 8 8 C C G) (Circle 3 8 8))", load_language("csg2d"))


@pytest.fixture(autouse=True)
def _quick_solvers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network without training writes as long programs as it may, so few are asked for."""
    monkeypatch.setattr(by_network, "Effort", lambda: EFFORT)
    monkeypatch.setattr(csg2d, "READINGS", 1)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return _weights(tmp_path, "csg2d")


def _weights(folder: Path, grammar: str) -> Path:
    torch.manual_seed(0)
    network = Network(load_vocabulary(grammar), ModelConfig(width=16, heads=2, grid_layers=1, tree_layers=1))
    path = folder / f"{grammar}.safetensors"
    save_network(path, network, grammar, {})
    return path


def _judge(budget: int = 12) -> Judge:
    return Judge("csg2d", PROBLEMS["csg2d"].draw(SOLID), budget)


def _noise(budget: int) -> Judge:
    """A judge of what no program draws."""
    return Judge("csg2d", np.random.default_rng(1).random((128, 128)).astype(np.float32), budget)


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_network_alone_reads_nothing_off_the_picture(weights: Path) -> None:
    judge, beside = _judge(), _judge()
    make_solver(NETWORK, "csg2d", weights)(judge, _rng())
    by_network.solve(beside, _rng(), solvers.load_network("csg2d", weights))
    assert judge.looks == 0 and judge.best == beside.best
    reading = _judge()
    make_solver(READING, "csg2d")(reading, _rng())
    assert reading.looks > 0 and reading.exact_at


def test_the_network_edits_what_was_read_where_that_is_not_exact(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Sequence[Node]] = []
    monkeypatch.setattr(by_network, "solve", lambda judge, rng, network, begin: begun.append(begin))
    solve = make_solver(BOTH, "csg2d", weights)
    judge = _judge()
    solve(judge, _rng())
    assert judge.exact_at and begun == []
    judge = _noise(600)
    solve(judge, _rng())
    assert judge.best and begun == [[judge.best.program]]


def test_both_keep_to_the_judge_s_renders(weights: Path) -> None:
    judge, alone = _noise(3000), _noise(3000)
    make_solver(READING, "csg2d")(alone, _rng())
    assert alone.renders < 2990
    judge.budget = alone.renders + 9
    make_solver(BOTH, "csg2d", weights)(judge, _rng())
    assert judge.renders == alone.renders + 9


def test_hill_climbing_is_a_solver_too() -> None:
    judge = _judge(20)
    make_solver(CLIMBING, "csg2d")(judge, _rng())
    assert judge.renders == 20 and judge.looks == 0


# Weights


def test_shipped_weights_are_those_of_the_grammar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "files", lambda package: tmp_path)
    with pytest.raises(CheckpointError, match="train some with 'treesketch train configs/tinysvg.toml'"):
        make_solver(NETWORK, "tinysvg")
    _weights(tmp_path, "tinysvg")
    make_solver(NETWORK, "tinysvg")
    assert solvers.load_network("tinysvg").vocabulary.language.name == "tinysvg"


def test_weights_at_fault_are_told_in_one_line(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stored, "files", lambda package: tmp_path / "none")
    for words, message in [
        ("--solver both", "no weights for tinysvg are shipped"),
        (f"--solver network --weights {tmp_path / 'none'}", "none: no such weights"),
        (f"--solver network --weights {weights}", "weights of grammar 'csg2d' cannot write 'tinysvg'"),
    ]:
        assert main(["eval", "tinysvg", "--problems", "1", *words.split()]) == 1
        told = capsys.readouterr()
        assert message in told.err and told.err.count("\n") == 1 and told.out == ""


def test_eval_has_a_network_solve_problems(
    weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(exam, "BUDGET", 10)
    assert main(["eval", "csg2d", "--problems", "1", "--solver", "network", "--weights", str(weights)]) == 0
    told = capsys.readouterr().out
    assert told.count(" network ") == 4 and "looks counted" not in told  # two sets, two tests


def test_waiting_programs_take_no_more_memory_than_some(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_network, "KEPT", 8)
    judge, random = _judge(50), Random(0)
    search = by_network._Search(judge, _rng(), solvers.load_network("csg2d", weights), EFFORT)
    for _ in range(20):
        search.take(PROBLEMS["csg2d"].grow(random, 2), log_probability=random.random())
    ranked = sorted((one.rank(EFFORT) for one in search.waiting.values()), reverse=True)
    assert len(ranked) > 16
    search.forget()
    assert [one.rank(EFFORT) for one in search.waiting.values()] == ranked[:8]
