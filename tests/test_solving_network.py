"""The search over a network's edits: renders counted, an end in any case, and the order of what waits."""

import numpy as np
import pytest
import torch

from treesketch.actions import load_vocabulary
from treesketch.language import load_language
from treesketch.model.editing import Editor, Proposal, Reading
from treesketch.model.network import ModelConfig, Network
from treesketch.sampling.problems import PROBLEMS, sample_problem
from treesketch.solving import network as by_network
from treesketch.solving.judge import Judge
from treesketch.solving.network import BARREN, Effort, solve
from treesketch.syntax import parse
from treesketch.tree import Node

TARGET = "(- (Quad 8 8 8 8 G) (Circle 3 8 8))"


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    return Network(load_vocabulary("csg2d"), ModelConfig(width=16, heads=2, grid_layers=1, tree_layers=1)).eval()


def csg(text: str) -> Node:
    return parse(text, load_language("csg2d"))


def judge_of(text: str, budget: int) -> Judge:
    return Judge("csg2d", PROBLEMS["csg2d"].draw(csg(text)), budget)


def test_a_program_to_begin_with_is_tried_first(network: Network) -> None:
    judge = judge_of(TARGET, 50)
    solve(judge, np.random.default_rng(0), network, begin=[csg("(- (Quad 8 8 8 8 I) (Circle 3 8 8))")])
    assert (judge.renders, judge.exact_at) == (1, 1)


@pytest.mark.parametrize("grammar", ["csg2d", "tinysvg"])
def test_all_renders_are_the_judge_s(grammar: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    sizes = ModelConfig(width=16, heads=2, grid_layers=1, tree_layers=1)
    network = Network(load_vocabulary(grammar), sizes).eval()
    judge = Judge(grammar, PROBLEMS[grammar].draw(sample_problem(grammar, np.random.default_rng(3))), 60)
    real, drawn = judge._draw, []
    monkeypatch.setattr(judge, "_draw", lambda program: drawn.append(program) or real(program))
    solve(judge, np.random.default_rng(0), network)
    assert judge.renders == len(drawn) == len(set(drawn)) == 60 and judge.best
    assert all(PROBLEMS[grammar].canonical(program) == program for program in drawn)


def test_a_seed_gives_one_search(network: Network) -> None:
    judges = [judge_of(TARGET, 40) for _ in range(3)]
    for judge, seed in zip(judges, (0, 0, 1), strict=True):
        solve(judge, np.random.default_rng(seed), network)
    assert judges[0].best == judges[1].best != judges[2].best


def test_a_search_that_finds_nothing_new_ends(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def edit(self: Reading, samples: int, rng: object, which: list[int], temperature: float) -> list[list[Proposal]]:
        asked.append(temperature)
        return [[Proposal(self.programs[i], (), 0.0)] for i in which]

    monkeypatch.setattr(Reading, "edit", edit)
    monkeypatch.setattr(Editor, "write", lambda *_: [Proposal(csg("(Circle 1 1 1)"), (), 0.0)])
    judge = judge_of(TARGET, 10_000)
    solve(judge, np.random.default_rng(0), network)
    assert judge.renders == 1 and len(asked) == BARREN
    assert asked == sorted(asked) and asked[0] == 1.0  # less and less likely edits are tried


def test_the_order_by_hand() -> None:
    picture = np.zeros((64, 64, 3), np.float32)
    one = by_network._Waiting(csg(TARGET), picture, likeness=3.0, log_probability=-10.0, edits=2.0, turns=1)
    effort = Effort(alike=1.0, edits_left=0.5, likely=0.02, again=0.25)
    # 3 - .5 x 2 - .25 - .02 x 10
    assert one.rank(effort) == pytest.approx(1.55)


def test_a_network_s_value_and_edits_lead_a_search(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    # With a network that always puts the right circle in, what is wanted is found at once.
    wanted = csg(TARGET)

    def edit(self: Reading, samples: int, rng: object, which: list[int], temperature: float) -> list[list[Proposal]]:
        return [[Proposal(wanted, (0,), -1.0)] for _ in which]

    monkeypatch.setattr(Reading, "edit", edit)
    judge = judge_of(TARGET, 100)
    solve(judge, np.random.default_rng(0), network, effort=Effort(written=5))
    assert judge.exact_at == judge.renders <= 6
