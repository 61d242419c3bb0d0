"""Draw one picture: an anytime search over programs. A picture in, the best program found in its time or renders out.

The picture is first traced region by region. Then, until the time or the renders are used up, the sources propose
shapes for what the drawing lacks; the exact renderer tries each at every depth; the best go in, everything is polished,
and what is worth least goes out again. One cost decides: squared error plus a price for every number of the program.
Of a picture that is the same on both sides only one half is searched.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from treesketch.layers import Layer, read_layers, write_program
from treesketch.model.network import Network
from treesketch.picture import Picture
from treesketch.search.allowance import Allowance, Step
from treesketch.search.arrange import arrange
from treesketch.search.coverage import cover
from treesketch.search.finish import finish, rounded, same_pens
from treesketch.search.fit import Fitter
from treesketch.search.improve import insert, settle
from treesketch.search.judge import Judge, Sketch, Trial, count_numbers, layer_numbers, program_numbers
from treesketch.search.mirror import TOLD, Fold, confine, fold, unfold
from treesketch.search.outline import Layer as Piece
from treesketch.search.painting import Painting, same_weights, scaled, to_outline, to_sketch
from treesketch.search.polish import Opening, fit_alone, polish
from treesketch.search.refine import refine
from treesketch.search.regions import segment
from treesketch.search.sources import Regions, Situation, Source, Writer
from treesketch.search.tally import OutOfRenders, counting
from treesketch.search.told import tell
from treesketch.search.trace import FEWEST_NUMBERS, decompose, draft
from treesketch.search.turns import Turns
from treesketch.styles.restyle import restyle
from treesketch.tree import Node

JUDGED_SIDE = 128  # pixels of the longer side at which drawings are compared with the picture
TRIED_SIDE = 64  # pixels at which proposals are tried
RESERVE = 0.16  # share of the time or renders that is kept for the last polish and rounding
MOST_RESERVED = 0.4  # the same, where tracing took long or there is much to round
FINISHED = 0.95  # share after which numbers stay as they are; what is left is for loops and names
GRACE = 0.04  # share that each last step has at least, however late it is
ENDED = 14  # renders, and one a layer, that the last pass takes however little is left
ROUNDED = 3  # renders a number that rounding may take
SURVEYED = 0.25  # share of the time after which regions are fitted only quickly
PLACES = 3  # of a proposal that are tried, those that promise most
FITTED = 16  # proposals of one turn that are fitted where they do best
PATIENCE = 8  # turns without a proposal worth trying after which the drawing is done
PEN = 15  # prices that one weight of stroke fewer is worth, because that is how a person draws
CONFINED = 0.05  # share of the time or renders in which a half is confined to its side
ALIKE = 40  # prices by which two halves may differ and count as the same
REGIONS = 37  # into which a half is divided at most, to see how much there is in it
REGIONAL = 0.8  # squared error a region of a half by which they may differ at most if one is to stand for both
MOSTLY = 0.6  # share of what a fold costs that may be their difference: where it is more, the whole is soon better
SCARCE = 0.85  # share of the numbers that a half must need if they differ: else there is room for the whole
CLEARLY = 0.85  # share of what the whole costs that a half may cost: what repeats in the whole is told as loops later
EARLY = 0.12  # share of time and renders before which a half is traced where the whole can be traced too, to compare
LATE = 0.35  # the same, where the half leaves numbers over
TOGETHER = 4  # proposals that may go in at once


@dataclass(frozen=True, slots=True)
class Options:
    """How to draw: wall seconds, at most so many layers and numbers, the random seed, and the price of a number.

    price is the squared error, summed over the pixels and channels of a picture of 128 x 128, that a number must save.
    renders, when given, is the most drawings that may be judged; with it and infinite seconds time decides nothing, and
    a seed gives the same program on fast machines and slow ones. `tally` says what counts. style, when given, is the
    hand of STYLES that the program is told in; else it is told in the shortest way.
    """

    seconds: float = 5.0
    forms: int = 60
    numbers: int = 150
    seed: int = 0
    price: float = 0.03
    renders: int | None = None
    style: str | None = None


@dataclass(frozen=True, slots=True)
class Drawing:
    """A program for a picture: its tree, its rmse at `JUDGED_SIDE` (0..1), what it took, and how it got there.

    What is best is decided by error and numbers together, so that the error of a later step may be a little higher.
    The last step is the program as it is.
    """

    tree: Node
    rmse: float
    renders: int
    seconds: float
    course: tuple[Step, ...] = ()


Progress = Callable[[Node, float], None]  # called with the best program so far and its rmse


def draw_picture(
    picture: Picture, options: Options | None = None, network: Network | None = None, progress: Progress | None = None
) -> Drawing:
    """The best program found within the time and the renders. Without a network only the picture's regions propose.

    The seed decides what is proposed; how far the search gets in its seconds depends on the machine.
    """
    options = options or Options()
    whole = Judge(picture.pixels, picture.canvas, JUDGED_SIDE)
    allowance = Allowance(options.seconds, options.renders)

    def search(folded: Fold | None = None) -> "_Search":
        return _Search(whole, options, allowance, network, progress, folded)

    return _begun(whole, options, allowance, search).run()


def rmse_to(picture: Picture, tree: Node) -> float:
    """The rmse of a program to a picture, 0..1, as a `Drawing` tells it."""
    return float(Judge(picture.pixels, picture.canvas, JUDGED_SIDE).program_error(tree) ** 0.5)


def _begun(whole: Judge, options: Options, allowance: Allowance, search: "Callable[..., _Search]") -> "_Search":
    """The search of a half, if a picture is the same on both sides and that promises to cost less, or of the whole."""
    folded = fold(whole.target, whole.canvas) if options.style is None else None
    alike = ALIKE * options.price
    if folded is None or (folded.asymmetry > alike and _differs(folded)):
        return search()
    half = search(folded)
    cost, numbers = half.estimate()
    scarce = numbers >= SCARCE * options.numbers
    if allowance.used() < (EARLY if scarce else LATE):
        plain = search()
        return half if cost < CLEARLY * plain.estimate()[0] else plain
    if folded.asymmetry > alike and (folded.asymmetry > MOSTLY * cost or not scarce):
        return search()
    return half


def _differs(folded: Fold) -> bool:
    """Whether the halves differ by more than what is in one of them could be worth."""
    if folded.asymmetry > REGIONAL * REGIONS:
        return True
    return folded.asymmetry > REGIONAL * len(segment(folded.half, REGIONS).regions)


class _Search:
    """One picture's search: judges at two sizes, the sources, and what is left of time and renders."""

    def __init__(
        self,
        whole: Judge,
        options: Options,
        allowance: Allowance,
        network: Network | None,
        progress: Progress | None,
        folded: Fold | None = None,
    ):
        self.whole, self.folded = whole, folded
        self.price_told = options.price
        if folded is None:
            self.judge = whole
        else:  # what is saved in a half is saved twice, and some numbers go to saying that
            self.judge = Judge(folded.half, folded.canvas, max(folded.half.shape[:2]))
            options = replace(options, price=options.price / 2, numbers=max(options.numbers - TOLD, 0))
        self.options, self.allowance, self.progress = options, allowance, progress
        self.canvas = self.judge.canvas
        self.tried = Judge(self.judge.target, self.canvas, round(TRIED_SIDE / JUDGED_SIDE * max(self.judge.size)))
        self.rng = np.random.default_rng(options.seed)
        self.allowance.keep(RESERVE)
        self.begun = allowance.used()
        with counting(self.allowance.tally):
            self.fitter = Fitter(self.judge.target, self.canvas, self.allowance.deadline(self.begun + SURVEYED))
        self.sources: list[Source] = [Regions(self.fitter)]
        if network is not None:
            self.sources.append(Writer(network, self.rng))
        self.turns = Turns(len(self.sources))
        self.reserve = RESERVE
        self.pace = 0.0  # share that the last turn took: no other is begun that would end too late
        self.idle = 0  # turns since a proposal was worth trying
        self.failed: set[Layer] = set()
        self.course: list[Step] = []
        self.best: Sketch | None = None
        self.least = np.inf  # what it costs
        self.known: tuple[Sketch, float] | None = None  # the sketch last judged, and its rmse
        self._decomposed: tuple[list[Piece], NDArray[np.float64], float] | None = None

    def left(self, more: int = 0) -> float:
        """The share of time and renders until the last pass must begin, or what so many renders more would leave."""
        return 1 - self.reserve - (CONFINED if self.folded else 0) - self.allowance.used(more)

    def run(self) -> Drawing:
        """The whole search: what it has found when the time or the renders are used up, told as a person would."""
        with counting(self.allowance.tally):
            try:
                sketch = self.found()
            except OutOfRenders:
                sketch = self.best or self.drafted()
            return self.told(sketch)

    def drafted(self) -> Sketch:
        """What the picture's regions look like before anything is compared with the picture."""
        layers, ground, _ = draft(self.fitter.surveyed, self.options.numbers, self.options.price)
        layers = layers[: self.options.forms]  # the largest
        return to_sketch(Painting(tuple(layers), same_weights(layers), ground, np.inf), self.unit(self.judge))

    def estimate(self) -> tuple[float, int]:
        """What the whole picture costs as it is traced, with what a fold leaves wrong, and the numbers that are in it.

        The cost is infinite where renders end before that.
        """
        with counting(self.allowance.tally):
            try:
                layers, _, rmse = self.decomposed()
            except OutOfRenders:
                return np.inf, 0
        numbers = sum(layer.outline.numbers for layer in layers)
        cost = rmse**2 * self.judge.target.size + self.options.price * numbers
        if self.folded is not None:
            cost = 2 * cost + self.folded.asymmetry + self.price_told * TOLD
        return cost, numbers

    def found(self) -> Sketch:
        """The best sketch that tracing and the sources lead to."""
        traced = self.traced()
        best = to_sketch(traced, self.unit(self.judge))
        if self.left() > 0 and not self.is_done(traced):
            small = start = self.shrunk(traced)
            while self.left(2 + len(small.layers)) > self.pace and self.idle < PATIENCE:
                begun, source = self.allowance.used(), self.turns.next()
                better = self.improved(small, source)
                self.pace = self.allowance.used() - begun
                saved = self.burden(small, self.tried) - self.burden(better, self.tried) if better else 0.0
                self.turns.note(source, saved, self.pace)
                if better is not None:
                    small = better
                    self.report(small, self.tried)
            if small is not start and small.layers:
                large = to_sketch(self.settled(self.grown(small, self.tried), self.judge), self.unit(self.judge))
                # What pays at the smaller size need not at the larger.
                best = min(best, large, key=lambda sketch: self.cost(sketch, self.rmse(sketch), self.judge))
        return self.refined(self.confined(best))

    def confined(self, sketch: Sketch) -> Sketch:
        """A half's sketch with nothing beyond the axis, within the budget of numbers, if it is one."""
        if self.folded is None:
            return sketch
        kept = self.kept(sketch)
        pieces = [to_outline(layer, self.unit(self.judge)) for layer in kept.layers]
        layers = tuple(piece for piece in pieces if piece is not None)
        if count_numbers(kept, self.canvas) <= self.options.numbers or len(layers) < len(pieces):
            return kept
        fewer = kept
        try:
            fewer = self.affordable(kept)
            painting = Painting(layers, same_weights(layers), np.array(kept.ground, float) / 255, self.rmse(kept))
            settled = to_sketch(self.settled(painting, self.judge), self.unit(self.judge))
        except OutOfRenders:
            return fewer
        return min(fewer, settled, key=self.judge.error)

    def kept(self, sketch: Sketch) -> Sketch:
        """A half's sketch with nothing beyond the axis that shows."""
        assert self.folded is not None
        is_over = self.ending(FINISHED, ENDED + len(sketch.layers))
        return confine(sketch, self.folded, (self.judge, self.whole), self.options.price, is_over)

    def is_done(self, painting: Painting) -> bool:
        """Whether less is wrong with a painting than the cheapest shape costs."""
        return painting.rmse**2 * self.judge.target.size < self.options.price * FEWEST_NUMBERS

    def told(self, sketch: Sketch) -> Drawing:
        """The sketch as a person would write it, as far as time and renders reach."""
        tree, least = None, ENDED + len(sketch.layers)
        self.allowance.keep(0)
        if self.allowance.affords(least):
            try:
                sketch = self.kept(sketch) if self.folded else sketch
                sketch = finish(sketch, self.judge, self.ending(FINISHED, least))
                sketch = arrange(sketch, self.judge, self.options.price, self.ending(FINISHED, least))
                tree = self.written(self.affordable(sketch))
                if self.options.style is None:
                    tree = tell(tree, self.whole, self.price_told, self.ending(1.0, 1))
            except OutOfRenders:
                pass
        if tree is None:
            tree = self.written(replace(sketch, layers=tuple(rounded(layer, 100) for layer in sketch.layers)))
        if self.options.style is not None:
            tree = restyle(tree, self.options.style)
        self.allowance.release()
        rmse = self.whole.program_error(tree) ** 0.5
        end = self.allowance.step(rmse)
        return Drawing(tree, rmse, end.renders, end.seconds, (*self.course, end))

    def affordable(self, sketch: Sketch) -> Sketch:
        """A sketch whose program may have more numbers than allowed without what is worth least for its numbers."""
        most = self.options.numbers + (TOLD if self.folded else 0)
        while sketch.layers and (excess := program_numbers(self.written(sketch)) - most) > 0:
            error = self.judge.error(sketch)
            rests = [(*sketch.layers[:k], *sketch.layers[k + 1 :]) for k in range(len(sketch.layers))]
            shorter = [replace(sketch, layers=rest) for rest in rests]
            sizes = [min(layer_numbers(layer), excess) for layer in sketch.layers]
            losses = [self.judge.error(other) - error for other in shorter]
            sketch = shorter[min(range(len(sizes)), key=lambda k: losses[k] / max(sizes[k], 1))]
        return sketch

    def written(self, sketch: Sketch) -> Node:
        """The program of the whole picture."""
        if self.folded is None:
            return write_program(sketch.layers, self.canvas, sketch.ground)
        return unfold(sketch, self.folded, self.whole)

    def ending(self, share: float, least: int) -> Callable[[], bool]:
        """Says when a last step is over: past that share of time or renders, or when fewer renders are left than least.

        Each has a little time, however late it is.
        """
        end = max(share, self.allowance.used() + GRACE)
        return lambda: self.allowance.used() > end or not self.allowance.affords(least)

    def refined(self, sketch: Sketch) -> Sketch:
        """The program's numbers and colours moved once more, through the soft renderer, if that brings it nearer."""
        if not sketch.layers or self.left() < -0.5 * self.reserve:
            return sketch
        if not self.allowance.affords(2 + ENDED + len(sketch.layers)):
            return sketch
        alike = same_pens(sketch)
        program = write_program(alike.layers, self.canvas, alike.ground)
        steps = 2 if alike == sketch else 4
        layers, ground = read_layers(
            refine(program, self.judge.target, steps=steps, size=JUDGED_SIDE, tint=True).children
        )
        moved = Sketch(ground or sketch.ground, tuple(layers))
        costs = [self.cost(found, self.rmse(found), self.judge) for found in (moved, sketch)]
        pens = [len({layer.weight for layer in found.layers if layer.stroke}) for found in (moved, sketch)]
        return moved if costs[0] < costs[1] + PEN * self.options.price * (pens[1] - pens[0]) else sketch

    def rmse(self, sketch: Sketch) -> float:
        """The error at `JUDGED_SIDE`; a sketch that was judged just before is not drawn again."""
        if self.known is None or self.known[0] != sketch:
            self.known = sketch, self.judge.error(sketch) ** 0.5
        return self.known[1]

    def report(self, painting: Painting, judge: Judge) -> None:
        """Note and tell a painting, if it is the best so far as it stands; proposals are only tried in the small."""
        sketch = to_sketch(self.grown(painting, judge), self.unit(self.judge))
        rmse = self.rmse(sketch)
        cost = self.cost(sketch, rmse, self.judge)
        if cost < self.least or not self.course:
            self.best, self.least = sketch, cost
            program = self.written(sketch)
            if self.folded:
                rmse = self.whole.program_error(program) ** 0.5
            self.course.append(self.allowance.step(rmse))
            if self.progress:
                self.progress(program, rmse)

    def grown(self, painting: Painting, judge: Judge) -> Painting:
        """A painting in pixels of a judge, in those of the larger one."""
        factor = self.unit(judge) / self.unit(self.judge)
        return replace(painting, layers=tuple(scaled(layer, factor) for layer in painting.layers))

    def unit(self, judge: Judge) -> NDArray[np.float64]:
        """Canvas units per pixel of a judge, across and down."""
        return np.array([self.canvas[0] / judge.size[1], self.canvas[1] / judge.size[0]])

    def price(self, judge: Judge) -> float:
        """What a number must save in squared error summed over a judge's pixels."""
        return self.options.price * judge.target.size / self.judge.target.size

    def burden(self, painting: Painting, judge: Judge) -> float:
        """What the painting costs; infinite beyond the limits."""
        return self.cost(to_sketch(painting, self.unit(judge)), painting.rmse, judge)

    def cost(self, sketch: Sketch, rmse: float, judge: Judge) -> float:
        """What a sketch with that error costs; infinite beyond the limits."""
        numbers = count_numbers(sketch, self.canvas)
        if len(sketch.layers) > self.options.forms or numbers > self.options.numbers:
            return np.inf
        return rmse**2 * judge.target.size + self.price(judge) * numbers

    def settled(self, painting: Painting, judge: Judge) -> Painting:
        """Polished and within the budget of numbers, as the program's text counts them."""
        budget = self.options.numbers
        for _ in range(4):
            painting = settle(painting, judge.target, budget, self.price(judge), self.options.forms)
            excess = count_numbers(to_sketch(painting, self.unit(judge)), self.canvas) - self.options.numbers
            if excess <= 0:
                break
            budget -= excess
        return painting

    def traced(self) -> Painting:
        """The picture traced region by region."""
        layers, ground, rmse = self.decomposed()
        painting = Painting(tuple(layers), same_weights(layers), ground, rmse)
        # The last pass polishes what tracing polished: the longer that took, the earlier it must begin.
        rounding = self.allowance.share_of(ENDED + ROUNDED * sum(layer.outline.numbers for layer in layers))
        self.reserve = min(max(RESERVE, MOST_RESERVED * self.allowance.used(), rounding), MOST_RESERVED)
        self.allowance.keep(self.reserve)
        if self.burden(painting, self.judge) == np.inf:
            painting = self.settled(painting, self.judge)
        self.best = to_sketch(painting, self.unit(self.judge))
        self.report(painting, self.judge)
        return painting

    def decomposed(self) -> tuple[list[Piece], NDArray[np.float64], float]:
        """The picture's regions drawn with as many numbers as there may be: layers, the ground and the rmse."""
        if self._decomposed is None:
            most = self.allowance.deadline(self.begun + self.left() / 2)
            self._decomposed = decompose(
                self.judge.target, self.options.numbers, self.options.price, self.fitter.surveyed, most
            )
        return self._decomposed

    def shrunk(self, painting: Painting) -> Painting:
        """The painting in pixels of the smaller judge, polished there."""
        factor = self.unit(self.judge) / self.unit(self.tried)
        layers = [scaled(layer, factor) for layer in painting.layers]
        polished, ground, rmse = polish(layers, painting.ground, self.tried.target, rounds=2, pens=list(painting.pens))
        return Painting(tuple(polished), painting.pens, ground, rmse)

    def improved(self, painting: Painting, source: int) -> Painting | None:
        """The painting with a source's best proposals in and what is worth least out, or None if that costs more."""
        # Every second time some of the painting is taken out first, so that it may be said otherwise.
        thin = self.turns.taken[source] % 2 == 1 and len(painting.layers) > 2
        base = self.thinned(painting) if thin else painting
        chosen: list[tuple[int, bool, Piece]] = []
        layers: list[Layer] = []
        taken = np.zeros(self.tried.size, bool)
        for trial, piece in self.trials(base, self.sources[source]):
            mark = cover([piece.outline], *self.tried.size)[0] > 0.05
            if (mark & taken).any() or trial.place in [place for place, _, _ in chosen]:
                continue
            taken |= mark
            chosen.append((trial.place, trial.instead, piece))
            layers.append(trial.layer)
            if len(chosen) == TOGETHER:
                break
        self.idle = 0 if chosen else self.idle + 1
        while chosen and self.left() > 0:
            new = self.settled(insert(base, chosen), self.tried)
            if self.burden(new, self.tried) < self.burden(painting, self.tried) * (1 - 1e-3):
                return new
            if thin:
                break
            self.failed.update(layers[len(chosen) // 2 :])
            half = len(chosen) // 2
            chosen, layers = chosen[:half], layers[:half]
        return None

    def thinned(self, painting: Painting) -> Painting:
        """The painting without a layer, the likelier the more numbers it has, and perhaps one that touches it."""
        sizes = np.array([layer.outline.numbers for layer in painting.layers], float)
        first = int(self.rng.choice(len(sizes), p=sizes / sizes.sum()))
        marks = cover([layer.outline for layer in painting.layers], *self.tried.size) > 0.05
        touching = [k for k in range(len(sizes)) if k != first and (marks[k] & marks[first]).any()]
        gone = {first} | ({int(self.rng.choice(touching))} if touching and self.rng.random() < 0.5 else set())
        kept = [k for k in range(len(sizes)) if k not in gone]
        layers, pens = zip(*((painting.layers[k], painting.pens[k]) for k in kept), strict=True)
        return Painting(layers, pens, painting.ground, painting.rmse)

    def trials(self, painting: Painting, source: Source) -> list[tuple[Trial, Piece]]:
        """Proposals of a source, each in its best place and fitted there, the most useful first.

        A piece is the proposal as fitted, in pixels of the smaller judge. What it is worth is the squared error that it
        saves less the price of its numbers; when the budget is spent, the price is what numbers save on average.
        """
        unit = self.unit(self.tried)
        sketch = to_sketch(painting, unit)
        stack = self.tried.stack(sketch)
        proposals = source.propose(Situation(self.judge.target, self.canvas, sketch, stack.under[-1]))
        sizes = [layer_numbers(layer) for layer in sketch.layers]
        price = self.price(self.tried)
        if sum(sizes) > 0.9 * self.options.numbers:
            price = max(price, float(stack.wrong.sum()) / sum(sizes))
        hopes: list[tuple[float, Layer, tuple[int, bool], float]] = []
        for layer in proposals:
            size, own = layer_numbers(layer), []
            for place, instead in self.tried.places(layer, stack):
                extra = price * (size - (sizes[place] if instead else 0))
                own.append((self.tried.promise(layer, stack, place, instead) - extra, layer, (place, instead), extra))
            hopes += sorted(own, key=lambda hope: -hope[0])[:PLACES]
        best: dict[Layer, tuple[float, Trial, float]] = {}
        # What promises most goes first: renders may end before all are tried.
        for _, layer, where, extra in sorted(hopes, key=lambda hope: -hope[0]):
            trial = self.tried.try_layer(layer, stack, *where) if self.left() > 0 else None
            if trial is None or trial.layer in self.failed:
                continue
            gain = trial.gain * self.tried.target.size - extra
            if layer not in best or gain > best[layer][0]:
                best[layer] = gain, trial, extra
        rough = sorted(best.values(), key=lambda entry: -entry[0])
        fitted: list[tuple[float, Trial, Piece]] = []
        now = float(stack.wrong.sum())
        for _, trial, extra in rough[:FITTED]:
            piece = to_outline(trial.layer, unit)
            if piece is None or self.left() <= 0:
                continue
            above = trial.place + trial.instead
            opening = Opening(stack.under[trial.place], stack.over_clear[above], stack.over_color[above])
            piece, error = fit_alone(piece, opening, self.tried.target)
            if now - error - extra > 0:
                fitted.append((now - error - extra, trial, piece))
        fitted.sort(key=lambda entry: -entry[0])
        return [(trial, piece) for _, trial, piece in fitted]
