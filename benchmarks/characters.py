"""Cut-out characters drawn by `draw`: `python benchmarks/characters.py` prints how many come back as they were made.

The characters are the sampler's, of seeds that no training draws from, seen at 128 x 128 pixels. A character has come
back where the drawing's rmse is at most .02 and its program draws no more shapes than the one that made it. The same
is told for the parenthesised forms of the two texts.
"""

import argparse
from dataclasses import dataclass
from multiprocessing import Pool
from statistics import fmean, median

import numpy as np
import torch

from treesketch.evaluate import measure_program
from treesketch.interpreter import interpret
from treesketch.model.weights import load_shipped
from treesketch.picture import Picture
from treesketch.raster import rasterise
from treesketch.sampling import sample_program
from treesketch.search.draw import Options, draw_picture
from treesketch.syntax import unparse

SEED = 2026  # with a number behind it: a sequence that `treesketch train` and `data build` have no use for
SIDE = 128
NEAR = 0.02


@dataclass(frozen=True, slots=True)
class Drawn:
    """One character: the drawing's rmse (0..1), and shapes and forms of its program and of the one that made it."""

    rmse: float
    shapes: tuple[int, int]
    forms: tuple[int, int]

    def came_back(self, counts: tuple[int, int]) -> bool:
        """Whether the drawing is near, by no more than there was."""
        return self.rmse <= NEAR and counts[0] <= counts[1]


def draw_one(job: tuple[int, float, bool]) -> Drawn:
    """Character number job[0], in so many seconds, with the shipped network or without."""
    number, seconds, networked = job
    torch.set_num_threads(1)
    truth = sample_program("cutouts", np.random.default_rng([SEED, number]))
    scene = interpret(truth)
    pixels = rasterise(scene, (SIDE, SIDE)).astype(np.float32) / np.float32(255)
    picture = Picture(pixels, "character", (SIDE, SIDE))
    network = load_shipped("sketch") if networked else None
    drawing = draw_picture(picture, Options(seconds=seconds), network)
    found = interpret(drawing.tree)
    error = np.sqrt(((rasterise(found, (SIDE, SIDE)).astype(np.float32) / 255 - pixels) ** 2).mean())
    sizes = [measure_program(unparse(tree)).forms for tree in (drawing.tree, truth)]
    return Drawn(float(error), (len(found.shapes), len(scene.shapes)), (sizes[0], sizes[1]))


def main() -> None:
    """Draw the characters and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=100, help="characters")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each")
    parser.add_argument("--jobs", type=int, default=1, help="drawn at once")
    parser.add_argument("--no-network", action="store_true", help="propose from the picture alone")
    chosen = parser.parse_args()
    jobs = [(number, chosen.seconds, not chosen.no_network) for number in range(chosen.n)]
    with Pool(chosen.jobs) as pool:
        drawn = pool.map(draw_one, jobs, chunksize=1)
    errors = [each.rmse for each in drawn]
    print(f"{len(drawn)} characters, {chosen.seconds:g} s each")
    print(f"rmse: median {median(errors):.4f}, mean {fmean(errors):.4f}")
    near = fmean(error <= NEAR for error in errors)
    shapes, forms = (fmean(each.came_back(getattr(each, what)) for each in drawn) for what in ("shapes", "forms"))
    print(f"within {NEAR:g}: {near:.0%}; and with no more shapes {shapes:.0%}, no more forms {forms:.0%}")
    for what in ("shapes", "forms"):
        found, made = (fmean(getattr(each, what)[k] for each in drawn) for k in (0, 1))
        print(f"{what}: {found:.1f} a drawing, {made:.1f} a truth")


if __name__ == "__main__":
    main()
