"""Flat TOML files and `key=value` words -> a frozen dataclass of settings. Unknown keys and wrong types are errors.

Also the revision of the code, which is kept beside them.
"""

import difflib
import subprocess
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from treesketch.errors import ConfigError
from treesketch.files import describe

Settings = TypeVar("Settings")


def read_settings(kind: type[Settings], path: Path, overrides: list[str]) -> tuple[Settings, dict[str, str]]:
    """The settings of a file, then of overrides, the rest as the dataclass has them; and the place of each key given.

    A field's default says its type; one that is a tuple takes a list of texts. Raises ConfigError.
    """
    try:
        given: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(describe(error), file=str(path)) from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"not UTF-8 text at byte {error.start}", file=str(path)) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}", file=str(path)) from None
    places = dict.fromkeys(given, str(path))
    for text in overrides:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"'{text}' is not key=value")
        try:
            given[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            given[key] = value
        places[key] = text
    kinds = {field.name: type(field.default) for field in fields(kind)}  # type: ignore[arg-type]
    for key, value in given.items():
        if key not in kinds:
            close = difflib.get_close_matches(key, kinds, n=1)
            hint = f"; did you mean '{close[0]}'?" if close else f"; there are: {', '.join(kinds)}"
            raise ConfigError(f"no key '{key}'{hint}", file=places[key])
        given[key] = _converted(key, value, kinds[key], places[key])
    return kind(**given), places


def _converted(key: str, value: Any, wanted: type, place: str) -> Any:
    """A value as the type that its key takes."""
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if wanted is tuple:
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ConfigError(f"'{key}' takes a list of texts, got {value!r}", file=place)
        return tuple(texts)
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise ConfigError(f"'{key}' takes {wanted.__name__}, got {value!r}", file=place)
    return value


def revision() -> str:
    """The git revision of the code, with a plus when files differ from it, or 'unknown' outside a checkout."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        revision = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", "."], capture_output=True).returncode
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return revision + ("+" if changed else "")
