"""A picture as it was found in; the picture as it was drawn out, where noise or compression have changed it.

The restorer itself tells whether they have: pictures that it would hardly change stay as they are.
"""

import json
from dataclasses import asdict, fields, replace
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import torch

from treesketch.errors import CheckpointError
from treesketch.model.weights import read_tensors
from treesketch.picture import LONGEST_SIDE, Picture, Pixels, resize
from treesketch.restoring.network import Restorer, RestorerConfig

MOST = {"width": 512, "blocks": 64}  # that a file may ask for


def restored(picture: Picture, restorer: Restorer) -> Picture:
    """The picture without what was done to it, at the size of its canvas; itself where that is nothing worth undoing.

    Drawings of an SVG have no noise.
    """
    if picture.vector:
        return picture
    height, width = picture.pixels.shape[:2]
    scale = LONGEST_SIDE / max(height, width)
    pixels = picture.pixels
    if scale != 1:
        pixels = resize(pixels, (max(1, round(height * scale)), max(1, round(width * scale))))
    found = restore(restorer, pixels)
    return replace(picture, pixels=found) if is_spoilt(pixels, found) else picture


def is_spoilt(given: Pixels, found: Pixels) -> bool:
    """Whether a picture is so unlike what the restorer makes of it that it cannot be as it was drawn."""
    return bool(np.abs(given - found).mean() > 0.01)


@torch.inference_mode()
def restore(restorer: Restorer, pixels: Pixels) -> Pixels:
    """What the restorer makes of pixels (H, W, 3), in steps of 1/255."""
    tensor = torch.from_numpy(np.ascontiguousarray(pixels, np.float32)).permute(2, 0, 1)[None]
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
