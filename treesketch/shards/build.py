"""`treesketch data build`: a config and pictures to keep away from in, a folder of shards out.

The work is divided into parts, each of which becomes a shard that follows from the config alone, whoever makes it and
when; so a build that was stopped goes on with the parts that it lacks.
"""

import gc
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from treesketch.data import SIDE, sample_scene
from treesketch.errors import ConfigError, SketchError
from treesketch.files import describe, write_whole
from treesketch.layers import write_program
from treesketch.picture import to_bytes
from treesketch.settings import read_settings, revision
from treesketch.shards import store
from treesketch.shards.corpora import Drawing, read_corpora
from treesketch.shards.drawings import FINER, Bounds, Converted, Dropped, convert
from treesketch.shards.likeness import Known, read_known
from treesketch.shards.store import CORPUS, Manifest, Row, Shard, choose_split
from treesketch.syntax import unparse
from treesketch.vector import Painter
from treesketch.workers import start_worker, work_each

OURS = "MIT"  # licence of what our samplers draw


@dataclass(frozen=True, slots=True)
class Config:
    """What a folder of shards depends on, besides the pictures that are excluded.

    samples is how many scenes are sampled, shared among the samplers by their weights; corpora are folders of SVG files
    and Iconify collections, `most` drawings of each at most (0 for all). Drawings are kept with at most so many layers,
    and at most `error` (rmse, 0..1) from resvg's picture. rows is how many sources a shard is made of.
    """

    seed: int = 0
    samples: int = 0
    plain: float = 1.0
    flags: float = 1.0
    cutouts: float = 1.0
    corpora: tuple[str, ...] = ()
    most: int = 0
    layers: int = 40
    error: float = 0.03
    rows: int = 1000

    def counts(self) -> dict[str, int]:
        """How many scenes of each kind are sampled; together `samples`."""
        weights = {"plain": self.plain, "flags": self.flags, "cutouts": self.cutouts}
        whole, ends, before = sum(weights.values()), [], 0.0
        for weight in weights.values():
            before += weight
            ends.append(round(self.samples * before / whole) if whole else 0)
        return {kind: end - start for kind, start, end in zip(weights, [0, *ends], ends, strict=False)}


@dataclass(frozen=True, slots=True)
class Part:
    """What one shard is made of: scenes `first` up to `last` of a sampler, or drawings of a package."""

    file: str
    kind: str
    seed: int
    first: int = 0
    last: int = 0
    drawings: tuple[Drawing, ...] = ()


@dataclass(slots=True)
class Build:
    """A build: where it goes, what it keeps away from, its manifest so far and the parts that are missing."""

    folder: Path
    config: Config
    known: Known
    manifest: Manifest
    missing: list[Part]

    def run(self, processes: int) -> Iterator[Shard]:
        """Make what is missing, and yield each shard when it is there. Raises SketchError when one cannot be made."""
        code = revision()
        work = Work(self.folder, self.config, self.known, code)
        if processes == 1 or len(self.missing) < 2:
            made: Iterator[Shard | None] = map(work, self.missing)
        else:
            made = (shard for _, shard in work_each(work, self.missing, processes, start_worker))
        for shard in made:
            if shard is None:
                message = "a process was killed, perhaps for lack of memory; the same command with --jobs 1 goes on"
                raise SketchError(message, file=str(self.folder))
            self.manifest.shards.append(shard)
            self.manifest.shards.sort(key=lambda shard: shard.file)
            store.write_manifest(self.folder, self.manifest)
            yield shard


def read_config(path: Path, overrides: list[str]) -> Config:
    """A flat TOML file and `key=value` overrides -> a config. Raises ConfigError."""
    config, places = read_settings(Config, path, overrides)

    def refuse(key: str, rule: str) -> None:
        raise ConfigError(f"'{key}' takes {rule}, got {getattr(config, key)!r}", file=places.get(key, str(path)))

    for key in ("seed", "samples", "most", "plain", "flags", "cutouts", "error"):
        if not 0 <= getattr(config, key) < math.inf:
            refuse(key, "a number from 0 up")
    for key in ("layers", "rows"):
        if getattr(config, key) < 1:
            refuse(key, "a whole number from 1 up")
    if config.samples and not config.plain + config.flags + config.cutouts:
        refuse("plain", "a number above 0 unless flags or cutouts is, for 'samples'")
    if not config.samples and not config.corpora:
        refuse("samples", "a number above 0 unless there are corpora")
    return config


def prepare(config: Config, folder: Path, exclude: list[Path]) -> Build:
    """Read what a build needs and see what of it is there. Raises SketchError when the folder holds another one."""
    known = read_known(exclude)
    corpora = read_corpora(config.corpora, config.most)
    sources = [_sampled(config, kind, count) for kind, count in config.counts().items()]
    sources += [_drawn(config, n, corpus.package, corpus.drawings) for n, corpus in enumerate(corpora, 1)]
    # In turn, so that a build that is stopped has some of each.
    parts = [part for turn in zip_longest(*sources) for part in turn if part]
    manifest = Manifest(
        config=asdict(config) | {"corpora": list(config.corpora)},
        corpora=[
            {
                "path": corpus.path,
                "package": corpus.package,
                "version": corpus.version,
                "licence": corpus.licence,
                "drawings": len(corpus.drawings),
                "left_out": dict(corpus.left_out),
                "sha256": store.digest(b"\0".join(drawing.svg for drawing in corpus.drawings)),
            }
            for corpus in corpora
        ],
        excluded={"folders": list(map(str, exclude)), "pictures": len(known), "sha256": known.digest()},
        parts=len(parts),
        shards=[],
    )
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise SketchError(f"cannot make the folder: {describe(error)}", file=str(folder)) from None
    manifest.shards.extend(_finished(folder, manifest))
    there = {shard.file for shard in manifest.shards}
    return Build(folder, config, known, manifest, [part for part in parts if part.file not in there])


def _sampled(config: Config, kind: str, count: int) -> list[Part]:
    starts = range(0, count, config.rows)
    return [
        Part(f"{kind}-{number:05}.parquet", kind, config.seed, first, min(first + config.rows, count))
        for number, first in enumerate(starts)
    ]


def _drawn(config: Config, corpus: int, package: str, drawings: list[Drawing]) -> list[Part]:
    name = f"{CORPUS}-{corpus:02}-{re.sub(r'[^a-z0-9]+', '-', package.lower()).strip('-')[:60]}"
    starts = range(0, len(drawings), config.rows)
    return [
        Part(f"{name}-{number:05}.parquet", CORPUS, config.seed, drawings=tuple(drawings[k : k + config.rows]))
        for number, k in enumerate(starts)
    ]


def _finished(folder: Path, wanted: Manifest) -> list[Shard]:
    """The shards of this build that are there and whole. Raises SketchError when those there are of another build."""
    if not (folder / store.MANIFEST).exists():
        return []  # a shard that was not noted is made anew
    found = store.read_manifest(folder)
    for key in ("config", "corpora", "excluded"):
        here, there = getattr(wanted, key), getattr(found, key)
        if here != there:
            raise SketchError(
                f"was begun with other {_DIFFERENCES[key]}{_first_difference(here, there)}; give another folder",
                file=str(folder),
            )
    return [shard for shard in found.shards if store.is_whole(folder, shard)]


_DIFFERENCES = {"config": "settings", "corpora": "drawings", "excluded": "pictures to exclude"}


def _first_difference(here: Any, there: Any) -> str:
    """What differs in two mappings, in brackets."""
    if not isinstance(here, dict) or not isinstance(there, dict):
        return ""
    keys = [key for key in here if here[key] != there.get(key)]
    return f" ({keys[0]}: {there.get(keys[0])!r} there, {here[keys[0]]!r} here)" if keys else ""


# One part


@dataclass(frozen=True, slots=True)
class Work:
    """Makes a part's shard; what it needs to know travels to every process."""

    folder: Path
    config: Config
    known: Known
    revision: str

    def __call__(self, part: Part) -> Shard:
        """Write a part's shard and tell of it. Raises SketchError when it cannot be written."""
        gc.freeze()  # what start-up left behind is never garbage
        tally = Tally()
        rows = list(self._draw(part, tally) if part.drawings else self._sample(part, tally))
        data = store.encode_rows(rows)
        write_whole(self.folder / part.file, data)
        dropped = {name: dict(sorted(counts.items())) for name, counts in sorted(tally.dropped.items())}
        kept = dict(sorted(tally.kept.items()))
        return Shard(part.file, len(rows), len(data), store.digest(data), self.revision, kept, dropped, tally.alike)

    def _sample(self, part: Part, tally: "Tally") -> Iterator[Row]:
        """The scenes of a sampler: each is a function of seed, kind and number."""
        kind = crc32(part.kind.encode())
        for number in range(part.first, part.last):
            scene = sample_scene({part.kind: 1.0}, np.random.default_rng([part.seed, kind, number]))
            source = f"{part.kind} {part.seed}/{number}"
            if not scene.layers:
                tally.drop(part.kind, "nothing to see")
            elif not self._is_alike(scene.drawings[-1], source, part.kind, tally):
                tally.kept[part.kind] += 1
                program = unparse(write_program(scene.layers, (SIDE, SIDE), scene.background))
                picture = store.encode_png(to_bytes(scene.drawings[-1]))
                split = choose_split(source)
                yield Row(program, picture, part.kind, source, OURS, split, len(scene.layers))

    def _draw(self, part: Part, tally: "Tally") -> Iterator[Row]:
        """The drawings of a package that can be learnt from."""
        bounds = Bounds(self.config.layers, self.config.error)
        with Painter(FINER * 64) as painter:
            for drawing in part.drawings:
                package = drawing.source.rpartition("/")[0]
                try:
                    found = convert(drawing.svg, drawing.source, painter, bounds)
                except Dropped as reason:
                    tally.drop(package, str(reason))
                    continue
                if not self._is_alike(found.picture.astype(np.float32) / 255, drawing.source, package, tally):
                    tally.kept[package] += 1
                    yield _row(drawing, found)

    def _is_alike(self, picture: np.ndarray, source: str, name: str, tally: "Tally") -> bool:
        like = self.known.find(picture)
        if like is None:
            return False
        tally.drop(name, "like a picture that is excluded")
        distances = {"picture": round(like.picture, 4), "silhouette": round(like.silhouette, 4)}
        tally.alike.append({"source": source, "like": like.name, **distances})
        return True


class Tally:
    """What became of a part's sources, by package or kind."""

    def __init__(self) -> None:
        self.kept: Counter[str] = Counter()
        self.dropped: dict[str, Counter[str]] = {}
        self.alike: list[dict[str, Any]] = []

    def drop(self, name: str, reason: str) -> None:
        """Count a source that is not kept."""
        self.dropped.setdefault(name, Counter())[reason] += 1


def _row(drawing: Drawing, found: Converted) -> Row:
    return Row(
        unparse(write_program(found.layers, (SIDE, SIDE), found.ground)),
        store.encode_png(found.picture),
        CORPUS,
        drawing.source,
        drawing.licence,
        choose_split(drawing.family),
        len(found.layers),
        found.holes,
        found.error,
    )
