"""Pictures that nothing may look like: a folder of them in; how near another picture comes to any of them out.

Two pictures look alike when they differ little as they are, shrunk to 32 x 32, or when their silhouettes do: how far
each pixel's lightness is from the ground's, cut to what is not ground and stretched to 32 x 32, so that a colour, a
size or a margin of its own makes nothing new of a drawing.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from treesketch.errors import SketchError
from treesketch.picture import SUFFIXES, load_picture, resize

SIDE = 32  # pixels that are compared
# Root mean squared differences (0..1) below which pictures and silhouettes look alike: where, among nearest pairs of
# emoji and icons by different makers, copies and close relatives end and chance begins. docs/data.md says what passes.
NEAR = 0.10
ALIKE = 0.16
FAINT = 0.2  # of a picture's greatest difference from its ground; what differs less is ground
LIGHT = np.array((0.299, 0.587, 0.114), np.float32)

Pixels = NDArray[np.float32]


class Likeness(NamedTuple):
    """The nearest of the known pictures, and the distances of the pictures and of the silhouettes (rmse, 0..1)."""

    name: str
    picture: float
    silhouette: float


class Known:
    """Pictures (64, 64, 3) in 0..1 by name, to be looked alike with."""

    def __init__(self, pictures: Iterable[tuple[str, Pixels]]):
        self.names: list[str] = []
        small, outlines = [], []
        for name, picture in pictures:
            self.names.append(name)
            small.append(shrink(picture).ravel())
            outlines.append(silhouette(picture).ravel())
        self._small = np.array(small, np.float32).reshape(len(small), SIDE * SIDE * 3)
        self._silhouettes = np.array(outlines, np.float32).reshape(len(small), SIDE * SIDE)
        self._lengths = [np.einsum("ij,ij->i", each, each) for each in (self._small, self._silhouettes)]

    def __len__(self) -> int:
        return len(self.names)

    def digest(self) -> str:
        """A checksum of the pictures."""
        return hashlib.sha256(self._small.tobytes() + self._silhouettes.tobytes()).hexdigest()

    def find(self, picture: Pixels) -> Likeness | None:
        """The known picture that another one (64, 64, 3) looks like, None where it looks like none."""
        if not self.names:
            return None
        near = _distances(self._small, self._lengths[0], shrink(picture).ravel())
        alike = _distances(self._silhouettes, self._lengths[1], silhouette(picture).ravel())
        score = np.minimum(near / NEAR, alike / ALIKE)
        best = int(score.argmin())
        if score[best] >= 1:
            return None
        return Likeness(self.names[best], float(near[best]), float(alike[best]))


def read_known(folders: Iterable[Path]) -> Known:
    """The pictures of folders and of those in them, stretched to 64 x 64. Raises SketchError where there are none."""
    pictures: list[tuple[str, Pixels]] = []
    for folder in folders:
        if not folder.is_dir():
            raise SketchError("is no folder of pictures to exclude", file=str(folder))
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        if not files:
            raise SketchError(f"holds no pictures ({', '.join(SUFFIXES)}) to exclude", file=str(folder))
        for file in files:
            pixels = load_picture(file).pixels
            pictures.append((str(file.relative_to(folder)), resize(pixels, (2 * SIDE, 2 * SIDE))))
    return Known(pictures)


def shrink(picture: Pixels) -> Pixels:
    """The mean of each two by two pixels: (64, 64, C) -> (32, 32, C)."""
    return np.asarray(picture.reshape(SIDE, 2, SIDE, 2, -1).mean(axis=(1, 3)), np.float32)


def silhouette(picture: Pixels) -> Pixels:
    """What is not ground, cut out and stretched: (32, 32) in 0..1, 1 where it differs most. Noughts for a blank one."""
    light = picture @ LIGHT
    border = np.concatenate((light[0], light[-1], light[1:-1, 0], light[1:-1, -1]))
    mark = np.abs(light - np.median(border))
    most = float(mark.max())
    if most < 1 / 255:
        return np.zeros((SIDE, SIDE), np.float32)
    mark = mark / most
    rows, columns = (np.flatnonzero((mark > FAINT).any(axis)) for axis in (1, 0))
    cut = mark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return resize(cut[..., None], (SIDE, SIDE))[..., 0]


def _distances(known: Pixels, lengths: Pixels, one: Pixels) -> Pixels:
    """The root mean squared difference of each row from one; lengths are the rows' squared lengths."""
    squares = lengths - 2 * (known @ one) + one @ one
    return np.asarray(np.sqrt(np.maximum(squares, 0) / one.size), np.float32)
