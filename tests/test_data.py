"""Training examples: the same for the same seed whoever asks, and what they say they are."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from torch_geometric.data import Batch

from treesketch import data
from treesketch.actions import Vocabulary, load_vocabulary
from treesketch.data import Batches, Example, Scene, Task, choose_task, compose, cover_layer, draw_covers, draw_for
from treesketch.errors import ConfigError
from treesketch.language import load_language, read_language
from treesketch.layers import Layer, ellipse, line, rect, write_program
from treesketch.model.graph import CONTEXT
from treesketch.sampling import SAMPLERS, sample_layers

MIXTURE = {"plain": 1.0, "flags": 1.0, "cutouts": 1.0}
RED, GREEN, BLUE, WHITE = (200, 0, 0), (0, 160, 0), (0, 0, 200), (255, 255, 255)
BOXES = [Layer(rect(8 + 40 * k, 8, 32, 32), fill) for k, fill in enumerate((RED, GREEN, BLUE))]


def batches(seed: int = 1, first: int = 0, last: int = 4, size: int = 4) -> Batches:
    return Batches("sketch", MIXTURE, seed, size, first, last)


def assert_same(one: tuple[torch.Tensor, torch.Tensor, Batch], other: tuple[torch.Tensor, torch.Tensor, Batch]) -> None:
    assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1])
    for key in one[2].keys():
        here, there = one[2][key], other[2][key]
        assert torch.equal(here, there) if isinstance(here, torch.Tensor) else here == there, key


def scene_of(layers: list[Layer]) -> Scene:
    scene = compose(layers, WHITE)
    assert scene.layers == layers
    return scene


def draw_layers(layers: list[Layer], background: tuple[int, ...]) -> tuple[list[np.ndarray], list[float]]:
    return draw_covers([cover_layer(layer) for layer in layers], background)


def make_example(scene: Scene, task: Task, rng: np.random.Generator) -> Example:
    vocabulary = load_vocabulary()
    return data.make_example(vocabulary, scene, data.write_scene(vocabulary, scene), task, rng)


def prune(layers: list[Layer], background: tuple[int, ...]) -> list[Layer]:
    return compose(layers, background).layers


def heads_of(example: data.Example) -> list[str]:
    """The actions of the holes that are written at the top level: which forms are to be learnt."""
    graph, names = example.graph, load_vocabulary().actions
    tops = graph.is_hole & (graph.role == load_vocabulary().role_index["program.1"])
    return [names[action] for action in graph.action[tops].tolist()]


def test_a_batch_follows_from_its_seed_and_number() -> None:
    assert_same(batches()[2], batches()[2])
    assert_same(batches()[2], batches(first=2)[0])  # as a run asks that goes on from step 2
    assert not torch.equal(batches()[2][0], batches()[3][0])
    assert not torch.equal(batches()[2][0], batches(seed=2)[2][0])


def test_worker_processes_give_the_same_batches_in_order() -> None:
    loader = DataLoader(batches(), batch_size=None, num_workers=2)
    for one, other in zip(loader, [batches()[k] for k in range(4)], strict=True):
        assert_same(one, other)


def test_there_are_as_many_batches_as_steps_left() -> None:
    assert len(batches(first=1, last=4)) == 3
    with pytest.raises(IndexError):
        batches(first=1, last=4)[3]


def test_a_batch_has_the_stated_shapes() -> None:
    target, drawing, graph = batches()[0]
    assert target.shape == drawing.shape == (4, 3, 64, 64)
    assert target.dtype == drawing.dtype == torch.uint8
    assert graph.num_graphs == 4
    holes = int(graph.is_hole.sum())
    assert graph.legal.shape == (holes, len(load_vocabulary().actions))
    assert graph.legal[torch.arange(holes), graph.action[graph.is_hole]].all()  # every answer is legal
    assert (graph.edge_index[0] < graph.edge_index[1]).all()  # from earlier to later only
    points = graph.is_hole & torch.isin(graph.action, located_points())
    assert (graph.place[points] >= 0).all()


def located_points() -> torch.Tensor:
    index = load_vocabulary().action_index
    return torch.tensor([index[f"locate:{kind}"] for kind in ("point", "extent", "diameters")])


def test_layers_are_drawn_one_after_another() -> None:
    drawings, shares = draw_layers(BOXES, WHITE)
    assert len(drawings) == 4
    # A box of 32 x 32 units is 16 x 16 pixels, its corner at pixel 4 (8 units); the next one 20 pixels on.
    assert shares == [256.0] * 3
    for k in range(3):
        inside = (slice(4, 20), slice(4 + 20 * k, 20 + 20 * k))
        assert np.allclose(drawings[k][inside], 1.0)
        assert np.allclose(drawings[k + 1][inside], np.array(BOXES[k].fill) / 255)
    assert np.abs(drawings[3] - drawings[2])[:, :44].max() == 0


@pytest.mark.parametrize("kind", sorted(SAMPLERS))
def test_the_last_drawing_is_what_the_program_draws(kind: str) -> None:
    for seed in range(5):
        layers, background = sample_layers(kind, np.random.default_rng(seed))
        last = draw_layers(layers, background)[0][-1]
        program = write_program(layers, (128, 128), background)
        # The renderer rounds to 8 bits after each layer; many translucent ones add up to a few steps.
        assert np.abs(last - data.paint_forms(program.children[1:])).max() < 6 / 255


def test_hidden_layers_are_pruned() -> None:
    small, cover = Layer(ellipse(24, 24, 20, 20), BLUE), Layer(rect(4, 4, 40, 40), RED)
    off, invisible = Layer(rect(200, 0, 20, 20), RED), Layer(rect(60, 60, 20, 20), WHITE)
    beside, thin = Layer(rect(80, 8, 32, 32), GREEN), Layer(line(0, 100, 127, 100), stroke=RED, weight=2)
    assert prune([small, cover, off, invisible, beside, thin], WHITE) == [cover, beside, thin]
    assert prune([cover, small], WHITE) == [cover, small]
    over_all = Layer(rect(0, 0, 128, 128), GREEN)
    assert prune([small, cover, over_all], WHITE) == [over_all]
    assert prune([], WHITE) == []


def test_a_task_of_one_part_writes_just_that_form() -> None:
    scene, rng = scene_of(BOXES), np.random.default_rng(0)
    wanted = [
        ["production:background"],
        ["production:fill", "production:no_stroke", "production:rect"],
        ["production:fill", "production:rect"],
        ["production:fill", "production:rect"],
        ["end"],
    ]
    for part, heads in enumerate(wanted):
        assert heads_of(make_example(scene, Task(part, part), rng)) == heads
    rest = make_example(scene, Task(2, 4), rng)
    assert heads_of(rest) == [*wanted[2], *wanted[3], "end"]


def test_context_is_what_was_written_before() -> None:
    graph = make_example(scene_of(BOXES), Task(3, 3), np.random.default_rng(0)).graph
    # Before: background 2 (form, colour), fill 2, no-stroke 1, rect 3, fill 2, rect 3 = 13 decisions.
    assert int((~graph.is_hole).sum()) == 13 <= CONTEXT
    assert int(graph.is_hole.sum()) == 5


def test_the_drawing_of_an_insertion_lacks_exactly_the_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "jitter", lambda layer, rng, spread: layer)
    scene = scene_of(BOXES)
    drawing = draw_for(scene, Task(2, 2, insert=True), np.random.default_rng(0))
    lacking = draw_layers([BOXES[0], BOXES[2]], WHITE)[0][-1]
    assert np.array_equal(drawing, lacking)
    differs = np.abs(drawing - scene.drawings[-1]).max(2) > 0
    assert differs.sum() == 256 and differs[4:20, 24:40].all()


def test_drawings_are_often_perfect_and_sometimes_moved() -> None:
    scene, perfect = scene_of(BOXES), 0
    for seed in range(200):
        drawing = draw_for(scene, Task(3, 3), np.random.default_rng(seed))
        perfect += np.array_equal(drawing, scene.drawings[2])
        assert np.abs(drawing - scene.drawings[2])[40:].max() == 0  # nothing moves that far
    # Perfect in 6 of 10, and of the others a quarter has no noise, and 0.4 ** 2 of the rest moves neither layer.
    share = 0.6 + 0.4 * (0.25 + 0.75 * 0.16)
    assert abs(perfect - 200 * share) < 3 * np.sqrt(200 * share * (1 - share))
    blank = draw_for(scene, Task(0, 0), np.random.default_rng(0))
    assert np.allclose(blank, 204 / 255)  # Processing's own background


def test_every_part_of_a_scene_comes_up() -> None:
    tasks = [choose_task(3, np.random.default_rng(seed)) for seed in range(400)]
    assert {task.first for task in tasks} == {0, 1, 2, 3, 4}
    assert all(task.first <= task.last <= 4 for task in tasks)
    # Inserting last is writing on; what is inserted may be several layers, but one at least lies above them.
    assert {(task.first, task.last) for task in tasks if task.insert} == {(1, 1), (1, 2), (2, 2)}


def test_a_colour_s_place_shows_it() -> None:
    colors = load_vocabulary().action_index["locate:color"]
    for seed in range(10):
        example = make_example(scene_of(BOXES), Task(0, 4), np.random.default_rng(seed))
        graph = example.graph
        for place, color in zip(graph.place[graph.action == colors], graph.color[graph.action == colors], strict=True):
            row, column = divmod(int(place), 41)
            assert example.target[(row - 4) * 2, (column - 4) * 2].tolist() == pytest.approx(color.tolist(), abs=12)


def test_targets_to_draw_are_sampled_pictures() -> None:
    one, same = (data.sample_targets(MIXTURE, np.random.default_rng(3), 2) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert all(p.shape == (64, 64, 3) and 0 <= p.min() <= p.max() <= 1 for p in one)
    assert all(not np.array_equal(a, b) for a, b in itertools.pairwise(one))


def test_grammars_of_other_forms_are_told(tmp_path: Path) -> None:
    toy = read_language("toy", 'program: form*\nform: "(" "dot" ")"\n%ignore /\\s+/\n')
    with pytest.raises(ConfigError, match="grammar 'toy' cannot write what the samplers draw"):
        data.require_samplers(Vocabulary(toy), MIXTURE)
    source = load_language().source.replace("mark: rect | rect_rounded", "mark: rect_rounded")
    fewer = read_language("fewer", "\n".join(row for row in source.split("\n") if not row.startswith("rect:")))
    data.require_samplers(Vocabulary(fewer), MIXTURE)  # without rectangles there is still something to learn
