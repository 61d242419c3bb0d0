"""Restoring: what is done to pictures, the network that undoes it, its weights on disk, and what `draw` makes of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from treesketch.batch import Drawn, Job, draw_each
from treesketch.cli import main
from treesketch.errors import CheckpointError
from treesketch.experiments.restorer import SIDE, change, draw
from treesketch.experiments.scoring import distance
from treesketch.model.weights import read_tensors
from treesketch.picture import Picture, Pixels, to_bytes
from treesketch.restoring.network import LEVELS, PASSES, REACH, SPREAD, Restorer, RestorerConfig, smooth
from treesketch.restoring.restore import describe, load_restorer, load_shipped_restorer, restore, restored
from treesketch.restoring.spoil import compress, spoil

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.clj"))
DISC = "(size 128 128) (background 250 240 230) (fill 200 30 40) (no-stroke) (ellipse 50 60 44 30)"
SMALL = RestorerConfig(width=4, blocks=1)


def noisy(pixels: Pixels) -> Pixels:
    noise = np.random.default_rng(0).normal(0, 0.04, pixels.shape).astype(np.float32)
    return (to_bytes(pixels + noise) / np.float32(255)).astype(np.float32)


def jpeg(pixels: Pixels) -> Pixels:
    return compress(pixels, 40)


def picture_of(pixels: Pixels) -> Picture:
    return Picture(pixels, "it", (128, 128))


# What is done to pictures


def test_a_picture_is_spoilt_the_same_way_by_the_same_chance() -> None:
    clean = draw(DISC, 64)
    found = [spoil(clean, np.random.default_rng(k)) for k in (1, 1, *range(2, 60))]
    assert np.array_equal(found[0], found[1])
    for each in found:
        assert each.shape == (64, 64, 3) and each.dtype == np.float32
        assert np.allclose(each * 255, np.round(each * 255), atol=1e-3) and 0 <= each.min() and each.max() <= 1
    errors = [distance(each, clean) for each in found[1:]]
    assert 1 <= sum(error < 1e-3 for error in errors) <= 15  # some stay as they are
    assert 0.005 < np.median(errors) < 0.06 and max(errors) < 0.2


def test_compression_is_that_of_a_jpeg_file(tmp_path: Path) -> None:
    clean = draw(DISC, 64)
    Image.fromarray(to_bytes(clean)).save(tmp_path / "a.jpg", quality=30)
    there = np.asarray(Image.open(tmp_path / "a.jpg"), np.float32) / 255
    assert distance(compress(clean, 30), there) < 1e-6
    assert distance(compress(clean, 20), clean) > distance(compress(clean, 80), clean) > 0


def test_a_lesson_is_a_part_in_other_colours() -> None:
    picture = draw(DISC, 200)
    for k in range(20):
        part = change(picture, SIDE, np.random.default_rng(k))
        assert part.shape == (SIDE, SIDE, 3) and 0 <= part.min() and part.max() <= 1


# The network


@pytest.mark.parametrize("size", [(128, 128), (1, 1), (7, 65), (64, 3)])
def test_pictures_keep_their_size_and_plain_ones_their_colour(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    noise = np.random.default_rng(0).random((*size, 3)).astype(np.float32)
    assert restore(Restorer(SMALL), noise).shape == (*size, 3)
    plain = np.broadcast_to(np.array([51, 102, 204], np.float32) / 255, (*size, 3))
    assert np.allclose(restore(Restorer(SMALL), plain), plain, atol=1e-6)


def test_a_pass_of_smoothing_is_a_bilateral_filter() -> None:
    pixels = np.random.default_rng(1).random((9, 7, 3)) * 0.3
    (unlike, apart), expected = PASSES[0], np.zeros((9, 7, 3))
    assert apart == 1
    for y in range(9):
        for x in range(7):
            total = 0.0
            for v in range(max(0, y - REACH), min(9, y + REACH + 1)):
                for u in range(max(0, x - REACH), min(7, x + REACH + 1)):
                    near = ((v - y) ** 2 + (u - x) ** 2) / SPREAD**2
                    alike = ((pixels[v, u] - pixels[y, x]) ** 2).sum() / unlike**2
                    weight = np.exp(-(near + alike) / 2)
                    expected[y, x] += weight * pixels[v, u]
                    total += weight
            expected[y, x] /= total
    levels = smooth(torch.from_numpy(pixels).permute(2, 0, 1)[None])
    assert levels.shape == (1, LEVELS, 3, 9, 7)
    assert np.array_equal(levels[0, 0].permute(1, 2, 0), pixels)
    assert np.allclose(levels[0, 1].permute(1, 2, 0), expected, atol=1e-9)


def test_a_restorer_learns() -> None:
    torch.manual_seed(0)
    restorer, rng = Restorer(RestorerConfig(width=8, blocks=1)), np.random.default_rng(0)
    clean = torch.from_numpy(np.stack([change(draw(DISC, 144), SIDE, rng) for _ in range(4)])).permute(0, 3, 1, 2)
    spoilt = (clean + 0.05 * torch.randn(clean.shape)).clamp(0, 1)
    optimiser = torch.optim.Adam(restorer.parameters(), 3e-3)
    losses = []
    for _ in range(40):
        loss = (restorer(spoilt) - clean).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0] < 0.5 * (spoilt - clean).abs().mean()


# Weights


def test_weights_come_back(tmp_path: Path) -> None:
    torch.manual_seed(0)
    restorer = Restorer(SMALL)
    torch.nn.init.normal_(restorer.leave.weight, std=0.01)
    save_file(restorer.state_dict(), tmp_path / "w.safetensors", {"format": "treesketch-1", **describe(restorer)})
    pixels = draw(DISC, 32)
    assert np.array_equal(restore(load_restorer(tmp_path / "w.safetensors"), pixels), restore(restorer, pixels))


@pytest.mark.parametrize(
    ("spoils", "message"),
    [
        (lambda tensors, notes: notes.pop("model"), "the weights lack their description"),
        (lambda tensors, notes: notes.update(model="[]"), "the weights lack their description"),
        (lambda tensors, notes: notes.update(model='{"width": 9}'), "the weights lack their description"),
        (
            lambda tensors, notes: notes.update(model='{"width": 1000000, "blocks": 1}'),
            "the weights' width is 1000000; it goes from 1 to 128",
        ),
        (
            lambda tensors, notes: notes.update(model='{"width": 4, "blocks": "many"}'),
            "the weights' blocks is 'many'; it goes from 1 to 8",
        ),
        (lambda tensors, notes: tensors.pop("leave.bias"), "tensor 'leave.bias' is missing"),
        (lambda tensors, notes: tensors.update({"leave.bias": torch.zeros(3)}), "tensor 'leave.bias' is missing, of"),
        (lambda tensors, notes: tensors["leave.bias"].fill_(torch.nan), "tensor 'leave.bias' is missing, of another"),
    ],
)
def test_what_is_wrong_with_weights_is_told(
    spoils: Callable[[dict[str, torch.Tensor], dict[str, str]], object], message: str, tmp_path: Path
) -> None:
    tensors, notes = Restorer(SMALL).state_dict(), {"format": "treesketch-1", **describe(Restorer(SMALL))}
    spoils(tensors, notes)
    save_file(tensors, tmp_path / "w.safetensors", notes)
    with pytest.raises(CheckpointError, match=message) as told:
        load_restorer(tmp_path / "w.safetensors")
    assert "\n" not in str(told.value)


def test_the_shipped_weights_say_what_trained_them() -> None:
    _, notes = read_tensors(ROOT / "treesketch" / "weights" / "restorer.safetensors")
    config = json.loads(notes["config"])
    assert config["system"] == "restorer" and config["seed"] == int(notes["seed"])
    assert int(notes["step"]) == config["steps"] and notes["revision"] != "unknown"


# What the shipped weights do


@pytest.mark.parametrize("program", EXAMPLES, ids=lambda path: path.stem)
def test_what_was_drawn_stays_as_it_is(program: Path) -> None:
    picture = picture_of(draw(program.read_text(), 128))
    assert restored(picture, load_shipped_restorer()) is picture


@pytest.mark.parametrize(("spoils", "left"), [(jpeg, 0.85), (noisy, 0.5)])
@pytest.mark.parametrize("program", EXAMPLES, ids=lambda path: path.stem)
def test_noise_and_compression_are_undone(program: Path, spoils: Callable[[Pixels], Pixels], left: float) -> None:
    clean = draw(program.read_text(), 128)
    spoilt = spoils(clean)
    found = restored(picture_of(spoilt), load_shipped_restorer())
    assert distance(found.pixels, clean) < left * distance(spoilt, clean)


def test_a_larger_picture_is_restored_at_its_canvas_size_and_an_svg_is_not() -> None:
    spoilt = jpeg(draw(EXAMPLES[0].read_text(), 192))
    picture = Picture(spoilt, "it", (128, 128))
    assert restored(picture, load_shipped_restorer()).pixels.shape == (128, 128, 3)
    vector = replace(picture, vector=True)
    assert restored(vector, load_shipped_restorer()) is vector


def test_a_compressed_picture_is_drawn_as_it_was_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clean = draw((ROOT / "examples" / "ghana.clj").read_text(), 128)
    Image.fromarray(to_bytes(jpeg(clean))).save(tmp_path / "flag.png")
    errors, numbers = {}, {}
    for network in (True, False):
        job = Job(tmp_path / "flag.png", (("renders", 300), ("seconds", np.inf)), network)
        ((_, drawn),) = draw_each([job])
        assert isinstance(drawn, Drawn)
        errors[network] = distance(draw(drawn.program, 128), clean)
        numbers[network] = len(drawn.program)
        assert (drawn.restored is None) is not network
        assert network is False or drawn.restored < 0.5 * drawn.rmse
    assert errors[True] < 0.5 * errors[False] and numbers[True] < numbers[False]
    assert main(["draw", str(tmp_path / "flag.png"), "-o", str(tmp_path / "flag.clj"), "--renders", "100"]) == 0
    assert "to the picture without its noise), " in capsys.readouterr().err
