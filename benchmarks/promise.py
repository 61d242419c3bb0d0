"""The decoder's promise on many programs: `python benchmarks/promise.py` checks those of `treesketch sample -n 100000`.

Each must be read back as it was written, pass the checks, end and draw, within its budget of nodes; and each production
of the grammar must come up. The rarest productions are printed. Exit code 1 where one is missing.
"""

import argparse
import sys
import time
from collections import Counter
from itertools import islice

import numpy as np

from treesketch import tree
from treesketch.actions import load_vocabulary
from treesketch.batch import start_worker, work_each
from treesketch.check import check
from treesketch.derivation import sample_tree
from treesketch.interpreter import interpret
from treesketch.language import load_language
from treesketch.raster import rasterise
from treesketch.syntax import parse, unparse

SEED = 0  # as the command's
BUDGET = 200  # nodes, as the command's
PORTION = 250  # programs that a process checks at a time
SIZE = (32, 32)  # pixels of the drawings


def examine(first: int) -> Counter[str]:
    """Check one portion of the command's programs; returns how many of them have each production."""
    vocabulary = load_vocabulary()
    seen: Counter[str] = Counter()
    for k in range(first, first + PORTION):
        program = sample_tree(vocabulary, BUDGET, np.random.default_rng([SEED, k]))
        assert tree.count(program) <= BUDGET, k
        assert parse(unparse(program)) == program, k
        assert check(program) == [], k
        assert rasterise(interpret(program), SIZE).shape == (*SIZE, 3), k  # interpret raises where a limit is passed
        seen.update({node.production for _, node in tree.walk(program)})
    return seen


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("-n", type=int, default=100_000, help=f"programs, in portions of {PORTION}")
    options.add_argument("--jobs", type=int, default=1, help="processes")
    chosen = options.parse_args()
    began = time.perf_counter()
    seen: Counter[str] = Counter()
    portions = range(0, chosen.n, PORTION)
    for done, (_, found) in enumerate(work_each(examine, portions, chosen.jobs, start_worker), start=1):
        if found is None:
            print("a process was killed", file=sys.stderr)
            return 1
        seen += found
        if sys.stderr.isatty() or done % 40 == 0:
            print(f"{done * PORTION:,} programs, {time.perf_counter() - began:.0f} s", file=sys.stderr)
    missing = sorted(set(load_language().productions) - set(seen))
    print(f"{len(portions) * PORTION:,} programs parse, check, end and draw within {BUDGET} nodes; ", end="")
    print(f"{len(seen)} productions of {len(seen) + len(missing)}, {time.perf_counter() - began:.0f} s")
    print("rarest: " + ", ".join(f"{name} {n:,}" for name, n in islice(reversed(seen.most_common()), 12)))
    if missing:
        print(f"never: {', '.join(missing)}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
