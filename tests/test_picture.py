"""Pictures of every kind are read upright, on white and in sRGB; what is no picture says so in one line."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from treesketch.errors import PictureError
from treesketch.picture import Color, canvas_of, load_picture, parse_color, resize


def save(folder: Path, image: Image.Image, name: str = "a.png", **options: object) -> Path:
    path = folder / name
    image.save(path, **options)
    return path


def test_alpha_goes_over_white(tmp_path: Path) -> None:
    path = save(tmp_path, Image.new("RGBA", (4, 2), (255, 0, 0, 51)))  # a fifth of red, four fifths of white
    picture = load_picture(path)
    assert picture.pixels.shape == (2, 4, 3) and picture.pixels.dtype == np.float32
    np.testing.assert_allclose(picture.pixels[0, 0], [1.0, 0.8, 0.8], atol=1e-6)
    assert picture.name == "a" and picture.canvas == (128, 64)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_modes_of_png(tmp_path: Path, mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.full((3, 3), 65535, dtype=np.uint16))
    else:
        image = Image.new("RGBA", (3, 3), (255, 255, 255, 255)).convert(mode)
    np.testing.assert_allclose(load_picture(save(tmp_path, image)).pixels, 1.0, atol=1e-6)


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    path = save(tmp_path, Image.fromarray(np.full((2, 2), 32768, dtype=np.uint16)))
    np.testing.assert_allclose(load_picture(path).pixels, 32768 / 65535, atol=1e-4)


def test_transparent_palette_entry_is_white(tmp_path: Path) -> None:
    image = Image.new("P", (2, 2), 0)
    image.putpalette([10, 20, 30, 0, 0, 255])
    image.putpixel((1, 0), 1)
    pixels = load_picture(save(tmp_path, image, "a.gif", transparency=0)).pixels
    np.testing.assert_allclose(pixels[0], [[1, 1, 1], [0, 0, 1]], atol=1e-6)


def test_cmyk_jpeg(tmp_path: Path) -> None:
    path = save(tmp_path, Image.new("CMYK", (16, 16), (0, 0, 0, 0)), "a.jpg")
    assert load_picture(path).pixels.min() > 0.97
    path = save(tmp_path, Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "a.jpg")  # magenta and yellow are red
    np.testing.assert_allclose(load_picture(path).pixels[8, 8], (1, 0, 0), atol=0.02)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_exif_orientation(tmp_path: Path, name: str) -> None:
    image = Image.new("RGB", (32, 16), "white")
    image.paste((0, 0, 0), (0, 0, 16, 16))  # black on the left; orientation 6 turns the left to the top
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = load_picture(save(tmp_path, image, name, exif=exif)).pixels
    assert pixels.shape == (32, 16, 3)
    assert pixels[:16].max() < 0.02 and pixels[16:].min() > 0.98


def test_embedded_profile_is_turned_to_srgb(tmp_path: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = load_picture(save(tmp_path, Image.new("RGB", (2, 2), (10, 120, 200)), icc_profile=lab)).pixels
    np.testing.assert_allclose(pixels[0, 0] * 255, [10, 120, 200], atol=0.01)


@pytest.mark.parametrize("background", [(255, 255, 255), (0, 128, 255)])
def test_alpha_goes_over_the_background(tmp_path: Path, background: Color) -> None:
    clear, third = Image.new("RGBA", (3, 3)), Image.new("LA", (3, 3), (0, 85))  # nothing; a third of black
    over = np.array(background) / 255
    np.testing.assert_allclose(load_picture(save(tmp_path, clear), None, background).pixels[1, 1], over, atol=1e-6)
    found = load_picture(save(tmp_path, third, "b.png"), None, background).pixels[1, 1]
    np.testing.assert_allclose(found, over * 2 / 3, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("white", (255, 255, 255)),
        ("RebeccaPurple", (102, 51, 153)),
        ("#f80", (255, 136, 0)),
        ("#0a0B0c", (10, 11, 12)),
        (" 1, 2,255", (1, 2, 255)),
    ],
)
def test_colors(text: str, color: Color) -> None:
    assert parse_color(text) == color


@pytest.mark.parametrize("text", ["", "#ff", "#ff8800cc", "256,0,0", "1,2", "-1,2,3", "whit", "rgb(1,2,3)", "1,2,3,4"])
def test_what_is_no_color(text: str) -> None:
    with pytest.raises(ValueError):
        parse_color(text)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_of_an_animation_the_first_frame(tmp_path: Path, suffix: str) -> None:
    red, blue = Image.new("RGB", (8, 8), (255, 0, 0)), Image.new("RGB", (8, 8), (0, 0, 255))
    options = {"lossless": True} if suffix == "webp" else {}
    path = save(tmp_path, red, f"a.{suffix}", save_all=True, append_images=[blue], **options)
    assert (load_picture(path).pixels == (1, 0, 0)).all()


def test_a_photograph_is_averaged_in_blocks(tmp_path: Path) -> None:
    pixels = np.zeros((1, 4000, 3), np.uint8)
    pixels[:, ::2] = 200
    found = load_picture(save(tmp_path, Image.fromarray(np.repeat(pixels, 40, axis=0))), longest=100).pixels
    np.testing.assert_allclose(found, 100 / 255, atol=1e-6)


def test_longest_side(tmp_path: Path) -> None:
    picture = load_picture(save(tmp_path, Image.new("RGB", (3000, 100), (0, 128, 0))), longest=120)
    assert picture.pixels.shape == (4, 120, 3) and picture.canvas == (128, 4)
    np.testing.assert_allclose(picture.pixels[2, 60], [0, 128 / 255, 0], atol=1e-5)


def test_canvas_is_never_without_height() -> None:
    assert canvas_of(5000, 3) == (128, 1)


def test_resize_averages_area() -> None:
    row = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0]).reshape(1, 6, 1)
    # Each new pixel is one and a half old ones: (0 + 1/2) / 1.5, (1/2 + 2) / 1.5 and so on.
    np.testing.assert_allclose(resize(row, (1, 4)).ravel(), [1 / 3, 5 / 3, 10 / 3, 14 / 3], rtol=1e-6)
    np.testing.assert_allclose(resize(row, (2, 3)), np.broadcast_to([[[0.5], [2.5], [4.5]]], (2, 3, 1)), rtol=1e-6)


def png(width: int, height: int, depth: int = 8, kind: int = 2, row: bytes = bytes(9), clear: bytes = b"") -> bytes:
    """A PNG by hand, of one row: bits a channel, the standard's colour type, the row, and the colour that is clear."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    middle = (chunk(b"tRNS", clear) if clear else b"") + chunk(b"IDAT", zlib.compress(b"\0" + row))
    return b"\x89PNG\r\n\x1a\n" + header + middle + chunk(b"IEND", b"")


def words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


@pytest.mark.parametrize(
    ("data", "pixels"),
    [
        (png(2, 1, 16, 2, words(65535, 32896, 0, 257, 514, 771)), [[255, 128, 0], [1, 2, 3]]),
        (png(2, 1, 16, 2, words(65535, 32896, 0, 257, 514, 771), words(65535, 32896, 0)), [[0, 255, 0], [1, 2, 3]]),
        (png(2, 1, 16, 6, words(65535, 0, 0, 65535, 0, 0, 0, 0)), [[255, 0, 0], [0, 255, 0]]),
        (png(2, 1, 16, 0, words(0, 13107)), [[0, 0, 0], [51, 51, 51]]),
        (png(2, 1, 16, 0, words(0, 13107), words(13107)), [[0, 0, 0], [0, 255, 0]]),
        (png(2, 1, 16, 4, words(13107, 65535, 0, 0)), [[51, 51, 51], [0, 255, 0]]),
        (png(2, 1, 8, 0, bytes([7, 9]), words(7)), [[0, 255, 0], [9, 9, 9]]),
        (png(2, 1, 8, 2, bytes([7, 8, 9, 1, 2, 3]), words(7, 8, 9)), [[0, 255, 0], [1, 2, 3]]),
    ],
)
def test_channels_of_png_over_green(tmp_path: Path, data: bytes, pixels: list[list[int]]) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    found = load_picture(path, background=(0, 255, 0)).pixels
    np.testing.assert_allclose(found[0] * 255, pixels, atol=0.51)


def whole_png() -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"(size 128 128)\n", "not a picture"),
        (whole_png()[:2000], "damaged or cut short"),
        (whole_png()[:20], "damaged or cut short"),
        (png(20_000, 20_000), "enormous"),
        (png(60_000, 60_000), "enormous"),
    ],
)
def test_what_is_no_picture(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(data)
    with pytest.raises(PictureError, match=says) as caught:
        load_picture(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


def test_folder_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="folder"):
        load_picture(tmp_path)
    with pytest.raises(PictureError, match="no such file"):
        load_picture(tmp_path / "none.png")
