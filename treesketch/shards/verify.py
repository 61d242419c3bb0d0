"""`treesketch data check`: a folder of shards in; every mistake in it, in one line each, out.

Every file is held against its checksum and every program is parsed; each so many are drawn again and held against
their pictures.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from treesketch.data import SIDE, compose
from treesketch.errors import SketchError
from treesketch.layers import read_layers
from treesketch.picture import to_bytes
from treesketch.shards.store import HELD_OUT, TRAIN, Manifest, Row, Shard, is_whole, read_rows
from treesketch.syntax import parse
from treesketch.tree import Node
from treesketch.workers import start_worker, work_each

NEAR = 2  # of 255, by which a channel may differ when it is drawn again on another machine


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in a shard: rows, rows drawn again, rows of each split, and its mistakes."""

    file: str
    rows: int
    drawn: int
    splits: dict[str, int]
    errors: list[SketchError]


def verify(folder: Path, manifest: Manifest, every: int, processes: int) -> Iterator[Checked]:
    """Check each shard, and draw each `every`-th row of it again."""
    work = Checking(folder, every)
    if processes == 1 or len(manifest.shards) < 2:
        yield from map(work, manifest.shards)
        return
    for shard, found in work_each(work, manifest.shards, processes, start_worker):
        if found is None:
            error = SketchError("its process was killed, perhaps for lack of memory", file=str(folder / shard.file))
            found = Checked(shard.file, 0, 0, {}, [error])
        yield found


@dataclass(frozen=True, slots=True)
class Checking:
    """Checks a shard."""

    folder: Path
    every: int

    def __call__(self, shard: Shard) -> Checked:
        """All that is wrong with a shard."""
        path = self.folder / shard.file
        rows = drawn = 0
        splits: dict[str, int] = {}
        errors: list[SketchError] = []
        try:
            if not is_whole(self.folder, shard):
                raise SketchError("is missing or not what its checksum says; build it again", file=str(path))
            for row in read_rows(path):
                draws = rows % self.every == 0
                rows += 1
                drawn += draws
                splits[row.split] = splits.get(row.split, 0) + 1
                try:
                    _check_row(row, draws)
                except SketchError as error:
                    error.file = f"{path}: {row.source}"
                    errors.append(error)
            if rows != shard.rows:
                raise SketchError(f"has {rows} rows, and its manifest says {shard.rows}", file=str(path))
        except SketchError as error:
            errors.append(error)
        return Checked(shard.file, rows, drawn, splits, errors)


def _check_row(row: Row, draws: bool) -> None:
    """Raises SketchError for a program that is none, or does not draw its picture."""
    if row.split not in (TRAIN, HELD_OUT):
        raise SketchError(f"is of no split: {row.split!r}")
    if not row.licence or not row.source:
        raise SketchError("has no source or no licence")
    tree = parse(row.program)
    try:
        layers, ground = read_layers(tree.children)
    except ValueError as error:
        raise SketchError(f"is more than layers: {error}") from None
    size = tree.children[0]
    if size != Node("size", (Node("dimension", (), float(SIDE)),) * 2) or ground is None or len(layers) != row.layers:
        raise SketchError(f"is not {row.layers} layers on a background of {SIDE} x {SIDE} units")
    if not draws:
        return
    picture = np.asarray(Image.open(io.BytesIO(row.picture)).convert("RGB"), np.int16)
    again = to_bytes(compose(layers, ground).drawings[-1]).astype(np.int16)
    if picture.shape != again.shape or np.abs(picture - again).max() > NEAR:
        raise SketchError("does not draw its picture")
