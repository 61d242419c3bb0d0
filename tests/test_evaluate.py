"""Measurements against hand counts and areas; the page against HTML's own rules."""

import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from treesketch import batch
from treesketch.batch import Drawn
from treesketch.errors import PictureError, SketchError
from treesketch.evaluate import (
    Row,
    error_at,
    evaluate,
    find_categories,
    measure,
    measure_program,
    print_table,
    summarise,
)
from treesketch.report import write_page
from treesketch.search.allowance import Step

HALF_BLACK = "(size 32 32)\n(background 255)\n(no-stroke)\n(fill 0)\n(rect 0 0 16 32)\n"
WHITE = "(size 32 32)\n(background 255)\n"


@pytest.mark.parametrize(
    ("program", "numbers", "forms"),
    [
        ("", 0, 0),
        ("(size 128 128)", 0, 1),
        ("(rect 1 2 3 4)", 4, 1),
        ("(fill 1 2 3) (stroke 4) (background (+ 1 2))", 0, 4),
        ("(rect (+ 1 -2.5) 2e3 w 4) ; 5 6 (7)", 4, 2),
        ("(let [x 1 y 2] (line x y 3 4))", 4, 2),
        ("(dotimes [i 7] (rect 0 (* i 18.3) 128 9.1))", 5, 3),
        ("(begin-shape) (vertex 1 2) (vertex 3 4) (end-shape :close)", 4, 4),
    ],
)
def test_size_counts_what_a_person_would_have_to_write(program: str, numbers: int, forms: int) -> None:
    size = measure_program(program)
    assert (size.numbers, size.forms) == (numbers, forms)


def test_longer_text_has_more_bytes() -> None:
    assert measure_program(HALF_BLACK).gz > measure_program(WHITE).gz > 0


def _save(path: Path, size: int = 32) -> Path:
    """White with the left half black."""
    pixels = np.full((size, size, 3), 255, np.uint8)
    pixels[:, : size // 2] = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def test_rmse_is_the_root_of_the_mean_square(tmp_path: Path) -> None:
    picture, larger = _save(tmp_path / "half.png"), _save(tmp_path / "large.png", 128)
    exact = measure(Drawn(HALF_BLACK, 0.0, 1, 0.1), picture, "c", "network", larger)
    assert (exact.rmse, exact.rmse512) == (0.0, 0.0)
    blank = measure(Drawn(WHITE, 0.0, 1, 0.1), picture, "c", "network")
    assert blank.rmse == pytest.approx(math.sqrt(0.5), abs=1e-6)  # half of the pixels are off by 1
    assert blank.rmse512 is None


def test_rmse_is_against_the_picture_over_the_same_background(tmp_path: Path) -> None:
    path = tmp_path / "clear.png"
    Image.new("RGBA", (4, 4)).save(path)
    drawn = Drawn("(size 4 4)\n(background 0 0 255)\n", 0.0, 1, 0.1)
    assert measure(drawn, path, "c", "network", background=(0, 0, 255)).rmse == 0.0
    assert measure(drawn, path, "c", "network").rmse == pytest.approx(math.sqrt(2 / 3), abs=1e-6)  # two channels of 3


def test_an_svg_is_measured_small_and_large(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    # Half of every second pixel of 512 is black: at 128 pixels that is a grey of 192.
    stripes = "".join(f'<rect x="{x}" width="1" height="512"/>' for x in range(0, 512, 4))
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" width="512" height="512">{stripes}</svg>')
    row = measure(Drawn("(size 128 128)\n(background 191.25)\n", 0.0, 1, 0.1), path, "c", "network")
    assert row.rmse == pytest.approx(0.0, abs=0.002)
    assert row.rmse512 == pytest.approx(math.sqrt(0.75 * 0.25), abs=0.002)  # of 0 and 1, a quarter being 0


def test_error_at_a_number_of_renders() -> None:
    course = (Step(3, 0.1, 0.5), Step(10, 0.2, 0.4), Step(12, 0.3, 0.3))
    assert [error_at(course, renders) for renders in (2, 3, 9, 10, 99)] == [None, 0.5, 0.5, 0.4, 0.3]


def test_a_program_that_does_not_draw_is_lost(tmp_path: Path) -> None:
    picture = _save(tmp_path / "half.png")
    row = measure(Drawn("(rect 1 2 3)", 0.0, 1, 0.1), picture, "c", "network")
    assert row.error and row.rmse is None
    assert measure(SketchError("no"), picture, "c", "network").error == "no"


def test_summary_has_medians_and_the_mean_of_what_was_drawn() -> None:
    rows = [Row("c", str(i), "network", Path("p"), "", rmse=rmse) for i, rmse in enumerate((0.1, 0.2, 0.6))]
    rows.append(Row("c", "lost", "network", Path("p"), error="no"))
    (summary,) = summarise(rows)
    assert (summary.count, summary.lost) == (4, 1)
    assert summary.medians["rmse"] == 0.2
    assert summary.mean_rmse == pytest.approx(0.3)
    assert summary.medians["rmse512"] is None


def test_categories_are_sub_folders_with_pictures(tmp_path: Path) -> None:
    _save(tmp_path / "set" / "flags" / "a.png")
    (tmp_path / "set" / "notes").mkdir()
    assert {name: [p.name for p in found] for name, found in find_categories(tmp_path / "set").items()} == {
        "flags": ["a.png"]
    }
    assert list(find_categories(tmp_path / "set" / "flags")) == ["flags"]
    with pytest.raises(PictureError, match="no picture"):
        find_categories(tmp_path / "set" / "notes")


class _Page(HTMLParser):
    """Checks that tags nest, and collects what the page would load."""

    VOID = {"meta", "img", "link", "br"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_page_is_whole_offline_and_worst_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("good", "bad<b>", "lost"):
        _save(tmp_path / "set" / "flags" / f"{name}.png")
    _save(tmp_path / "set512" / "flags" / "good.png", 512)

    def draw(job: batch.Job, progress: object) -> Drawn:
        if job.picture.stem == "lost":
            raise PictureError("is <not> a picture")
        return Drawn(HALF_BLACK if job.picture.stem == "good" and job.network else WHITE, 0.0, 7, 0.5)

    monkeypatch.setattr(batch, "draw_one", draw)
    rows = evaluate(tmp_path / "set", ablation=True)
    assert [(row.name, row.tool) for row in rows[:3]] == [
        ("lost", "network"),
        ("bad<b>", "network"),
        ("good", "network"),
    ]
    assert [row.rmse512 for row in rows if row.name == "good"] == [0.0, pytest.approx(math.sqrt(0.5), abs=1e-6)]

    page = _Page()
    page.feed(write_page(rows, summarise(rows), "set"))
    assert page.open == []
    assert all(re.match(r"data:image/png;base64,|#", load) for load in page.loads)
    assert "is <not> a picture" in page.text and "bad<b>" in page.text
    assert page.text.index("lost", page.text.index("flags")) < page.text.rindex("good")
    assert HALF_BLACK in page.text

    several = evaluate(tmp_path / "set", ablation=True, seconds=(1, 2.5))
    assert list(dict.fromkeys(row.tool for row in several)) == [
        "network, 1 s",
        "network, 2.5 s",
        "no network, 1 s",
        "no network, 2.5 s",
    ]
    assert len(several) == 12 and {row.tool for row in evaluate(tmp_path / "set", seconds=(2,))} == {"network"}

    print_table(summarise(rows))
    table = capsys.readouterr().out
    assert "no network" in table and "0.7071" in table


def test_the_page_shows_error_over_renders(tmp_path: Path) -> None:
    def row(name: str, tool: str, *course: Step) -> Row:
        drawn = Drawn(HALF_BLACK, 0.0, course[-1].renders, 0.1, course)
        return measure(drawn, _save(tmp_path / f"{name}.png"), "c", tool)

    rows = [
        row("a", "one", Step(1, 0.1, 0.4), Step(200, 0.2, 0.1)),
        row("b", "one", Step(150, 0.1, 0.2), Step(2000, 0.2, 0.15)),
        row("a", "two", Step(1, 0.1, 0.5), Step(90, 0.2, 0.3)),
    ]
    text = write_page(rows, summarise(rows), "set")
    page = _Page()
    page.feed(text)
    assert page.open == [] and all(load.startswith(("data:image/png;base64,", "#")) for load in page.loads)
    assert "http" not in text and "Before 150 renders some pictures had no program yet." in page.text
    assert text.count('<svg class="chart"') == 1 and text.count('<svg class="sparkline"') == 2
    cells = {
        tool: re.findall(r"<td>([^<]*)</td>", line)
        for tool, line in re.findall(r'<td class="line[^"]*">(\w+)</td>(.*?)</tr>', text)
    }
    assert cells["one"] == ["0.4000 (1 of 2)", "0.1500", "0.1250"]  # medians of .4; of .1 and .2; of .1 and .15
    assert cells["two"] == ["not reached", "not reached", "0.3000"]


def test_pictures_of_one_name_are_two_entries(tmp_path: Path) -> None:
    rows = [measure(Drawn(WHITE, 0.0, 1, 0.1), _save(tmp_path / f"a.{kind}"), "c", "t") for kind in ("png", "bmp")]
    assert write_page(rows, summarise(rows), "set").count("<article>") == 2
