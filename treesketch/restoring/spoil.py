"""What becomes of pictures on their way: clean pixels and chance in, blurred, shrunk, noisy or compressed ones out."""

import io

import numpy as np
from PIL import Image
from scipy import ndimage

from treesketch.picture import Pixels, to_bytes

UNTOUCHED = 0.12  # share of the pictures that nothing happens to
BLURRED, SHRUNK, NOISY, COMPRESSED, FEW_COLORS = 0.12, 0.12, 0.35, 0.75, 0.08  # shares of the others
MOST_BLUR = 0.6  # pixels, standard deviation
LEAST_SIZE = 0.7  # of a side, before it is enlarged again
MOST_NOISE = 0.06  # standard deviation, 0..1
WORST, BEST = 12, 92  # JPEG quality


def spoil(clean: Pixels, rng: np.random.Generator) -> Pixels:
    """The picture (H, W, 3) as it may be found, in steps of 1/255."""
    if rng.random() < UNTOUCHED:
        return to_levels(clean)
    pixels = clean
    if rng.random() < BLURRED:
        sigma = rng.uniform(0.3, MOST_BLUR)
        pixels = ndimage.gaussian_filter(pixels, (sigma, sigma, 0), mode="nearest")
    if rng.random() < SHRUNK:
        pixels = _shrink(pixels, rng)
    if rng.random() < NOISY:
        channels = 1 if rng.random() < 0.3 else 3
        noise = rng.normal(0, rng.uniform(0.004, MOST_NOISE), (*pixels.shape[:2], channels))
        pixels = pixels + noise.astype(np.float32)
    if rng.random() < FEW_COLORS:
        pixels = _reduce(pixels, rng)
    if rng.random() < COMPRESSED:
        pixels = compress(pixels, int(rng.integers(WORST, BEST + 1)), sharp=rng.random() < 0.3)
    return to_levels(pixels)


def to_levels(pixels: Pixels) -> Pixels:
    """Pixels as a file of 8 bits a channel has them."""
    return (to_bytes(pixels) / np.float32(255)).astype(np.float32)


def compress(pixels: Pixels, quality: int, sharp: bool = False) -> Pixels:
    """What a JPEG file of that quality (1..95) makes of a picture; sharp keeps the colours at full size."""
    file = io.BytesIO()
    Image.fromarray(to_bytes(pixels)).save(file, "JPEG", quality=quality, subsampling=0 if sharp else 2)
    return _read(Image.open(file))


def _shrink(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Made smaller and as large as before."""
    image = Image.fromarray(to_bytes(pixels))
    factor = rng.uniform(LEAST_SIZE, 0.95)
    small = image.resize([max(1, round(side * factor)) for side in image.size], Image.Resampling.BOX)
    again = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)[rng.integers(3)]
    return _read(small.resize(image.size, again))


def _reduce(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """As a GIF has it: few colours, in patterns of dots where there are not enough."""
    dots = Image.Dither.FLOYDSTEINBERG if rng.random() < 0.7 else Image.Dither.NONE
    colors = int(2 ** rng.uniform(3, 7))
    image = Image.fromarray(to_bytes(pixels))
    return _read(image.quantize(colors, dither=dots, palette=image.quantize(colors)))


def _read(image: Image.Image) -> Pixels:
    return (np.asarray(image.convert("RGB")) / np.float32(255)).astype(np.float32)
