"""Learning from renders and through renderers: probabilities, gradients, expected forms, counts, and whole runs."""

import json
import math
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from journals import rows_of
from torch import Tensor
from torch_geometric.data import Batch

from treesketch.actions import PLACES, load_vocabulary, place_of, point_of
from treesketch.cli import main
from treesketch.data import compose, cover_layer, paint_forms, write_scene
from treesketch.experiments import rewards
from treesketch.experiments.forms import join_graphs, layers_to_graph
from treesketch.experiments.painted import draw_neurally, graph_of
from treesketch.experiments.painter import Painter, PainterConfig
from treesketch.experiments.relaxed import (
    COLOR,
    NUMBER,
    PAINT,
    PLACE,
    Form,
    draw_exactly,
    expect,
    expected_numbers,
    expected_places,
    read_form,
)
from treesketch.experiments.rewards import LEAST_SPREAD, RewardSettings, advantages, roll, surrogate
from treesketch.experiments.scoring import nearest
from treesketch.experiments.through import undone_share
from treesketch.experiments.tries import SAMPLES, State, search_forms, try_forms
from treesketch.layers import read_layers
from treesketch.model.abreast import Trace, draw_abreast, write_abreast
from treesketch.model.graph import decisions_to_graph
from treesketch.model.network import ModelConfig, Network
from treesketch.model.write import Look
from treesketch.shards.store import (
    CORPUS,
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
from treesketch.syntax import parse
from treesketch.tree import Node, walk

HEAD = "(size 128 128) (background 250 240 230) (no-stroke) "
DISC = "(fill 200 30 40) (ellipse 48 60 44 32) "
BOX = "(fill 20 90 200) (rect 32 20 60 40) "
FAN = "(fill 0 120 60) (triangle 16 16 112 32 40 120) "
PROGRAMS = [HEAD + forms for forms in (DISC, BOX, FAN, DISC + BOX, BOX + FAN, FAN + DISC)]
TURNED = HEAD + "(fill 10 20 30) (with-translation [64 60] (with-rotation [0.5236] (rect -24 -12 48 24)))"
TINY = ("width=24", "heads=2", "grid_layers=1", "tree_layers=1", "batch=2", "steps=2", "evaluate=1", "warmup=1")
SMALL = (*TINY, "held_out=2", "pictures=1", "final=1", "looks=4", "units=2", "workers=0", "precision='fp32'")


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(3)
    return Network(load_vocabulary("sketch"), ModelConfig(24, 2, 1, 1)).eval()


def draw_target(program: str) -> np.ndarray:
    return paint_forms(parse(program).children[1:])


def write(network: Network, samples: int = 3) -> tuple[np.ndarray, np.ndarray, list[list[Trace]]]:
    """Two pictures, one with forms drawn before and one with none, and what is written next."""
    before: list[Sequence[Node]] = [parse(HEAD + DISC).children[1:], []]
    targets = np.stack([draw_target(PROGRAMS[3]), draw_target(PROGRAMS[2])])
    drawings = np.stack([paint_forms(forms) for forms in before])
    rng = np.random.default_rng(5)
    return targets, drawings, write_abreast(network, targets, drawings, before, [0.0] + [1.0] * (samples - 1), rng)


# Writing many at once


def test_what_is_said_of_a_sampled_form_is_its_probability(network: Network) -> None:
    targets, drawings, written = write(network)
    traces = [trace for each in written for trace in each]
    assert len({trace.written.forms for trace in traces}) > 2
    pictures = (torch.from_numpy(p).permute(0, 3, 1, 2).repeat_interleave(3, 0) for p in (targets, drawings))
    cells, keys = network.look(*pictures)
    assert keys is not None
    graph = Batch.from_data_list([trace.graph(network.vocabulary) for trace in traces])
    logp = network.log_probabilities(graph, cells, keys)
    said = [trace.written.log_probability for trace in traces]
    np.testing.assert_allclose(logp.detach().numpy(), said, rtol=0, atol=1e-4)


def test_pictures_side_by_side_are_written_as_alone(network: Network) -> None:
    targets, drawings, written = write(network)
    alone = Look(network, targets[1], drawings[1]).write((), 1, np.random.default_rng(0), temperature=0.0)[0]
    assert written[1][0].written.forms == alone.forms
    assert math.isclose(written[1][0].written.log_probability, alone.log_probability, abs_tol=1e-4)


def test_every_drawing_that_is_looked_at_is_one_render(network: Network) -> None:
    calls = 0

    def paint(forms: Sequence[Node]) -> np.ndarray:
        nonlocal calls
        calls += 1
        return paint_forms(forms)

    programs = draw_abreast(network, [draw_target(p) for p in PROGRAMS[:2]], paint, 1, np.random.default_rng(0))
    assert calls == len(programs) == 2


# Trying forms, and searching with it


def test_a_reward_is_what_a_form_takes_from_the_error(network: Network) -> None:
    states = [State(draw_target(program)) for program in PROGRAMS[:3]]
    states[0].forms, states[0].drawing = [*parse(HEAD).children[1:]], draw_target(HEAD)
    before = [list(state.forms) for state in states]
    for each, state, forms in zip(
        try_forms(network, states, 3, 1e-3, paint_forms, np.random.default_rng(2)), states, before, strict=True
    ):
        for trace, drawn, reward in zip(each.traces, each.drawn, each.rewards, strict=True):
            picture = paint_forms([*forms, *trace.written.forms])
            np.testing.assert_array_equal(drawn, picture)
            errors = [float(((there - state.target) ** 2).mean()) for there in (state.drawing, picture)]
            nodes = sum(1 for form in trace.written.forms for _ in walk(form))
            assert math.isclose(reward, errors[0] - errors[1] - 1e-3 * nodes, abs_tol=1e-6)


@pytest.mark.parametrize("renders", [2, 8, 30])
def test_a_search_gives_the_nearest_of_the_states_it_was_at(network: Network, renders: int) -> None:
    targets = [draw_target(program) for program in PROGRAMS[:3]]
    seen: list[list[Node]] = []

    def paint(forms: Sequence[Node]) -> np.ndarray:
        seen.append(list(forms))
        return paint_forms(forms)

    found = search_forms(network, targets, renders, paint, np.random.default_rng(0))
    samples = min(renders, SAMPLES)
    assert len(targets) * samples <= len(seen) <= len(targets) * renders
    assert all(forms in seen for forms in found)
    for forms, target in zip(found, targets, strict=True):
        error = ((paint_forms(forms) - target) ** 2).mean()
        starts = [forms[:k] for k in range(len(forms)) if forms[:k] in seen]
        assert all(((paint_forms(start) - target) ** 2).mean() >= error for start in starts)


def test_the_nearest_program_is_chosen_by_its_picture() -> None:
    target = draw_target(PROGRAMS[0])
    near = PROGRAMS[0].replace("44 32", "44 30")
    assert nearest(["(ellipse 1 2", PROGRAMS[2], near, PROGRAMS[1]], target) == near
    assert nearest(["(ellipse 1 2", "(rect)"], target) == "(ellipse 1 2"


# The policy gradient


@pytest.mark.parametrize("probability", [0.2, 0.5, 0.9])
def test_the_estimate_is_the_gradient_of_a_choice_of_two(probability: float) -> None:
    # Reward 1 for the first choice, 0 for the other, two samples. Where they differ (probability 2 p (1 - p)) their
    # advantages are +-0.5 / (0.5 + LEAST_SPREAD), and d log p / d logit is 1 - p and -p, so 1 apart.
    logit = torch.tensor(math.log(probability / (1 - probability)), requires_grad=True)
    expected = 2 * probability * (1 - probability) * 0.5 / (0.5 + LEAST_SPREAD)
    total = torch.zeros(())
    for group in product((1.0, 0.0), repeat=2):
        logp = torch.stack([torch.nn.functional.logsigmoid(logit if r else -logit) for r in group])
        weight = math.exp(logp.sum().item())
        total = total + weight * surrogate(logp, torch.from_numpy(advantages(np.array(group))))
    total.backward()
    assert logit.grad is not None
    assert math.isclose(-logit.grad.item(), expected, rel_tol=1e-5)


def test_a_baseline_takes_the_place_of_the_mean() -> None:
    spread = 0.5 + LEAST_SPREAD
    np.testing.assert_allclose(advantages(np.array([1.0, 0.0]), 1.0), [0, -1 / spread])


def test_renders_are_counted_to_the_letter(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    monkeypatch.setattr(rewards, "paint_forms", lambda forms: drawn.append(len(forms)) or paint_forms(forms))
    settings = RewardSettings(targets=2, samples=3, units=4)
    pictures = [draw_target(PROGRAMS[k % 6]) for k in range(10)]
    tries = list(roll(network, pictures, settings, np.random.default_rng(1)))
    assert len(tries) == 2 * 4
    assert sum(len(each.rewards) for each in tries) == 2 * 4 * 3
    assert len(drawn) == 2 * 4 * 3
    for each in tries:
        for trace, reward in zip(each.traces, each.rewards, strict=True):
            if not trace.written.forms:
                assert trace.written.ended and reward == 0


# Expected forms


def read(program: str, number: int = 1) -> tuple[Form, np.ndarray, np.ndarray]:
    """A form of a program, the drawing before it and with it, (3, 64, 64)."""
    layers, ground = read_layers(parse(program).children)
    assert ground is not None
    scene = compose(layers, ground)
    form = read_form(load_vocabulary("sketch"), scene, write_scene(load_vocabulary("sketch"), scene), number)
    assert form is not None
    before = after = scene.drawings[number - 1].transpose(2, 0, 1)
    for cover, color in cover_layer(form.layer):
        after = after + (color - after) * cover
    return form, np.ascontiguousarray(before), after


def test_a_sharp_softmax_gives_the_place_itself() -> None:
    place = place_of(40.0, 72.0)
    logits = torch.zeros(1, PLACES**2)
    logits[0, place] = 200.0
    assert expected_places(logits).tolist() == [[40.0, 72.0]]
    halves = torch.full((1, PLACES**2), -200.0)
    halves[0, [place, place_of(60.0, 80.0)]] = 0.0
    assert expected_places(halves).tolist() == [[50.0, 76.0]]


def test_a_number_is_expected_in_its_own_table() -> None:
    vocabulary = load_vocabulary("sketch")
    logits = torch.full((1, len(vocabulary.actions)), 50.0)  # those of other tables do not count
    length = {value: vocabulary.action_index[f"length:{value:g}"] for value in (4.0, 10.0)}
    logits[0, list(vocabulary.action_index[action] for action in vocabulary.numbers["length"])] = -100.0
    logits[0, list(length.values())] = 0.0
    assert expected_numbers(vocabulary, ["length"], logits).tolist() == [7.0]


@pytest.mark.parametrize("program", [*PROGRAMS[:3], TURNED], ids=["ellipse", "rect", "triangle", "turned"])
def test_hard_values_draw_what_the_exact_renderer_draws(program: str) -> None:
    form, before, after = read(program)
    assert {link.what for link in form.links} >= {PLACE, COLOR}
    drawn = draw_exactly([form], [torch.tensor(form.values, dtype=torch.float32)], torch.from_numpy(before)[None])
    np.testing.assert_allclose(drawn[0].numpy(), after, rtol=0, atol=0.02)


def test_values_follow_what_is_expected(network: Network) -> None:
    """What the links say, done by hand: places of the softmax that are one cell to the right move x by one step."""
    vocabulary = network.vocabulary
    form, _, _ = read(TURNED)
    whats = [(link.what, link.part, link.factor) for link in form.links if link.value >= PAINT]
    # a translation's point, an angle, then a rectangle's point and extent, which are measured from it
    assert whats == [(PLACE, 0, 1.0), (PLACE, 1, 1.0), (NUMBER, 0, 1.0), *[(PLACE, k % 2, 1.0) for k in range(4)]]
    assert [form.kinds[link.hole] for link in form.links if link.what == NUMBER] == ["angle"]
    np.testing.assert_allclose(form.values[PAINT:], [64, 60, 0.5236, -24, -12, 48, 24])
    for link in form.links:
        if link.what == PLACE:
            assert point_of(place_of(link.truth, link.truth))[0] == link.truth
    assert "locate:point" in vocabulary.action_index


def test_pictures_have_the_gradient_of_differences() -> None:
    form, before, _ = read(TURNED)
    drawing = torch.from_numpy(before)[None]
    toward = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0)).cumsum(1).cumsum(2) / 4096

    def value(values: Tensor) -> Tensor:
        return (draw_exactly([form], [values], drawing)[0] * toward).sum()

    values = torch.tensor(form.values, dtype=torch.float32, requires_grad=True)
    value(values).backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    for index, step in ((PAINT, 0.5), (PAINT + 2, 0.02), (PAINT + 5, 0.5), (1, 0.05)):
        ends = []
        for sign in (1, -1):
            moved = values.detach().clone()
            moved[index] += sign * step
            ends.append(value(moved).item())
        assert math.isclose(values.grad[index].item(), (ends[0] - ends[1]) / (2 * step), rel_tol=0.1, abs_tol=0.3)


def test_a_neural_renderer_gets_each_value_where_its_own_graph_has_it() -> None:
    form, before, _ = read(TURNED)
    values = torch.tensor(form.values, dtype=torch.float32)
    graph, plain = graph_of(form, values), layers_to_graph([form.layer], (255, 255, 255))
    for name in ("number", "given", "is_angle", "color", "edge_index"):
        expected = plain[name] * plain.painted[..., None] if name == "color" else plain[name]
        np.testing.assert_allclose(graph[name].numpy(), expected.numpy(), rtol=0, atol=1e-6, err_msg=name)
    torch.manual_seed(0)
    painter = Painter(PainterConfig(16, 1, 8, 16)).eval()
    drawn = draw_neurally(painter, [form], [values], torch.from_numpy(before)[None])
    whole = painter(join_graphs([layers_to_graph([form.layer], (250, 240, 230))]))
    np.testing.assert_allclose(drawn.detach().numpy(), whole.detach().numpy(), rtol=0, atol=1e-5)


def test_nothing_is_undone_by_the_true_picture() -> None:
    before, after = torch.zeros(2, 3, 64, 64), torch.zeros(2, 3, 64, 64)
    after[:, :, :10, :10] = 1.0  # a change of 300
    assert undone_share(after, before, after) == 0
    assert math.isclose(undone_share(before, before, after).item(), 300 / 303, rel_tol=1e-6)


def test_what_a_network_expects_has_gradients(network: Network) -> None:
    layers, ground = read_layers(parse(TURNED).children)
    assert ground is not None
    scene = compose(layers, ground)
    written = write_scene(network.vocabulary, scene)
    form = read_form(network.vocabulary, scene, written, 1)
    assert form is not None
    target = torch.from_numpy(scene.drawings[-1]).permute(2, 0, 1)[None]
    drawing = torch.from_numpy(np.ascontiguousarray(scene.drawings[0])).permute(2, 0, 1)[None]
    first = written.starts[1]
    answers = [decision.answer for decision in written.decisions]
    graph = Batch.from_data_list(
        [decisions_to_graph(written.decisions, answers, first, len(network.vocabulary.actions))]
    )
    cells, keys = network.look(target, drawing)
    assert keys is not None
    (values,) = expect(network, [form], [0], graph, network.decode(graph, cells, keys), keys, target)
    assert values.shape == form.values.shape
    network.zero_grad()
    draw_exactly([form], [values], drawing).sum().backward()  # type: ignore[no-untyped-call]
    assert network.places.weight.grad is not None and network.places.weight.grad.abs().sum() > 0


# Runs


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder of pairs and one of drawings."""
    found = {}
    for name, kinds in (("shards", ("plain", "flags", "cutouts")), ("drawings", (CORPUS,))):
        folder = found[name] = tmp_path_factory.mktemp(name)
        rows = [
            Row(
                program=program,
                picture=encode_png((draw_target(program) * 255).round().astype(np.uint8)),
                kind=kinds[number % len(kinds)],
                source=str(number),
                licence="",
                split=split,
                layers=2,
            )
            for split in (TRAIN, HELD_OUT)
            for number, program in enumerate(PROGRAMS)
        ]
        data = encode_rows(rows)
        (folder / "a.parquet").write_bytes(data)
        shard = Shard("a.parquet", len(rows), len(data), digest(data), "", {}, {}, [])
        write_manifest(folder, Manifest({}, [], {}, 1, [shard]))
    return found


@pytest.mark.parametrize(
    ("system", "more", "column"),
    [
        ("rewards", ("method='reinforce'", "targets=1", "samples=3"), "renders"),
        ("rewards", ("method='reinforce'", "baseline='likeliest'", "targets=1", "samples=3"), "renders"),
        ("rewards", ("method='self_training'", "targets=1", "samples=3"), "renders"),
        ("rewards", ("method='supervised'",), "source"),
        ("through", ("through='soft'", "drawn=2", "parts=4"), "undone"),
        ("through", ("through='none'",), "source"),
        ("adversarial", ("drawn=2", "parts=4"), "cover"),
    ],
)
def test_a_run_goes_to_its_end(
    system: str,
    more: tuple[str, ...],
    column: str,
    folders: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    places = [f"shards='{folders['shards']}'", f"drawings='{folders['drawings']}'"]
    Path("config.toml").write_text(f"system = '{system}'\nname = 'run'\n", encoding="utf-8")
    assert main(["train", "config.toml", *SMALL, *places, *more]) == 0
    (run,) = Path("runs").iterdir()
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    assert 0 < results["values"]["real_rmse"] < 1
    assert 0 < results["values"]["real_best"] < 1 and results["values"]["real_looks"] == 4
    rows = rows_of(run)
    assert float(rows[-1][column]) > 0
    if column == "renders":
        assert float(rows[-1]["renders"]) == 1 * 2 * 3  # targets x units x samples


@pytest.mark.parametrize(
    ("system", "override", "told"),
    [
        ("rewards", "method='luck'", "'method' takes supervised or reinforce or self_training, got 'luck'"),
        ("rewards", "samples=1", "'samples' from 2 up"),
        ("through", "through='glass'", "'through' takes none, soft or neural, got 'glass'"),
    ],
)
def test_mistakes_are_one_line(
    system: str,
    override: str,
    told: str,
    folders: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text(f"system = '{system}'\n", encoding="utf-8")
    assert main(["train", "config.toml", f"shards='{folders['shards']}'", override]) == 1
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1
