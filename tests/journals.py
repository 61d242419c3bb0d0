"""What a training run wrote down."""

import csv
from pathlib import Path


def rows_of(run: Path) -> list[dict[str, str]]:
    """The rows of a run's metrics."""
    with open(run / "metrics.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
