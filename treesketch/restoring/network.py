"""The restorer, a small convolutional network: a spoilt picture in, the clean one that it came from out.

A U-Net of residual blocks over three sizes, halves, quarters and eighths of the picture's, which says what to change.
"""

from dataclasses import dataclass

from torch import Tensor, nn

COARSEST = 8  # pixels of a picture that the smallest of the three sizes makes one of


@dataclass(frozen=True, slots=True)
class RestorerConfig:
    """Channels of the finest size, the next two have twice and four times as many; blocks of each size and way."""

    width: int = 32
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
        self.enter = nn.Conv2d(12, w, 3, padding=1)
        self.fine, self.middle, self.coarse = _blocks(w, n), _blocks(2 * w, n), _blocks(4 * w, n)
        self.to_middle, self.to_coarse = nn.Conv2d(w, 2 * w, 2, 2), nn.Conv2d(2 * w, 4 * w, 2, 2)
        self.from_coarse, self.from_middle = nn.ConvTranspose2d(4 * w, 2 * w, 2, 2), nn.ConvTranspose2d(2 * w, w, 2, 2)
        self.middle_again, self.fine_again = _blocks(2 * w, n), _blocks(w, n)
        self.leave = nn.Conv2d(w, 12, 3, padding=1)
        begin_with_nothing(self.leave)

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) in 0..1, of any size -> (B, 3, H, W), nearly in 0..1."""
        height, width = pictures.shape[-2:]
        room = (0, -width % COARSEST, 0, -height % COARSEST)
        padded = nn.functional.pad(pictures, room, mode="replicate")
        fine = self.fine(self.enter(nn.functional.pixel_unshuffle(padded - 0.5, 2)))
        middle = self.middle(self.to_middle(fine))
        middle = self.middle_again(middle + self.from_coarse(self.coarse(self.to_coarse(middle))))
        fine = self.fine_again(fine + self.from_middle(middle))
        change = nn.functional.pixel_shuffle(self.leave(fine), 2)
        restored: Tensor = (padded + change)[..., :height, :width]
        return restored


def begin_with_nothing(layer: nn.Conv2d) -> None:
    """Have a convolution give zeros until it learns."""
    for weights in layer.parameters():
        nn.init.zeros_(weights)


def _blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Block(width) for _ in range(count)))
