"""The page in the browser: what it shows, that it is told of changes, and that nobody else may look."""

import http.client
import io
from collections.abc import Iterator

import pytest
from PIL import Image

from treesketch.live import Page
from treesketch.scene import Scene


@pytest.fixture
def page() -> Iterator[Page]:
    page = Page()
    yield page
    page.close()


def get(page: Page, path: str, host: str | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(page.host, timeout=10)
    connection.request("GET", path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_the_page_shows_the_picture(page):
    status, text = get(page, page.path)
    assert status == 200 and b"picture.png" in text
    page.show(Scene(4, 2, (255, 0, 0, 255)))
    status, png = get(page, f"{page.path}picture.png?1")
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    assert status == 200 and picture.size == (1024, 512) and picture.getpixel((9, 9)) == (255, 0, 0)


def test_the_page_is_told_of_changes(page):
    page.show(Scene(4, 2, (255, 0, 0, 255)))
    connection = http.client.HTTPConnection(page.host, timeout=10)
    connection.request("GET", f"{page.path}changes")
    stream = connection.getresponse()
    assert stream.readline() == b"data: 1\n" and stream.readline() == b"\n"
    page.show(Scene(4, 2, (0, 255, 0, 255)))
    assert stream.readline() == b"data: 2\n"
    connection.close()


@pytest.mark.parametrize("path", ["/", "/picture.png", "picture.png", "//picture.png", "/../x"])
def test_nobody_sees_it_without_the_secret(page, path):
    page.show(Scene(4, 2, (255, 0, 0, 255)))
    assert get(page, path)[0] == 404


def test_nobody_sees_it_under_another_name(page):
    assert get(page, page.path, host="evil.example")[0] == 404
