"""The network: teacher forcing is exact, writing with a memory agrees with it, losses, and weights on disk."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from torch_geometric.data import Batch

from treesketch.actions import load_vocabulary
from treesketch.data import Batches
from treesketch.derivation import Choice, Decision, encode
from treesketch.errors import CheckpointError
from treesketch.layers import Layer, rect
from treesketch.model import write
from treesketch.model.encoder import GRID, KEY_WIDTH, RESOLUTION
from treesketch.model.graph import CONTEXT, FORMS, FORMS_ROLE, REACH, decisions_to_graph, keep_recent
from treesketch.model.network import HANDS, ModelConfig, Network
from treesketch.model.places import on_canvas, pixel_of_place, point_at_color
from treesketch.model.weights import describe, differences, load_network, row_names, save_network, save_tensors
from treesketch.model.write import Look, draw_alone
from treesketch.sampling import sample_program
from treesketch.syntax import parse

MIXTURE = {"plain": 1.0, "flags": 1.0, "cutouts": 1.0}
STEPS = 19  # written one after another
SIZES = ModelConfig(width=32, heads=2, grid_layers=1, tree_layers=2)
ACTIONS = len(load_vocabulary().actions)


@pytest.fixture
def network() -> Network:
    torch.manual_seed(5)
    return Network(load_vocabulary(), SIZES).eval()


def random_pictures(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    target, drawing = np.random.default_rng(seed).random((2, RESOLUTION, RESOLUTION, 3), dtype=np.float32)
    return target, drawing


def decisions_of(kind: str, seed: int) -> list[Decision]:
    return encode(load_vocabulary(), sample_program(kind, np.random.default_rng(seed)).children[1:], FORMS, FORMS_ROLE)


def answers_of(decisions: list[Decision]) -> list[Choice]:
    return [decision.answer for decision in decisions if decision.answer]


def batch_of(size: int = 8, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, Batch]:
    target, drawing, graph = Batches("sketch", MIXTURE, seed, size, 0, 1)[0]
    return target.float() / 255, drawing.float() / 255, graph


def test_cells_and_keys_have_the_stated_shapes(network: Network) -> None:
    pictures = torch.rand(2, 3, RESOLUTION, RESOLUTION)
    cells, keys = network.encoder(pictures, pictures)
    assert cells.shape == (2, GRID * GRID, 32)
    assert keys.shape == (2, 41 * 41, KEY_WIDTH)


@pytest.fixture(scope="module")
def styled() -> Network:
    """A network to which a style means something."""
    torch.manual_seed(1)
    network = Network(load_vocabulary(), SIZES).eval()
    torch.nn.init.normal_(network.style)
    return network


@pytest.mark.parametrize(("context", "style"), [(0, ""), (5, "looped"), (CONTEXT, "grouped")])
def test_writing_with_a_memory_agrees_with_the_graph(styled: Network, context: int, style: str) -> None:
    network = styled
    decisions = decisions_of("flags", 3)
    assert len(decisions) >= context + STEPS
    look = Look(network, *random_pictures(), style)
    answers = answers_of(decisions)

    def hole(k: int) -> Batch:
        asked = HANDS.index(style)
        graph = decisions_to_graph(decisions[: k + 1], [*answers[:k], None], k, len(network.vocabulary.actions), asked)
        return Batch.from_data_list([graph])

    with torch.inference_mode():
        whole = [network.decode(hole(k), look.cells, look.keys) for k in range(context, context + STEPS)]
        memory = write._Memory(look, decisions[:context], answers[:context])
        memory.begin(2)
        stepwise = []
        runs = [Replay(), Replay()]
        for k in range(context, context + STEPS):
            for run in runs:
                run.decision = decisions[k]
            stepwise.append(memory.step(runs))  # type: ignore[arg-type]
            for run in runs:
                run.decisions.append(decisions[k])
                run.choices.append(answers[k])
    for one, other in zip(whole, stepwise, strict=True):
        assert torch.allclose(one.expand(2, -1), other, atol=1e-5)


def test_a_style_changes_what_is_written(styled: Network) -> None:
    pictures = random_pictures()
    written = {
        style: Look(styled, *pictures, style).write((), 1, np.random.default_rng(0), temperature=0.0)[0].log_probability
        for style in HANDS
    }
    assert len(set(written.values())) == len(HANDS)


def test_weights_from_before_there_were_styles_write_in_any(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "old.safetensors"
    tensors = {name: value for name, value in network.state_dict().items() if name != "style"}
    told = {key: value for key, value in describe(network, "sketch", {}).items() if key != "styles"}
    save_tensors(path, tensors, told)
    loaded = load_network(path)
    assert loaded.style.shape == network.style.shape and not loaded.style.any()
    fresh = Network(network.vocabulary, network.config)
    fresh.load_state_dict(tensors)
    assert not fresh.style.any()


class Replay:
    """Stands in for a run whose choices are known."""

    def __init__(self) -> None:
        self.decision: Decision | None = None
        self.decisions: list[Decision] = []
        self.choices: list[Choice] = []


def test_runs_that_end_leave_the_others_as_they_were(network: Network) -> None:
    # Where nothing is left to chance, a run among many writes what it writes alone.
    look = Look(network, *random_pictures())
    alone = look.write((), 1, np.random.default_rng(0), temperature=0.0, units=3)
    many = look.write((), 3, np.random.default_rng(1), temperature=0.0, units=3)
    assert [one.forms for one in many] == [alone[0].forms] * 3
    assert [one.log_probability for one in many] == pytest.approx([alone[0].log_probability] * 3, abs=1e-3)


def test_a_later_answer_changes_no_earlier_logits(network: Network) -> None:
    decisions = decisions_of("flags", 3)[:30]
    answers = answers_of(decisions)
    changed = [*answers]
    changed[12] = Choice((answers[12].action + 1) % len(network.vocabulary.actions), 77)
    pictures = (torch.from_numpy(p).permute(2, 0, 1)[None] for p in random_pictures())
    with torch.inference_mode():
        cells, keys = network.encoder(*pictures)
        states = [
            network.decode(Batch.from_data_list([decisions_to_graph(decisions, some, 0, ACTIONS)]), cells, keys)
            for some in (answers, changed)
        ]
    same = (states[0] == states[1]).all(1)
    assert same[:13].all()  # hole 12 knows its surroundings, not its answer
    assert not same[13 : 13 + REACH].any()  # those that hear of it directly do


def test_graphs_of_a_batch_do_not_mix(network: Network) -> None:
    target, drawing, graph = batch_of(4)
    with torch.inference_mode():
        cells, keys = network.encoder(target, drawing)
        together = network.decode(graph, cells, keys)
        apart = [
            network.decode(Batch.from_data_list([one]), cells[i : i + 1], keys[i : i + 1])
            for i, one in enumerate(graph.to_data_list())
        ]
    assert torch.allclose(together, torch.cat(apart), atol=1e-5)


def test_losses_are_finite_and_every_parameter_learns(network: Network) -> None:
    target, drawing, graph = batch_of(16)
    losses = network(graph, target, drawing)
    assert set(losses) == {"loss", "action", "point", "color"}
    assert all(torch.isfinite(value) for value in losses.values())
    losses["loss"].backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_untrained_losses_are_those_of_even_chances(network: Network) -> None:
    # With no weights at all every legal action is as likely as another, and so is each of the 41 x 41 places.
    target, drawing, graph = batch_of(16)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        losses = network(graph, target, drawing)
    wanted = graph.legal.sum(1).float().log().mean()
    assert losses["action"].item() == pytest.approx(wanted.item(), rel=1e-5)
    assert losses["point"].item() == pytest.approx(np.log(41 * 41), rel=1e-5)


def test_the_colour_loss_counts_visible_colours_only(network: Network) -> None:
    decisions = encode(load_vocabulary(), parse("(background 10 20 30) (fill 200 0 0)").children, FORMS, FORMS_ROLE)
    graph = Batch.from_data_list([decisions_to_graph(decisions, answers_of(decisions), 0, ACTIONS)])
    color = torch.tensor([10.0, 20.0, 30.0])[None, :, None, None] / 255
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        everywhere = network(graph, color.expand(1, 3, 64, 64), torch.zeros(1, 3, 64, 64))
        half = torch.cat([color.expand(1, 3, 64, 32), torch.ones(1, 3, 64, 32)], 3)
        to_the_left = network(graph, half, torch.zeros(1, 3, 64, 64))
        nowhere = network(graph, torch.ones(1, 3, 64, 64), torch.zeros(1, 3, 64, 64))
    # All 32 x 32 places on the canvas show the background's colour: no nats. Half of them: log 2. The red is nowhere.
    assert everywhere["color"].item() == pytest.approx(0.0, abs=1e-5)
    assert to_the_left["color"].item() == pytest.approx(np.log(2), abs=1e-5)
    assert nowhere["color"].item() == 0.0


def test_a_batch_without_points_or_colours_has_a_loss(network: Network) -> None:
    decisions = encode(load_vocabulary(), parse("(no-fill) (no-stroke)").children, FORMS, FORMS_ROLE)
    graph = Batch.from_data_list([decisions_to_graph(decisions, answers_of(decisions), 0, ACTIONS)])
    losses = network(graph, torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64))
    assert torch.isfinite(losses["loss"]) and losses["point"] == losses["color"] == 0


def test_places_are_pixels_of_half_the_size() -> None:
    # Place (row 6, column 9) is (20, 8) on the canvas of 128 units: pixel 10 of row 4 of the 64-pixel picture.
    assert pixel_of_place()[6 * 41 + 9] == 4 * 64 + 10
    assert on_canvas().sum() == 32 * 32
    assert not on_canvas()[0] and not on_canvas()[-1]


def test_a_colour_is_pointed_at_where_it_shows() -> None:
    picture = np.zeros((64, 64, 3), np.float32)
    picture[4, 10] = 1.0
    place = point_at_color(Choice(1, 0, (250, 250, 250)), picture, np.random.default_rng(0)).place
    assert place == 6 * 41 + 9
    assert point_at_color(Choice(1, 0, (128, 0, 0)), picture, np.random.default_rng(0)).place == -1
    assert point_at_color(Choice(1, 5), picture, np.random.default_rng(0)) == Choice(1, 5)


def test_recent_decisions_are_numbered_from_the_first_kept() -> None:
    decisions = encode(load_vocabulary(), [rect(0, 0, 8, 8), rect(8, 8, 8, 8)], FORMS, FORMS_ROLE)
    # 0 form, 1 point, 2 extent, 3 form, 4 point, 5 extent, 6 end; the last five are 2..6.
    kept = keep_recent(decisions, 5)
    assert [(d.parent, d.sibling) for d in kept] == [(-1, -1), (-1, -1), (1, -1), (1, 2), (-1, 1)]


def test_a_whole_program_is_written_for_a_picture(network: Network) -> None:
    target, _ = random_pictures()

    def paint(forms: object) -> np.ndarray:
        return np.zeros_like(target)

    for look_again in (True, False):
        forms = draw_alone(network, target, paint, 3, np.random.default_rng(0), look_again=look_again)
        assert sum(form.production in ("rect", "ellipse", "line") for form in forms) <= 3


def test_what_is_before_the_hole_is_taken_in(network: Network) -> None:
    look = Look(network, *random_pictures())
    before = [parse(text, start="form") for text in ("(fill 200 0 0)", "(rect 8 8 40 40)")]
    assert Layer(before[1])  # a form that draws
    one, other = (
        look.write(forms, 1, np.random.default_rng(0), temperature=0.0)[0].log_probability for forms in ((), before)
    )
    assert one != other


# Weights on disk


def test_weights_survive_the_disk(network: Network, tmp_path: Path) -> None:
    save_network(tmp_path / "w.safetensors", network, "sketch", {"seed": "5"})
    again = load_network(tmp_path / "w.safetensors")
    assert again.config == SIZES and not again.training
    for (name, one), (_, other) in zip(network.state_dict().items(), again.state_dict().items(), strict=True):
        assert torch.equal(one.half().float(), other), name


@pytest.mark.parametrize("change", ["grown", "shrunk", "permuted"])
def test_rows_are_matched_by_name(network: Network, tmp_path: Path, change: str) -> None:
    # The file is rewritten as another version of the grammar would have left it.
    path = tmp_path / "w.safetensors"
    save_network(path, network, "sketch", {})
    tensors, metadata = load(path.read_bytes()), read_metadata(path)
    names = row_names(network.vocabulary)["actions"]
    keep = {
        "grown": [*range(len(names))][:-5],  # five actions are new since
        "shrunk": [*range(len(names)), 0],  # one is gone since
        "permuted": [*reversed(range(len(names)))],
    }[change]
    metadata["actions"] = json.dumps([names[k] if i < len(names) else "gone" for i, k in enumerate(keep)])
    for name in ("action.weight", "actions.weight", "actions.bias"):
        tensors[name] = tensors[name][keep].contiguous()
    path.write_bytes(save(tensors, metadata))
    torch.manual_seed(99)
    again = load_network(path)
    known = slice(None, -5 if change == "grown" else None)
    assert torch.equal(network.action.weight[known].half().float(), again.action.weight[known])
    assert torch.equal(network.actions.bias[known].half().float(), again.actions.bias[known])
    new, gone = differences(path)
    assert new == (names[-5:] if change == "grown" else [])
    assert gone == (["gone"] if change == "shrunk" else [])
    if change == "grown":  # what is new is as good as illegal, whatever the network sees
        assert (again.actions.bias[-5:] < -50).all() and not again.actions.weight[-5:].any()


def test_what_older_weights_never_wrote_is_as_good_as_illegal(network: Network, tmp_path: Path) -> None:
    # They have a row for `doseq`, which was never trained, and none for the functions that may be called.
    path = tmp_path / "w.safetensors"
    save_network(path, network, "sketch", {})
    tensors, metadata = load(path.read_bytes()), read_metadata(path)
    names = row_names(network.vocabulary)["actions"]
    keep = [i for i, name in enumerate(names) if not name.startswith("callee:")]
    metadata["actions"] = json.dumps([names[i] for i in keep])
    for name in ("action.weight", "actions.weight", "actions.bias"):
        tensors[name] = tensors[name][keep].contiguous()
    path.write_bytes(save(tensors, metadata))
    index, bias = network.vocabulary.action_index, load_network(path).actions.bias
    assert all(
        bias[index[f"production:{name}"]] == -100 for name in ("doseq", "range_by", "defn", "call", "value_call")
    )
    assert all(abs(bias[index[f"production:{name}"]]) < 50 for name in ("dotimes", "def", "let"))


def read_metadata(path: Path) -> dict[str, str]:
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")  # the format's own header: its length, then JSON
    metadata = json.loads(data[8 : 8 + size])["__metadata__"]
    assert isinstance(metadata, dict)
    return metadata


def spoil(path: Path, tensor: str | None = None, **notes: str | None) -> None:
    """Rewrite a weights file with a tensor left out or notes changed (None: left out)."""
    tensors, metadata = load(path.read_bytes()), read_metadata(path)
    if tensor:
        del tensors[tensor]
    metadata = {key: value for key, value in {**metadata, **notes}.items() if value is not None}
    path.write_bytes(save(tensors, metadata))


@pytest.mark.parametrize(
    ("notes", "reason"),
    [
        ({"format": None}, "were not written by treesketch train"),
        ({"grammar": None}, "lack their description"),
        ({"grammar": "klingon"}, "no grammar 'klingon'"),
        ({"actions": "["}, "lack their description"),
        ({"actions": "[]"}, rf"tensor 'action.weight' has shape \[{ACTIONS}, 32\], not \[0, 32\]"),
        ({"model": "{}"}, "lack their description"),
        ({"model": '{"width": 1000000000, "heads": 2, "grid_layers": 1, "tree_layers": 1}'}, "goes from 1 to"),
        ({"model": '{"width": 32, "heads": 3, "grid_layers": 1, "tree_layers": 1}'}, "no multiple of"),
        ({"model": '{"width": 64, "heads": 2, "grid_layers": 1, "tree_layers": 2}'}, "has shape"),
    ],
)
def test_weights_with_a_wrong_description_are_told(
    network: Network, tmp_path: Path, notes: dict[str, str | None], reason: str
) -> None:
    path = tmp_path / "w.safetensors"
    save_network(path, network, "sketch", {})
    spoil(path, **notes)
    check_refusal(path, reason)


def check_refusal(path: Path, reason: str) -> None:
    with pytest.raises(CheckpointError, match=reason) as caught:
        load_network(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message


def test_weights_that_are_not_whole_are_told(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    check_refusal(path, "no such weights; train some with")
    save_network(path, network, "sketch", {})
    whole = path.read_bytes()
    for length in (0, 4, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        check_refusal(path, "not whole safetensors weights")
    path.write_bytes(whole)
    spoil(path, tensor="places.bias")
    check_refusal(path, "no tensor 'places.bias'")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" * 20)
    check_refusal(path, "not whole safetensors weights")
    path.unlink()
    path.mkdir()
    check_refusal(path, "no such weights")


def test_weights_that_are_no_numbers_are_told(network: Network, tmp_path: Path) -> None:
    with torch.no_grad():
        network.places.bias[0] = torch.nan
    save_network(tmp_path / "w.safetensors", network, "sketch", {})
    check_refusal(tmp_path / "w.safetensors", "'places.bias' holds what is not a number")


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return (Path.touch, (tmp_path / "exploded",))

    path = tmp_path / "w.safetensors"
    path.write_bytes(pickle.dumps(Bomb()))
    check_refusal(path, "not whole safetensors weights")
    torch.save({"weights": torch.zeros(3)}, path)
    check_refusal(path, "not whole safetensors weights")
    assert not (tmp_path / "exploded").exists()
