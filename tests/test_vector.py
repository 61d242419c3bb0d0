"""SVGs of strangers: the picture that they mean, nothing from outside them, and an end to whatever they try."""

import io
import time
from base64 import b64encode
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from treesketch import vector
from treesketch.errors import PictureError
from treesketch.picture import load_picture

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
SQUARE = '<rect width="10" height="10" fill="#f00"/>'
FILTERED = '<rect width="9" height="9" filter="url(#f)"/>'


def svg(inside: str = SQUARE, size: str = 'width="20" height="10"', before: str = "") -> bytes:
    return f"{before}{HEAD} {size}>{inside}</svg>".encode()


def write(folder: Path, data: bytes, name: str = "a.svg") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def png(side: int = 2) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (0, 0, 255)).save(buffer, "PNG")
    return buffer.getvalue()


def data_uri(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{b64encode(data).decode()}"


@pytest.mark.parametrize(
    "data",
    [
        svg(),
        b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\n' + svg(),
        svg().decode().encode("utf-16"),
        svg(size='viewBox="0 0 20 10"'),
        svg(size='width="20mm" height="10mm" viewBox="0 0 20 10"'),
        svg(size='width="1e9" height="5e8" viewBox="0 0 20 10"'),
        svg(
            before='<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"'
            '[<!ENTITY red "#f00">]>',
            inside="<!-- no --><style><![CDATA[.a > .b { fill: #00f }]]></style>"
            '<rect width="10" height="10" fill="&red;"/>',
        ),
        svg('<a xlink:href="https://example.org/"><g id="s">' + SQUARE + '</g></a><use href="#s"/>'),
    ],
)
def test_a_red_square_beside_nothing(tmp_path: Path, data: bytes) -> None:
    picture = load_picture(write(tmp_path, data), background=(0, 255, 0))
    assert picture.vector and picture.canvas == (128, 64) and picture.pixels.shape == (256, 512, 3)
    inner = picture.pixels[2:-2]  # 10 mm are no whole number of pixels
    assert (inner[:, :254] == (1, 0, 0)).all() and (inner[:, 258:] == (0, 1, 0)).all()


def test_longest_side(tmp_path: Path) -> None:
    path = write(tmp_path, svg(size='width="9" height="30"'))
    assert load_picture(path, 100).pixels.shape == (100, 30, 3)
    assert load_picture(path, 4096).pixels.shape == (512, 154, 3)


def test_without_a_size_it_is_as_large_as_what_is_in_it(tmp_path: Path) -> None:
    assert (load_picture(write(tmp_path, svg(size=""))).pixels == (1, 0, 0)).all()


def test_the_content_says_what_it_is_not_the_name(tmp_path: Path) -> None:
    assert load_picture(write(tmp_path, svg(), "a.png")).vector
    assert not load_picture(write(tmp_path, png(), "b.svg")).vector


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_pictures_that_are_in_it_are_drawn(tmp_path: Path, kind: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (0, 0, 255)).save(buffer, kind)
    link = data_uri(buffer.getvalue(), kind.lower())
    pixels = load_picture(write(tmp_path, svg(f'<image width="20" height="20" xlink:href="{link}"/>'))).pixels
    assert np.abs(pixels - (0, 0, 1)).max() < 0.02


@pytest.mark.parametrize(
    "element", ["image", "feImage", "use", "x:image"], ids=["image", "feImage", "use", "of another prefix"]
)
@pytest.mark.parametrize("link", ["{folder}/b.png", "b.png", "file://{folder}/b.png", "http://127.0.0.1:1/b.png#a"])
@pytest.mark.parametrize("key", ["href", "xlink:href"])
def test_no_other_file_is_read(tmp_path: Path, element: str, link: str, key: str) -> None:
    write(tmp_path, png(), "b.png")
    inside = f'<{element} xmlns:x="http://www.w3.org/2000/svg" {key}="{link.format(folder=tmp_path)}"/>'
    with pytest.raises(PictureError, match=r"a.svg:1:\d+: draws '.*', which is not in it; embed it as a PNG or JPEG"):
        load_picture(write(tmp_path, svg(inside)))


def test_nor_through_entities_or_a_picture_in_it(tmp_path: Path) -> None:
    file = write(tmp_path, png(), "b.png")
    hidden = svg('<image href="&b;"/>', before=f'<!DOCTYPE svg [<!ENTITY b "{file}">]>')
    with pytest.raises(PictureError, match="which is not in it"):
        load_picture(write(tmp_path, hidden))
    within = svg(f'<image href="{data_uri(svg(), "svg+xml")}"/>')
    with pytest.raises(PictureError, match="which is not in it"):
        load_picture(write(tmp_path, within))
    with pytest.raises(PictureError, match="the entity 'b' is another file"):
        load_picture(write(tmp_path, svg("&b;", before=f'<!DOCTYPE svg [<!ENTITY b SYSTEM "{file}">]>')))


def nested(depth: int) -> str:
    levels = "".join(f'<g id="g{i}">' + f'<use href="#g{i - 1}"/>' * 10 + "</g>" for i in range(1, depth))
    return f'<g id="g0">{SQUARE}</g>{levels}'


def laughs(depth: int) -> str:
    lines = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, depth))
    return f'<!DOCTYPE svg [<!ENTITY a0 "ha">{lines}]>'


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the file is empty"),
        (b"<", "is not a picture"),
        (b"<html><body></body></html>", "is not a picture but XML of another kind"),
        (svg()[:30], "the SVG is damaged or cut short"),
        (svg()[:-9], r"a.svg:1:\d+: the SVG is damaged or cut short"),
        (svg('<image xlnk:href="#a"/>'), "unknown namespace prefix 'xlnk'"),
        (svg(size='width="-4" height="3"'), "invalid size"),
        (svg("<text>Hi</text>"), r"a.svg:1:\d+: has text \('Hi'\).*turn it into paths"),
        (svg("&a9;", before=laughs(10)), "the entity 'a1' holds others"),
        (
            svg("<g>&b;</g>" * 999, before=f'<!DOCTYPE svg [<!ENTITY b "{"b" * 99_999}">]>'),
            "the entity 'b' is too long",
        ),
        (svg("<g/>" * 999, before=f'<!DOCTYPE svg [<!ATTLIST g id CDATA "{"b" * 99_999}">]>'), "grows beyond 16 MiB"),
        (svg("<g>" * 300 + "</g>" * 300), "more than 200 elements are inside each other"),
        (svg(nested(12) + '<use href="#g11"/>'), "nodes limit"),
        (svg(f'<image href="{data_uri(png()[:40])}"/>'), "the picture inside it is damaged"),
        (svg(f'<image href="{data_uri(png(6000))}"/>'), "more than 32 megapixels"),
        (b"<!--" + b" " * (17 << 20), "is larger than 16 MiB"),
    ],
)
def test_what_cannot_be_drawn_says_why(tmp_path: Path, data: bytes, says: str) -> None:
    with pytest.raises(PictureError, match=says) as caught:
        load_picture(write(tmp_path, data))
    assert str(caught.value).startswith(f"{tmp_path / 'a.svg'}:") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "inside",
    [
        f'<filter id="f"><feMorphology operator="dilate" radius="100000"/></filter>{FILTERED}',
        '<filter id="f">' + '<feGaussianBlur stdDeviation="50"/>' * 50_000 + f"</filter>{FILTERED}",
        f'<filter id="f"><feTurbulence baseFrequency=".5" numOctaves="10000000"/></filter>{FILTERED}',
    ],
    ids=["dilate", "filters", "turbulence"],
)
def test_hours_of_work_are_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str) -> None:
    monkeypatch.setattr(vector, "SECONDS", 1.0)
    start = time.monotonic()
    with pytest.raises(PictureError, match="takes more than 1 seconds to draw; take out filters"):
        load_picture(write(tmp_path, svg(inside)))
    assert time.monotonic() - start < 10


def test_a_process_that_dies_is_no_end_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector, "MOST_DEPTH", 1_000_000)  # resvg's stack overflows
    with pytest.raises(PictureError, match="takes too much memory to draw"):
        load_picture(write(tmp_path, svg("<g>" * 100_000 + "</g>" * 100_000)))
