"""Where a run's time goes and what it comes to: laps and rows of numbers in; metrics.csv and TensorBoard events out.

Both are written as a row comes, by the process that trains: a full disk is an error at once, not in a thread's.
"""

import csv
import io
import os
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from treesketch.errors import SketchError
from treesketch.files import describe, write_whole

METRICS = "metrics.csv"


class Stopwatch:
    """Seconds by what they were spent on, since the last `shares`."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def skip(self) -> None:
        """What went by since the last lap counts for nothing."""
        self._last = time.perf_counter()

    def lap(self, name: str) -> float:
        """What went by since the last lap was spent on `name`; returns it."""
        now = time.perf_counter()
        gone, self._last = now - self._last, now
        self.seconds[name] = self.seconds.get(name, 0.0) + gone
        return gone

    def shares(self) -> dict[str, float]:
        """Each name's share of all laps, 0 to 1; begins anew."""
        whole = sum(self.seconds.values())
        found = {name: spent / whole if whole else 0.0 for name, spent in self.seconds.items()}
        self.seconds = {}
        return found


class Journal:
    """metrics.csv and TensorBoard events, one row an evaluation; rows behind the step that a run goes on from go."""

    def __init__(self, run: Path, columns: Sequence[str], step: int):
        """columns are the table's; the first is the step, the second whole too."""
        self.path, self.columns = run / METRICS, tuple(columns)
        self.rows: list[list[str]] = []
        if step and self.path.is_file():
            self.rows = [row for row in self._read() if int(row[0]) <= step]
        self.events = run / f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}"
        began = [Event(wall_time=time.time(), file_version="brain.Event:2")]
        if step:  # TensorBoard forgets what another file of the run holds from here on
            began.append(Event(wall_time=time.time(), step=step, session_log=SessionLog(status=SessionLog.START)))
        self._append(began)

    def _read(self) -> list[list[str]]:
        """The rows of the table there is, each with this table's columns; a torn row is left out."""
        with open(self.path, newline="", encoding="utf-8") as file:
            header, *rows = list(csv.reader(file)) or [[]]
        whole = [dict(zip(header, row, strict=True)) for row in rows if len(row) == len(header) and row[0].isdecimal()]
        return [[row.get(name, "") for name in self.columns] for row in whole]

    def write(self, row: Mapping[str, float]) -> None:
        """Append one row. Raises SketchError where it cannot be written."""
        cells = [str(int(row[name])) for name in self.columns[:2]]
        cells += [f"{row[name]:.6g}" if name in row else "" for name in self.columns[2:]]
        self.rows.append(cells)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([self.columns, *self.rows])
        write_whole(self.path, text.getvalue())
        values = [Summary.Value(tag=name, simple_value=value) for name, value in row.items()]
        self._append([Event(wall_time=time.time(), step=int(row["step"]), summary=Summary(value=values))])

    def _append(self, events: Sequence[Event]) -> None:
        data = io.BytesIO()
        writer = RecordWriter(data)
        for event in events:
            writer.write(event.SerializeToString())
        try:
            with open(self.events, "ab") as file:
                file.write(data.getvalue())
        except OSError as error:
            raise SketchError(f"cannot write: {describe(error)}", file=str(self.events)) from error
