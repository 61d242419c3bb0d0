"""The decoder: the tree so far as a graph, the pictures as a grid -> what to write into each hole.

Two streams over one set of layers keep teacher forcing exact: a *written* node knows its content, a *hole* knows only
its role and its surroundings; messages flow from written nodes to later written nodes and holes, never from holes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric.data import Batch

from treesketch.actions import Vocabulary
from treesketch.model.encoder import GRID, KEY_WIDTH, PictureEncoder, attend
from treesketch.model.graph import AROUND, MAX_POSITION, RELATIONS
from treesketch.model.places import COLOR_TOLERANCE, on_canvas, pixel_of_place
from treesketch.model.spots import spots_of
from treesketch.styles import STYLES

HANDS = ("", *STYLES)  # what a program may be asked to be written in: "" is any
MOST_EDITS = 12  # the value head tells these and fewer from each other
BLOCKS = 4  # of graphs of about one size, so that little is padded
LEAST_SHARE = 1e-4  # of its looks that a number gets, wherever the network points
_FAR = 1e9  # of a score that counts for nothing


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Sizes of the network: feature width, attention heads, layers over the grid and over the tree."""

    width: int = 128
    heads: int = 4
    grid_layers: int = 2
    tree_layers: int = 3


class TreeAttention(nn.Module):
    """Attention along the tree's edges; each relation has a key and a value of its own to add."""

    def __init__(self, width: int, heads: int, relations: int):
        super().__init__()
        self.heads = heads
        self.query, self.keys = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.relation = nn.Embedding(relations, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, rows: "Rows") -> Tensor:
        """x (rows, D) -> the same shape."""
        query, sent = self.query(x), self.keys(x[: rows.written])
        found = [self._attend(query, sent, block) for block in rows.blocks]
        return self.out(rows.collect(found))

    def _attend(self, query: Tensor, sent: Tensor, block: "Block") -> Tensor:
        """(graphs, heads, wide, D / heads): what each row hears."""
        q = block.spread(query, self.heads)
        key, value = (block.spread_written(part, self.heads) for part in sent.chunk(2, -1))
        extra_key, extra_value = self.relation.weight.view(-1, 2, self.heads, q.shape[-1]).permute(1, 2, 0, 3)
        related = block.relation.clamp(min=0)[:, None].expand(-1, self.heads, -1, -1)
        extra = (q @ extra_key.to(q.dtype).transpose(-1, -2)).float()  # (graphs, heads, wide, relations)
        score = (q @ key.transpose(-1, -2)).float() + extra.gather(-1, related)
        known = (block.relation >= 0)[:, None]
        weight = (score / q.shape[-1] ** 0.5).masked_fill(~known, -_FAR).softmax(-1) * known
        by_relation = torch.zeros_like(extra).scatter_add(-1, related, weight)
        return weight.to(value.dtype) @ value + by_relation.to(value.dtype) @ extra_value.to(value.dtype)


class TreeLayer(nn.Module):
    """Attention along the tree, attention to the grid, a perceptron; each with a skip."""

    def __init__(self, width: int, heads: int, relations: int):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.tree = TreeAttention(width, heads, relations)
        self.look = nn.Linear(width, width)
        self.seen = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 3 * width), nn.GELU(), nn.Linear(3 * width, width))

    def forward(self, x: Tensor, rows: "Rows", cells: Tensor) -> Tensor:
        """x (rows, D); cells (B, 256, D)."""
        b, _, d = cells.shape
        x = x + self.tree(self.norm1(x), rows)
        query = self.look(self.norm2(x))
        seen = self.seen(cells).to(query.dtype).view(b, -1, 2, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        seen = seen.index_select(1, rows.order).split([len(block.graphs) for block in rows.blocks], 1)
        found = [attend(block.spread(query, self.heads), *pair) for block, pair in zip(rows.blocks, seen, strict=True)]
        x = x + self.out(rows.collect(found))
        return x + self.mlp(self.norm3(x))


class Block:
    """The rows of some graphs in padded tables with a line a graph: all rows (wide), and the written ones (deep)."""

    def __init__(self, graphs: Tensor, line: Tensor, within: Tensor, rows: Tensor, written: int):
        """graphs (G,) are the lines' numbers; rows (n,) are numbers of rows, line and within (n,) where each stands."""
        self.graphs = graphs
        self.wide, self.deep = _most(within), _most(within[rows < written])
        self.slots = line * self.wide + within
        self._rows = rows.new_zeros(len(graphs) * self.wide).index_copy(0, self.slots, rows)
        sent = rows < written
        self._written = rows.new_zeros(len(graphs) * self.deep)
        self._written[line[sent] * self.deep + within[sent]] = rows[sent]
        self.relation = rows.new_full((len(graphs), self.wide, self.deep), -1)  # -1 where there is no edge

    def spread(self, x: Tensor, heads: int) -> Tensor:
        """(rows, D) -> (G, heads, wide, D / heads); what stands where there is no row means nothing."""
        return x.index_select(0, self._rows).view(len(self.graphs), self.wide, heads, -1).transpose(1, 2)

    def spread_written(self, x: Tensor, heads: int) -> Tensor:
        """(written, D) -> (G, heads, deep, D / heads)."""
        return x.index_select(0, self._written).view(len(self.graphs), self.deep, heads, -1).transpose(1, 2)


class Rows:
    """Rows of B graphs, first all written ones, then holes; attention sees blocks of graphs of about one size."""

    def __init__(self, owner: Tensor, written: int, graphs: int, edges: Tensor, relation: Tensor):
        """owner (rows,): whose each row is; edges (2, E) from written rows to rows, each with its relation (E,)."""
        self.written = written
        counts = torch.bincount(owner, minlength=graphs)
        order = torch.argsort(owner, stable=True)  # graph by graph, in each graph the written ones first
        within = torch.empty_like(owner)
        within[order] = torch.arange(len(owner), device=owner.device) - (counts.cumsum(0) - counts)[owner[order]]
        number, line = torch.empty_like(counts), torch.empty_like(counts)
        source, target = edges
        self.blocks: list[Block] = []
        self._slots, start = torch.empty_like(owner), 0  # of each row, in the tables of all blocks behind each other
        for k, members in enumerate(torch.argsort(counts, stable=True).tensor_split(min(BLOCKS, graphs))):
            members = members.sort().values
            number[members], line[members] = k, torch.arange(len(members), device=owner.device)
        for k in range(min(BLOCKS, graphs)):
            rows = (number[owner] == k).nonzero()[:, 0]
            block = Block((number == k).nonzero()[:, 0], line[owner[rows]], within[rows], rows, written)
            here = (number[owner[target]] == k).nonzero()[:, 0]
            block.relation[line[owner[target[here]]], within[target[here]], within[source[here]]] = relation[here]
            self._slots[rows] = block.slots + start
            start += len(block.graphs) * block.wide
            self.blocks.append(block)
        self.order = torch.cat([block.graphs for block in self.blocks])  # the graphs, block by block

    def collect(self, tables: Sequence[Tensor]) -> Tensor:
        """Each block's (G, heads, wide, D / heads) -> (rows, D)."""
        flat = torch.cat([table.transpose(1, 2).flatten(2).flatten(0, 1) for table in tables])
        return flat.index_select(0, self._slots)


def _most(within: Tensor) -> int:
    return int(within.max()) + 1 if len(within) else 0


class Network(nn.Module):
    """Target, drawing and a tree with holes -> logits over actions and over places for every hole."""

    pixel_of_place: Tensor
    spot_table: Tensor
    spot_actions: Tensor
    on_canvas: Tensor
    is_located: Tensor

    def __init__(self, vocabulary: Vocabulary, config: ModelConfig | None = None):
        super().__init__()
        self.vocabulary = vocabulary
        self.config = config or ModelConfig()
        width, heads = self.config.width, self.config.heads
        self.encoder = PictureEncoder(width, self.config.grid_layers, heads)
        self.role = nn.Embedding(len(vocabulary.roles), width)
        self.hole = nn.Embedding(len(vocabulary.holes), width)
        self.position = nn.Embedding(MAX_POSITION + 1, width)
        self.action = nn.Embedding(len(vocabulary.actions), width)
        self.point = nn.Linear(KEY_WIDTH, width)
        self.stream = nn.Parameter(torch.zeros(width))
        relations = len(RELATIONS) + (len(AROUND) if vocabulary.is_editable else 0)
        self.layers = nn.ModuleList(TreeLayer(width, heads, relations) for _ in range(self.config.tree_layers))
        self.norm = nn.LayerNorm(width)
        self.actions = nn.Linear(width, len(vocabulary.actions))
        self.places = nn.Linear(width, KEY_WIDTH)
        if not vocabulary.is_editable:
            self.style = nn.Parameter(torch.zeros(len(HANDS), width))
        else:
            self.sites = nn.Linear(width, 1)
            self.was = nn.Linear(width, width)
            self.stays = nn.Linear(width, 1)
            self.gaze, self.seen = nn.Linear(width, width), nn.Linear(width, width)
            self.register_buffer("spot_table", spots_of(vocabulary).table, persistent=False)
            self.register_buffer("spot_actions", torch.tensor(spots_of(vocabulary).actions).long(), persistent=False)
            self.value = nn.Sequential(nn.Linear(3 * width, width), nn.GELU(), nn.Linear(width, MOST_EDITS + 1))
        self.register_buffer("pixel_of_place", pixel_of_place(), persistent=False)
        self.register_buffer("on_canvas", on_canvas(), persistent=False)
        self.register_buffer("is_located", torch.from_numpy(vocabulary.is_located), persistent=False)
        self.color_action = vocabulary.action_index.get("locate:color", -1)

    @property
    def tree_layers(self) -> list[TreeLayer]:
        """The layers over the tree, first to last."""
        return [layer for layer in self.layers if isinstance(layer, TreeLayer)]

    def look(self, target: Tensor, drawing: Tensor) -> tuple[Tensor, Tensor | None]:
        """The encoder's cells, and its keys of places where the grammar has places; pictures as in `forward`."""
        cells, fine = self.encoder.look(target, drawing)
        return cells, self.encoder.place_keys(cells, fine) if self.vocabulary.located else None

    def decode(self, graph: Batch, cells: Tensor, keys: Tensor | None) -> Tensor:
        """States (holes, D) of the graph's holes. cells and keys are those of `look`, one row a graph."""
        return self.read(graph, cells, keys)[graph.num_nodes :]

    def read(self, graph: Batch, cells: Tensor, keys: Tensor | None) -> Tensor:
        """States (N + holes, D) of the graph's decisions as they are known, and of its holes with nothing chosen."""
        content = self.role(graph.role) + self.hole(graph.hole) + self.position(graph.position)  # (N, D)
        n, device = len(content), content.device
        if "style" in graph:
            content = content + self.style[graph.style[graph.batch]]
        written = content + self.action(graph.action.clamp(min=0))
        if keys is not None:
            pointed = torch.where((graph.place >= 0)[:, None], keys[graph.batch, graph.place.clamp(min=0)], 0.0)
            written = written + self.point(pointed)
        holes = graph.is_hole.nonzero()[:, 0]
        if "was" in graph:
            content = content + self.draft(graph.was)
        x = torch.cat([written, content[holes] + self.stream])
        # Edges to a hole's twin row: the same sources as its node has.
        twin = torch.full((n,), -1, device=device)
        twin[holes] = n + torch.arange(len(holes), device=device)
        source, target = graph.edge_index
        to_hole = twin[target] >= 0
        edges = torch.stack([torch.cat([source, source[to_hole]]), torch.cat([target, twin[target][to_hole]])])
        relation = torch.cat([graph.relation, graph.relation[to_hole]])
        rows = Rows(torch.cat([graph.batch, graph.batch[holes]]), n, cells.shape[0], edges, relation)
        for layer in self.tree_layers:
            x = layer(x, rows, cells)
        return self.norm(x)

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *rest: Any) -> None:
        """Tensors from before there were styles have none of them."""
        if not self.vocabulary.is_editable:
            state_dict.setdefault(f"{prefix}style", torch.zeros_like(self.style))
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def draft(self, was: Tensor) -> Tensor:
        """What stood in holes, (rows,) actions or -1 -> what it adds to their inputs (rows, D)."""
        return torch.where((was >= 0)[:, None], self.was(self.action(was.clamp(min=0))), 0.0)

    def more_logits(self, states: Tensor, was: Tensor, spot: Tensor, cells: Tensor) -> Tensor:
        """What to add to the logits of actions for what stood in a hole, and for where the hole looks: (B, rows, A).

        states (B, rows, D) are those of holes, in which `was` (B, rows) stood, an action or -1, and whose numbers stand
        for the places spot (B, rows, 2), as `Spots.find` gives them; cells (B, 256, D).
        """
        b, rows, d = states.shape
        logits = states.new_zeros(b, rows, len(self.vocabulary.actions), dtype=torch.float32)
        stays = self.stays(states).float() * (was >= 0)[..., None]
        logits = logits.scatter_add(-1, was.clamp(min=0)[..., None], stays)
        here = (spot > 0).any(-1).nonzero(as_tuple=True)
        if not self.spot_actions.numel():
            return logits
        heads = self.config.heads
        query = self.gaze(states).view(b, rows, heads, -1).transpose(1, 2)
        key = self.seen(cells).to(query.dtype).view(b, -1, heads, d // heads).transpose(1, 2)
        score = (query @ key.transpose(-1, -2)).float() / (d // heads) ** 0.5  # (B, heads, rows, 256)
        share = score.softmax(-1).mean(1)[here].unflatten(-1, (GRID, GRID))
        share = torch.cat([share.sum(-2), share.sum(-1)], -1)  # (pointing, 2 GRID): of columns and of rows
        table = self.spot_table[spot[here]].sum(1)  # (pointing, U, 2 GRID)
        stands = table.sum(-1)
        pointed = (((table @ share[..., None])[..., 0] / stands.clamp(min=1.0)) + LEAST_SHARE).log()
        pointed = torch.where(stands > 0, pointed, 0.0)
        return logits.index_put((here[0][:, None], here[1][:, None], self.spot_actions), pointed, accumulate=True)

    def action_logits(self, states: Tensor, legal: Tensor) -> Tensor:
        """(holes, D) and the legal mask (holes, A) -> (holes, A), minus infinity where illegal."""
        return self.actions(states).float().masked_fill(~legal, float("-inf"))

    def place_logits(self, states: Tensor, keys: Tensor, owner: Tensor, of_color: Tensor) -> Tensor:
        """(rows, D), keys (B, PLACES ** 2, KEY_WIDTH) and which of them a row has (rows,) -> (rows, PLACES ** 2).

        A row of a colour (of_color) gets minus infinity off the canvas.
        """
        b = keys.shape[0]
        slots, wide = _query_slots(owner, b)
        query = self.places(states)
        table = query.new_zeros(b * wide, KEY_WIDTH).index_copy(0, slots, query).view(b, wide, KEY_WIDTH)
        logits = (table @ keys.to(query.dtype).transpose(1, 2)).flatten(0, 1).index_select(0, slots)
        logits = logits.float() / KEY_WIDTH**0.5
        return logits.masked_fill(of_color[:, None] & ~self.on_canvas, float("-inf"))

    def forward(self, graph: Batch, target: Tensor, drawing: Tensor) -> dict[str, Tensor]:
        """Teacher-forced losses in nats: mean a hole (loss), and means of actions, of points and of colours alone.

        target and drawing (B, 3, 64, 64) in 0..1; graph as `decisions_to_graph` makes it, batched.
        """
        cells, keys = self.look(target, drawing)
        return self.judge(graph, target, cells, keys, self.read(graph, cells, keys))

    def judge(
        self, graph: Batch, target: Tensor, cells: Tensor, keys: Tensor | None, read: Tensor
    ) -> dict[str, Tensor]:
        """The losses that `forward` gives, from what `look` and `read` gave."""
        known, states = read[: graph.num_nodes], read[graph.num_nodes :]
        holes = graph.is_hole.nonzero()[:, 0]
        answer = graph.action[holes]
        logits = self.action_logits(states, graph.legal)
        if self.vocabulary.is_editable:
            slots, wide = _query_slots(graph.batch[holes], cells.shape[0])
            table = states.new_zeros(cells.shape[0] * wide, states.shape[-1]).index_copy(0, slots, states)
            was = graph.was.new_full((cells.shape[0] * wide,), -1).index_copy(0, slots, graph.was[holes])
            spot = graph.spot.new_zeros(cells.shape[0] * wide, 2).index_copy(0, slots, graph.spot[holes])
            table = table.view(cells.shape[0], wide, -1)
            extra = self.more_logits(table, was.view(-1, wide), spot.view(-1, wide, 2), cells)
            logits = logits + extra.flatten(0, 1).index_select(0, slots).float()
        action_loss = F.cross_entropy(logits, answer, reduction="sum")
        losses = {"action": (action_loss, len(holes))}
        if keys is not None:
            losses |= self._pointing_losses(graph, target, keys, states)
        if "site" in graph:
            losses |= self._editing_losses(graph, cells, known)
        decisions = len(holes) + sum(count for name, (_, count) in losses.items() if name in ("site", "value"))
        total = torch.stack([loss for loss, _ in losses.values()]).sum()
        return {
            "loss": total / decisions,
            **{name: (loss / max(count, 1)).detach() for name, (loss, count) in losses.items()},
        }

    def _pointing_losses(
        self, graph: Batch, target: Tensor, keys: Tensor, states: Tensor
    ) -> dict[str, tuple[Tensor, int]]:
        """The sums over points and over colours, in nats, with how many there are."""
        holes = graph.is_hole.nonzero()[:, 0]
        located = self.is_located[graph.action[holes]].nonzero()[:, 0]
        nodes = holes[located]
        of_color = graph.action[nodes] == self.color_action
        logits = self.place_logits(states[located], keys, graph.batch[nodes], of_color)
        logp = logits.log_softmax(-1)
        point_loss = -logp[~of_color].gather(1, graph.place[nodes[~of_color]][:, None]).sum()
        # A colour may be read off at any place that shows it; places are scored together.
        seen = self.colors_of_places(target)[graph.batch[nodes[of_color]]]  # (colours, PLACES ** 2, 3)
        wanted = graph.color[nodes[of_color]].to(seen.dtype) / 255
        shows = ((seen - wanted[:, None]).abs().amax(-1) <= COLOR_TOLERANCE / 255) & self.on_canvas
        visible = shows.any(1)
        color_logp = logp[of_color].masked_fill(~shows, float("-inf"))[visible].logsumexp(1)
        return {"point": (point_loss, int((~of_color).sum())), "color": (-color_logp.sum(), int(visible.sum()))}

    def log_probabilities(self, graph: Batch, cells: Tensor, keys: Tensor) -> Tensor:
        """(B,): of all that was chosen in each graph's holes, in nats, a colour at the very place that was chosen.

        cells and keys are those of `look`, one row a graph. That is what a `Written` says of itself.
        """
        states = self.decode(graph, cells, keys)
        holes = graph.is_hole.nonzero()[:, 0]
        answer, owner = graph.action[holes], graph.batch[holes]
        logp = self.action_logits(states, graph.legal).log_softmax(-1).gather(1, answer[:, None])[:, 0]
        located = self.is_located[answer].nonzero()[:, 0]
        logits = self.place_logits(states[located], keys, owner[located], answer[located] == self.color_action)
        pointed = logits.log_softmax(-1).gather(1, graph.place[holes[located]][:, None])[:, 0]
        total = logp.new_zeros(cells.shape[0]).index_add(0, owner, logp)
        return total.index_add(0, owner[located], pointed)

    def _editing_losses(self, graph: Batch, cells: Tensor, known: Tensor) -> dict[str, tuple[Tensor, int]]:
        """The sums over programs of where to edit and of how many edits are left, in nats, with how many programs."""
        b = cells.shape[0]
        inside = graph.context.nonzero()[:, 0]
        owner = graph.batch[inside]
        scores = self.site_scores(known[inside])
        most = scores.new_full((b,), -_FAR).scatter_reduce(0, owner, scores.detach(), "amax")
        log_sum = scores.new_zeros(b).index_add(0, owner, (scores - most[owner]).exp()).clamp(min=1e-30).log() + most
        share = graph.site[inside]
        site_loss = -(share * (scores - log_sum[owner])).sum()
        asked = graph.edits >= 0
        logits = self.value_logits(cells, known[inside], owner)[asked]
        value_loss = F.cross_entropy(logits, graph.edits[asked].clamp(max=MOST_EDITS), reduction="sum")
        return {"site": (site_loss, int(share.sum().round())), "value": (value_loss, int(asked.sum()))}

    def site_scores(self, known: Tensor) -> Tensor:
        """States (rows, D) of a program's decisions -> scores (rows,): where to edit, before the softmax over them."""
        return self.sites(known)[:, 0].float()

    def value_logits(self, cells: Tensor, known: Tensor, owner: Tensor) -> Tensor:
        """Cells (B, 256, D), states of decisions and whose they are -> (B, MOST_EDITS + 1): how many edits are left."""
        b, _, d = cells.shape
        count = torch.bincount(owner, minlength=b).clamp(min=1)[:, None]
        program = known.new_zeros(b, d).index_add(0, owner, known) / count
        seen = cells.to(known.dtype)
        return self.value(torch.cat([seen.mean(1), seen.amax(1), program], 1)).float()

    def colors_of_places(self, target: Tensor) -> Tensor:
        """(B, 3, 64, 64) -> (B, PLACES ** 2, 3): the picture's colour at each place (the nearest pixel's)."""
        return target.flatten(2)[:, :, self.pixel_of_place].transpose(1, 2)


def _query_slots(rows: Tensor, batches: int) -> tuple[Tensor, int]:
    """Each row's slot in a padded (batches x wide) table, and how wide that must be."""
    counts = torch.bincount(rows, minlength=batches)
    order = torch.argsort(rows, stable=True)
    starts = counts.cumsum(0) - counts
    within = torch.empty_like(rows)
    within[order] = torch.arange(len(rows), device=rows.device) - starts[rows[order]]
    wide = int(counts.max())
    return rows * wide + within, wide
