"""Forms with expected numbers drawn by the neural renderer: its weights and the forms' values in, a picture out."""

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import torch
from torch import Tensor

from treesketch.errors import CheckpointError
from treesketch.experiments.forms import FormGraph, join_graphs, layers_to_graph
from treesketch.experiments.painter import Painter, PainterConfig, grid
from treesketch.experiments.relaxed import FILL, PAINT, STROKE, WEIGHT, Form, put_numbers
from treesketch.model.encoder import RESOLUTION
from treesketch.model.weights import read_tensors

MARK = 1 << 20  # no number of a program: it marks where a value goes, and stays exact in single precision


def load_painter(path: Path) -> Painter:
    """The network of a run of the neural renderer. Raises CheckpointError for a file that is no such run's weights."""
    tensors, notes = read_tensors(path)
    try:
        said = json.loads(notes["config"])
        painter = Painter(PainterConfig(**{each.name: int(said[each.name]) for each in fields(PainterConfig)}))
        painter.load_state_dict(tensors)
    except (KeyError, ValueError, TypeError, RuntimeError):
        raise CheckpointError("these are not the weights of a neural renderer", file=str(path)) from None
    return painter


def draw_neurally(painter: Painter, forms: Sequence[Form], values: Sequence[Tensor], drawing: Tensor) -> Tensor:
    """`relaxed.DrawForms` by a neural renderer; has gradients in its weights, too, where they want them."""
    graph = join_graphs([graph_of(form, own) for form, own in zip(forms, values, strict=True)])
    covered = painter.coverage(graph, grid(RESOLUTION))  # (B, 4096, 2)
    drawn = drawing.flatten(2).transpose(1, 2)
    for part in range(2):
        drawn = drawn + (graph.color[:, part, None] - drawn) * covered[:, :, part, None]
    return drawn.transpose(1, 2).unflatten(2, drawing.shape[2:])


def graph_of(form: Form, values: Tensor) -> FormGraph:
    """The graph of a form with these values (PAINT + K,) in it."""
    marks = [float(MARK + number) for number in range(PAINT, len(values))]
    marked = replace(form.layer, shape=put_numbers(form.layer.shape, marks), weight=float(MARK + WEIGHT))
    graph = layers_to_graph([marked], (255, 255, 255))
    here = graph.number >= MARK
    chosen = values[torch.where(here, graph.number - MARK, 0.0).long()]
    graph.number = torch.where(here, chosen, graph.number)
    graph.color = torch.stack([values[FILL : FILL + 3], values[STROKE : STROKE + 3]])[None]
    return graph
