"""Programs with their pictures, as `treesketch data build` wrote them: a folder of shards in, pairs by number out."""

import io
from collections.abc import Collection, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from treesketch.errors import ConfigError
from treesketch.shards.store import read_manifest, read_rows


class Pairs:
    """Programs (text) and pictures (PNG) of one split, in the order of the manifest's files.

    kinds are the samplers' names, or shards.store.CORPUS for drawings.
    """

    def __init__(self, programs: Sequence[str], pictures: Sequence[bytes], kinds: Sequence[str]):
        self.programs, self.kinds = programs, kinds
        self._pictures = pictures

    def __len__(self) -> int:
        return len(self.programs)

    def picture(self, number: int) -> np.ndarray:
        """The picture of a pair, (64, 64, 3) uint8."""
        return np.asarray(Image.open(io.BytesIO(self._pictures[number])).convert("RGB"))

    def only(self, kinds: Collection[str], count: int) -> "Pairs":
        """So many of the pairs of some kinds, evenly spread, or all there are; shuffled, the same each time."""
        numbers = [k for k, kind in enumerate(self.kinds) if kind in kinds]
        n = len(numbers)
        chosen = [numbers[k * n // count] for k in range(count)] if count < n else numbers
        return self.take([chosen[k] for k in np.random.default_rng(0).permutation(len(chosen))])

    def take(self, numbers: Sequence[int]) -> "Pairs":
        """The pairs with these numbers."""
        programs, pictures = [self.programs[k] for k in numbers], [self._pictures[k] for k in numbers]
        return Pairs(programs, pictures, [self.kinds[k] for k in numbers])


@lru_cache(maxsize=4)
def load_pairs(folder: Path, split: str) -> Pairs:
    """All pairs of a split, read once a process. Raises SketchError for what is no folder of shards, ConfigError where
    it has none of the split."""
    rows = [
        (row.program, row.picture, row.kind)
        for shard in read_manifest(folder).shards
        for row in read_rows(folder / shard.file, ("program", "picture", "kind", "split"))
        if row.split == split
    ]
    if not rows:
        raise ConfigError(f"no pairs of the split '{split}' are in these shards", file=str(folder))
    return Pairs(*zip(*rows, strict=True))


def choose_numbers(pairs: int, seed: int, step: int, batch: int) -> list[int]:
    """The pairs of a step's batch: all pairs in one order, then in another, and so on; a function of seed and step."""
    first = step * batch
    numbers: list[int] = []
    while len(numbers) < batch:
        epoch, within = divmod(first + len(numbers), pairs)
        order = _order(pairs, seed, epoch)
        numbers += order[within : within + batch - len(numbers)].tolist()
    return numbers


@lru_cache(maxsize=2)
def _order(pairs: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(pairs)
