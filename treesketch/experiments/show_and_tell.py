"""Show and tell: a picture is seen by a convolutional network, and a recurrent one tells its program, token by token.

After Vinyals et al., "Show and Tell" (2015), with attention after Luong et al., "Effective Approaches to
Attention-based Neural Machine Translation" (2015): between two LSTM layers, so that the second knows what was looked
at. Each program is told from one look. Pairs in; text out, or decisions under the legal mask.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from treesketch.actions import MAX_BUDGET, load_vocabulary
from treesketch.derivation import UnencodableError
from treesketch.errors import ConfigError
from treesketch.experiments.pairs import Pairs
from treesketch.experiments.scoring import nearest
from treesketch.experiments.spelling import UNTAUGHT, DecisionSpelling, SourceSpelling, Spelling, Spelt
from treesketch.experiments.system import Settings, Writer, score_columns, to_pictures
from treesketch.experiments.tokens import load_tokens
from treesketch.model.encoder import GRID, RESOLUTION, ResidualBlock, attend
from treesketch.model.write import pick

BLOCKS = 4  # of a batch's programs, of about one length each, so that little is padded
TOLD = 256  # programs that are told side by side
POOLED = 32  # channels of the 4 x 4 cells that the picture's one vector is made of


@dataclass(frozen=True, slots=True)
class TellSettings(Settings):
    """attention: look at the cells of the picture at each token; mask: tell decisions under the legal mask, not text.

    width is that of the tokens and of the LSTM's layers, channels that of the picture's features; heads are those of
    the attention. longest is in tokens: what a longer source text has behind these is neither taught nor told (286 of
    the 199,879 programs of configs/data.toml are longer than 640; the longest has 1,169). budget is in nodes, of a
    program told as decisions (the largest has 750).
    """

    attention: bool = False
    mask: bool = False
    width: int = 192
    channels: int = 88
    heads: int = 2
    longest: int = 640
    budget: int = 768


class Batch(NamedTuple):
    """Pictures (B, 3, 64, 64) uint8 and their programs, in blocks of about one length."""

    pictures: Tensor
    blocks: list["Block"]


class Block(NamedTuple):
    """Some programs of a batch: which (b,), their tokens (b, T), UNTAUGHT behind the last, and what is legal (b, T, V).

    legal is None where all tokens are.
    """

    rows: Tensor
    tokens: Tensor
    legal: Tensor | None


class Seen(NamedTuple):
    """Pictures as a Teller sees them: a vector each (B, D); keys and values of cells (B, 2, heads, 256, D / heads)."""

    vector: Tensor
    cells: Tensor | None

    def take(self, rows: Tensor) -> "Seen":
        """Some of the pictures."""
        return Seen(self.vector[rows], None if self.cells is None else self.cells[rows])


Memory = tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]  # of both LSTM layers


class Teller(nn.Module):
    """Convolutions over the picture; two LSTM layers over the tokens, with a look at the picture's cells between."""

    coordinates: Tensor

    def __init__(self, tokens: int, width: int, channels: int, heads: int, attention: bool):
        super().__init__()
        self.heads = heads
        self.stem = nn.Conv2d(5, 48, 3, stride=2, padding=1)
        self.down = nn.Conv2d(48, channels, 3, stride=2, padding=1)
        self.blocks = nn.Sequential(ResidualBlock(channels), ResidualBlock(channels))
        self.pool = nn.Sequential(
            nn.Conv2d(channels, POOLED, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(POOLED, POOLED, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Flatten(),
            nn.Linear(POOLED * (GRID // 4) ** 2, width),
        )
        if attention:
            self.position = nn.Parameter(torch.randn(1, GRID * GRID, channels) * 0.02)
            self.seen = nn.Linear(channels, 2 * width)
            self.look = nn.Linear(width, width)
            self.out = nn.Linear(width, width)
        self.attention = attention
        self.token = nn.Embedding(tokens, width)
        nn.init.normal_(self.token.weight, std=width**-0.5)
        self.first = nn.LSTM(width, width, batch_first=True)
        self.second = nn.LSTM(width, width, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(tokens))
        line = (torch.arange(RESOLUTION) + 0.5) / RESOLUTION * 2 - 1
        coordinates = torch.stack([line.expand(RESOLUTION, -1), line[:, None].expand(-1, RESOLUTION)])[None]
        self.register_buffer("coordinates", coordinates, persistent=False)

    def show(self, pictures: Tensor) -> Seen:
        """Look at pictures (B, 3, 64, 64) in 0..1."""
        x = torch.cat([pictures * 2 - 1, self.coordinates.expand(len(pictures), -1, -1, -1)], 1)
        grid = self.blocks(self.down(F.gelu(self.stem(x))))  # (B, channels, 16, 16)
        if not self.attention:
            return Seen(self.pool(grid), None)
        cells = self.seen(grid.flatten(2).transpose(1, 2) + self.position)
        cells = cells.view(len(pictures), GRID * GRID, 2, self.heads, -1).permute(0, 2, 3, 1, 4)
        return Seen(self.pool(grid), cells.contiguous())  # not copied at each token

    def tell(self, seen: Seen, tokens: Tensor, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """Hear tokens (B, T) behind those in memory -> states (B, T, D) behind each, and the memory with them."""
        first, second = memory or (None, None)
        x = self.token(tokens) * self.token.embedding_dim**0.5 + seen.vector[:, None]
        y, first = self.first(x, first)
        if seen.cells is not None:
            b, t, d = y.shape
            query = self.look(y).view(b, t, self.heads, -1).transpose(1, 2)
            key, value = seen.cells.to(query.dtype).unbind(1)
            y = y + self.out(attend(query, key, value).transpose(1, 2).reshape(b, t, d))
        z, second = self.second(y, second)
        return self.norm(y + z), (first, second)

    def logits(self, states: Tensor) -> Tensor:
        """States (..., D) -> the tokens that may come next (..., V)."""
        return F.linear(states, self.token.weight, self.bias)


class ShowAndTell(Writer):
    """A Teller on the pairs, with cross entropy; by settings with attention, and with the legal mask."""

    settings_type = TellSettings
    columns = ("program", *score_columns("scenes", "characters", "real"))

    def __init__(self, settings: TellSettings):
        _check(settings)
        super().__init__(settings)
        self.spelling: Spelling = (
            DecisionSpelling(load_vocabulary("sketch"), settings.budget)
            if settings.mask
            else SourceSpelling(load_tokens("sketch"), settings.longest)
        )

    def build(self) -> nn.Module:
        """A Teller."""
        s = self.settings
        return Teller(self.spelling.size, s.width, s.channels, s.heads, s.attention)

    def make(self, pairs: Pairs, numbers: Sequence[int], rng: np.random.Generator) -> Batch:
        """Pictures and the tokens of their programs; a program that cannot be spelt is left out."""
        pictures: list[np.ndarray] = []
        spelt: list[Spelt] = []
        for number in numbers:
            picture = pairs.picture(number)
            try:
                spelt.append(self.spelling.spell(pairs.programs[number], picture.astype(np.float32) / 255, rng))
            except UnencodableError:
                continue
            pictures.append(picture)
        if not spelt:
            raise ConfigError("none of a batch's programs can be spelt; take a larger batch, or other shards")
        order = sorted(range(len(spelt)), key=lambda k: len(spelt[k].tokens))
        parts = [part for part in np.array_split(order, BLOCKS) if len(part)]
        shown = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
        return Batch(shown, [_pad([int(k) for k in part], spelt) for part in parts])

    def losses(self, module: nn.Module, batch: Any, rng: np.random.Generator) -> dict[str, Tensor]:
        """`loss` is nats a token, `program` nats a program."""
        assert isinstance(module, Teller)
        seen = module.show(batch.pictures.float() / 255)
        total, taught = torch.zeros(()), 0
        for block in batch.blocks:
            heard = F.pad(block.tokens[:, :-1].clamp(min=0), (1, 0))
            states, _ = module.tell(seen.take(block.rows), heard)
            known = block.tokens != UNTAUGHT
            logits = module.logits(states[known]).float()
            if block.legal is not None:
                logits = logits.masked_fill(~block.legal[known], float("-inf"))
            total = total + F.cross_entropy(logits, block.tokens[known], reduction="sum")
            taught += int(known.sum())
        return {"loss": total / taught, "program": total.detach() / len(batch.pictures)}

    def write(self, module: nn.Module, targets: Sequence[np.ndarray]) -> list[str]:
        """Token by token, each the likeliest, from one look."""
        return self._tell_all(module, targets, 0.0)

    def search(self, module: nn.Module, targets: Sequence[np.ndarray], looks: int) -> list[str]:
        """The best of programs that were sampled whole."""
        many = [target for target in targets for _ in range(looks)]
        texts = self._tell_all(module, many, 1.0)
        self.renders += len(texts)
        tries = [texts[first : first + looks] for first in range(0, len(texts), looks)]
        return [nearest(found, target) for found, target in zip(tries, targets, strict=True)]

    def _tell_all(self, module: nn.Module, targets: Sequence[np.ndarray], temperature: float) -> list[str]:
        """Programs for pictures; at temperature 0 each token is the likeliest."""
        assert isinstance(module, Teller)
        rng = np.random.default_rng(0)
        parts = [targets[first : first + TOLD] for first in range(0, len(targets), TOLD)]
        return [text for part in parts for text in self._tell(module, part, temperature, rng)]

    def _tell(
        self, module: Teller, targets: Sequence[np.ndarray], temperature: float, rng: np.random.Generator
    ) -> list[str]:
        """Programs for pictures, side by side."""
        tellings = [self.spelling.begin(target) for target in targets]
        with torch.inference_mode():
            seen, memory = module.show(to_pictures(targets)), None
            alive = tellings
            heard = torch.zeros(len(alive), 1, dtype=torch.long)
            while alive:
                states, memory = module.tell(seen, heard, memory)
                logits = module.logits(states[:, 0])
                told, _ = pick(logits, _allowed(logits, [telling.legal for telling in alive]), rng, temperature)
                for telling, token in zip(alive, told.tolist(), strict=True):
                    telling.take(token)
                rows = torch.tensor([k for k, telling in enumerate(alive) if not telling.done], dtype=torch.long)
                heard = told[:, None]
                if len(rows) < len(alive):
                    alive = [alive[k] for k in rows.tolist()]
                    seen, memory, heard = seen.take(rows), _keep(memory, rows), heard[rows]
        return [telling.text() for telling in tellings]


def _allowed(logits: Tensor, legal: Sequence[np.ndarray | None]) -> Tensor:
    """The tokens that may come next (rows, V)."""
    masks = [mask for mask in legal if mask is not None]
    return torch.from_numpy(np.stack(masks)) if masks else torch.ones_like(logits, dtype=torch.bool)


def _keep(memory: Memory, rows: Tensor) -> Memory:
    """What is remembered of some of the programs."""
    first, second = ((hidden[:, rows], cell[:, rows]) for hidden, cell in memory)
    return first, second


def _pad(rows: Sequence[int], spelt: Sequence[Spelt]) -> Block:
    """A block of some of the programs, all as long as the longest."""
    width = max(len(spelt[row].tokens) for row in rows)
    tokens = np.full((len(rows), width), UNTAUGHT, np.int64)
    masks = [mask for row in rows if (mask := spelt[row].legal) is not None]
    legal = np.zeros((len(rows), width, masks[0].shape[1]), bool) if masks else None
    for k, row in enumerate(rows):
        tokens[k, : len(spelt[row].tokens)] = spelt[row].tokens
        if legal is not None:
            legal[k, : len(masks[k])] = masks[k]
    return Block(torch.tensor(rows), torch.from_numpy(tokens), None if legal is None else torch.from_numpy(legal))


def _check(settings: TellSettings) -> None:
    """Raises ConfigError for sizes that cannot be."""
    for key in ("width", "channels", "heads", "longest"):
        if getattr(settings, key) < 1:
            raise ConfigError(f"'{key}' takes a whole number from 1 up, got {getattr(settings, key)}")
    if settings.channels % 8:
        raise ConfigError(f"'channels' takes a multiple of 8, got {settings.channels}")
    if settings.width % settings.heads:
        raise ConfigError(f"'width' takes a multiple of heads = {settings.heads}, got {settings.width}")
    if not 1 <= settings.budget <= MAX_BUDGET:
        raise ConfigError(f"'budget' takes a whole number from 1 to {MAX_BUDGET}, got {settings.budget}")
