"""Many pictures drawn, in this process or in several. Paths of pictures in; programs and what they cost out.

One picture that cannot be drawn never stops the others: its error comes back in its place.
"""

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treesketch.errors import CheckpointError, PictureError, SketchError
from treesketch.files import describe
from treesketch.picture import SUFFIXES, WHITE, Color, load_picture
from treesketch.workers import start_worker, work_each

if TYPE_CHECKING:
    from treesketch.search.allowance import Step
    from treesketch.tree import Node

Progress = Callable[["Node", float], None]  # called with the best program so far and its rmse

LONGEST = 1024  # pixels; larger pictures are looked at at this size
UNSURE = 2.0  # times the usual error that a number must save where noise was undone, as some of it may be left


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to draw. options are names and values of `search.draw.Options` that differ from its defaults.

    network says whether networks help: one proposes, another undoes noise and compression; weights is the first one's
    file, None for the shipped ones. background is what the picture's alpha is laid over.
    """

    picture: Path
    options: tuple[tuple[str, Any], ...] = ()
    network: bool = True
    weights: Path | None = None
    background: Color = WHITE


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a job made: the program's text, its rmse (0..1), the renders and wall seconds that it took.

    restored is the rmse to the picture without its noise, where that is what was drawn. course is the best program's
    error each time that there was a better one, to the picture that was drawn.
    """

    program: str
    rmse: float
    renders: int
    seconds: float
    course: "tuple[Step, ...]" = ()
    restored: float | None = None


def list_pictures(folder: Path, suffixes: Sequence[str] = SUFFIXES) -> list[Path]:
    """The pictures in a folder, by name. Raises PictureError when there is none."""
    try:
        pictures = sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes and path.is_file())
    except OSError as error:
        raise PictureError(describe(error), file=str(folder)) from error
    if not pictures:
        raise PictureError(f"no picture in this folder; looked for {' '.join(suffixes)}", file=str(folder))
    return pictures


def draw_one(job: Job, progress: Progress | None = None) -> Drawn:
    """Draw one picture. Raises SketchError when the picture or the weights are at fault."""
    from treesketch.search.draw import Options, draw_picture, rmse_to
    from treesketch.syntax import unparse

    picture = given = load_picture(job.picture, LONGEST, job.background)
    network, options = None, Options(**dict(job.options))
    if job.network:
        from treesketch.restoring.restore import load_shipped_restorer, restored

        network = _network(job.weights)
        picture = restored(given, load_shipped_restorer())
        if picture is not given:
            options = replace(options, price=UNSURE * options.price)
    drawing = draw_picture(picture, options, network, progress)
    text, renders, seconds = unparse(drawing.tree), int(drawing.renders), float(drawing.seconds)
    if picture is given:
        return Drawn(text, float(drawing.rmse), renders, seconds, drawing.course)
    return Drawn(text, rmse_to(given, drawing.tree), renders, seconds, drawing.course, float(drawing.rmse))


def draw_each(
    jobs: Sequence[Job], processes: int = 1, progress: Progress | None = None
) -> Iterator[tuple[Job, Drawn | SketchError]]:
    """Draw every picture and yield each result when it is there; with several processes the order is theirs.

    Every further process has one thread of its own, so `processes` is the number of cores in use. progress is called
    while a picture is drawn in this process. Raises CheckpointError, once for all, when the weights are at fault.
    """
    if processes == 1 or len(jobs) <= 1:
        for job in jobs:
            yield job, _unless_weights(_draw_or_error(job, progress))
        return
    for job, result in work_each(_draw_or_error, jobs, processes, _start_drawing):
        if result is None:
            message = "its process was killed, perhaps for lack of memory; draw it with --jobs 1"
            result = SketchError(message, file=str(job.picture))
        yield job, _unless_weights(result)


def _unless_weights(result: Drawn | SketchError) -> Drawn | SketchError:
    """The result, unless it says that the weights are at fault: then no picture can be drawn."""
    if isinstance(result, CheckpointError):
        raise result
    return result


def _draw_or_error(job: Job, progress: Progress | None = None) -> Drawn | SketchError:
    try:
        return draw_one(job, progress)
    except SketchError as error:
        error.file = error.file or str(job.picture)
        return error
    except Exception as error:  # a mistake of ours, and the other pictures go on
        return bug(error, str(job.picture))


def bug(error: Exception, file: str) -> SketchError:
    """A mistake of ours as an error of the file that it came up with, named with its place."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    message = f"a bug in treesketch ({Path(place.filename).name}:{place.lineno}): {type(error).__name__}: {error}"
    return SketchError(message, file=file)


def _start_drawing() -> None:
    start_worker()
    import torch

    torch.set_num_threads(1)


@lru_cache(maxsize=1)
def _network(weights: Path | None) -> Any:
    from treesketch.model.weights import load_network, load_shipped

    return load_network(weights, "sketch") if weights else load_shipped("sketch")
