"""The neural renderer: graphs of forms, what it may and may not know, that it learns, and its rankings."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from treesketch.cli import main
from treesketch.experiments import forms, painter, ranking, renderer
from treesketch.experiments.nearest import Nearest
from treesketch.experiments.painter import Painter, PainterConfig
from treesketch.experiments.pairs import Pairs
from treesketch.experiments.ranking import edit, make_contest, rank_edits, spearman
from treesketch.experiments.scoring import distance, draw
from treesketch.layers import read_layers
from treesketch.shards.store import (
    HELD_OUT,
    TRAIN,
    Manifest,
    Row,
    Shard,
    digest,
    encode_png,
    encode_rows,
    write_manifest,
)
from treesketch.syntax import parse, unparse
from treesketch.tree import Node

SIZES = PainterConfig(width=16, rounds=2, view=8, form=16)
HEAD = "(size 128 128) (background 250 240 230) "
DISC = "(fill 200 30 40) (no-stroke) (ellipse 50 60 44 30)"
BOX = "(fill 20 90 200) (stroke 0 60 0) (stroke-weight 5) (rect 30 20 60 40)"
RING = """(no-stroke) (fill 0) (with-translation [64 64]
  (dotimes [i 5] (with-rotation [(* i (/ TWO-PI 5))] (triangle -3 -13 0 -28 3 -13))))"""
PROGRAMS = [HEAD + forms for forms in (DISC, BOX, DISC + BOX, BOX + DISC, "(no-fill) (stroke 0) (line 9 20 100 99)")]
PROGRAMS += [
    HEAD + "(no-stroke) (triangle 10 10 110 30 40 120)",
    HEAD + RING,
    HEAD + "(fill 9) (quad 9 9 90 9 99 90 9 99)",
]


@pytest.fixture
def network() -> Painter:
    torch.manual_seed(0)
    return Painter(SIZES).eval()


def pictures_of(programs: Sequence[str]) -> list[np.ndarray]:
    found = [draw(parse(program)) for program in programs]
    return [picture for picture in found if picture is not None]


def pairs_of(programs: Sequence[str]) -> Pairs:
    pngs = [encode_png((picture * 255).round().astype(np.uint8)) for picture in pictures_of(programs)]
    return Pairs(programs, pngs, ["plain"] * len(programs))


def graph_of(program: str) -> forms.FormGraph:
    return forms.program_to_graph(parse(program))


def write_shards(folder: Path, programs: Sequence[str]) -> None:
    """A folder of shards with the same programs to learn from and held out."""
    pictures = [encode_png((picture * 255).round().astype(np.uint8)) for picture in pictures_of(programs)]
    rows = [
        Row(program, picture, "plain", "test", "", split, 1)
        for split in (TRAIN, HELD_OUT)
        for program, picture in zip(programs, pictures, strict=True)
    ]
    data = encode_rows(rows)
    folder.mkdir()
    (folder / "plain-00000.parquet").write_bytes(data)
    shard = Shard("plain-00000.parquet", len(rows), len(data), digest(data), "", {}, {}, [])
    write_manifest(folder, Manifest({}, [], {}, 1, [shard]))


# Graphs


def test_numbers_stand_in_slots_and_points_know_the_next_one() -> None:
    graph = graph_of(HEAD + "(stroke 0) (stroke-weight 5) (line 10 20 30 40)")
    names = {number: name for name, number in forms.productions().items()} | {0: "form"}
    assert [names[int(p)] for p in graph.production] == ["form", "line", "point", "point"]
    assert graph.number[:, :2].tolist() == [[5, 0], [0, 0], [10, 20], [30, 40]]
    assert graph.next_index.tolist() == [0, 1, 3, 2]
    assert graph.painted.tolist() == [[False, True]]
    edges = set(zip(*graph.edge_index.tolist(), graph.relation.tolist(), strict=True))
    assert {(0, 1, forms.PARENT), (1, 2, forms.PARENT), (2, 3, forms.LATER), (2, 3, forms.NEXT)} <= edges


def test_an_outline_is_closed_over_its_corners_alone() -> None:
    graph = graph_of(
        HEAD + "(with-translation [64 64] (begin-shape) (vertex 1 2) (vertex 3 4) (vertex 5 6) (end-shape))"
    )
    points = graph.is_point.nonzero()[:, 0].tolist()
    place, first, second, third = points
    assert [int(graph.next_index[k]) for k in points] == [place, second, third, first]


def test_names_lead_to_where_they_are_used_in_their_scope() -> None:
    graph = graph_of(HEAD + "(let [y 8] (dotimes [y 3] (ellipse y 1 2 2)) (ellipse 3 y 4 4))")
    names = [(s, t) for s, t, r in zip(*graph.edge_index.tolist(), graph.relation, strict=True) if r == forms.NAME]
    binders = (graph.production == forms.productions()["binder"]).nonzero()[:, 0].tolist()
    references = (graph.production == forms.productions()["reference"]).nonzero()[:, 0].tolist()
    assert names == [(binders[1], references[0]), (binders[0], references[1])]


def test_angles_are_told_from_lengths() -> None:
    graph = graph_of(HEAD + "(with-rotation [0.5] (ellipse 1 2 3 4))")
    assert graph.number[graph.is_angle].tolist() == [0.5]


def test_a_program_of_more_than_layers_has_no_graph() -> None:
    with pytest.raises(ValueError, match="translate is more than a layer"):
        graph_of(HEAD + "(translate 1 2) (ellipse 1 2 3 4)")


# Painting


@pytest.mark.parametrize("program", [*PROGRAMS[:6], HEAD + "(fill 200 30 40 120) (stroke 0 90) (rect 30 20 60 40)"])
def test_forms_with_exact_coverage_make_the_exact_picture(program: str) -> None:
    layers, _ = read_layers(parse(program).children)
    graph = forms.join_graphs([graph_of(program)])
    exact = np.stack([renderer.cover_exactly(layer) for layer in layers]).reshape(len(layers), -1, 2)
    covered = torch.from_numpy(exact) * graph.alpha[:, None]
    found = painter.compose_forms(graph.forms, graph.ground, graph.color, covered)
    assert np.abs(found.numpy().reshape(64, 64, 3) - pictures_of([program])[0]).max() < 2.5 / 255


def test_pictures_do_not_hear_each_other(network: Painter) -> None:
    graphs = [graph_of(program) for program in PROGRAMS]
    together = network(forms.join_graphs(graphs))
    back = network(forms.join_graphs(graphs[::-1])).flip(0)
    torch.testing.assert_close(together, back, rtol=0, atol=1e-5)
    torch.testing.assert_close(together[2:3], network(forms.join_graphs(graphs[2:3])), rtol=0, atol=1e-5)


def test_one_more_form_is_painted_over_the_same_picture(network: Painter) -> None:
    before, after = (forms.join_graphs([graph_of(HEAD + text)]) for text in (DISC, DISC + BOX))
    covered = network.coverage(after, painter.grid(64))
    torch.testing.assert_close(covered[:1], network.coverage(before, painter.grid(64)), rtol=0, atol=1e-6)
    picture = network(before)[0].permute(1, 2, 0).reshape(-1, 3)
    for part, color in enumerate(((20, 90, 200), (0, 60, 0))):
        picture = picture + (torch.tensor(color) / 255 - picture) * covered[1, :, part, None]
    torch.testing.assert_close(network(after)[0].permute(1, 2, 0).reshape(-1, 3), picture, rtol=0, atol=1e-6)


def test_a_program_that_draws_nothing_is_its_ground(network: Painter) -> None:
    picture = network(forms.join_graphs([graph_of(HEAD)]))[0]
    assert torch.equal(picture, (torch.tensor([250, 240, 230]) / 255)[:, None, None].expand(3, 64, 64))


def test_a_form_without_points_is_painted_too(network: Painter) -> None:
    assert network(forms.join_graphs([graph_of(HEAD + "(do)")])).isfinite().all()


def test_a_picture_leads_back_to_numbers_and_colours(network: Painter) -> None:
    graph = forms.join_graphs([graph_of(program) for program in PROGRAMS])
    graph.number.requires_grad_()
    graph.color.requires_grad_()
    network(graph, 16).square().mean().backward()
    assert graph.number.grad is not None and graph.color.grad is not None
    assert graph.number.grad.isfinite().all() and graph.color.grad.isfinite().all()
    assert (graph.number.grad[graph.is_point].abs().sum(1) > 0).all()
    assert not graph.number.grad[~graph.given].any()
    assert (graph.color.grad[graph.painted].abs().sum(1) > 0).all()


# Learning


def test_the_exact_coverage_of_a_loop_is_that_of_all_its_turns() -> None:
    layers, _ = read_layers(parse(HEAD + "(fill 9) (no-stroke) (dotimes [i 2] (rect (* i 64) 0 32 128))").children)
    covered = renderer.cover_exactly(layers[0])
    assert covered[:, :, 1].max() == 0
    assert np.array_equal(covered[:, :, 0], np.tile(np.repeat([1.0, 0.0, 1.0, 0.0], 16), (64, 1)))


def test_half_of_the_pixels_are_at_edges() -> None:
    layers, _ = read_layers(parse(HEAD + "(fill 9) (no-stroke) (rect 0 0 64 128)").children)
    chosen = renderer.choose_pixels(renderer.cover_exactly(layers[0]), 100, np.random.default_rng(0))
    assert np.isin(chosen[:50] % 64, (31, 32)).all()
    assert len(set(chosen[50:].tolist())) > 40


def test_programs_are_learnt_by_heart(tmp_path: Path) -> None:
    write_shards(tmp_path / "shards", PROGRAMS)
    settings = renderer.RendererSettings(
        shards=str(tmp_path / "shards"), pixels=96, width=32, rounds=2, view=16, form=32
    )
    system = renderer.Renderer(settings)
    torch.manual_seed(0)
    module = system.build()
    optimiser = torch.optim.Adam(module.parameters())
    targets = pictures_of(PROGRAMS)
    assert isinstance(module, Painter)
    before = renderer.mean_distance(renderer.paint(module, PROGRAMS), targets)
    lessons = [system.make(system.pairs, range(8), np.random.default_rng(k)) for k in range(20)]
    for step in range(200):
        optimiser.param_groups[0]["lr"] = 5e-3 * min(1, 2 - step / 100)
        optimiser.zero_grad()
        system.losses(module, lessons[step % 20], np.random.default_rng(0))["loss"].backward()
        optimiser.step()
    after = renderer.mean_distance(renderer.paint(module, PROGRAMS), targets)
    assert before > 0.2
    assert after < 0.08


def test_the_system_trains_by_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_shards(tmp_path / "shards", PROGRAMS)
    config = Path(__file__).parent.parent / "configs" / "renderer.toml"
    sizes = ["width=16", "rounds=1", "view=8", "form=8", "pixels=8", "nearest=8", "ranked=1"]
    sizes += ["steps=2", "batch=4", "evaluate=2", "held_out=4", "pictures=2", "final=4", "workers=0"]
    assert main(["train", str(config), f'shards="{tmp_path / "shards"}"', *sizes]) == 0
    (run,) = (tmp_path / "runs").iterdir()
    values = json.loads((run / "results.json").read_text())["values"]
    assert {"few_rmse", "few_mean_rmse", "few_copy_rmse", "spearman", "top1", "regret", "exact_per_s"} <= values.keys()
    assert values["few_copy_rmse"] == 0  # what is held out here is what was learnt from
    assert "neural, rmse" in (run / "report.html").read_text()


# Measures


def test_what_is_copied_is_the_picture_of_the_nearest_program() -> None:
    nearest = Nearest(pairs_of(PROGRAMS), 100)
    moved = HEAD + "(fill 20 90 200) (stroke 0 60 0) (stroke-weight 5) (rect 31 21 61 40)"
    assert distance(nearest.copy(moved), pictures_of(PROGRAMS)[1]) < 0.003
    assert np.abs(nearest.mean - np.mean(pictures_of(PROGRAMS), 0)).max() < 0.003


def test_spearmans_correlation_is_scipys() -> None:
    rng = np.random.default_rng(0)
    for values in (rng.normal(size=(2, 32)), rng.integers(0, 5, (2, 32)).astype(float)):
        assert spearman(*values) == pytest.approx(stats.spearmanr(*values).statistic)
    assert spearman(np.ones(4), np.arange(4.0)) == 0


def test_edits_are_programs_and_a_quarter_mend() -> None:
    rng = np.random.default_rng(0)
    layers, ground = read_layers(parse(HEAD + DISC + BOX).children)
    assert ground is not None
    contest = make_contest(layers, ground, layers, rng)
    assert len(contest.candidates) == ranking.EDITS
    for program in contest.programs():
        assert read_layers(parse(unparse(program)).children)[1] == ground
    assert all(isinstance(edit([], layers, rng)[0].shape, Node) for _ in range(5))
    kept = [sum(a.shape == b.shape for a, b in zip(c, layers, strict=False)) for c in contest.candidates if len(c) == 2]
    assert kept.count(1) >= ranking.MENDING


def test_a_perfect_network_ranks_perfectly(network: Painter, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what the exact renderer covers in the place of the network's guess, only 8-bit colours are between them."""
    known = {}
    original = forms.layers_to_graph

    def remember(layers, ground):  # type: ignore[no-untyped-def]
        known["layers"] = layers
        return original(layers, ground)

    def cover(graph, places):  # type: ignore[no-untyped-def]
        x, y = (places / 2).long().T
        exact = np.stack([renderer.cover_exactly(layer) for layer in known["layers"]])
        return torch.from_numpy(exact)[:, y, x] * (graph.painted * graph.alpha)[:, None]

    monkeypatch.setattr(ranking, "layers_to_graph", remember)
    monkeypatch.setattr(network, "coverage", cover)
    monkeypatch.setattr(ranking, "TIMED", 0)
    values = rank_edits(network, [HEAD + DISC + BOX, HEAD + BOX + DISC], 0)
    assert values["spearman"] > 0.99
    assert values["regret"] < 0.002
    assert values["chance_regret"] > 0.02
    assert values["sampled_spearman"] > 0.9


def test_errors_by_parts_are_those_of_whole_pictures(network: Painter) -> None:
    layers, ground = read_layers(parse(HEAD + DISC + BOX).children)
    assert ground is not None
    contest = make_contest(layers, ground, layers, np.random.default_rng(1))
    everywhere = torch.arange(64 * 64)
    parts = ranking.neural_errors_by_parts(network, contest, everywhere)
    assert parts == pytest.approx(ranking.neural_errors(network, contest), abs=1e-5)
    assert ranking.exact_errors_by_parts(contest) == pytest.approx(ranking.exact_errors(contest), abs=0.004)
