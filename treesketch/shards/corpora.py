"""Corpora of drawings: paths of packages in; each drawing's name, source and licence and its SVG out.

A corpus is a folder of SVG files or an Iconify collection, with the `package.json` of its package in the folder or in
one of the three above it. Flags are left out, by name, for real ones are kept to judge by; so are drawings that only
have another skin tone, and those that have the very text of another one.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from treesketch.errors import SketchError
from treesketch.files import MOST_BYTES, read_bytes
from treesketch.importing.icons import MOST_BYTES as MOST_OF_ICONS
from treesketch.importing.icons import read_icons

ABOVE = 3  # folders above a corpus that may hold its package.json
FLAG = re.compile(r"(?:^|[-_ ])flags?(?:[-_ ]|$)", re.IGNORECASE)
TONE = re.compile(r"-skin-tone\b", re.IGNORECASE)
VARIANT = re.compile(r"-(?:outline|fill|variant|alt|off)\b|-\d+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Drawing:
    """One drawing of a corpus. source is "package version/name"; licence is its package's, as SPDX spells it."""

    source: str
    name: str
    licence: str
    svg: bytes

    @property
    def family(self) -> str:
        """What it has in common with its variants (outlines, sizes): they are trained on together or not.

        >>> [Drawing("", name, "", b"").family for name in ("bell-outline", "bell-fill-24")]
        ['bell', 'bell']
        """
        return VARIANT.sub("", self.name)


@dataclass(frozen=True, slots=True)
class Corpus:
    """A package's drawings, and how many were left out by reason before any was looked at."""

    path: str
    package: str
    version: str
    licence: str
    drawings: list[Drawing]
    left_out: Counter[str]


def read_corpora(paths: Iterable[str], most: int) -> list[Corpus]:
    """The drawings of every corpus, at most so many of each (0 for all), spread evenly.

    Raises SketchError for a path that is no corpus or has no licence.
    """
    seen: set[bytes] = set()
    corpora = [_read_corpus(Path(path), seen) for path in paths]
    for corpus in corpora:
        n = len(corpus.drawings)
        if most and n > most:
            corpus.left_out["more than 'most'"] = n - most
            corpus.drawings[:] = [corpus.drawings[k * n // most] for k in range(most)]
    return corpora


def _read_corpus(path: Path, seen: set[bytes]) -> Corpus:
    if path.is_dir():
        found = [(file.stem, read_bytes(file, MOST_BYTES, "simplify it")) for file in sorted(path.glob("*.svg"))]
        if not found:
            raise SketchError("a corpus is a folder of .svg files or an icons.json; here are none", file=str(path))
    else:
        found = sorted(read_icons(read_bytes(path, MOST_OF_ICONS, "split the collection"), str(path)))
    package, version, licence = _read_package(path)
    left_out: Counter[str] = Counter()
    drawings = []
    for name, svg in found:
        if FLAG.search(name):
            left_out["a flag"] += 1
        elif TONE.search(name):
            left_out["another skin tone"] += 1
        elif svg in seen:
            left_out["a copy"] += 1
        else:
            seen.add(svg)
            drawings.append(Drawing(f"{package} {version}/{name}", name, licence, svg))
    return Corpus(str(path), package, version, licence, drawings, left_out)


def _read_package(path: Path) -> tuple[str, str, str]:
    """The name, version and licence of the package that a corpus belongs to."""
    folder = path.resolve() if path.is_dir() else path.resolve().parent
    for place in [folder, *folder.parents][: ABOVE + 1]:
        file = place / "package.json"
        if not file.is_file():
            continue
        try:
            said = json.loads(read_bytes(file, MOST_BYTES, "this is no package's"))
        except (ValueError, RecursionError):
            raise SketchError("not JSON", file=str(file)) from None
        values = [said.get(key) if isinstance(said, dict) else None for key in ("name", "version", "license")]
        for key, value in zip(("name", "version", "license"), values, strict=True):
            if not isinstance(value, str) or not value.strip() or not value.isprintable():
                raise SketchError(
                    f'no "{key}" that is a text; a corpus needs its name, version and licence', file=str(file)
                )
        name, version, licence = values
        return str(name), str(version), str(licence)
    raise SketchError("no package.json here or above that says its licence; put one beside it", file=str(path))
