"""Shares and their intervals by hand, the page, and the command line of `eval csg2d` and `eval tinysvg`."""

import math
import re
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from treesketch import exam
from treesketch.cli import main
from treesketch.exam import Answer, Result, Task, examine, share_within, sit, summarise, tasks, wilson
from treesketch.exam_page import write_page
from treesketch.solving.solvers import CLIMBING, READING

TASK = Task("csg2d", "plain", 0, READING, (0, 1))


def _answer(seed: int, solved_at: int | None, exact_at: int | None = None, looks: int = 0) -> Answer:
    return Answer(seed, "(Circle 5 8 8)\n", 2, 0.5, solved_at, looks if solved_at else None, exact_at, 90, looks, 0.25)


RESULTS = [
    Result(TASK, 3, (_answer(0, 1, 1), _answer(1, 64, None))),
    Result(replace(TASK, number=1), 5, (_answer(0, 65, 300), _answer(1, None))),
]


def test_wilson_by_hand() -> None:
    # z^2 = 3.8415; none of 10: 0 to z^2 / (10 + z^2) = .2775; all of 256: from 256 / (256 + z^2) = .9852
    assert (wilson(0, 10).low, wilson(1, 10).high) == pytest.approx((0, 1))
    assert wilson(0, 10).high == pytest.approx(0.2775, abs=1e-4)
    assert wilson(1, 256).low == pytest.approx(0.9852, abs=1e-4)


def test_shares_are_means_over_problems_of_seeds() -> None:
    values = {renders: share_within(RESULTS, "solved", renders).value for renders in (0, 1, 63, 64, 65, 5000)}
    assert values == {0: 0, 1: 0.25, 63: 0.25, 64: 0.5, 65: 0.75, 5000: 0.75}
    assert share_within(RESULTS, "strictly", 256).value == 0.25
    assert share_within(RESULTS, "strictly", 300).value == 0.5


def test_looks_count_where_they_are_to() -> None:
    answer = _answer(0, 10, 20, looks=60)
    assert [answer.cost(test) for test in exam.TESTS] == [10, 70, 20]
    assert [_answer(0, None).cost(test) for test in exam.TESTS] == [math.inf] * 3
    assert [summary.test for summary in summarise(RESULTS)] == ["solved", "strictly"]
    looked = [replace(RESULTS[0], answers=(answer,))]
    assert [summary.test for summary in summarise(looked)] == list(exam.TESTS)


def test_parts_are_those_of_what_was_solved() -> None:
    solved, strictly = summarise(RESULTS)
    assert (solved.problems, solved.parts, solved.seconds) == (2, 2, 0.25)
    assert solved.seen == pytest.approx((3 + 3 + 5) / 3) and strictly.seen == 4
    (lost, _) = summarise([Result(TASK, 3, (_answer(0, None),))])
    assert lost.parts is None and lost.seen is None


def test_every_problem_is_a_task() -> None:
    assert len(tasks("csg2d", 3, (0, 1))) == 6
    assert {task.solver for task in tasks("csg2d", 3, (0, 1), baseline=True)} == {READING, CLIMBING}
    assert all(task.seeds == (4, 5) for task in tasks("tinysvg", 2, (4, 5)))


def test_a_sitting_is_counted_by_the_judge_and_the_same_in_any_process() -> None:
    given = [replace(TASK, kind=kind, seeds=(3,)) for kind in ("plain", "hard")]
    alone = [sit(task) for task in given]
    for result in alone:
        (answer,) = result.answers
        assert answer.solved_at and answer.solved_at <= answer.renders <= exam.BUDGET
    together = {result.task: result for result in examine(given, 2)}
    for result in alone:
        (one,), (other,) = result.answers, together[result.task].answers
        assert replace(one, seconds=0) == replace(other, seconds=0)


def test_the_page_is_offline_and_shows_what_was_not_solved() -> None:
    page = write_page(RESULTS, summarise(RESULTS), "csg2d")
    sources = re.findall(r"(?:src|href)=\"([^\"]*)\"", page)
    assert sources and all(source.startswith("data:image/png;base64,") for source in sources)
    assert page.count("<article>") == page.count("</article>") == 2
    assert "plain 0, reading, seed 1: solved, not strictly, 90 renders" in page
    assert "plain 1, reading, seed 1: not solved, 90 renders" in page
    assert "75.0<br>" in page and "<svg" in page and "(Circle 5 8 8)" in page


# The command line


def test_eval_solves_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert main(["eval", "csg2d", "--problems", "2", "--seeds", "2", "-o", str(page)]) == 0
    told = capsys.readouterr()
    assert "plain" in told.out and "hard" in told.out and "34.2-100.0" in told.out  # 2 / (2 + z^2) = .342
    assert told.err == f"report: {page}\n"
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert list(tmp_path.iterdir()) == [page]


def test_eval_that_is_interrupted_keeps_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def sit(task: Task) -> Result:
        if task.kind == "hard":
            signal.raise_signal(signal.SIGINT)
        return Result(task, 3, (_answer(0, 1, 1),))

    monkeypatch.setattr(exam, "sit", sit)
    assert main(["eval", "csg2d", "--problems", "3", "-o", str(tmp_path / "page.html")]) == 130
    told = capsys.readouterr()
    assert "plain" in told.out and "hard" not in told.out
    assert told.err.splitlines()[-1] == "interrupted; these are 3 of 6 problems"
    assert "plain" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("eval csg2d --forms 3", "--forms goes with pictures; a folder called csg2d is ./csg2d"),
        ("eval csg2d --ablation", "--ablation goes with pictures"),
        ("eval csg2d --seconds 3", "--seconds goes with pictures"),
        ("eval tinysvg --detail 2", "--detail goes with pictures; a folder called tinysvg is ./tinysvg"),
        ("eval csg2d --no-network", "--no-network goes with pictures"),
        ("eval csg2d --weights w", "--weights goes with --solver network or both"),
        ("eval csg2d --solver hand", "no solver 'hand'; there are: reading, network, both"),
        ("eval pictures --solver both", "--solver goes with problems"),
        ("eval csg2d -o page.txt", "-o must end in .html, got page.txt"),
        ("eval csg2d -o missing/page.html", "mkdir -p missing"),
        ("eval pictures --problems 3", "--problems goes with problems: eval csg2d or tinysvg"),
        ("eval ./csg2d --seeds 3", "--seeds goes with problems"),
        ("eval pictures --baseline", "--baseline goes with problems"),
    ],
)
def test_flags_at_fault(
    words: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words.split()) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_that_name_is_given_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "csg2d").mkdir()
    assert main(["eval", "./csg2d"]) == 1
    assert "no picture in this folder" in capsys.readouterr().err
