"""The restorer, a small convolutional network: a spoilt picture in, the clean one that it came from out.

The picture is smoothed a little, and more, and more, each time only among pixels that are alike, so that edges stay.
The network, a U-Net of residual blocks over three sizes, says for every pixel how much of each of these it takes, and
what to add.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

COARSEST = 8  # pixels of a picture that the smallest of the three sizes makes one of
PASSES = ((0.06, 1), (0.10, 1), (0.12, 2), (0.15, 1))  # of smoothing: how unlike, 0..1, and how many pixels apart
REACH, SPREAD = 2, 1.5  # neighbours each way that a pass looks at, and the standard deviation of their weights
LEVELS = 1 + len(PASSES)


@dataclass(frozen=True, slots=True)
class RestorerConfig:
    """Channels of the finest size, the next two have twice and four times as many; blocks of each size and way."""

    width: int = 24
    blocks: int = 2


class Block(nn.Module):
    """Two convolutions whose result is added; at first it adds nothing."""

    def __init__(self, width: int):
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        begin_with_nothing(self.second)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) -> the same shape."""
        added: Tensor = self.second(nn.functional.gelu(self.first(x), approximate="tanh"))
        return x + added


class Restorer(nn.Module):
    """Pictures of any size -> pictures as they were before they were spoilt."""

    def __init__(self, config: RestorerConfig):
        super().__init__()
        self.config = config
        w, n = config.width, config.blocks
        self.enter = nn.Conv2d(4 * 3 * LEVELS, w, 3, padding=1)
        self.fine, self.middle, self.coarse = _blocks(w, n), _blocks(2 * w, n), _blocks(4 * w, n)
        self.to_middle, self.to_coarse = nn.Conv2d(w, 2 * w, 2, 2), nn.Conv2d(2 * w, 4 * w, 2, 2)
        self.from_coarse, self.from_middle = nn.ConvTranspose2d(4 * w, 2 * w, 2, 2), nn.ConvTranspose2d(2 * w, w, 2, 2)
        self.middle_again, self.fine_again = _blocks(2 * w, n), _blocks(w, n)
        self.leave = nn.Conv2d(w, 4 * (LEVELS + 3), 3, padding=1)
        begin_with_nothing(self.leave)

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) in 0..1, of any size -> (B, 3, H, W), nearly in 0..1."""
        height, width = pictures.shape[-2:]
        room = (0, -width % COARSEST, 0, -height % COARSEST)
        levels = smooth(nn.functional.pad(pictures, room, mode="replicate"))
        seen = torch.cat([levels[:, :1] - 0.5, 4 * levels.diff(dim=1)], 1).flatten(1, 2)
        fine = self.fine(self.enter(nn.functional.pixel_unshuffle(seen, 2)))
        middle = self.middle(self.to_middle(fine))
        middle = self.middle_again(middle + self.from_coarse(self.coarse(self.to_coarse(middle))))
        fine = self.fine_again(fine + self.from_middle(middle))
        said = nn.functional.pixel_shuffle(self.leave(fine), 2).float()
        shares = said[:, :LEVELS].softmax(1)
        restored: Tensor = (shares[:, :, None] * levels).sum(1) + said[:, LEVELS:]
        return restored[..., :height, :width]


@torch.no_grad()
def smooth(pictures: Tensor) -> Tensor:
    """(B, 3, H, W) in 0..1 -> (B, LEVELS, 3, H, W): the pictures, and after each of PASSES (a bilateral filter)."""
    levels = [pictures]
    for unlike, apart in PASSES:
        before = levels[-1]
        total, weights = before.clone(), torch.ones_like(before[:, :1])
        for down in range(REACH + 1):
            for right in range(-REACH, REACH + 1):
                if (down, right) > (0, 0):
                    _mix(before, total, weights, down * apart, right * apart, unlike, (down**2 + right**2) / SPREAD**2)
        levels.append(total / weights)
    return torch.stack(levels, 1)


def _mix(
    pictures: Tensor, total: Tensor, weights: Tensor, down: int, right: int, unlike: float, distance: float
) -> None:
    """Have each pixel and the one so far below and right of it take from one another as they are alike."""
    height, width = pictures.shape[-2:]
    if down >= height or abs(right) >= width:
        return
    here = (..., slice(0, height - down), slice(max(-right, 0), width - max(right, 0)))
    there = (..., slice(down, height), slice(max(right, 0), width - max(-right, 0)))
    one, other = pictures[here], pictures[there]
    alike = torch.exp(-0.5 * (((one - other) ** 2).sum(1, keepdim=True) / unlike**2 + distance))
    total[here] += alike * other
    total[there] += alike * one
    weights[here] += alike
    weights[there] += alike


def begin_with_nothing(layer: nn.Conv2d) -> None:
    """Have a convolution give zeros until it learns."""
    for weights in layer.parameters():
        nn.init.zeros_(weights)


def _blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Block(width) for _ in range(count)))
