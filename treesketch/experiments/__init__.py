"""Systems to compare with the shipped learner: pairs of `treesketch data build` in, weights and results out.

A system is one module of this package; SYSTEMS names them all. `loop` trains any of them, `pairs` is what they learn
from, `system` what they have in common, `scoring` what they are measured by.
"""

import tomllib
from pathlib import Path

# What a config's `system` may say -> the class, in module:name.
SYSTEMS = {
    "tree": "tree_decoder:TreeDecoder",
    "show-and-tell": "show_and_tell:ShowAndTell",
    "renderer": "renderer:Renderer",
    "restorer": "restorer:Restoring",
    "through": "through:Through",
    "rewards": "rewards:Rewards",
    "adversarial": "adversarial:Adversarial",
    "styled": "styled:StyledDecoder",
}


def find_system(path: Path, overrides: list[str]) -> str | None:
    """What a config and its `key=value` overrides say about `system`; None where they do not, or are no config."""
    for text in reversed(overrides):
        key, _, value = text.partition("=")
        if key == "system":
            return value.strip('"')
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8")).get("system")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    return said if isinstance(said, str) else None
