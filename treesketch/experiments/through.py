"""Learning through a renderer: pairs in; beside the source loss, the tree decoder learns from the picture of its form.

At some of a batch's states the next form is taken with the network's expected places, colours and numbers (`relaxed`),
drawn on the drawing so far and compared with that drawing after the true form. The loss is the share of what the true
form changes that the expected one leaves undone. What draws is the exact differentiable renderer, or a neural one whose
weights stay as they are: the ancestor's idea of learning through a renderer that was learnt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from treesketch.actions import Vocabulary
from treesketch.data import SIZE, Example, Scene, choose_task, collate, make_example
from treesketch.errors import ConfigError
from treesketch.experiments.painted import draw_neurally, load_painter
from treesketch.experiments.pairs import Pairs
from treesketch.experiments.relaxed import DrawForms, Form, draw_exactly, expect, read_form
from treesketch.experiments.system import score_columns
from treesketch.experiments.tree_decoder import TreeDecoder, TreeSettings, write_scenes
from treesketch.model.network import Network

LEAST_CHANGE = 3.0  # squared error of a picture, summed: forms that change less than this count less


@dataclass(frozen=True, slots=True)
class ThroughSettings(TreeSettings):
    """through: "none" (the source loss alone), "soft" or "neural", whose weights are the file `renderer`.

    picture is the weight of the picture loss; `drawn` forms of a batch are drawn.
    """

    through: str = "soft"
    renderer: str = ""
    picture: float = 0.3
    drawn: int = 16


@dataclass(frozen=True, slots=True)
class Lesson:
    """A batch of the tree decoder's, and the next forms of some of its examples, `owners`.

    after (F, 3, 64, 64) in 0..1 is each one's drawing with the true form.
    """

    batch: Any
    owners: list[int]
    forms: list[Form]
    after: Tensor


class Through(TreeDecoder):
    """The tree decoder, learning from source and from the pictures of expected forms."""

    settings_type = ThroughSettings
    columns = ("source", "undone", *score_columns("scenes", "characters", "real"))

    def __init__(self, settings: ThroughSettings):
        super().__init__(settings)
        if settings.through not in ("none", "soft", "neural"):
            raise ConfigError(f"'through' takes none, soft or neural, got '{settings.through}'")
        if settings.through == "neural" and not settings.renderer:
            raise ConfigError("through=neural takes the weights of a neural renderer, as 'renderer'")
        if settings.drawn < 1:
            raise ConfigError(f"'drawn' takes a whole number from 1 up, got {settings.drawn}")
        self.sources = TreeDecoder(settings)
        self.draw: DrawForms | None = None
        if settings.through == "soft":
            self.draw = draw_exactly
        elif settings.through == "neural":
            painter = load_painter(Path(settings.renderer)).requires_grad_(False).eval()
            self.draw = partial(draw_neurally, painter)

    def make(self, pairs: Pairs, numbers: Sequence[int], rng: np.random.Generator) -> Lesson:
        """The tree decoder's examples of these pairs, and the forms that are next in some of them."""
        return make_lesson(self.vocabulary, pairs, numbers, self.settings.parts, self.settings.drawn, rng)

    def losses(self, module: nn.Module, batch: Any, rng: np.random.Generator) -> dict[str, Tensor]:
        """The source loss in nats a decision, and how much the expected forms leave undone."""
        assert isinstance(module, Network)
        target, drawing, graph = batch.batch
        target, drawing = target.float() / 255, drawing.float() / 255
        cells, keys = module.look(target, drawing)
        read = module.read(graph, cells, keys)
        source = module.judge(graph, target, cells, keys, read)["loss"]
        losses = {"loss": source, "source": source.detach()}
        if self.draw is None or not batch.forms:
            return losses
        assert keys is not None
        with torch.autocast("cpu", enabled=False):
            values = expect(module, batch.forms, batch.owners, graph, read[graph.num_nodes :], keys, target)
            before = drawing[batch.owners]
            undone = undone_share(self.draw(batch.forms, values, before), before, batch.after)
        losses["loss"] = source + self.settings.picture * undone
        return losses | {"undone": undone.detach()}

    def held_out_loss(self, module: nn.Module) -> float:
        """The loss on held-out pairs, that of the tree decoder."""
        return self.sources.held_out_loss(module)


def make_lesson(
    vocabulary: Vocabulary, pairs: Pairs, numbers: Sequence[int], parts: int, drawn: int, rng: np.random.Generator
) -> Lesson:
    """`parts` examples of each of these pairs, and up to `drawn` forms that are next in them."""
    examples: list[Example] = []
    owners: list[int] = []
    forms: list[Form] = []
    after: list[np.ndarray] = []
    for scene, written in write_scenes(vocabulary, pairs, numbers):
        for _ in range(parts):
            task = choose_task(len(scene.layers), rng)
            examples.append(make_example(vocabulary, scene, written, task, rng))
            if 0 < task.first <= len(scene.layers) and len(forms) < drawn:
                if form := read_form(vocabulary, scene, written, task.first):
                    owners.append(len(examples) - 1)
                    forms.append(form)
                    after.append(draw_next(examples[-1].drawing, scene, task.first))
    pictures = torch.from_numpy(np.stack(after)) if after else torch.zeros(0, 3, *SIZE)
    return Lesson(collate(examples), owners, forms, pictures)


def draw_next(drawing: np.ndarray, scene: Scene, number: int) -> np.ndarray:
    """A drawing (64, 64, 3) uint8 with a scene's layer `number` (from 1) on it: (3, 64, 64) float32 in 0..1."""
    picture = drawing.transpose(2, 0, 1).astype(np.float32) / 255
    for cover, color in scene.covers[number - 1]:
        picture = picture + (color - picture) * cover
    return picture


def undone_share(drawn: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """Mean over pictures (F, 3, 64, 64): squared error to what the true form makes, over what that changes."""
    wrong, change = ((there - after).square().sum((1, 2, 3)) for there in (drawn, before))
    return (wrong / (change + LEAST_CHANGE)).mean()
