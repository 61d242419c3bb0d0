"""The shipped learner's network on the pairs, as a system among the others: the same examples, losses and writing."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from treesketch.actions import Vocabulary, load_vocabulary
from treesketch.data import (
    Example,
    Scene,
    Written,
    choose_task,
    collate,
    compose,
    make_example,
    paint_forms,
    write_scene,
)
from treesketch.derivation import UnencodableError
from treesketch.experiments.pairs import Pairs
from treesketch.experiments.system import Settings, Writer, score_columns
from treesketch.experiments.tries import search_forms
from treesketch.layers import read_layers
from treesketch.model.abreast import draw_abreast
from treesketch.model.network import ModelConfig, Network
from treesketch.model.weights import describe, load_network
from treesketch.syntax import parse, unparse
from treesketch.tree import Node

SIZE = Node("size", (Node("dimension", (), 128.0), Node("dimension", (), 128.0)))


@dataclass(frozen=True, slots=True)
class TreeSettings(Settings):
    """parts: how many parts of its program each pair teaches; units: forms that draw, at most, in a program written.

    The other keys are `ModelConfig`'s.
    """

    parts: int = 1
    units: int = 12
    width: int = 96
    heads: int = 3
    grid_layers: int = 1
    tree_layers: int = 3

    def model(self) -> ModelConfig:
        """The network's sizes."""
        return ModelConfig(self.width, self.heads, self.grid_layers, self.tree_layers)


class TreeDecoder(Writer):
    """The grammar-constrained tree decoder, which looks at its drawing again after each form."""

    settings_type = TreeSettings
    columns = ("action", "point", "color", *score_columns("scenes", "characters", "real"))

    def __init__(self, settings: TreeSettings):
        super().__init__(settings)
        self.vocabulary = load_vocabulary("sketch")

    def build(self) -> nn.Module:
        """The shipped learner's network."""
        return Network(self.vocabulary, self.settings.model())

    def start(self, module: nn.Module, path: Path) -> None:
        """Any weights that `draw --weights` takes; rows by name, so that the grammar may have grown since."""
        module.load_state_dict(load_network(path, "sketch").state_dict())

    def describe(self, module: nn.Module) -> dict[str, str]:
        """What makes these weights ones that `draw --weights` takes."""
        assert isinstance(module, Network)
        return describe(module, "sketch", {})

    def make(self, pairs: Pairs, numbers: Sequence[int], rng: np.random.Generator) -> Any:
        """(targets, drawings, graphs) of parts of the pairs' programs; a program that cannot be written is left out."""
        examples: list[Example] = []
        for scene, written in write_scenes(self.vocabulary, pairs, numbers):
            for _ in range(self.settings.parts):
                task = choose_task(len(scene.layers), rng)
                examples.append(make_example(self.vocabulary, scene, written, task, rng))
        return collate(examples)

    def losses(self, module: nn.Module, batch: Any, rng: np.random.Generator) -> dict[str, Tensor]:
        """The losses of `Network.forward`, in nats a decision."""
        target, drawing, graph = batch
        losses: dict[str, Tensor] = module(graph, target.float() / 255, drawing.float() / 255)
        return losses

    def write(self, module: nn.Module, targets: Sequence[np.ndarray]) -> list[str]:
        """Form by form, with a look at the drawing after each."""
        assert isinstance(module, Network)
        rng = np.random.default_rng(0)
        return [unparse_forms(forms) for forms in draw_abreast(module, targets, self.paint, self.settings.units, rng)]

    def search(self, module: nn.Module, targets: Sequence[np.ndarray], looks: int) -> list[str]:
        """The best of a few next forms at each state of the drawing."""
        assert isinstance(module, Network)
        rng = np.random.default_rng(0)
        return [unparse_forms(forms) for forms in search_forms(module, targets, looks, self.paint, rng)]

    def paint(self, forms: Sequence[Node]) -> np.ndarray:
        """What forms draw, (64, 64, 3) in 0..1: one render."""
        self.renders += 1
        return paint_forms(forms)


def write_scenes(vocabulary: Vocabulary, pairs: Pairs, numbers: Sequence[int]) -> Iterator[tuple[Scene, Written]]:
    """The scenes of pairs with these numbers and what writes them, without those that the actions cannot write."""
    for number in numbers:
        layers, ground = read_layers(parse(pairs.programs[number]).children)
        assert ground is not None
        scene = compose(layers, ground)
        with contextlib.suppress(UnencodableError):
            yield scene, write_scene(vocabulary, scene)


def unparse_forms(forms: Sequence[Node]) -> str:
    """The text of a program of forms on the square canvas."""
    return unparse(Node("program", (SIZE, *forms)))
