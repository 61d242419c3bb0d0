"""Learning from true renders: pictures without programs in; what the network writes is drawn, and it learns from that.

Each step draws `targets` pictures form by form. At each state of a drawing the network writes `samples` next forms, the
first by its likeliest choices, and the exact renderer draws them all. The reward of a form is what it takes from the
squared error, less a price for its nodes; that of ending is nothing. So it is known at once which forms were good, and
every render teaches. What is learnt from them is the `method`:

- reinforce: the policy gradient, with advantages within the forms of one state (Williams 1992; Shao et al. 2024,
  DeepSeekMath), or over the likeliest form, as self-critical training has it (Rennie et al. 2017);
- self_training: the source loss on the best form of a state, where that is better than the likeliest (Jones et al.
  2022, PLAD);
- supervised: nothing, and nothing is drawn. What the others are compared with.

All of them keep learning from pairs, so that nothing is forgotten.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from treesketch.data import paint_forms
from treesketch.errors import ConfigError
from treesketch.experiments.pairs import Pairs, load_pairs
from treesketch.experiments.system import score_columns, to_pictures
from treesketch.experiments.tree_decoder import TreeDecoder, TreeSettings
from treesketch.experiments.tries import PRICE, SAMPLES, State, Try, try_forms
from treesketch.model.network import Network
from treesketch.shards.store import CORPUS, TRAIN

METHODS = ("supervised", "reinforce", "self_training")
BASELINES = ("group", "likeliest")
LEAST_SPREAD = 1e-3  # of rewards (squared error): forms of one state that differ by less are hardly told apart


@dataclass(frozen=True, slots=True)
class RewardSettings(TreeSettings):
    """Of each step's `targets` pictures a share `scenes` is of pairs, the others are drawings of packages.

    Each target slot takes `units` forms a step (a drawing that has ended gives way to the next), each chosen from
    `samples`, so that every method takes targets x units x samples renders a step. price is the squared error (a mean
    over the pixels, 0..1) that a node must save. sources is the weight of the loss on pairs.
    """

    method: str = "reinforce"
    baseline: str = "group"
    targets: int = 2
    samples: int = SAMPLES
    scenes: float = 0.25
    price: float = PRICE
    reward: float = 1.0
    sources: float = 1.0


class Rewards(TreeDecoder):
    """The tree decoder, learning from what the exact renderer makes of its own programs."""

    settings_type = RewardSettings
    columns = (
        *("source", "reward_loss", "likeliest_reward", "best_reward", "renders", "drawing_seconds"),
        *score_columns("scenes", "characters", "real"),
    )

    def __init__(self, settings: RewardSettings):
        super().__init__(settings)
        for key, known in (("method", METHODS), ("baseline", BASELINES)):
            if getattr(settings, key) not in known:
                raise ConfigError(f"'{key}' takes {' or '.join(known)}, got '{getattr(settings, key)}'")
        if settings.targets < 1 or settings.samples < 2:
            raise ConfigError("'targets' takes a number from 1 up, 'samples' from 2 up")
        self.sources = TreeDecoder(settings)
        drawn = load_pairs(Path(settings.drawings), TRAIN) if settings.drawings else None
        self.drawn = [k for k, kind in enumerate(drawn.kinds) if kind == CORPUS] if drawn else []
        self._drawings = drawn

    def make(self, pairs: Pairs, numbers: Sequence[int], rng: np.random.Generator) -> Any:
        """(a batch of the tree decoder's, pictures to draw): as many pictures as a step can come to."""
        batch = self.sources.make(pairs, numbers, rng)
        if self.settings.method == "supervised":
            return batch, []
        wanted = self.settings.targets * (self.settings.units + 1)
        return batch, [torch.tensor(self._target(rng)) for _ in range(wanted)]

    def _target(self, rng: np.random.Generator) -> np.ndarray:
        if self._drawings is None or rng.random() < self.settings.scenes:
            return self.pairs.picture(int(rng.integers(len(self.pairs))))
        return self._drawings.picture(int(rng.choice(self.drawn)))

    def losses(self, module: nn.Module, batch: Any, rng: np.random.Generator) -> dict[str, Tensor]:
        """The loss on pairs, and that of the method; renders is how many were drawn."""
        assert isinstance(module, Network)
        settings = self.settings
        paired, pictures = batch
        source = super().losses(module, paired, rng)["loss"]
        losses = {"loss": settings.sources * source, "source": source.detach()}
        if settings.method == "supervised":
            return losses
        began = time.monotonic()
        targets = [picture.numpy().astype(np.float32) / 255 for picture in pictures]
        module.eval()
        with torch.autocast("cpu", enabled=False):
            tries = list(roll(module, targets, settings, rng))
        module.train()
        drawing_seconds = time.monotonic() - began
        learn = policy_loss if settings.method == "reinforce" else imitation_loss
        learnt = learn(module, tries, settings)
        losses["loss"] = losses["loss"] + settings.reward * learnt
        told = {
            "reward_loss": learnt.item(),
            "likeliest_reward": float(np.mean([each.rewards[0] for each in tries])),
            "best_reward": float(np.mean([each.rewards.max() for each in tries])),
            "renders": sum(len(each.rewards) for each in tries),
            "drawing_seconds": drawing_seconds,
        }
        return losses | {name: torch.tensor(float(value)) for name, value in told.items()}

    def held_out_loss(self, module: nn.Module) -> float:
        """The loss on held-out pairs, that of the tree decoder."""
        return self.sources.held_out_loss(module)


def roll(
    network: Network, pictures: Sequence[np.ndarray], settings: RewardSettings, rng: np.random.Generator
) -> Iterator[Try]:
    """Draw pictures (64, 64, 3) in 0..1, `targets` of them abreast: `units` states of each, with all that was tried.

    A drawing goes on with the likeliest form or, half of the time, with the best one; the next picture follows when
    that ends it. Takes targets x units x samples renders.
    """
    waiting = iter(pictures)
    states = [State(next(waiting)) for _ in range(settings.targets)]
    for _ in range(settings.units):
        tries = try_forms(network, states, settings.samples, settings.price, paint_forms, rng)
        for number, each in enumerate(tries):
            yield each
            taken = int(each.rewards.argmax()) if rng.random() < 0.5 else 0
            if each.take(states[number], taken):
                states[number] = State(next(waiting))


def policy_loss(network: Network, tries: Sequence[Try], settings: RewardSettings) -> Tensor:
    """The loss whose gradient is the policy gradient of the sampled forms, a mean over their decisions.

    The likeliest form is no sample and so has no part but as a baseline. States where all forms are worth the same
    teach nothing.
    """
    chosen = []
    for each in tries:
        gains = advantages(each.rewards[1:], each.rewards[0] if settings.baseline == "likeliest" else None)
        chosen += [(each, trace, gain) for trace, gain in zip(each.traces[1:], gains, strict=True) if gain]
    if not chosen:
        return _nothing(network)
    number = {id(each): k for k, each in enumerate(tries)}
    target, drawing = (to_pictures([getattr(each, name) for each in tries]) for name in ("target", "drawing"))
    cells, keys = network.look(target, drawing)
    assert keys is not None
    owner = torch.tensor([number[id(each)] for each, _, _ in chosen])
    graph = Batch.from_data_list([trace.graph(network.vocabulary) for _, trace, _ in chosen])
    logp = network.log_probabilities(graph, cells[owner], keys[owner])
    return surrogate(logp, torch.tensor([gain for _, _, gain in chosen], dtype=logp.dtype)) / len(graph.legal)


def advantages(rewards: np.ndarray, baseline: float | None = None) -> np.ndarray:
    """Rewards (n,) of samples of one state, from their mean or from a baseline, in units of their spread."""
    return (rewards - (rewards.mean() if baseline is None else baseline)) / (rewards.std() + LEAST_SPREAD)


def surrogate(logp: Tensor, gains: Tensor) -> Tensor:
    """What falls where likely samples gain: its gradient is minus the policy gradient, summed over samples (n,)."""
    return -(gains * logp).sum()


def imitation_loss(network: Network, tries: Sequence[Try], settings: RewardSettings) -> Tensor:
    """The source loss on the best form of each state that has a better one than the likeliest."""
    better = [each for each in tries if each.rewards.max() > each.rewards[0]]
    if not better:
        return _nothing(network)
    best = [each.traces[int(each.rewards.argmax())] for each in better]
    graph = Batch.from_data_list([trace.graph(network.vocabulary) for trace in best])
    target, drawing = (to_pictures([getattr(each, name) for each in better]) for name in ("target", "drawing"))
    loss: Tensor = network(graph, target, drawing)["loss"]
    return loss


def _nothing(network: Network) -> Tensor:
    return next(network.parameters()).sum() * 0
