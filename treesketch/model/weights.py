"""Weights on disk: safetensors with the vocabulary's names beside them, so that a grammar may grow and ids may move.

Only safetensors is ever read: no pickle. A `Network` in, a file out, and back.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from importlib.resources import as_file, files
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from treesketch.actions import FUNCTION_FORMS, LOOP_FORMS, Vocabulary, load_vocabulary
from treesketch.errors import CheckpointError, ConfigError
from treesketch.files import write_whole
from treesketch.model.network import HANDS, ModelConfig, Network

FORMAT = "treesketch-1"
NAMED = {  # tensors with a row for each name
    "action.weight": "actions",
    "actions.weight": "actions",
    "actions.bias": "actions",
    "role.weight": "roles",
    "hole.weight": "holes",
    "style": "styles",
}
UNSEEN = -100.0  # the logit of an action that weights have never seen
# What no decoder wrote before it wrote calls: older weights have rows for these, which were never trained.
LATER = {f"production:{name}" for name in ("doseq", *FUNCTION_FORMS, *LOOP_FORMS)}
MOST_WIDTH, MOST_LAYERS = 4096, 64  # of a network that a file may ask for


def describe(network: Network, grammar: str, notes: Mapping[str, str]) -> dict[str, str]:
    """The metadata that goes with weights: format, grammar, sizes, the rows' names, and notes (seed, config...)."""
    return {
        "format": FORMAT,
        "grammar": grammar,
        "model": json.dumps(asdict(network.config)),
        **{rows: json.dumps(names) for rows, names in row_names(network.vocabulary).items()},
        **notes,
    }


def row_names(vocabulary: Vocabulary) -> dict[str, list[str]]:
    """The names of the rows of a vocabulary's tensors: actions, roles, holes, and what may be asked of a program."""
    holes = [f"{h.kind}{'*' * h.listing}{h.needed or ''}{'!' * h.full}" for h in vocabulary.holes]
    return {"actions": vocabulary.actions, "roles": vocabulary.roles, "holes": holes, "styles": list(HANDS)}


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors and metadata, whole or not at all."""
    write_whole(path, save({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, dict(metadata)))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata. Raises CheckpointError, one line, when there is no such file or it is damaged."""
    if not path.is_file():
        raise CheckpointError("no such weights; train some with 'treesketch train configs/tiny.toml'", file=str(path))
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"not whole safetensors weights ({_first_line(error)})", file=str(path)) from None
    if metadata.get("format") != FORMAT:
        raise CheckpointError("these weights were not written by treesketch train", file=str(path))
    return tensors, metadata


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def save_network(path: Path, network: Network, grammar: str, notes: Mapping[str, str]) -> None:
    """Write a network's weights in half precision, under the names that its parameters have in the code."""
    tensors = {name: value.half() for name, value in network.state_dict().items()}
    save_tensors(path, tensors, describe(network, grammar, notes))


def load_network(path: Path, grammar: str | None = None) -> Network:
    """The network of a weights file, of a grammar if one is given, ready to write (evaluation mode, float32).

    Rows of actions, roles and holes are matched by name, so a grammar may have grown since: an action that the weights
    have never seen is not chosen while there is another. `differences` lists what has come and gone.
    Raises CheckpointError where the description or a tensor is missing, of the wrong shape, or not of numbers, and
    where the weights are of another grammar.
    """
    tensors, metadata = read_tensors(path)
    try:
        config = _read_sizes(metadata["model"])
    except (KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"the weights lack their description ({error})", file=str(path)) from None
    vocabulary, names = _read_names(path, metadata)
    if grammar not in (None, vocabulary.language.name):
        raise CheckpointError(
            f"weights of grammar '{vocabulary.language.name}' cannot write '{grammar}'", file=str(path)
        )
    network = Network(vocabulary, config)
    _fill(network, tensors, names, str(path))
    return network.eval()


SHIPPED = {"sketch": "base"}  # grammar -> its file in treesketch/weights, where that has another name


def load_shipped(grammar: str) -> Network:
    """The network that is shipped for a grammar. Raises CheckpointError where there is none."""
    name = SHIPPED.get(grammar, grammar)
    shipped = files("treesketch.weights") / f"{name}.safetensors"
    if not shipped.is_file():
        advice = f"train some with 'treesketch train configs/{name}.toml' and name them with --weights"
        raise CheckpointError(f"no weights for {grammar} are shipped; {advice}")
    with as_file(shipped) as path:
        return load_network(path, grammar)


def differences(path: Path) -> tuple[list[str], list[str]]:
    """What a weights file and its grammar as it is now do not share: actions that are new, and actions that have gone.

    Raises CheckpointError as `load_network` does.
    """
    vocabulary, names = _read_names(path, read_tensors(path)[1])
    known, old = set(vocabulary.actions), set(names["actions"])
    new = [name for name in vocabulary.actions if name not in old]
    return new, [name for name in names["actions"] if name not in known]


def _read_names(path: Path, metadata: Mapping[str, str]) -> tuple[Vocabulary, dict[str, list[str]]]:
    """The vocabulary of the grammar that the weights were trained for, and the names of their rows."""
    try:
        names = {rows: [str(name) for name in json.loads(metadata[rows])] for rows in ("actions", "roles", "holes")}
        names["styles"] = [str(name) for name in json.loads(metadata.get("styles", "[]"))]
        return load_vocabulary(metadata["grammar"]), names
    except (KeyError, ValueError, TypeError, ConfigError) as error:
        raise CheckpointError(f"the weights lack their description ({error})", file=str(path)) from None


def _read_sizes(text: str) -> ModelConfig:
    """The sizes that a file asks for. Raises ValueError where no network can have them."""
    sizes = json.loads(text)
    config = ModelConfig(**{field.name: sizes[field.name] for field in fields(ModelConfig)})
    for name, size in asdict(config).items():
        most = MOST_WIDTH if name == "width" else MOST_LAYERS
        if not isinstance(size, int) or not 1 <= size <= most:
            raise ValueError(f"{name} is {size!r}; it goes from 1 to {most}")
    if config.width % (8 * config.heads):
        raise ValueError(f"width is {config.width}, no multiple of 8 x heads = {8 * config.heads}")
    return config


@torch.no_grad()
def _fill(network: Network, tensors: Mapping[str, Tensor], names: Mapping[str, list[str]], file: str) -> None:
    """Copy tensors into a network, rows with names by name."""
    own = row_names(network.vocabulary)
    for name, value in network.state_dict().items():
        if name == "style" and name not in tensors:
            continue  # weights from before there were styles write in any
        if name not in tensors:
            raise CheckpointError(f"the weights have no tensor '{name}'", file=file)
        given = tensors[name].to(value.dtype)
        shape = value.shape if name not in NAMED else (len(names[NAMED[name]]), *value.shape[1:])
        if given.shape != shape:
            raise CheckpointError(f"tensor '{name}' has shape {list(given.shape)}, not {list(shape)}", file=file)
        if not given.isfinite().all():
            raise CheckpointError(f"tensor '{name}' holds what is not a number", file=file)
        if name not in NAMED:
            value.copy_(given)
            continue
        old = {row: i for i, row in enumerate(names[NAMED[name]])}
        if network.vocabulary.calls and "callee:0" not in names["actions"]:
            old = {row: i for row, i in old.items() if row not in LATER}
        for i, row in enumerate(own[NAMED[name]]):
            if row in old:
                value[i] = given[old[row]]
            elif NAMED[name] == "actions":
                value[i] = UNSEEN if name == "actions.bias" else 0.0
