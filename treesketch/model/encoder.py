"""The picture encoder: target, current drawing and their difference -> a grid of features and a key for every place."""

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from treesketch.actions import CANVAS, PLACE_MARGIN, PLACE_STEP, PLACES

RESOLUTION = 64  # pixels a side of the pictures that the network sees
GRID = 16  # cells a side of the feature grid
KEY_WIDTH = 64  # of the keys that places are scored with


def see(picture: np.ndarray) -> np.ndarray:
    """A picture of any size as the network sees it: (64, 64, 3) float32 in 0..1, by the mean over each pixel's area.

    (H, W, 3) is uint8 sRGB, or 0..1; (H, W) is a coverage in 0..1, which is black on white.
    """
    values = torch.from_numpy(np.ascontiguousarray(picture)).float()
    if picture.dtype == np.uint8:
        values = values / 255
    if values.ndim == 2:
        values = (1 - values)[..., None].expand(-1, -1, 3)
    height, width = values.shape[:2]
    if height % RESOLUTION == width % RESOLUTION == 0:
        values = values.unflatten(1, (RESOLUTION, -1)).mean(2).unflatten(0, (RESOLUTION, -1)).mean(1)
        return values.contiguous().numpy()
    values = _shares(height) @ values.permute(2, 0, 1) @ _shares(width).T
    return values.permute(1, 2, 0).contiguous().numpy()


@lru_cache(maxsize=16)
def _shares(length: int) -> Tensor:
    """(64, length): how much each of `length` pixels in a row gives to each of 64."""
    edges = np.arange(RESOLUTION + 1) * (length / RESOLUTION)
    before, after = edges[:-1, None], edges[1:, None]
    pixels = np.arange(length)[None]
    overlap = np.clip(np.minimum(after, pixels + 1) - np.maximum(before, pixels), 0, None)
    return torch.from_numpy(overlap / overlap.sum(1, keepdims=True)).float()


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions around a skip, normalised over groups of channels."""

    def __init__(self, width: int):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(8, width), nn.GroupNorm(8, width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, D, H, W) -> the same shape."""
        y = self.conv1(F.gelu(self.norm1(x)))
        return x + self.conv2(F.gelu(self.norm2(y)))


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Softmax attention over (B, heads, rows, width), spelt out: on a CPU the fused one trains half as fast."""
    if query.is_cuda:
        return F.scaled_dot_product_attention(query, key, value)
    weight = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(-1)
    return weight.to(value.dtype) @ value


class GridLayer(nn.Module):
    """Pre-norm self-attention over the cells of the grid, then a two-layer perceptron."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 3 * width), nn.GELU(), nn.Linear(3 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """(B, cells, D) -> the same shape."""
        b, n, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        y = attend(q, k, v)
        x = x + self.out(y.transpose(1, 2).reshape(b, n, d))
        return x + self.mlp(self.norm2(x))


class PictureEncoder(nn.Module):
    """Two strided convolutions, residual blocks, then attention over the 16 x 16 grid.

    The keys of places come from the grid and from the finer 32 x 32 features under it, at the corners of their cells,
    so that a place can be told from its neighbour by the edge that runs between them.
    """

    coordinates: Tensor
    waves: Tensor

    def __init__(self, width: int, layers: int, heads: int):
        super().__init__()
        self.stem = nn.Conv2d(11, 48, 3, stride=2, padding=1)
        self.down = nn.Conv2d(48, width, 3, stride=2, padding=1)
        self.blocks = nn.Sequential(ResidualBlock(width), ResidualBlock(width))
        self.position = nn.Parameter(torch.randn(1, GRID * GRID, width) * 0.02)
        self.layers = nn.ModuleList(GridLayer(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.coarse = nn.Conv2d(width, KEY_WIDTH, 1)
        self.fine = nn.Conv2d(48, KEY_WIDTH, 3, padding=1)
        self.mix = nn.Conv2d(KEY_WIDTH, KEY_WIDTH, 1)
        self.where = nn.Linear(_place_waves().shape[1], KEY_WIDTH)
        self.register_buffer("coordinates", _coordinates(), persistent=False)
        self.register_buffer("waves", _place_waves(), persistent=False)

    def forward(self, target: Tensor, drawing: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, 64, 64) pictures in 0..1 -> cells (B, 256, D) and place keys (B, PLACES ** 2, KEY_WIDTH)."""
        cells, fine = self.look(target, drawing)
        return cells, self.place_keys(cells, fine)

    def look(self, target: Tensor, drawing: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, 64, 64) pictures in 0..1 -> cells (B, 256, D) and the finer features (B, 48, 32, 32) under them."""
        b = target.shape[0]
        coordinates = self.coordinates.expand(b, -1, -1, -1)
        x = torch.cat([target * 2 - 1, drawing * 2 - 1, target - drawing, coordinates], 1)
        fine = F.gelu(self.stem(x))  # (B, 48, 32, 32)
        grid = self.blocks(self.down(fine))  # (B, D, 16, 16)
        cells = grid.flatten(2).transpose(1, 2) + self.position
        for layer in self.layers:
            cells = layer(cells)
        return self.norm(cells), fine

    def place_keys(self, cells: Tensor, fine: Tensor) -> Tensor:
        """Cells and finer features, as `look` gives them, -> keys of places (B, PLACES ** 2, KEY_WIDTH)."""
        deep = cells.transpose(1, 2).unflatten(2, (GRID, GRID))
        keys = F.interpolate(self.coarse(deep), scale_factor=2, mode="bilinear") + self.fine(fine)
        keys = self.mix(F.gelu(keys))
        corners = F.avg_pool2d(F.pad(keys, (1, 1, 1, 1), mode="replicate"), 2, stride=1)  # (B, KEY_WIDTH, 33, 33)
        margin = (PLACES - corners.shape[-1]) // 2
        corners = F.pad(corners, (margin,) * 4, mode="replicate")
        return corners.flatten(2).transpose(1, 2) + self.where(self.waves)


def _coordinates() -> Tensor:
    """(1, 2, 64, 64): x and y of each pixel in -1..1."""
    line = (torch.arange(RESOLUTION) + 0.5) / RESOLUTION * 2 - 1
    return torch.stack([line.expand(RESOLUTION, -1), line[:, None].expand(-1, RESOLUTION)])[None]


def _place_waves() -> Tensor:
    """(PLACES ** 2, 26): sines and cosines of each place's x and y at six octaves, and both coordinates."""
    line = (torch.arange(PLACES) * PLACE_STEP - PLACE_MARGIN) / CANVAS * 2 - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    points = torch.stack([x, y], -1).reshape(-1, 2)
    octaves = points[:, :, None] * (math.pi * 2.0 ** torch.arange(-1, 5))
    return torch.cat([octaves.sin().flatten(1), octaves.cos().flatten(1), points], 1)
