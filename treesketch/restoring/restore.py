"""A picture as it was found in; the picture as it was drawn out, where noise or compression have changed it.

Whether they have is told by the pixels: where a drawing changes at all, it goes on to its edge and stops there, while
what noise and compression leave goes up and down. Pictures without that stay as they are.
"""

import json
from dataclasses import asdict, fields, replace
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage

from treesketch.errors import CheckpointError
from treesketch.model.weights import read_tensors
from treesketch.picture import LONGEST_SIDE, Picture, Pixels, scaled
from treesketch.restoring.network import Restorer, RestorerConfig

LEVEL = 1 / 255
UNEVEN = (1.5 * LEVEL, 25 * LEVEL)  # how far a pixel of noise is from the median of those around it
FAINT = (2 * LEVEL, 40 * LEVEL)  # how far the pixels around one differ where there is noise: more, and it is an edge
FEWEST = 50  # pixels of a picture that differ from others around them, at least
SPOILT = 0.11  # share of them that are uneven: of 1 drawing in 100 .05 are, of 99 JPEGs of quality 90 in 100 .12
MOST = {"width": 128, "blocks": 8}  # that a file may ask for


def restored(picture: Picture, restorer: Restorer) -> Picture:
    """The picture without what was done to it, at the size of its canvas; itself where that is nothing worth undoing.

    Drawings of an SVG have no noise.
    """
    if picture.vector:
        return picture
    pixels = scaled(picture.pixels, LONGEST_SIDE)
    return replace(picture, pixels=restore(restorer, pixels)) if is_spoilt(pixels) else picture


def is_spoilt(pixels: Pixels) -> bool:
    """Whether pixels (H, W, 3) have the marks of noise or compression."""
    window = (3, 3, 1)
    far = np.abs(pixels - ndimage.median_filter(pixels, window)).max(2)
    spread = (ndimage.maximum_filter(pixels, window) - ndimage.minimum_filter(pixels, window)).max(2)
    uneven = (far >= UNEVEN[0]) & (far < UNEVEN[1]) & (spread > FAINT[0]) & (spread < FAINT[1])
    return bool(uneven.sum() > SPOILT * max(int((spread > FAINT[0]).sum()), FEWEST))


@torch.inference_mode()
def restore(restorer: Restorer, pixels: Pixels) -> Pixels:
    """What the restorer makes of pixels (H, W, 3), in steps of 1/255."""
    tensor = torch.from_numpy(np.array(pixels, np.float32)).permute(2, 0, 1)[None]
    found = restorer(tensor)[0].permute(1, 2, 0).clamp(0, 1).mul(255).round().div(255)
    return np.asarray(found.numpy(), np.float32)


def describe(restorer: Restorer) -> dict[str, str]:
    """What goes with the weights on disk: the network's sizes."""
    return {"model": json.dumps(asdict(restorer.config))}


@lru_cache(maxsize=1)
def load_shipped_restorer() -> Restorer:
    """The restorer that is shipped."""
    with as_file(files("treesketch.weights") / "restorer.safetensors") as path:
        return load_restorer(path)


def load_restorer(path: Path) -> Restorer:
    """The restorer of a weights file, ready to work. Raises CheckpointError, one line, for what is none."""
    tensors, metadata = read_tensors(path)
    try:
        sizes = json.loads(metadata["model"])
        config = RestorerConfig(**{field.name: sizes[field.name] for field in fields(RestorerConfig)})
    except (KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"the weights lack their description ({error})", file=str(path)) from None
    for name, most in MOST.items():
        size = getattr(config, name)
        if not isinstance(size, int) or not 1 <= size <= most:
            raise CheckpointError(f"the weights' {name} is {size!r}; it goes from 1 to {most}", file=str(path))
    restorer = Restorer(config)
    for name, value in restorer.state_dict().items():
        given = tensors.get(name)
        if given is None or given.shape != value.shape or not given.isfinite().all():
            raise CheckpointError(f"tensor '{name}' is missing, of another shape, or not of numbers", file=str(path))
    restorer.load_state_dict({name: tensors[name].float() for name in restorer.state_dict()})
    return restorer.eval()
