"""A network that edits: teacher forcing is exact with what comes after the hole, writing agrees with it, any weights
keep the budget."""

from pathlib import Path

import numpy as np
import pytest
import torch
from test_actions import is_valid
from torch_geometric.data import Batch

from treesketch import tree
from treesketch.actions import load_vocabulary
from treesketch.derivation import Decision, encode, sample_tree
from treesketch.edits import find_path
from treesketch.errors import CheckpointError
from treesketch.language import load_language
from treesketch.lessons import encode_edit, site_numbers
from treesketch.model import editing
from treesketch.model.editing import BUDGET, ROOM, Editor
from treesketch.model.encoder import GRID, RESOLUTION, see
from treesketch.model.graph import Rewrite, program_to_graph
from treesketch.model.network import ModelConfig, Network
from treesketch.model.spots import spots_of
from treesketch.model.weights import load_network, save_network
from treesketch.sampling.problems import PROBLEMS, sample_problem
from treesketch.syntax import parse
from treesketch.tree import Node

SIZES = ModelConfig(width=32, heads=2, grid_layers=1, tree_layers=2)
THERE = "(- (+ (Circle 5 6 8) (Quad A 8 9 4 H)) (Circle 2 6 8))"
WANTED = "(- (+ (Circle 5 6 8) (Quad A 9 9 3 G)) (+ (Circle 2 6 8) (Circle 1 2 3)))"


@pytest.fixture(params=["csg2d", "tinysvg"])
def grammar(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def make_network(grammar: str, seed: int = 5) -> Network:
    torch.manual_seed(seed)
    return Network(load_vocabulary(grammar), SIZES).eval()


def csg(text: str) -> Node:
    return parse(text, load_language("csg2d"))


def pictures(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    target, drawing = np.random.default_rng(seed).random((2, RESOLUTION, RESOLUTION, 3), dtype=np.float32)
    return target, drawing


def rewrites_of(there: Node, wanted: Node, grammar: str) -> tuple[list[Decision], list[Rewrite]]:
    vocabulary = load_vocabulary(grammar)
    context = encode(vocabulary, [there])
    sites = site_numbers(context)
    return context, [
        Rewrite(sites[edit.path], encode_edit(vocabulary, there, context[sites[edit.path]], edit))
        for edit in find_path(there, wanted, vocabulary.language)[1]
    ]


def read(network: Network, context: list[Decision], rewrites: list[Rewrite]) -> tuple[torch.Tensor, torch.Tensor]:
    """States of the program's decisions and of the holes, looking at two fixed pictures."""
    graph = Batch.from_data_list([program_to_graph(network.vocabulary, context, rewrites, [], 1)])
    target, drawing = (torch.from_numpy(p).permute(2, 0, 1)[None] for p in pictures())
    with torch.inference_mode():
        cells, keys = network.look(target, drawing)
        states = network.read(graph, cells, keys)
    return states[: len(context)], states[graph.num_nodes :]


def change(decision: Decision, network: Network) -> Decision:
    """The decision with another answer."""
    from dataclasses import replace

    assert decision.answer is not None
    action = (decision.answer.action + 1) % len(network.vocabulary.actions)
    return replace(decision, answer=replace(decision.answer, action=action))


def test_a_later_answer_changes_no_earlier_logits_nor_the_program_s_states() -> None:
    network = make_network("csg2d")
    context, rewrites = rewrites_of(csg(THERE), csg(WANTED), "csg2d")
    rewrite = max(rewrites, key=lambda one: len(one.decisions))
    known, holes = read(network, context, [rewrite])
    for k in range(len(rewrite.decisions)):
        decisions = [*rewrite.decisions]
        decisions[k] = change(decisions[k], network)
        also_known, also_holes = read(network, context, [Rewrite(rewrite.site, decisions)])
        assert torch.equal(known, also_known)
        same = (holes == also_holes).all(1)
        assert same[: k + 1].all() and not same[k + 1 :].any()


def test_holes_hear_all_of_the_program() -> None:
    network = make_network("csg2d")
    context, rewrites = rewrites_of(csg(THERE), csg(WANTED), "csg2d")
    rewrite = min(rewrites, key=lambda one: one.site)
    _, holes = read(network, context, [rewrite])
    for k in range(len(context)):  # before the hole, inside what gives way, and after it
        changed = [change(d, network) if i == k else d for i, d in enumerate(context)]
        _, also_holes = read(network, changed, [rewrite])
        assert not (holes == also_holes).all(1).any()


def test_rewrites_of_one_program_do_not_hear_each_other() -> None:
    network = make_network("csg2d")
    context, rewrites = rewrites_of(csg(THERE), csg(WANTED), "csg2d")
    assert len(rewrites) >= 2
    together = read(network, context, rewrites)[1]
    apart = torch.cat([read(network, context, [rewrite])[1] for rewrite in rewrites])
    assert torch.allclose(together, apart, atol=1e-5)


def test_editing_step_by_step_agrees_with_the_graph(grammar: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, rng = make_network(grammar), np.random.default_rng(0)
    target, drawing = pictures()
    editor, checked = Editor(network, target), 0
    while checked < 4:
        there, wanted = (sample_problem(grammar, rng, 1, 3) for _ in range(2))
        context, rewrites = rewrites_of(there, wanted, grammar)
        known, _ = read(network, context, [])
        reading = editor.read([there], [drawing])
        with torch.inference_mode():
            logp = network.site_scores(known).log_softmax(0)
        assert np.allclose(reading.site_logp[0], logp, atol=1e-5)
        for rewrite in rewrites[:2]:
            # The pictures' part is the same, and so is what the network is made to choose.
            graph = Batch.from_data_list([program_to_graph(network.vocabulary, context, [rewrite], [], 1)])
            _, holes = read(network, context, [rewrite])
            with torch.inference_mode():
                logits = network.action_logits(holes, torch.ones_like(graph.legal))
                more = (graph.was[graph.is_hole][None], graph.spot[graph.is_hole][None], editor.look([drawing]))
                logits = logits + network.more_logits(holes[None], *more)[0]
            forced = iter([d.answer.action for d in rewrite.decisions if d.answer])
            seen: list[torch.Tensor] = []

            def choose(
                logits: torch.Tensor,
                allowed: torch.Tensor,
                *_: object,
                actions: object = forced,
                seen: list[torch.Tensor] = seen,
            ) -> tuple[torch.Tensor, torch.Tensor]:
                seen.append(torch.where(allowed, logits, 0.0))
                return torch.tensor([next(actions)]), torch.zeros(1)  # type: ignore[call-overload]

            with monkeypatch.context() as patch, torch.inference_mode():
                patch.setattr(editing, "pick", choose)
                run = reading._begin(0, rewrite.site, 0.0, 400)
                run.derivation._free += 400  # as in teaching, nothing is illegal for want of room
                editing._decide(editing.copy(reading._layers), editor.look([drawing]), [run], rng, 1.0)
            stepwise = torch.cat(seen)
            assert torch.allclose(torch.where(stepwise != 0, logits, 0.0), stepwise, atol=1e-4)
            checked += 1


@pytest.mark.parametrize("seed", range(4))
def test_untrained_networks_keep_the_promise(grammar: str, seed: int) -> None:
    network, rng = make_network(grammar, seed), np.random.default_rng(seed)
    with torch.no_grad():
        network.actions.weight *= 3.0**seed  # from nearly even chances to nearly none
    target, _ = pictures(seed)
    programs = [sample_tree(network.vocabulary, int(rng.integers(8, 60)), rng) for _ in range(6)]
    most = max(map(tree.count, programs))
    reading = Editor(network, target).read(programs, [pictures(k)[1] for k in range(len(programs))])
    for program, proposals in zip(programs, reading.edit(5, rng, budget=most), strict=True):
        assert len(proposals) == 5
        for proposal in proposals:
            is_valid(proposal.program, min(most, tree.count(program) + ROOM), network.vocabulary.language)
            assert proposal.log_probability < 0
    assert reading.edit(2, rng, budget=1) == [[]] * 6
    for written in Editor(network, target).write(4, rng, budget=40):
        is_valid(written.program, 40, network.vocabulary.language)


def test_weights_that_give_no_numbers_keep_the_promise(grammar: str) -> None:
    network, rng = make_network(grammar), np.random.default_rng(0)
    with torch.no_grad():
        network.actions.bias[::2] = torch.nan
        network.sites.bias[:] = torch.nan
        network.stays.bias[:] = torch.inf
        network.value[-1].bias[:] = torch.nan
        network.gaze.weight[:] = torch.nan
    program = sample_tree(network.vocabulary, 30, rng)
    reading = Editor(network, pictures()[0]).read([program], [pictures()[1]])
    assert 0 <= reading.values[0].done <= 1 and np.isfinite(reading.values[0].edits)
    for proposal in reading.edit(6, rng)[0]:
        is_valid(proposal.program, BUDGET, network.vocabulary.language)


def test_a_program_among_many_is_read_as_alone(grammar: str) -> None:
    network, rng = make_network(grammar), np.random.default_rng(1)
    programs = [sample_problem(grammar, rng) for _ in range(4)]
    drawings = [see(PROBLEMS[grammar].draw(program)) for program in programs]
    editor = Editor(network, drawings[0])
    together = editor.read(programs, drawings)
    for i, (program, drawing) in enumerate(zip(programs, drawings, strict=True)):
        alone = editor.read([program], [drawing])
        assert np.allclose(alone.site_logp[0], together.site_logp[i, : len(alone.sites[0])], atol=1e-5)
        assert alone.values[0].edits == pytest.approx(together.values[i].edits, abs=1e-4)
        assert len(together.sites[i]) == len(alone.sites[0])
    assert np.exp(together.site_logp).sum(1) == pytest.approx(1.0, abs=1e-5)


def test_a_seed_gives_the_same_edits(grammar: str) -> None:
    network = make_network(grammar)
    program, (target, drawing) = sample_problem(grammar, np.random.default_rng(2)), pictures()
    once, again, other = (
        Editor(network, target).read([program], [drawing]).edit(4, np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    assert once == again != other


# Numbers as places


def test_numbers_stand_for_places_by_hand() -> None:
    vocabulary = load_vocabulary("csg2d")
    spots = spots_of(vocabulary)

    def cells(text: str, kind: str, number: str) -> tuple[dict[int, float], dict[int, float]]:
        """The columns and rows that a number stands for in the hole of a kind of a shape."""
        decisions = encode(vocabulary, [csg(text)])
        decision = next(d for d in decisions if vocabulary.holes[d.hole].kind == kind)
        siblings = [d for d in decisions if d.parent == decision.parent and d is not decision]
        row = spots.table[list(spots.find(decision, siblings))].sum(0)
        row = row[spots.actions.index(vocabulary.action_index[f"production:{number}"])]
        columns, rows = ({i: float(v) for i, v in enumerate(part) if v} for part in row.split(GRID))
        return columns, rows

    # Step 5 of 16 is the border between cells 4 and 5 of 16.
    assert cells("(Circle 1 2 3)", "x", "five") == ({4: 0.5, 5: 0.5}, {})
    assert cells("(Circle 1 2 3)", "y", "zero") == ({}, {0: 0.5})
    # A width of 3 around x = 4 ends at 2.5 and 5.5, the middles of cells 2 and 5; a height of 4 around 8 at 6 and 10.
    assert cells("(Quad 4 8 1 1 G)", "width", "three") == ({2: 0.5, 5: 0.5}, {})
    assert cells("(Quad 4 8 1 1 G)", "height", "four") == ({}, {5: 0.25, 6: 0.25, 9: 0.25, 10: 0.25})
    # A radius of 2 around (15, 8): 13 and, off the picture, 17; 6 and 10.
    assert cells("(Circle 1 F 8)", "radius", "two") == ({12: 0.25, 13: 0.25}, {5: 0.25, 6: 0.25, 9: 0.25, 10: 0.25})


def test_sizes_are_decided_behind_their_place() -> None:
    vocabulary = load_vocabulary("csg2d")
    decisions = encode(vocabulary, [csg("(+ (Circle 1 2 3) (Quad 4 5 6 7 H))")])
    kinds = [vocabulary.holes[decision.hole].kind for decision in decisions]
    assert kinds[2:] == ["x", "y", "radius", "expression", "x", "y", "angle", "width", "height"]
    assert [decision.path[-1] for decision in decisions[2:]] == [1, 2, 0, 1, 0, 1, 4, 2, 3]


def test_pictures_are_seen_by_the_mean_of_each_area() -> None:
    coverage = np.zeros((128, 128), np.float32)
    coverage[:2, :2] = 1
    coverage[0, 2] = 1
    seen = see(coverage)
    assert seen.shape == (64, 64, 3) and seen.dtype == np.float32
    assert seen[0, 0].tolist() == [0, 0, 0] and seen[0, 1] == pytest.approx(0.75) and seen[1:].min() == 1
    wide = np.zeros((96, 224, 3), np.uint8)
    wide[:, :7] = (255, 0, 51)  # two of 64 columns, of 3.5 pixels each
    seen = see(wide)
    assert seen[:, :2] == pytest.approx(np.broadcast_to(np.array([1, 0, 0.2]), (64, 2, 3)), abs=1e-6)
    assert abs(seen[:, 2:]).max() == 0


# Weights


def test_the_heads_of_editing_travel_with_the_weights(grammar: str, tmp_path: Path) -> None:
    network = make_network(grammar)
    save_network(tmp_path / "w.safetensors", network, grammar, {})
    again = load_network(tmp_path / "w.safetensors")
    for (name, one), (_, other) in zip(network.state_dict().items(), again.state_dict().items(), strict=True):
        assert torch.equal(one.half().float(), other), name
    assert {"sites.weight", "value.0.weight", "stays.weight", "gaze.weight", "was.weight"} <= set(again.state_dict())
    sketch = Network(load_vocabulary(), SIZES)
    assert not {"sites.weight", "value.0.weight", "stays.weight"} & set(sketch.state_dict())


def test_weights_without_heads_are_told(tmp_path: Path) -> None:
    from safetensors.torch import load, save
    from test_model import read_metadata

    path = tmp_path / "w.safetensors"
    save_network(path, make_network("csg2d"), "csg2d", {})
    tensors, metadata = load(path.read_bytes()), read_metadata(path)
    del tensors["sites.weight"]
    path.write_bytes(save(tensors, metadata))
    with pytest.raises(CheckpointError, match="no tensor 'sites.weight'"):
        load_network(path)
