"""The table and the pictures of docs/experiments.md: `python benchmarks/experiments.py RUN...` rewrites them.

A run is a folder that `treesketch train` wrote for a system of `treesketch/experiments`: its results.json and
metrics.csv are read. The table goes between the marks in the document; learning curves and a grid of what each system
writes for the same pictures go beside it.
"""

import argparse
import csv
import json
import tomllib
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot as plt

from treesketch.experiments.loop import RESULTS
from treesketch.experiments.pairs import load_pairs
from treesketch.experiments.scoring import draw_text
from treesketch.experiments.system import SCENES
from treesketch.files import write_whole
from treesketch.journal import METRICS
from treesketch.runs import CONFIG
from treesketch.shards.store import CORPUS, HELD_OUT

DOCUMENT = Path(__file__).parent.parent / "docs" / "experiments.md"
FIGURES = DOCUMENT.parent / "experiments"
BEGIN, END = "<!-- table -->", "<!-- end of the table -->"
SETS = ("scenes", "characters", "real")
SHOWN = 6  # pictures of a set in the grid


def read_run(run: Path) -> dict[str, Any]:
    """A run's results, with the rows of its metrics."""
    results: dict[str, Any] = json.loads((run / RESULTS).read_text(encoding="utf-8"))
    with open(run / METRICS, newline="", encoding="utf-8") as file:
        results["rows"] = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]
    settings = tomllib.loads((run / CONFIG).read_text(encoding="utf-8"))
    results["continues"] = bool(settings.get("start") or settings.get("writer"))
    return results


def write_table(runs: list[dict[str, Any]]) -> str:
    """A line a run that writes programs."""
    heads = ["system", "parameters", "samples", "hours", "valid", "exact", *(f"rmse {name}" for name in SETS)]
    heads += ["nodes", "renders", *(f"64 looks: {name}" for name in SETS), "command"]
    lines = [heads, ["---"] * len(heads)]
    for run in runs:
        values = run["values"]
        if "scenes_valid" not in values:
            continue
        shares = [np.mean([values[f"{name}_{what}"] for name in SETS if f"{name}_{what}" in values])
                  for what in ("valid", "exact")]  # fmt: skip
        cells = [run["name"], f"{run['parameters'] / 1e6:.2f} M", f"{run['samples']:,}", f"{run['seconds'] / 3600:.2f}"]
        cells += [f"{share:.1%}" for share in shares]
        cells += _errors(values, "rmse")
        cells += [f"{values.get('scenes_nodes', 0):.0f}", f"{values['scenes_renders']:.0f}", *_errors(values, "best")]
        lines.append([*cells, f"`{_shorten(run['config'])}`"])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _errors(values: dict[str, float], what: str) -> list[str]:
    return [f"{values[f'{name}_{what}']:.3f}" if f"{name}_{what}" in values else "" for name in SETS]


def _shorten(config: str) -> str:
    """A config's name with the overrides that are not about where the pairs lie or how much is drawn."""
    left_out = ("shards=", "drawings=", "pictures=", "start=")
    return " ".join(word for word in config.split() if not word.startswith(left_out))


def draw_curves(runs: list[dict[str, Any]], path: Path) -> None:
    """Rmse on held-out scenes and on real pictures over samples seen, a line a run; those that go on from another's
    weights begin where the longest of the others ends."""
    longest = max((run["samples"] for run in runs if not run["continues"]), default=0)
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True, layout="constrained")
    for axis, name in zip(axes, ("scenes", "real"), strict=True):
        for run in runs:
            before = longest if run["continues"] else 0
            points = {
                (before + row["samples"]) / 1000: row[f"{name}_rmse"] for row in run["rows"] if f"{name}_rmse" in row
            }
            if points:
                axis.plot(list(points), list(points.values()), "o-", markersize=3, label=run["name"])
        axis.set_xlabel("samples, in thousands")
        axis.set_title(name)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("rmse, 64 pixels")
    axes[0].set_ylim(bottom=0)
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside right center", fontsize=7)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def draw_grid(runs: list[dict[str, Any]], shards: Path, drawings: Path | None, path: Path) -> None:
    """The first pictures of each set, and below them what each run's programs draw; crossed out where they do not."""
    runs = [run for run in runs if run["programs"]]
    targets = []
    for name, kinds in (("scenes", SCENES), ("characters", ("cutouts",)), ("real", (CORPUS,))):
        folder = drawings if name == "real" else shards
        if folder is not None:
            pairs = load_pairs(folder, HELD_OUT).only(kinds, runs[0]["pictures"])
            targets += [(name, k, pairs.picture(k)) for k in range(min(SHOWN, len(pairs)))]
    figure, axes = plt.subplots(len(runs) + 1, len(targets), figsize=(len(targets) * 0.75, (len(runs) + 1) * 0.66))
    for column, (name, number, target) in enumerate(targets):
        axes[0][column].imshow(target)
        for line, run in enumerate(runs, 1):
            programs = run["programs"].get(name, [])
            picture = draw_text(programs[number]) if number < len(programs) else None
            if picture is None:
                axes[line][column].plot([0, 1], [0, 1], "r", [0, 1], [1, 0], "r")
            else:
                axes[line][column].imshow(picture)
    for line, name in enumerate(["target", *(run["name"] for run in runs)]):
        axes[line][0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
    figure.subplots_adjust(left=0.13, right=0.995, top=0.995, bottom=0.005, wspace=0.05, hspace=0.05)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    """Rewrite the document's table and its pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--shards", type=Path, default=Path("shards"))
    parser.add_argument("--drawings", type=Path)
    options = parser.parse_args()
    runs = [read_run(run) for run in options.runs]
    FIGURES.mkdir(exist_ok=True)
    draw_curves(runs, FIGURES / "curves.png")
    draw_grid(runs, options.shards, options.drawings, FIGURES / "pictures.png")
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    write_whole(DOCUMENT, f"{before}{BEGIN}\n{write_table(runs)}\n{END}{after}")


if __name__ == "__main__":
    main()
