"""Shards on disk: rows in, a folder of Parquet files with a manifest out, and back again.

The manifest says how the folder was made and holds a checksum of each file. A file that it does not name is not whole.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from PIL import Image

from treesketch.errors import SketchError
from treesketch.files import describe, read_bytes, write_whole

MANIFEST = "manifest.json"
MOST_BYTES = 1 << 30  # of a shard, or of a manifest
CORPUS = "corpus"  # the kind of rows that come from drawings
TRAIN, HELD_OUT = "train", "held_out"
HELD = 50  # one of so many sources is held out


@dataclass(frozen=True, slots=True)
class Row:
    """A picture (a PNG) and the program that draws it.

    kind is the sampler that it comes from, or CORPUS; split is TRAIN or HELD_OUT. Of a drawing, holes is the decisions
    that each layer takes, and error its distance (rmse, 0..1) from resvg's picture.
    """

    program: str
    picture: bytes
    kind: str
    source: str
    licence: str
    split: str
    layers: int
    holes: list[int] | None = None
    error: float | None = None


@dataclass(frozen=True, slots=True)
class Shard:
    """A finished file: its rows and bytes, its checksum, the code that made it, and what became of its sources.

    kept and dropped count them, by kind or package and by reason; alike names those that looked like an excluded one.
    """

    file: str
    rows: int
    bytes: int
    sha256: str
    revision: str
    kept: dict[str, int]
    dropped: dict[str, dict[str, int]]
    alike: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Manifest:
    """How a folder of shards was made: settings, corpora and excluded pictures; how many shards there will be."""

    config: dict[str, Any]
    corpora: list[dict[str, Any]]
    excluded: dict[str, Any]
    parts: int
    shards: list[Shard]


def choose_split(name: str) -> str:
    """The split of a source, which follows from its name."""
    return HELD_OUT if int.from_bytes(digest(name.encode())[:8].encode(), "big") % HELD == 0 else TRAIN


def digest(data: bytes) -> str:
    """The SHA-256 of bytes, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def encode_png(picture: Any) -> bytes:
    """A picture (H, W, 3) uint8 as a PNG, of one channel where it is grey."""
    image = Image.fromarray(picture)
    if (picture == picture[..., :1]).all():
        image = image.convert("L")
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def encode_rows(rows: Sequence[Row]) -> bytes:
    """Rows as a Parquet file."""
    import pyarrow
    from pyarrow import parquet

    text, data = pyarrow.string(), pyarrow.binary()
    kinds = {
        "picture": data,
        "layers": pyarrow.int32(),
        "holes": pyarrow.list_(pyarrow.int32()),
        "error": pyarrow.float32(),
    }
    names = [field.name for field in fields(Row)]
    schema = pyarrow.schema([(name, kinds.get(name, text)) for name in names])
    columns = [pyarrow.array([getattr(row, name) for row in rows], schema.field(name).type) for name in names]
    sink = io.BytesIO()
    table = pyarrow.Table.from_arrays(columns, schema=schema)
    parquet.write_table(
        table, sink, compression="zstd", compression_level=12, use_dictionary=["kind", "licence", "split"]
    )
    return sink.getvalue()


def read_rows(path: Path, columns: Sequence[str] | None = None) -> Iterator[Row]:
    """The rows of a shard; columns that are not asked for are empty. Raises SketchError for what is no shard."""
    import pyarrow
    from pyarrow import parquet

    names = [field.name for field in fields(Row)]
    empty = dict.fromkeys(names)
    data = read_bytes(path, MOST_BYTES, "it is no shard")
    try:
        table = parquet.read_table(pyarrow.BufferReader(data), columns=list(columns or names))
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise SketchError(f"is no shard: {str(error).splitlines()[0]}", file=str(path)) from None
    missing = set(columns or names) - set(table.column_names)
    if missing:
        raise SketchError(f"is no shard: it has no column '{min(missing)}'", file=str(path))
    for batch in table.to_batches(max_chunksize=256):
        for row in batch.to_pylist():
            yield Row(**(empty | row))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest whole."""
    write_whole(folder / MANIFEST, json.dumps(asdict(manifest), indent=1) + "\n")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder of shards. Raises SketchError when there is none, or it is not one."""
    path = folder / MANIFEST
    if not folder.is_dir():
        raise SketchError("no such folder of shards", file=str(folder))
    if not path.is_file():
        raise SketchError(f"holds no {MANIFEST}; treesketch data build makes one", file=str(folder))
    try:
        said = json.loads(read_bytes(path, MOST_BYTES, "this is none"))
        shards = [Shard(**shard) for shard in said.pop("shards")]
        manifest = Manifest(**said, shards=shards)
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        raise SketchError("is no manifest of shards; build them anew in another folder", file=str(path)) from None
    for shard in manifest.shards:
        if not isinstance(shard.file, str) or Path(shard.file).name != shard.file:
            raise SketchError(f"names a shard outside of its folder: {str(shard.file)[:60]!r}", file=str(path))
    return manifest


def is_whole(folder: Path, shard: Shard) -> bool:
    """Whether a shard's file is there and has its checksum."""
    path = folder / shard.file
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == shard.sha256
    except FileNotFoundError:
        return False
    except OSError as error:
        raise SketchError(describe(error), file=str(path)) from None


def total(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    """Counts added up by key."""
    result: dict[str, int] = {}
    for each in counts:
        for key, count in each.items():
            result[key] = result.get(key, 0) + count
    return result
