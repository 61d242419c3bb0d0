"""SVG files as programs: their pictures beside resvg's, plain shapes said plainly, hostile files, and the command."""

import io
import json
import math
import re
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from treesketch.check import check
from treesketch.cli import main
from treesketch.errors import SketchError
from treesketch.importing import areas, import_svg, values
from treesketch.importing.dashes import dashed
from treesketch.importing.icons import read_icons
from treesketch.importing.islands import islands
from treesketch.importing.notes import Ledger
from treesketch.importing.pathdata import read_path
from treesketch.importing.paths import area, bounds, contours, flatten
from treesketch.interpreter import interpret
from treesketch.svg import to_svg
from treesketch.syntax import parse

resvg_py = pytest.importorskip("resvg_py")

FOLDER = Path(__file__).parent / "svg"
CASES = sorted(path.stem for path in FOLDER.glob("*.svg") if "." not in path.stem)
ALIKE = 0.004  # rmse beside resvg
SIDE, FINER = 128, 4  # pixels, and how often as large a picture is before it is averaged: resvg's own steps are coarse


def svg(body: str, view_box: str = "0 0 128 128") -> bytes:
    """A document; in units of the canvas, unless it says otherwise."""
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view_box}">{body}</svg>'.encode()


def forms(body: str, view_box: str = "0 0 128 128") -> list[str]:
    """The lines of the program for a document, behind its first four, which say the canvas, black and no outline."""
    found = import_svg(svg(body, view_box))
    assert found.notes == ()
    lines = found.text.splitlines()
    assert lines[:4] == ["(size 128 128)", "(background 255)", "(fill 0)", "(no-stroke)"]
    return lines[4:]


def resvg(data: bytes) -> np.ndarray:
    """resvg's picture on white, its longer side SIDE pixels, with nearly exact coverage."""
    png = resvg_py.svg_to_bytes(
        svg_string=data.decode(),
        background="#ffffff",
        width=SIDE * FINER,
        height=SIDE * FINER,
        skip_system_fonts=True,
        dpi=96,
        languages=["en"],
    )
    with Image.open(io.BytesIO(bytes(png))) as picture:
        pixels = np.asarray(picture.convert("RGB"), np.float32) / 255
    height, width = pixels.shape[0] // FINER, pixels.shape[1] // FINER
    return pixels[: height * FINER, : width * FINER].reshape(height, FINER, width, FINER, 3).mean(axis=(1, 3))


def difference(data: bytes, drawn_instead: bytes | None = None) -> float:
    """rmse between resvg's pictures of a document and of the SVG that its program draws: the import's own error."""
    program = to_svg(interpret(import_svg(data).tree)).encode()
    return float(np.sqrt(((resvg(drawn_instead or data) - resvg(program)) ** 2).mean()))


# --- beside resvg ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_resvg_draws_the_same_picture(case: str, update_golden: bool) -> None:
    """What cannot be carried is named in CASE.txt; where resvg can, CASE.instead.svg shows what is drawn instead."""
    data = (FOLDER / f"{case}.svg").read_bytes()
    found = import_svg(data)
    assert check(parse(found.text)) == [] and parse(found.text) == found.tree
    instead, told = FOLDER / f"{case}.instead.svg", FOLDER / f"{case}.txt"
    notes = "".join(f"{note}\n" for note in found.notes)
    if update_golden:
        told.write_text(notes, encoding="utf-8") if notes else told.unlink(missing_ok=True)
    assert notes == (told.read_text(encoding="utf-8") if told.exists() else "")
    assert difference(data, instead.read_bytes() if instead.exists() else None) < ALIKE


NUMBERS = st.integers(-20, 148).map(float) | st.floats(0, 128).map(lambda value: round(value, 2))
ARGUMENTS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "Z": 0}


@st.composite
def path_data(draw: st.DrawFn) -> str:
    """Path data of all commands, absolute and relative."""
    words = ["M", str(draw(NUMBERS)), str(draw(NUMBERS))]
    for command in draw(st.lists(st.sampled_from("MLHVCSQTAZmlhvcsqtaz"), min_size=1, max_size=8)):
        small = 0.3 if command.islower() else 1.0
        if command in "Aa":
            radii = [str(draw(st.integers(0, 40))) for _ in range(2)]
            flags = [draw(st.sampled_from("01")) for _ in range(2)]
            end = [f"{draw(NUMBERS) * small:.2f}" for _ in range(2)]
            words += [command, *radii, str(draw(st.integers(-90, 90))), *flags, *end]
        else:
            words += [command, *(f"{draw(NUMBERS) * small:.2f}" for _ in range(ARGUMENTS[command.upper()]))]
    return " ".join(words)


TRANSFORMS = st.sampled_from(
    ["", "rotate(30 64 64)", "scale(-1 .7) translate(-128 20)", "skewX(25)", "matrix(.5 .3 -.2 .8 20 10)"]
)


CAPS, JOINS = st.sampled_from(["butt", "round", "square"]), st.sampled_from(["miter", "round"])
RULES = st.sampled_from(["nonzero", "evenodd"])


def unsaid(body: str) -> float:
    """The difference of a document of which nothing is said to be drawn otherwise, else 0."""
    return 0.0 if import_svg(svg(body)).notes else difference(svg(body))


def filled(data: str, transform: str, rule: str) -> float:
    """The difference of a filled path."""
    return unsaid(f'<path d="{data}" transform="{transform}" fill-rule="{rule}"/>')


def stroked(data: str, transform: str, cap: str, join: str) -> float:
    """The difference of a path's line.

    A curve that turns back on itself has no one right stroke: Skia, resvg and we differ in how its tip is rounded.
    """
    body = f'<path d="{data}" transform="{transform}" stroke-linecap="{cap}" stroke-linejoin="{join}"'
    return unsaid(f'{body} fill="none" stroke="black" stroke-width="7"/>')


def clipped(data: str, clip: str, transform: str) -> float:
    """The difference of a path within another; thin slivers of a clip's edge differ most."""
    body = f'<clipPath id="c"><path d="{clip}"/></clipPath><path d="{data}" transform="{transform}"/>'
    return unsaid(f'<g clip-path="url(#c)">{body}</g>')


@settings(max_examples=15, derandomize=True)
@given(path_data(), TRANSFORMS, RULES)
def test_resvg_fills_the_same_paths(data: str, transform: str, rule: str) -> None:
    assert filled(data, transform, rule) < 0.01


@settings(max_examples=15, derandomize=True)
@given(path_data(), TRANSFORMS, CAPS, JOINS)
def test_resvg_draws_the_same_lines(data: str, transform: str, cap: str, join: str) -> None:
    assert stroked(data, transform, cap, join) < 0.03


def test_a_line_over_its_own_dot_stays_whole() -> None:
    # Skia's simplification lost a leg of this one.
    assert stroked("M 50.63 76.02 z L 52.55 16 L 58.5 46", "scale(-1 .7) translate(-128 20)", "round", "round") < ALIKE


@pytest.mark.slow
def test_resvg_draws_many_paths_the_same() -> None:
    found: list[tuple[float, float, float]] = []

    @settings(max_examples=300, derandomize=True, database=None, phases=[Phase.generate], deadline=None)
    @given(path_data(), path_data(), TRANSFORMS, RULES, CAPS, JOINS)
    def compare(data: str, clip: str, transform: str, rule: str, cap: str, join: str) -> None:
        found.append(
            (filled(data, transform, rule), stroked(data, transform, cap, join), clipped(data, clip, transform))
        )

    compare()
    assert (np.quantile(found, 0.5, axis=0) < 0.001).all()
    assert np.max(found) < 0.01


# --- what is said, and how ------------------------------------------------------------------------------------------


def test_a_whole_program() -> None:
    found = import_svg(
        b'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="150" viewBox="0 0 30 15">'
        b'<rect width="30" height="15" fill="#006b3f"/><g fill="red"><circle cx="6" cy="6" r="3"/>'
        b'<path d="M15 3h6v6h-6z"/></g><path d="M3 12h9l3 1.5" fill="none" stroke="#fff" stroke-width=".5"/></svg>'
    )
    assert found.text == (
        "(size 128 64)\n(background 0 107 63)\n(fill 255 0 0)\n(no-stroke)\n(ellipse 25.6 25.6 25.6 25.6)\n"
        "(rect 64 12.8 25.6 25.6)\n(no-fill)\n(stroke 255)\n(stroke-weight 2.13)\n(stroke-cap :square)\n"
        "(begin-shape) (vertex 12.8 51.2) (vertex 51.2 51.2) (vertex 64 57.6) (end-shape)\n"
    )


@pytest.mark.parametrize(
    ("body", "form"),
    [
        ('<path d="M10 10h20v10h-20z"/>', "(rect 10 10 20 10)"),
        ('<path d="M10 10h10h10v5v5h-20"/>', "(rect 10 10 20 10)"),
        ('<polygon points="10 10 30 10 20 40"/>', "(triangle 10 10 30 10 20 40)"),
        ('<path d="M10 10L30 12 28 40 5 30z"/>', "(quad 10 10 30 12 28 40 5 30)"),
        ('<path d="M12 2a10 10 0 1 0 0 20a10 10 0 0 0 0-20"/>', "(ellipse 12 12 20 20)"),
        ('<path d="M20 12a8 4 0 1 1-16 0a8 4 0 1 1 16 0"/>', "(ellipse 12 12 16 8)"),
        ('<circle r="10" cx="40" cy="30" transform="rotate(33 40 30)"/>', "(ellipse 40 30 20 20)"),
        ('<ellipse rx="20" ry="10" cx="40" cy="30" transform="rotate(90 40 30)"/>', "(ellipse 40 30 20 40)"),
        ('<rect x="9" y="9" width="40" height="20" transform="translate(1 1)"/>', "(rect 10 10 40 20)"),
        # The corner of our rect is a quadratic; with 1.135 of the radius it covers as much as the arc does:
        # (1 - pi / 4) r r = R R / 6.
        ('<rect x="10" y="10" width="40" height="20" rx="4"/>', "(rect 10 10 40 20 4.5)"),
        ('<path d="M14 10h32q4 0 4 4v12q0 4-4 4h-32q-4 0-4-4v-12q0-4 4-4"/>', "(rect 10 10 40 20 4)"),
        ('<path d="M10 10h36q4 0 4 4v12q0 4-4 4h-36z"/>', "(rect 10 10 40 20 0 4 4 0)"),
        (
            '<path d="M0 0C20 20 40 20 60 0z"/>',
            "(begin-shape) (vertex 0 0) (quadratic-vertex 30 30 60 0) (end-shape :close)",
        ),
        ('<path d="M0 0C3 3 9 9 60 60H0z"/>', "(triangle 0 0 60 60 0 60)"),
    ],
)
def test_plain_shapes_are_plain(body: str, form: str) -> None:
    assert forms(body) == [form]


def test_a_turned_ellipse_is_turned() -> None:
    text = " ".join(forms('<ellipse rx="20" ry="10" cx="40" cy="30" transform="rotate(30 40 30)"/>'))
    assert " ".join(text.split()) == "(with-translation [40 30] (with-rotation [0.5236] (ellipse 0 0 40 20)))"  # pi / 6


def test_pieces_far_apart_are_forms_of_their_own() -> None:
    assert forms('<path d="M0 0h10v10h-10zM20 0h10v10h-10zM40 5a5 5 0 0 1 10 0a5 5 0 0 1-10 0"/>') == [
        "(rect 0 0 10 10)",
        "(rect 20 0 10 10)",
        "(ellipse 45 5 10 10)",
    ]


def test_pieces_near_each_other_stay_together() -> None:
    text = " ".join(forms('<path d="M0 0h10v10h-10zM10.5 0h10v10h-10z"/>'))
    assert text.count("(begin-shape)") == text.count("(begin-contour)") == 1


def test_a_hole_goes_the_other_way_around() -> None:
    # Both squares go clockwise; under the even-odd rule the inner one is a hole, and must turn to be one here.
    text = " ".join(forms('<path fill-rule="evenodd" d="M0 0h30v30h-30zM10 10h10v10h-10z"/>'))
    points = [(float(x), float(y)) for x, y in re.findall(r"\(vertex (\S+) (\S+)\)", text)]
    assert area(np.array(points[:4])) == 900 and area(np.array(points[4:])) == -100


def test_what_cannot_be_seen_is_left_out() -> None:
    body = (
        '<rect width="9" height="9" fill="none"/><rect width="9" height="9" fill-opacity="0"/><rect x="200" width="9"'
        ' height="9"/><path d="M0 0h50"/><line x2="50"/><path d="M0 0h50v0z"/><rect width="9" height="9" opacity="0"/>'
        '<circle r="5" stroke="red" stroke-width="0" fill="none"/><g stroke="red"><path d="M300 0v9" /></g>'
        '<rect width="9" height="9" visibility="hidden"/>'
    )
    assert import_svg(svg(body)).text == "(size 128 128)\n(background 255)\n"


def test_paint_is_said_once() -> None:
    text = import_svg(svg('<g fill="red"><rect width="9" height="9"/><rect x="20" width="9" height="9"/></g>')).text
    assert text.count("(fill") == text.count("(no-stroke)") == 1


def test_alpha_is_what_opacities_make_together() -> None:
    body = '<g opacity=".5"><rect width="9" height="9" fill="rgba(255,0,0,.5)" fill-opacity=".8"/></g>'
    assert "(fill 255 0 0 51)" in import_svg(svg(body)).text  # 255 * .5 * .8 * .5


def test_the_canvas_is_128_units_along_the_longer_side() -> None:
    for size, canvas in (("300 200", "128 85"), ("20 40", "64 128"), ("1 1000", "1 128")):
        assert import_svg(svg("", f"0 0 {size}")).text.startswith(f"(size {canvas})\n")


def test_a_drawing_reaches_the_edge_of_a_canvas_of_whole_units() -> None:
    # 300 x 200 is 128 x 85.33; the canvas is 128 x 85, and both stripes still meet and reach its edges.
    body = '<rect width="300" height="100" fill="red"/><rect y="100" width="300" height="100" fill="blue"/>'
    lines = import_svg(svg(body, "0 0 300 200")).text.splitlines()
    assert lines[-3:] == ["(rect 0 0 128 42.5)", "(fill 0 0 255)", "(rect 0 42.5 128 42.5)"]


# --- parts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "point"),
    [  # where (1, 2) goes
        ("translate(3)", (4, 2)),
        ("translate(3, 4) scale(2)", (5, 8)),
        ("scale(2 -1)", (2, -2)),
        ("rotate(90)", (-2, 1)),
        ("rotate(90 1 0)", (-1, 0)),
        ("rotate(.25turn)rotate(-90deg)", (1, 2)),
        ("skewX(45),skewY(0)", (3, 2)),
        ("matrix(1 2 3 4 5 6)", (12, 16)),
        ("translateX(5px) translateY(1e1)", (6, 12)),
        ("turn(3)", None),
        ("rotate(3", None),
        ("scale(1 2 3)", None),
        ("translate(1em)", None),
    ],
)
def test_transforms(text: str, point: tuple[float, float] | None) -> None:
    found = values.transform(text)
    if point is None or found is None:
        assert point is None and found is None
        return
    a, b, c, d, e, f = found
    assert (a * 1 + c * 2 + e, b * 1 + d * 2 + f) == pytest.approx(point)


def test_an_arc_lies_on_its_circle() -> None:
    path, mistake = read_path("M10 0A10 10 0 1 1 0-10")
    assert mistake is None and path.verbs == "MCCC"
    assert np.abs(np.hypot(*flatten(contours(path)[0]).T) - 10).max() < 0.01
    assert bounds(path) == pytest.approx((-10, -10, 10, 10), abs=0.01)


@pytest.mark.parametrize(
    ("data", "verbs", "mistake"),
    [
        ("", "", None),
        ("M1 2", "M", None),
        ("M1 2 3 4", "ML", None),
        ("m1-2.5.5.5z", "MLZ", None),
        ("M0 0L1", "M", "its end"),
        ("M0 0 3", "M", "its end"),
        ("L1 1", "", "'L', character 1"),
        ("M0 0L1 1X", "ML", "'X', character 9"),
        ("M0 0zz 4 4", "MZ", "'4', character 8"),
        ("M0 0a1 1 0 2 0 1 1", "M", "'2', character 12"),
        ("M0 0 1e999 2", "M", "'1', character 6"),
    ],
)
def test_path_data_is_drawn_up_to_its_first_mistake(data: str, verbs: str, mistake: str | None) -> None:
    path, wrong = read_path(data)
    assert (path.verbs, wrong) == (verbs, mistake)


def test_dashes_are_as_long_as_they_should_be() -> None:
    path, _ = read_path("M0 0H10V10")
    found = dashed(path, (4.0, 2.0), 1.0)
    assert found
    ends = np.array([piece.points[[0, -1]] for piece in contours(found)])
    wanted = np.array([((0, 0), (3, 0)), ((5, 0), (9, 0)), ((10, 1), (10, 5)), ((10, 7), (10, 10))])
    assert ends == pytest.approx(wanted)
    circle, _ = read_path("M10 0A10 10 0 0 1-10 0A10 10 0 0 1 10 0")
    found = dashed(circle, (math.pi, math.pi), 0.0)  # ten dashes and ten gaps around it
    assert found
    angles = [math.degrees(math.atan2(y, x)) % 360 for piece in contours(found)[:10] for x, y in piece.points[[0, -1]]]
    assert angles == pytest.approx([18.0 * i for i in range(20)], abs=0.05)
    assert dashed(path, (0.0001, 0.0001), 0.0) is None


def test_areas_of_circles() -> None:
    ledger = Ledger()
    one, other = (read_path(f"M{x} 50a20 20 0 1 1 40 0a20 20 0 1 1-40 0")[0] for x in (20, 40))

    def covers(path: object) -> float:
        return sum(area(flatten(contour)) for contour in contours(path))  # type: ignore[arg-type]

    # Two circles of radius r whose centres are r apart share (2 pi / 3 - sqrt(3) / 2) r r.
    shared, whole = (2 * math.pi / 3 - math.sqrt(3) / 2) * 400, math.pi * 400
    assert abs(covers(areas.intersection(one, other, ledger))) == pytest.approx(shared, rel=2e-3)
    assert abs(covers(areas.difference(one, other, ledger))) == pytest.approx(whole - shared, rel=2e-3)
    assert abs(covers(areas.union(one, other, ledger))) == pytest.approx(2 * whole - shared, rel=2e-3)


def test_a_stroke_covers_its_length_times_its_width() -> None:
    pen = areas.Pen(4.0, "square", "miter", 4.0, (1.0, 0.0, 0.0, 1.0, 0.0, 0.0))
    (only,) = contours(areas.stroke(read_path("M10 10H50V40")[0], pen, Ledger()))
    # From 2 before the start to 2 behind the corner, 44 x 4; below it, to 2 behind the end, 4 x 30.
    assert abs(area(flatten(only))) == pytest.approx(44 * 4 + 4 * 30)


def test_islands_of_nested_squares() -> None:
    squares = "".join(f"M{i} {i}h{100 - 2 * i}v{100 - 2 * i}h{2 * i - 100}z" for i in (0, 10, 20, 30))
    groups = islands(read_path(squares)[0], True, Ledger())
    assert [[round(area(contour.points)) for contour in group] for group in groups] == [[10000, -6400], [3600, -1600]]
    groups = islands(read_path(squares)[0], False, Ledger())  # all go the same way: the inner ones change nothing
    assert [[round(area(contour.points)) for contour in group] for group in groups] == [[10000]]


# --- what is at fault -----------------------------------------------------------------------------------------------


def scribble(count: int, seed: int = 0) -> str:
    """A path of so many curves all over the place."""
    numbers = np.random.default_rng(seed).uniform(0, 128, (count, 6)).round(1)
    return "M0 0" + "".join("C" + " ".join(map(str, row)) for row in numbers.tolist()) + "z"


def uses(depth: int, each: int) -> str:
    """Groups that use the group before, each so many times."""
    groups = "".join(f'<g id="g{i}">{f"<use href={chr(34)}#g{i - 1}{chr(34)}/>" * each}</g>' for i in range(1, depth))
    return f'<defs><rect id="g0" width="1" height="1"/>{groups}</defs><use href="#g{depth - 1}"/>'


HEAD = '<svg xmlns="http://www.w3.org/2000/svg"'
REFUSED = {
    "empty": (b"", "1:1: not XML: no element found"),
    "not xml": (b"\x89PNG\r\n", "1:1: not XML"),
    "html": (b"<html/>", "the outermost element is 'html'"),
    "cut short": (svg("<rect")[:-6], "not XML"),
    "compressed": (b"\x1f\x8b\x08", "unpack it first"),
    "an encoding of many bytes": (b'<?xml version="1.0" encoding="utf-7"?><svg/>', "not XML"),
    "an entity bomb": (
        b'<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>',
        "1:25: entity 'a' is declared",
    ),
    "another file": (b'<!DOCTYPE s [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>', "entity 'a'"),
    "a parameter entity": (b'<!DOCTYPE s [<!ENTITY % a SYSTEM "http://x/y">%a;]><svg/>', "entity 'a'"),
    "uses itself": (svg('<g id="a"><use href="#a"/></g>'), '"#a" contains itself'),
    "use each other": (svg('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>'), "contains itself"),
    "a use bomb": (svg(uses(12, 10)), "draws more than 50000 elements"),
    "a long chain of uses": (svg(uses(200, 1)), "nested more than 150 deep"),
    "deep": (svg("<g>" * 5000), "nested more than 150 deep"),
    "a long path": (svg('<path d="M0 0' + "1 1 " * 500_000 + '"/>'), "more than 25000 shapes or 100000 points"),
    "many elements": (svg("<g/>" * 200_000), "more than 100000 elements"),
    "many attributes": (svg("<g " + " ".join(f'a{i}=""' for i in range(500)) + "/>"), "more than 200 attributes"),
    "clips itself": (svg('<clipPath id="c" clip-path="url(#c)"><path d="M0 0h9v9"/></clipPath>'
                         '<circle r="9" clip-path="url(#c)"/>'), "contains itself"),
    "no size": (HEAD.encode() + b"/>", "nothing is drawn"),
    "no width": (HEAD.encode() + b' width="0" height="9"/>', "svg: is 0 x 9"),
    "enormous": (svg("", "0 0 1e-300 1e300"), "both sides have to be more than 0"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    data, reason = REFUSED[case]
    began = time.process_time()
    with pytest.raises(SketchError) as caught:
        import_svg(data, "a.svg")
    assert time.process_time() - began < 5
    message = str(caught.value)
    assert message.startswith("a.svg") and reason in message and "\n" not in message


ENDURED = {
    "a scribble": f'<path fill-rule="evenodd" d="{scribble(400)}"/>',
    "clipped scribbles": f'<clipPath id="c"><path d="{scribble(60)}"/></clipPath><g clip-path="url(#c)">'
    + "".join(f'<path d="{scribble(20, i)}"/>' for i in range(40))
    + "</g>",
    "a group of scribbles": '<g opacity=".5">' + "".join(f'<path d="{scribble(6, i)}"/>' for i in range(50)) + "</g>",
    "dust": '<path d="M0 0H64" stroke="red" stroke-dasharray=".00001"/>',
    "gradients in a circle": '<linearGradient id="a" href="#b"/><linearGradient id="b" href="#a"/>'
    '<rect width="9" height="9" fill="url(#a)"/>',
    "a flat world": '<g transform="scale(0)"><circle r="1"/></g><circle r="4" transform="scale(1 0)" stroke="red"/>',
    "a large world": '<g transform="scale(1e200)"><g transform="scale(1e200)"><circle r="1" stroke="red"/></g></g>',
    "a small world": '<g transform="scale(1e-200)"><g transform="scale(1e-200)"><circle r="1" stroke="red"/></g></g>',
    "far away": '<path d="M-1e308 0L1e308 0 1e308 1e308z" stroke="red"/><circle r="1e30"/>',
    "many rules": "<style>" + "g g g g a{fill:red}" * 300 + "</style>" + "<g>" * 100 + "<a/>" * 500 + "</g>" * 100,
    "deep CSS": f"<style>{'a{' * 5000}</style><rect style='{'(' * 5000}' fill='{'(' * 5000}' width='9' height='9'/>",
    "long transforms": f'<rect width="9" height="9" transform="{"scale(1) " * 10_000}"/>',
    "an empty viewBox": '<svg viewBox="0 0 1e-9 1e9" width="1e9"><rect width="1" height="1"/></svg><svg width="0"/>',
    "rings": '<path fill-rule="evenodd" d="' + "".join(f"M{i / 99} 0h50v50h-50z" for i in range(120)) + '"/>',
}


@pytest.mark.parametrize("case", ENDURED)
def test_what_is_endured(case: str) -> None:
    began = time.process_time()
    found = import_svg(svg(ENDURED[case]))
    assert time.process_time() - began < 5
    assert check(parse(found.text)) == []


def test_a_program_that_could_not_be_read_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("treesketch.importing.MAX_CHARACTERS", 60)
    with pytest.raises(SketchError, match="its program would have 68 characters, and 60 are read"):
        import_svg(svg('<rect width="9" height="9"/>'))


def test_a_document_type_without_entities_is_read() -> None:
    kind = b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    assert "(rect 0 0 9 9)" in import_svg(kind + svg('<rect width="9" height="9"/>')).text


def test_other_encodings_are_read() -> None:
    document = '<?xml version="1.0" encoding="{}"?>' + svg('<rect id="é" width="9" height="9"/>').decode()
    for encoding in ("UTF-16", "ISO-8859-1"):
        assert "(rect 0 0 9 9)" in import_svg(document.format(encoding).encode(encoding)).text


# --- collections ----------------------------------------------------------------------------------------------------


def test_a_collection_of_icons() -> None:
    data = {
        "prefix": "x",
        "width": 24,
        "height": 24,
        "icons": {"a": {"body": '<path d="M0 0h24v12H0z"/>'}, "b": {"body": "<g/>", "width": 48, "left": -2}},
    }
    (first, a), (second, b) = read_icons(json.dumps(data).encode())
    assert (first, second) == ("a", "b")
    assert "(rect 0 0 128 64)" in import_svg(a).text and import_svg(b).text.startswith("(size 128 64)")
    assert ElementTree.fromstring(b).attrib["viewBox"] == "-2 0 48 24"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", 'no "icons"'),
        ('{"icons": {"a": 3}}', 'no "icons"'),
        ('{"icons": {"../a": {"body": ""}}}', "a name of letters"),
        ('{"icons": {"a": {"body": 4}}}', "a name of letters"),
        ('{"icons": {"a": {"body": "", "width": "x"}}}', "its box"),
    ],
)
def test_collections_at_fault(text: str, reason: str) -> None:
    with pytest.raises(SketchError) as caught:
        list(read_icons(text.encode(), "i.json"))
    assert str(caught.value).startswith("i.json: ") and reason in str(caught.value)


# --- the command ----------------------------------------------------------------------------------------------------

SQUARE = svg('<rect width="9" height="9"/>')
WORDS = svg('<rect width="9" height="9"/>\n<text>no</text>')


def test_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, place = tmp_path / "a.svg", tmp_path / "b.clj"
    source.write_bytes(SQUARE)
    assert main(["import", str(source), "-o", str(place)]) == 0
    assert capsys.readouterr().err == f"{source} -> {place}: 5 forms, 4 numbers\n"
    assert place.read_text() == import_svg(SQUARE).text
    assert main(["import", str(source), "-o", str(tmp_path)]) == 0 and (tmp_path / "a.clj").exists()
    assert main(["import", str(source), "-o", str(tmp_path / "a.svg")]) == 2
    assert source.read_bytes() == SQUARE


def test_what_a_program_cannot_say_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, place = tmp_path / "a.svg", tmp_path / "a.clj"
    source.write_bytes(WORDS)
    assert main(["import", str(source), "-o", str(place), "--strict"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"{source}:2: text: is left out",
        f"{source}: not written, for --strict allows no warning",
    ]
    assert not place.exists()
    assert main(["import", str(source), "-o", str(place)]) == 0
    assert capsys.readouterr().err.startswith(f"{source}:2: text: is left out\n") and place.exists()


def test_a_folder_of_good_and_bad_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name, data in {"a.svg": SQUARE, "b.svg": b"<svg", "c.svg": WORDS, "a.SVG": SQUARE, "d.txt": SQUARE}.items():
        (source / name).write_bytes(data)
    assert main(["import", str(source), "-o", str(output)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert sorted(path.name for path in output.iterdir()) == ["a.clj", "c.clj"]
    assert [line.removeprefix(f"{source}/") for line in lines] == [
        "a.svg: a.SVG has the same name; rename one of them",
        "b.svg:1:1: not XML: unclosed token",
        "c.svg:2: text: is left out",
        f"wrote 2 of 3 programs to {output}; 1 with warnings",
    ]


def test_a_collection_becomes_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, output = tmp_path / "icons.json", tmp_path / "out"
    source.write_text('{"icons": {"home": {"body": "<path d=\'M0 0h8v8z\'/>"}, "bad": {"body": "<"}}}')
    assert main(["import", str(source), "-o", str(output)]) == 1
    assert [path.name for path in output.iterdir()] == ["home.clj"]
    assert "icons.json/bad:1:" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["none.svg", "folder", "folder.svg"])
def test_a_source_that_cannot_be_read(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if name.startswith("folder"):
        (tmp_path / name).mkdir()
    assert main(["import", str(tmp_path / name), "-o", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith(str(tmp_path / name))
