"""A writer and a neural renderer trained together, as the ancestor dreamt it: pairs in, both networks out.

The writer is the tree decoder. Beside the source it learns to make the renderer's picture of its expected form like the
true one, so it goes wherever the renderer errs in its favour. The renderer learns what the exact renderer says of just
these forms, so it takes such favours away. `undone` is what the writer leaves undone by the renderer's own account and
`truly_undone` by the exact renderer's: where the first is much less, the writer has fooled its partner.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from treesketch.actions import CANVAS
from treesketch.errors import ConfigError, SketchError
from treesketch.experiments.forms import FormGraph, join_graphs, layers_to_graph
from treesketch.experiments.painted import draw_neurally, load_painter
from treesketch.experiments.painter import Painter, PainterConfig, cover_loss
from treesketch.experiments.pairs import Pairs
from treesketch.experiments.relaxed import LEAST_WEIGHT, PAINT, WEIGHT, Form, draw_exactly, expect, put_numbers
from treesketch.experiments.renderer import choose_pixels, cover_exactly
from treesketch.experiments.system import Report, score_columns
from treesketch.experiments.through import Lesson, make_lesson, undone_share
from treesketch.experiments.tree_decoder import TreeDecoder, TreeSettings
from treesketch.layers import Layer
from treesketch.model.encoder import RESOLUTION
from treesketch.model.network import Network
from treesketch.model.weights import read_tensors

WHITE = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class AdversarialSettings(TreeSettings):
    """writer and renderer are the weights that the two begin with; "" begins anew, the renderer in its usual sizes.

    picture weighs the writer's loss of pictures, cover the renderer's loss at `pixels` pixels of each form; `drawn`
    forms of a batch are drawn.
    """

    writer: str = ""
    renderer: str = ""
    picture: float = 0.3
    cover: float = 1.0
    drawn: int = 8
    pixels: int = 96


class Pair(nn.Module):
    """The two networks."""

    def __init__(self, writer: Network, painter: Painter):
        super().__init__()
        self.writer, self.painter = writer, painter


class Adversarial(TreeDecoder):
    """The tree decoder and the neural renderer, each learning from the other."""

    settings_type = AdversarialSettings
    columns = (
        *("source", "undone", "truly_undone", "cover", "renders"),
        *score_columns("scenes", "characters", "real"),
    )

    def __init__(self, settings: AdversarialSettings):
        super().__init__(settings)
        if settings.drawn < 1 or settings.pixels < 2:
            raise ConfigError("'drawn' takes a whole number from 1 up, 'pixels' from 2 up")
        self.sources = TreeDecoder(settings)

    def start(self, module: nn.Module, path: Path) -> None:
        """The weights of both, from another run of this system."""
        module.load_state_dict(read_tensors(path)[0])

    def describe(self, module: nn.Module) -> dict[str, str]:
        """Nothing: there are two networks in one file."""
        return {}

    def build(self) -> nn.Module:
        """Both networks, with the weights to begin with."""
        writer = self.sources.build()
        assert isinstance(writer, Network)
        if self.settings.writer:
            path = Path(self.settings.writer)
            try:
                writer.load_state_dict(read_tensors(path)[0])
            except RuntimeError:
                told = "these weights are not those of a tree decoder of this size"
                raise ConfigError(told, file=str(path)) from None
        painter = load_painter(Path(self.settings.renderer)) if self.settings.renderer else Painter(PainterConfig())
        return Pair(writer, painter)

    def make(self, pairs: Pairs, numbers: Sequence[int], rng: np.random.Generator) -> Lesson:
        """As `through` has them."""
        return make_lesson(self.vocabulary, pairs, numbers, self.settings.parts, self.settings.drawn, rng)

    def losses(self, module: nn.Module, batch: Any, rng: np.random.Generator) -> dict[str, Tensor]:
        """The writer's loss and the renderer's, which share no gradient."""
        assert isinstance(module, Pair)
        writer, painter = module.writer, module.painter
        target, drawing, graph = batch.batch
        target, drawing = target.float() / 255, drawing.float() / 255
        cells, keys = writer.look(target, drawing)
        assert keys is not None
        read = writer.read(graph, cells, keys)
        source = writer.judge(graph, target, cells, keys, read)["loss"]
        losses = {"loss": source, "source": source.detach()}
        if not batch.forms:
            return losses
        with torch.autocast("cpu", enabled=False):
            values = expect(writer, batch.forms, batch.owners, graph, read[graph.num_nodes :], keys, target)
            before = drawing[batch.owners]
            painter.requires_grad_(False)
            undone = undone_share(draw_neurally(painter, batch.forms, values, before), before, batch.after)
            painter.requires_grad_(True)
            fixed = [own.detach() for own in values]
            with torch.no_grad():
                truly = undone_share(draw_exactly(batch.forms, fixed, before), before, batch.after)
            cover, renders = self._cover(painter, batch.forms, fixed, rng)
        losses["loss"] = source + self.settings.picture * undone + self.settings.cover * cover
        told = {"undone": undone, "truly_undone": truly, "cover": cover, "renders": torch.tensor(float(renders))}
        return losses | {name: value.detach() for name, value in told.items()}

    def _cover(
        self, painter: Painter, forms: Sequence[Form], values: Sequence[Tensor], rng: np.random.Generator
    ) -> tuple[Tensor, int]:
        """How far the renderer is from the exact one, in nats a pixel, and how many forms that drew."""
        graphs: list[FormGraph] = []
        places, shares = [], []
        for form, own in zip(forms, values, strict=True):
            layer = with_values(form, own)
            try:
                exact = cover_exactly(layer)
            except SketchError:
                continue
            chosen = choose_pixels(exact, self.settings.pixels, rng)
            graphs.append(layers_to_graph([layer], WHITE))
            places.append(np.stack([chosen % RESOLUTION, chosen // RESOLUTION], -1) + 0.5)
            shares.append(exact.reshape(-1, 2)[chosen])
        if not graphs:
            return torch.zeros(()), 0
        graph = join_graphs(graphs)
        there = torch.from_numpy(np.stack(places)).float() * (CANVAS / RESOLUTION)
        logits = painter.cover(graph, painter.encode(graph), there)
        return cover_loss(logits, torch.from_numpy(np.stack(shares)).float(), graph.painted), len(graphs)

    def held_out_loss(self, module: nn.Module) -> float:
        """The loss on held-out pairs, that of the tree decoder."""
        assert isinstance(module, Pair)
        return self.sources.held_out_loss(module.writer)

    def measure(self, module: nn.Module, pictures: int, looks: int = 0) -> Report:
        """What the writer is worth."""
        assert isinstance(module, Pair)
        return self.sources.measure(module.writer, pictures, looks)


def with_values(form: Form, values: Tensor) -> Layer:
    """The layer of a form with these values (PAINT + K,), its colours as they were."""
    own = values.double().numpy()
    shape = put_numbers(form.layer.shape, own[PAINT:])
    return replace(form.layer, shape=shape, weight=max(float(own[WEIGHT]), LEAST_WEIGHT))
