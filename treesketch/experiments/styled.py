"""The tree decoder asked for a style: pairs written anew in each hand, and how well it keeps to the one asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from treesketch.data import MAX_HOLES, Example, collate
from treesketch.derivation import UnencodableError, encode
from treesketch.experiments.pairs import Pairs
from treesketch.experiments.scoring import draw, read_valid, score
from treesketch.experiments.system import Picture, Report, show_drawn
from treesketch.experiments.tree_decoder import TreeDecoder, TreeSettings, unparse_forms
from treesketch.model.graph import CONTEXT, FORMS, FORMS_ROLE, decisions_to_graph, keep_recent
from treesketch.model.network import HANDS, Network
from treesketch.model.places import point_at_color
from treesketch.model.write import draw_alone
from treesketch.picture import to_bytes
from treesketch.styles import STYLES
from treesketch.styles.recognise import recognise
from treesketch.styles.restyle import restyle
from treesketch.syntax import parse
from treesketch.tree import Node


@dataclass(frozen=True, slots=True)
class StyledSettings(TreeSettings):
    """The tree decoder's; `plain` is the share of pairs that stay as the samplers wrote them, with no style asked."""

    plain: float = 0.2
    units: int = 24


class StyledDecoder(TreeDecoder):
    """The tree decoder that is told which hand to write in."""

    settings_type = StyledSettings
    columns = (
        "action",
        "point",
        "color",
        *(f"{style}_{what}" for style in STYLES for what in ("rmse", "kept", "told")),
    )

    def make(self, pairs: Pairs, numbers: Sequence[int], rng: np.random.Generator) -> Any:
        """(targets, drawings, graphs) of parts of the pairs' programs in random hands."""
        examples = []
        for number in numbers:
            tree, style = parse(pairs.programs[number]), ""
            if rng.random() >= self.settings.plain:
                style = str(rng.choice(list(STYLES)))
                tree = restyle(tree, style)
            try:
                examples.append(self._example(tree, style, pairs.picture(number), rng))
            except UnencodableError:
                continue
        return collate(examples)

    def _example(self, tree: Node, style: str, target: np.ndarray, rng: np.random.Generator) -> Example:
        forms = tree.children[1:]
        decisions = encode(self.vocabulary, forms, FORMS, FORMS_ROLE)
        tops = [i for i, decision in enumerate(decisions) if decision.parent < 0]
        begin = int(rng.integers(len(tops)))
        end = min(begin + int(rng.choice([1, 2, 3, 20])), len(tops))
        first, last = tops[begin], tops[end] if end < len(tops) else len(decisions)
        recent = decisions[: min(last, first + MAX_HOLES)]
        recent = keep_recent(recent, len(recent) - max(0, first - CONTEXT))
        seen = target.astype(np.float32) / 255
        answers = [point_at_color(d.answer, seen, rng) for d in recent if d.answer]
        size = len(self.vocabulary.actions)
        graph = decisions_to_graph(recent, answers, min(first, CONTEXT), size, HANDS.index(style))
        drawing = draw(Node("program", (tree.children[0], *forms[:begin])))
        assert drawing is not None
        return Example(target, to_bytes(drawing), graph)

    def measure(self, module: nn.Module, pictures: int, looks: int = 0) -> Report:
        """For each style, on held-out scenes: rmse; `kept`, the share of programs that are in the style asked for;
        `told`, that share of the pairs' own programs in that style, which is what can be hoped for."""
        assert isinstance(module, Network)
        values: dict[str, float] = {}
        examples: dict[str, list[Picture]] = {}
        pairs = self.sets(pictures)["scenes"]
        targets = [pairs.picture(k).astype(np.float32) / 255 for k in range(len(pairs))]
        for style in STYLES:
            rng = np.random.default_rng(0)
            told = [restyle(parse(program), style) for program in pairs.programs]
            units = self.settings.units
            texts = [
                unparse_forms(draw_alone(module, target, self.paint, units, rng, style=style)) for target in targets
            ]
            trees = [read_valid(text) for text in texts]
            values[f"{style}_rmse"] = score(texts, targets, pairs.programs).rmse
            values[f"{style}_kept"] = float(np.mean([tree is not None and recognise(tree) == style for tree in trees]))
            values[f"{style}_told"] = float(np.mean([recognise(tree) == style for tree in told]))
            examples[style] = [show_drawn(*each) for each in zip(texts[:12], targets[:12], strict=True)]
        return Report(values, examples)
