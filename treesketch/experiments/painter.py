"""The neural renderer's network: a graph of forms in; what each form covers at any place, and pictures, out.

Messages along the tree give every node a state. Each point of a form is then a unit that looks at the plane from where
it stands, and the form's own state makes of all its units how much of a place its inside covers, and its outline. What
is copied and not learnt: colours and how opaque they are, the order of painting, where points stand, and the measures
of a box beside its point. All of it can be differentiated by `number`, `color` and `alpha` of the graph.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric.data import Data

from treesketch.actions import CANVAS
from treesketch.experiments.forms import (
    LATER,
    MAX_POSITION,
    NEXT,
    RELATIONS,
    SLOTS,
    STYLES,
    productions,
)
from treesketch.model.encoder import RESOLUTION

UNIT = 16.0  # canvas units that are 1 to the network
WAVES = 5  # sines and cosines of a number, the longest two canvases long
NUMBER_FEATURES = 6 + 2 * WAVES
STEP_FEATURES = 8
PLACE_FEATURES = 18
NEAR = 1e-3  # keeps roots and quotients smooth where they meet 0
CHUNK = 1 << 17  # units times places that are looked at together where no gradient is kept


@dataclass(frozen=True, slots=True)
class PainterConfig:
    """Sizes: width of a node's state, rounds of messages, width of a unit's view and of a form's."""

    width: int = 96
    rounds: int = 6
    view: int = 48
    form: int = 64


class Painter(nn.Module):
    """Forms -> coverage -> pictures."""

    def __init__(self, config: PainterConfig):
        super().__init__()
        d, v, f = config.width, config.view, config.form
        self.config = config
        self.production = nn.Embedding(len(productions()) + 1, d)
        self.under = nn.Embedding(len(productions()) + 1, d)
        self.position = nn.Embedding(MAX_POSITION + 1, d)
        self.style = nn.Embedding(STYLES, d)
        self.numbers = nn.Linear(SLOTS * NUMBER_FEATURES, d)
        self.rounds = nn.ModuleList(Round(d) for _ in range(config.rounds))
        self.norm = nn.LayerNorm(d)
        self.moves = nn.Linear(d, 1)  # whether a point's numbers move the whole form
        self.turn = nn.Linear(d, 4)  # the form's axes
        self.shift = nn.Linear(d, 2)  # of a point
        self.view = nn.Linear(d, v * PLACE_FEATURES)
        self.gain = nn.Linear(d, 2 * v)
        self.unit1, self.unit2 = nn.Linear(2 * v, v), nn.Linear(v, 2 * f)
        self.bias = nn.Linear(d, 2 * f)
        self.form1, self.form2 = nn.Linear(2 * f + 6, f), nn.Linear(f, f)
        self.out = nn.Linear(f, 2)
        for linear in (self.turn, self.shift, self.gain):
            nn.init.zeros_(linear.weight)
            nn.init.zeros_(linear.bias)
        nn.init.constant_(self.moves.bias, -3.0)
        nn.init.normal_(self.view.weight, std=0.5 / math.sqrt(d))

    def encode(self, graph: Data) -> Tensor:
        """The states of the nodes (N, D)."""
        x = self.production(graph.production) + self.under(graph.under) + self.position(graph.position)
        x = x + self.style(graph.style.clamp(min=0)) * (graph.style >= 0)[:, None]
        x = x + self.numbers(number_features(graph.number, graph.given))
        source, target = graph.edge_index
        steps = step_features(graph.number, graph.edge_index, graph.relation)
        heard = torch.zeros(len(x), device=x.device).index_add(0, target, torch.ones_like(steps[:, 0]))
        share = heard.clamp(min=1).rsqrt()[:, None]
        for each in self.rounds:
            x = each(x, source, target, graph.relation, steps, share)
        return self.norm(x).float()

    def cover(self, graph: Data, states: Tensor, places: Tensor) -> Tensor:
        """Logits (L, P, 2) of how much each form covers at its places (L, P, 2), in canvas units: inside, outline."""
        roots = graph.style >= 0
        form = roots.cumsum(0) - 1  # (N,) the form that a node is in
        units = graph.is_point.nonzero()[:, 0]
        line = form[units]
        of_form, of_unit = states[roots], states[units]
        forms, p, f = len(of_form), places.shape[1], self.config.form

        with torch.autocast(places.device.type, enabled=False):  # places need more digits than bf16 has
            local, looked = self._look(graph, of_form, of_unit, units, line, places)
            view = torch.bmm(looked, self.view(of_unit).view(-1, PLACE_FEATURES, self.config.view))
        first, second = view.chunk(2, -1)
        gain, bias = self.gain(of_unit)[:, None].chunk(2, -1)
        round_, square = (first.square() + second.square() + NEAR).sqrt(), torch.maximum(first.abs(), second.abs())
        seen = torch.cat([F.silu(view * (1 + gain) + bias), round_, square], -1)
        seen = self.unit2(F.silu(self.unit1(seen)))
        added, most = seen.chunk(2, -1)
        added = seen.new_zeros(forms, p, f).index_add(0, line, added)
        index = line[:, None, None].expand_as(most)
        most = seen.new_full((forms, p, f), -10.0).scatter_reduce(0, index, most, "amax")

        offset, scale = self.bias(of_form)[:, None].chunk(2, -1)
        absolute = (places - CANVAS / 2) / (CANVAS / 2)
        around = torch.cat([added, most, absolute, absolute.square(), local / 4], -1)
        x = F.silu(self.form1(around) * (1 + scale) + offset)
        x = F.silu(self.form2(x))
        return self.out(x).float()

    def _look(
        self, graph: Data, of_form: Tensor, of_unit: Tensor, units: Tensor, line: Tensor, places: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Places by their forms' own axes (L, P, 2), and as the units see them (U, P, PLACE_FEATURES).

        The points of a form may move all of it, as those of a with-translation do.
        """
        there = graph.number[:, :2]
        gate = self.moves(of_unit).sigmoid() * graph.given[units, :2]
        moved = there.new_zeros(len(of_form), 2).index_add(0, line, gate * there[units])
        axes = torch.eye(2, device=places.device) + self.turn(of_form).view(-1, 2, 2)
        local = ((places - moved[:, None]) @ axes) / UNIT
        stands = there[units] / UNIT + self.shift(of_unit)
        stand = there.new_zeros(len(there), 2).index_copy(0, units, stands)
        following, box = stand[graph.next_index[units]], boxes_of(graph)[units]
        return local, place_features(local.index_select(0, line), stands, following, box)

    def coverage(self, graph: Data, places: Tensor) -> Tensor:
        """How opaque (L, P, 2) each form's inside and outline are, 0..1, at the places (P, 2), in canvas units."""
        states = self.encode(graph)
        forms = int(graph.forms.sum())
        if not forms:
            return places.new_zeros(0, len(places), 2)
        size = len(places) if torch.is_grad_enabled() else max(1, CHUNK // max(1, int(graph.is_point.sum())))
        parts = [self.cover(graph, states, part.expand(forms, -1, -1)) for part in places.split(size)]
        return torch.cat(parts, 1).sigmoid() * (graph.painted * graph.alpha)[:, None]

    def forward(self, graph: Data, side: int = RESOLUTION) -> Tensor:
        """Pictures (B, 3, side, side) in 0..1 of the programs of a batch's graph."""
        covered = self.coverage(graph, grid(side).to(graph.number.device))
        drawn = compose_forms(graph.forms, graph.ground, graph.color, covered)
        return drawn.unflatten(1, (side, side)).permute(0, 3, 1, 2)


class Round(nn.Module):
    """One round of messages, with a matrix for each relation; then a perceptron; each with a skip."""

    def __init__(self, width: int):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.sent = nn.Linear(width, width * len(RELATIONS), bias=False)
        self.heard = nn.Linear(width, width)
        self.steps = nn.Linear(STEP_FEATURES, width, bias=False)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))

    def forward(
        self, x: Tensor, source: Tensor, target: Tensor, relation: Tensor, steps: Tensor, share: Tensor
    ) -> Tensor:
        """x (N, D) -> the same shape; steps (E, STEP_FEATURES) and share (N, 1) of what is heard."""
        y = self.norm1(x)
        sent = self.sent(y).view(-1, x.shape[1]).index_select(0, source * len(RELATIONS) + relation)
        message = F.silu(sent + self.heard(y).index_select(0, target) + self.steps(steps).to(sent.dtype))
        x = x + message.new_zeros(x.shape).index_add(0, target, message) * share
        return x + self.mlp(self.norm2(x))


def boxes_of(graph: Data) -> Tensor:
    """(N, 2) the two measures that stand beside a point, as an ellipse's diameters; 0 for other nodes."""
    point, beside = graph.edge_index[:, graph.relation == LATER]
    is_box = graph.is_point[point] & ~graph.is_point[beside] & graph.given[beside, :2].all(1)
    boxes = graph.number.new_zeros(len(graph.number), 2)
    return boxes.index_copy(0, point[is_box], graph.number[beside[is_box], :2] / UNIT)


def number_features(number: Tensor, given: Tensor) -> Tensor:
    """(N, SLOTS) numbers -> (N, SLOTS * NUMBER_FEATURES): as places and as sizes, as angles, and as waves."""
    waves = number[..., None] * (math.pi / CANVAS) * 2.0 ** torch.arange(WAVES, device=number.device)
    size = number.abs() / UNIT
    plain = [torch.ones_like(number), number / UNIT / 4, number.sign() * size.log1p(), 1 / (0.1 + size)]
    angle = [number.sin(), number.cos()]
    features = torch.cat([torch.stack(plain + angle, -1), waves.sin(), waves.cos()], -1)
    return (features * given[..., None]).flatten(1)


def step_features(number: Tensor, edges: Tensor, relation: Tensor) -> Tensor:
    """(E, STEP_FEATURES): the way from a point to the next one of its outline, on edges between the two; else 0."""
    along = (relation == NEXT) | (relation == NEXT + 1)
    step = (number[edges[1], :2] - number[edges[0], :2]) / UNIT
    length = (step.square().sum(-1, keepdim=True) + NEAR).sqrt()
    way = step / length
    near = torch.cat([step / 4, way, length.log(), 1 / (0.1 + length), way[:, :1] * way[:, 1:], length / 4], -1)
    return near * along[:, None]


def place_features(places: Tensor, stand: Tensor, following: Tensor, box: Tensor) -> Tensor:
    """(U, P, PLACE_FEATURES): places (U, P, 2) as seen from where units stand, on the way to the following (U, 2) ones.

    box (U, 2) are the measures beside a unit's point, or 0.
    """
    to, on = places - stand[:, None], places - following[:, None]
    far_to, far_on = (
        (to.square().sum(-1, keepdim=True) + NEAR).sqrt(),
        (on.square().sum(-1, keepdim=True) + NEAR).sqrt(),
    )
    way = (following - stand)[:, None]
    along = ((to * way).sum(-1, keepdim=True) / (way.square().sum(-1, keepdim=True) + NEAR)).clamp(0, 1)
    aside = ((to - along * way).square().sum(-1, keepdim=True) + NEAR / 10).sqrt()
    cross = to[..., :1] * on[..., 1:] - to[..., 1:] * on[..., :1]
    angle = torch.atan2(cross, (to * on).sum(-1, keepdim=True) + NEAR / 10) / math.pi
    inside = to / (box[:, None].abs() + 0.05)
    ring = (inside.square().sum(-1, keepdim=True) + NEAR).sqrt()
    features = [to, far_to, to / far_to, on, far_on, along, aside, angle, inside, ring, 1 / (0.1 + aside)]
    boxes = box[:, None].expand(-1, places.shape[1], -1)
    return torch.cat([*features, boxes, torch.ones_like(angle)], -1)


def grid(side: int) -> Tensor:
    """(side * side, 2): x and y, in canvas units, of the middles of a picture's pixels, row by row."""
    middles = (torch.arange(side) + 0.5) * (CANVAS / side)
    y, x = torch.meshgrid(middles, middles, indexing="ij")
    return torch.stack([x, y], -1).flatten(0, 1)


def compose_forms(forms: Tensor, ground: Tensor, color: Tensor, covered: Tensor) -> Tensor:
    """Colours (B, P, 3) of pictures of `forms` (B,) forms each, painted back to front: inside, then outline.

    ground (B, 3) and color (L, 2, 3) are in 0..1; covered (L, P, 2) is how opaque each form is at each place.
    """
    pictures, places = len(forms), covered.shape[1]
    deep = int(forms.max()) if pictures else 0
    picture = torch.repeat_interleave(torch.arange(pictures, device=forms.device), forms)
    line = torch.arange(len(picture), device=forms.device) - (forms.cumsum(0) - forms)[picture]
    shares = covered.new_zeros(pictures, deep, places, 2).index_put((picture, line), covered)
    colors = covered.new_zeros(pictures, deep, 2, 3).index_put((picture, line), color)
    drawn = ground[:, None].expand(-1, places, -1)
    for layer in range(deep):
        for part in range(2):
            step = colors[:, layer, part, None] - drawn
            drawn = drawn + step * shares[:, layer, :, part, None]
    return drawn


def cover_loss(logits: Tensor, exact: Tensor, painted: Tensor) -> Tensor:
    """Mean cross entropy (nats, 0 where all is right) of coverage (L, P, 2); painted (L, 2) says what there is."""
    exact = exact.clamp(0, 1)
    entropy = -(torch.xlogy(exact, exact) + torch.xlogy(1 - exact, 1 - exact))
    loss = F.binary_cross_entropy_with_logits(logits, exact, reduction="none") - entropy
    weight = painted[:, None].float().expand_as(loss)
    return (loss * weight).sum() / weight.sum().clamp(min=1)
