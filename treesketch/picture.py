"""A picture file of any kind becomes pixels that can be compared with a drawing.

In: a path to a PNG, JPEG, WebP, GIF (first frame), BMP or SVG file of any size and mode. Out: a `Picture`: sRGB on
white or another colour, upright, as float pixels, with the canvas (in friendly units) that a program for it would
have. Nothing of Pillow is left in it.
"""

import io
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageColor, ImageOps, UnidentifiedImageError

from treesketch.errors import PictureError
from treesketch.vector import NO_PICTURE, draw_svg, is_svg

Color = tuple[int, int, int]  # sRGB, 0..255
Pixels = NDArray[np.float32]  # (H, W, 3), sRGB, 0..1

LONGEST_SIDE = 128  # canvas units along a picture's longer side
VECTOR_SIDE = 512  # pixels along the longer side of an SVG: four a unit, so that averaging them places edges well
MOST_BYTES = 1 << 28  # of a file that is read at all
MOST_PIXELS = 100_000_000  # refuse before decoding: a few kilobytes can unpack to gigabytes
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".svg")
WHITE: Color = (255, 255, 255)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture without alpha: `pixels` is (H, W, 3) float32 sRGB in 0..1, `canvas` is (width, height) in canvas units.

    vector says that it was an SVG, which has no pixels of its own.
    """

    pixels: Pixels
    name: str
    canvas: tuple[int, int]
    vector: bool = False


def load_picture(path: str | Path, longest: int | None = None, background: Color = WHITE) -> Picture:
    """Read a picture file: alpha over the background, EXIF rotation undone, an embedded ICC profile turned to sRGB.

    longest, in pixels, shrinks a larger picture (by area averaging) so that its longer side is that long. An SVG is
    drawn with a longer side of `VECTOR_SIDE`, or of longest if that is less.
    Raises PictureError, one line with the file and a fix, for anything that is not a readable picture.
    """
    path = Path(path)
    if path.is_dir():
        raise PictureError("is a folder; name a picture file", file=str(path))
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise PictureError("no such file; check the name", file=str(path)) from None
    except OSError as problem:
        raise PictureError(f"cannot be read: {problem.strerror or problem}", file=str(path)) from None
    if not data:
        raise PictureError("the file is empty; save or download the picture again", file=str(path))
    if len(data) > MOST_BYTES:
        raise PictureError(f"is larger than {MOST_BYTES >> 20} MiB; shrink the picture", file=str(path))
    vector = is_svg(data)
    if vector:
        data = draw_svg(data, min(longest or VECTOR_SIDE, VECTOR_SIDE), str(path))
    pixels, (width, height) = _decode(data, str(path), longest, background)
    if longest is not None and max(height, width) > longest:
        pixels = scaled(pixels, longest)
    return Picture(pixels, path.stem, canvas_of(width, height), vector)


def parse_color(text: str) -> Color:
    """A colour as a person writes it: #rrggbb, #rgb, R,G,B (0..255) or a name of CSS. Raises ValueError for others.

    >>> parse_color("#08f"), parse_color("0, 128, 255"), parse_color("Navy")
    ((0, 136, 255), (0, 128, 255), (0, 0, 128))
    """
    word = text.strip()
    if re.fullmatch(r"\d+\s*,\s*\d+\s*,\s*\d+", word, re.ASCII):
        red, green, blue = map(int, word.split(","))
    elif re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})|[a-z]+", word, re.ASCII | re.IGNORECASE):
        red, green, blue = ImageColor.getrgb(word)[:3]
    else:
        raise ValueError(text)
    if max(red, green, blue) > 255:
        raise ValueError(text)
    return red, green, blue


def canvas_of(width: int, height: int) -> tuple[int, int]:
    """The canvas (width, height) for a picture of that many pixels: the longer side 128 units, the other in proportion.

    >>> canvas_of(640, 480)
    (128, 96)
    """
    scale = LONGEST_SIDE / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def scaled(pixels: Pixels, longest: int) -> Pixels:
    """The pixels (H, W, 3) averaged to a longer side of so many; themselves where it is that long already."""
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    return pixels if scale == 1 else resize(pixels, (max(1, round(height * scale)), max(1, round(width * scale))))


def to_bytes(pixels: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Pixels in 0..1, or a little beyond, as bytes."""
    return np.asarray((pixels.clip(0, 1) * 255 + 0.5).astype(np.uint8))


def resize(pixels: NDArray[np.floating], size: tuple[int, int]) -> Pixels:
    """Average pixels over the area of each new pixel (an exact box filter), so that sub-pixel edges keep their place.

    pixels is (H, W, C); size is the new (height, width) in pixels, larger or smaller. Returns (height, width, C).
    """
    rows = _box_weights(pixels.shape[0], size[0])
    columns = _box_weights(pixels.shape[1], size[1])
    across = np.tensordot(rows.astype(np.float32), pixels.astype(np.float32), 1)
    return np.asarray(np.einsum("ihc,jh->ijc", across, columns, optimize=True), dtype=np.float32)


def _box_weights(before: int, after: int) -> NDArray[np.float64]:
    """(after, before): how much of each old pixel lies in each new one, rows summing to 1."""
    edges = np.linspace(0.0, before, after + 1)
    old = np.arange(before)
    overlap = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
    return np.asarray(np.clip(overlap, 0.0, None) * (after / before))


def _decode(data: bytes, file: str, longest: int | None, background: Color) -> tuple[Pixels, tuple[int, int]]:
    """The pixels, perhaps fewer than there are but more than `longest` needs, and the true width and height."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own bomb warning: the size is checked here, before decoding
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            width, height = image.size
            if width < 1 or height < 1:
                raise PictureError(f"has no pixels ({width} x {height}); give a picture", file=file)
            if width * height > MOST_PIXELS:
                raise PictureError(
                    f"is enormous ({width} x {height} pixels); shrink it below {MOST_PIXELS // 1_000_000} megapixels",
                    file=file,
                )
            image.load()
            upright = ImageOps.exif_transpose(image)
            return _to_pixels(upright, longest, background), upright.size
    except PictureError:
        raise
    except Image.DecompressionBombError:
        raise PictureError(f"is enormous; shrink it below {MOST_PIXELS // 1_000_000} megapixels", file=file) from None
    except UnidentifiedImageError:
        raise PictureError(NO_PICTURE, file=file) from None
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError, IndexError, KeyError, TypeError):
        # Pillow's decoders raise all of these on damaged files.
        raise PictureError("the picture is damaged or cut short; save or download it again", file=file) from None


def _to_pixels(image: Image.Image, longest: int | None, background: Color) -> Pixels:
    profile = image.info.get("icc_profile")
    alpha = None
    key = image.info.get("transparency")  # of a PNG: the one colour, or the palette's entries, that are not seen
    if image.mode.startswith("I") or image.mode == "F":
        # 16 and 32 bits of grey: Pillow would clip instead of scale.
        grey = np.asarray(image, dtype=np.float32)
        if isinstance(key, int):
            alpha = (grey != key).astype(np.float32)[..., None]
        scale = 1.0 if image.mode == "F" else 65535.0
        return _over(np.repeat(np.clip(grey / scale, 0.0, 1.0)[..., None], 3, axis=2), alpha, background)
    if isinstance(key, tuple) and max(key) > 255:
        image.info["transparency"] = tuple(channel >> 8 for channel in key)  # of 16 bits, as the pixels were
    if image.mode in ("LA", "PA", "La", "RGBA", "RGBa") or key is not None:
        image = image.convert("RGBA")
    if longest is not None and max(image.size) >= 4 * longest:
        # A photograph need not become floats whole: it is averaged first, to twice as many pixels as are wanted.
        scale = 2 * longest / max(image.size)
        smaller = [max(1, round(side * scale)) for side in image.size]
        image = (image.convert("RGB") if image.mode in ("P", "1") else image).resize(smaller, Image.Resampling.BOX)
    if image.mode == "RGBA":
        alpha = np.asarray(image.getchannel("A"), dtype=np.float32)[..., None] / 255.0
        image = image.convert("RGB")
    if profile:
        image = _to_srgb(image, profile)
    pixels = np.asarray(image.convert("RGB"), dtype=np.float32) / 255.0
    return _over(pixels, alpha, background)


def _over(pixels: Pixels, alpha: Pixels | None, background: Color) -> Pixels:
    """Pixels laid over a colour, as opaque as alpha (H, W, 1) says; None is opaque."""
    if alpha is None:
        return pixels
    ground = np.array(background, np.float32) / np.float32(255)
    return np.asarray(pixels * alpha + ground * (1 - alpha), dtype=np.float32)


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The image in sRGB; unchanged where its profile is sRGB already, is broken, or is for other channels."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return image
        if image.mode not in ("RGB", "L", "CMYK"):
            image = image.convert("RGB")
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        return converted or image
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
