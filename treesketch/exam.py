"""How many problems of a small language are solved with how many renders. A language in; results and a table out.

A solver sits both sets of problems (`solving.problems`), each problem several times with other chance. A share is the
mean over problems of the part of the times that it was solved; its interval is Wilson's at 95 % for so many problems,
which is wider than need be where several times are averaged.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from treesketch.solving.solvers import CLIMBING, READING, make_solver
from treesketch.workers import start_worker, work_each

if TYPE_CHECKING:
    from treesketch.solving.judge import Judge, Picture
    from treesketch.tree import Node

BUDGET = 5000  # renders for a problem
CHECKPOINTS = (64, 256, 1000, BUDGET)  # renders after which it is told how many are solved
TESTS = ("solved", "solved, looks counted", "strictly")
_DEVIATIONS = 1.959964  # of a normal variable, which hold 95 % around its mean


@dataclass(frozen=True, slots=True)
class Task:
    """A problem of a set, numbered from 0, for a solver to sit once with each seed; weights are its network's file."""

    grammar: str
    kind: str
    number: int
    solver: str
    seeds: tuple[int, ...]
    weights: Path | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one sitting came to. program is the best one's text, or None; parts are how many it has.

    solved_at, exact_at and looks_before are the judge's, renders and looks what was taken in all, seconds those of the
    processor.
    """

    seed: int
    program: str | None
    parts: int
    score: float
    solved_at: int | None
    looks_before: int | None
    exact_at: int | None
    renders: int
    looks: int
    seconds: float

    def cost(self, test: str) -> float:
        """How many renders (and looks, where they count) had been taken when a test of TESTS was passed first."""
        passed = self.exact_at if test == "strictly" else self.solved_at
        if passed is None:
            return float("inf")
        return passed + (self.looks_before or 0 if test == "solved, looks counted" else 0)


@dataclass(frozen=True, slots=True)
class Result:
    """A task with an answer for each seed; `seen` parts of the program that posed it change the picture."""

    task: Task
    seen: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the problems, 0..1, and its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Summary:
    """One set, solver and test: a share for each checkpoint.

    parts is the mean length of the programs that solved, seen that of their problems' parts; None where none is solved.
    looks and seconds are the mean that a sitting took in all.
    """

    kind: str
    solver: str
    test: str
    problems: int
    shares: dict[int, Share]
    parts: float | None
    seen: float | None
    looks: float
    seconds: float


def tasks(
    grammar: str,
    problems: int,
    seeds: Sequence[int],
    solver: str = READING,
    weights: Path | None = None,
    baseline: bool = False,
) -> list[Task]:
    """Every problem of both sets for a solver of `solving.solvers`, and for hill climbing if asked.

    Raises CheckpointError when its weights are at fault.
    """
    make_solver(solver, grammar, weights)
    return [
        Task(grammar, kind, number, name, tuple(seeds), weights)
        for name in ((solver, CLIMBING) if baseline else (solver,))
        for kind in ("plain", "hard")
        for number in range(problems)
    ]


def examine(given: Sequence[Task], processes: int = 1) -> Iterator[Result]:
    """Have every task done, and yield each result when it is there; with several processes the order is theirs.

    A task whose process is killed has no result.
    """
    if processes == 1 or len(given) <= 1:
        yield from map(sit, given)
        return
    yield from (result for _, result in work_each(sit, given, processes, start_worker) if result is not None)


def sit(task: Task) -> Result:
    """Solve one problem, once with each seed. The solver gets the picture alone."""
    import numpy as np

    from treesketch.solving.judge import Judge
    from treesketch.solving.problems import count_seen

    problem, target = pose_picture(task)
    solve = make_solver(task.solver, task.grammar, task.weights)
    answers = []
    for seed in task.seeds:
        judge = Judge(task.grammar, target, BUDGET)
        start = time.process_time()
        solve(judge, np.random.default_rng([seed, task.number]))
        answers.append(_answer(judge, seed, time.process_time() - start))
    return Result(task, count_seen(problem, task.grammar), tuple(answers))


def pose_picture(task: Task) -> "tuple[Node, Picture]":
    """A task's problem, and its picture."""
    from treesketch.sampling.problems import PROBLEMS
    from treesketch.solving.problems import pose

    problem = pose(task.grammar, task.kind, task.number)
    return problem, PROBLEMS[task.grammar].draw(problem)


def _answer(judge: "Judge", seed: int, seconds: float) -> Answer:
    from treesketch.language import load_language
    from treesketch.solving.problems import count_parts
    from treesketch.syntax import unparse

    best = judge.best
    return Answer(
        seed=seed,
        program=unparse(best.program, load_language(judge.grammar)) if best else None,
        parts=count_parts(best.program, judge.grammar) if best else 0,
        score=best.score if best else float("-inf"),
        solved_at=judge.solved_at,
        looks_before=judge.looks_before,
        exact_at=judge.exact_at,
        renders=judge.renders,
        looks=judge.looks,
        seconds=seconds,
    )


def summarise(results: Iterable[Result]) -> list[Summary]:
    """A summary for each set, solver and test, in the order of the results; looks are told where there were any."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.task.kind, result.task.solver), []).append(result)
    return [
        _summary(kind, solver, test, group)
        for (kind, solver), group in groups.items()
        for test in TESTS
        if test != "solved, looks counted" or any(answer.looks for result in group for answer in result.answers)
    ]


def _summary(kind: str, solver: str, test: str, group: Sequence[Result]) -> Summary:
    passed = [(answer, result.seen) for result in group for answer in result.answers if answer.cost(test) <= BUDGET]
    return Summary(
        kind=kind,
        solver=solver,
        test=test,
        problems=len(group),
        shares={renders: share_within(group, test, renders) for renders in CHECKPOINTS},
        parts=fmean(answer.parts for answer, _ in passed) if passed else None,
        seen=fmean(seen for _, seen in passed) if passed else None,
        looks=fmean(answer.looks for result in group for answer in result.answers),
        seconds=fmean(answer.seconds for result in group for answer in result.answers),
    )


def share_within(group: Sequence[Result], test: str, renders: float) -> Share:
    """The share of problems that passed a test within so many renders."""
    return wilson(
        fmean(fmean(answer.cost(test) <= renders for answer in result.answers) for result in group), len(group)
    )


def wilson(value: float, count: int) -> Share:
    """A share of so many problems with its interval at 95 % (Wilson, 1927).

    >>> share = wilson(0.5, 10)
    >>> round(share.low, 3), round(share.high, 3)
    (0.237, 0.763)
    """
    squared = _DEVIATIONS**2
    middle = (value + squared / (2 * count)) / (1 + squared / count)
    reach = _DEVIATIONS * sqrt(value * (1 - value) / count + squared / (4 * count**2)) / (1 + squared / count)
    return Share(value, max(0.0, middle - reach), min(1.0, middle + reach))


def print_table(summaries: Iterable[Summary]) -> None:
    """The summaries on standard output."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(title="percent solved within so many renders", title_justify="left", box=SIMPLE)
    for i, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="left" if i < LEFT else "right", no_wrap=i >= LEFT)
    for summary in summaries:
        table.add_row(*cells(summary))
    Console(width=None if Console().is_terminal else 200).print(table)


SHARES = tuple(f"{renders:,}" for renders in CHECKPOINTS)
HEADINGS = ("set", "solver", "test", "n", *SHARES, "parts", "truth", "looks", "seconds")
LEFT = 3  # of the headings, whose columns begin at the left


def cells(summary: Summary) -> list[str]:
    """A summary as the texts of a row of a table, below HEADINGS; an interval has a line of its own."""
    shares = [
        f"{100 * share.value:.1f}\n{100 * share.low:.1f}-{100 * share.high:.1f}" for share in summary.shares.values()
    ]
    lengths = ["-" if value is None else f"{value:.2f}" for value in (summary.parts, summary.seen)]
    names = [summary.kind, summary.solver, summary.test, str(summary.problems)]
    return [*names, *shares, *lengths, f"{summary.looks:,.0f}", f"{summary.seconds:.2f}"]
