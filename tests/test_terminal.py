"""Pictures in the terminal: what each protocol is sent, and how the terminal's own way is found."""

import os
import re
import threading

import numpy as np
import pytest

from treesketch.scene import Scene
from treesketch.terminal import (
    ask,
    choose_view,
    fit,
    half_blocks,
    iterm_image,
    kitty_image,
    picture_text,
    sixel_image,
)


def test_half_blocks_of_a_known_picture():
    pixels = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8)
    first, second = "\x1b[38;2;255;0;0m\x1b[48;2;0;0;255m▀", "\x1b[38;2;0;255;0m\x1b[48;2;255;255;255m▀"
    assert half_blocks(pixels) == first + second + "\x1b[0m\n"


def test_half_blocks_set_a_colour_only_where_it_changes():
    pixels = np.full((3, 2, 3), 7, np.uint8)
    assert half_blocks(pixels) == "\x1b[38;2;7;7;7m\x1b[48;2;7;7;7m▀▀\x1b[0m\n\x1b[38;2;7;7;7m▀▀\x1b[0m\n"


def test_kitty_image_is_sent_in_chunks():
    text = kitty_image(bytes(4000), 5)  # 4000 bytes are 5336 characters of base64
    assert text.startswith("\x1b_Ga=T,f=100,q=2,r=5,m=1;AAAA") and text.endswith("==\x1b\\\n")
    assert text.count("\x1b_G") == 2 and "\x1b_Gm=0;" in text
    assert all(len(part.split(";")[1]) <= 4096 for part in text.split("\x1b\\")[:-1])


def test_iterm_image():
    assert iterm_image(b"png", 5) == "\x1b]1337;File=inline=1;size=3;height=5:cG5n\x07\n"


@pytest.mark.parametrize(
    ("environment", "view"),
    [
        ({"TERM": "xterm-256color"}, "blocks"),
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "iterm"),
        ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1"}, "blocks"),
        ({"TERM": "dumb"}, "off"),
        ({}, "off"),
    ],
)
def test_choose_view(environment, view):
    assert choose_view(environment) == view


@pytest.mark.parametrize(
    ("terminal", "answer", "view"),
    [
        ("xterm-256color", "\x1b[?64;1;4;9c", "sixel"),
        ("xterm-256color", "\x1b[?64;1;44;9c", "blocks"),
        ("xterm-256color", "\x1b_Gi=31;OK\x1b\\\x1b[?62c", "kitty"),
        ("tmux-256color", "\x1b[?1;2;4c", "sixel"),
        ("tmux-256color", "\x1b_Gi=31;OK\x1b\\\x1b[?1;2c", "blocks"),
        ("dumb", "\x1b[?4c", "off"),
    ],
)
def test_choose_view_by_what_the_terminal_answers(terminal, answer, view):
    assert choose_view({"TERM": terminal}, answer) == view


@pytest.mark.skipif(os.name != "posix", reason="terminals")
def test_the_terminal_is_asked_and_left_as_it_was():
    import pty
    import termios

    keyboard, terminal = pty.openpty()
    before = termios.tcgetattr(terminal)
    asked = []

    def answer():
        asked.append(os.read(keyboard, 100))
        os.write(keyboard, b"\x1b[?62;")
        os.write(keyboard, b"4c")

    person = threading.Thread(target=answer)
    person.start()
    assert ask(terminal) == "\x1b[?62;4c"
    person.join()
    assert asked[0].endswith(b"\x1b[c") and termios.tcgetattr(terminal) == before
    os.close(keyboard)
    os.close(terminal)


@pytest.mark.skipif(os.name != "posix", reason="terminals")
def test_what_does_not_answer_is_not_waited_for():
    import pty

    keyboard, terminal = pty.openpty()
    assert ask(terminal) == ""
    reading, writing = os.pipe()
    assert ask(reading) == ""
    for descriptor in (keyboard, terminal, reading, writing):
        os.close(descriptor)


def test_fit_keeps_the_shape():
    assert fit(Scene(200, 100, (0, 0, 0, 255)), 80, 60) == (40, 80)
    assert fit(Scene(100, 200, (0, 0, 0, 255)), 80, 60) == (60, 30)
    assert fit(Scene(8000, 1, (0, 0, 0, 255)), 80, 60) == (1, 80)


def test_picture_text():
    scene = Scene(100, 50, (10, 20, 30, 255))
    assert picture_text(scene, "off", 80, 24) == ""
    blocks = picture_text(scene, "blocks", 10, 24).splitlines()
    assert [line.count("▀") for line in blocks] == [10, 10, 10]  # 10 x 5 pixels
    assert "r=3," in picture_text(scene, "kitty", 10, 24)
    assert "height=3:" in picture_text(scene, "iterm", 10, 24)
    assert '"1;1;40;20#' in picture_text(scene, "sixel", 80, 1)  # a line of text is taken to be 20 pixels high


def read_sixel(text: str) -> np.ndarray:
    """The pixels of a sixel image, by the manual's rules."""
    head = re.match(r'\x1bPq"1;1;(\d+);(\d+)', text)
    assert head and text.endswith("\x1b\\\n")
    width, height = map(int, head.groups())
    pixels = np.full((height + 5, width, 3), -1)
    palette, color, x, top = {}, 0, 0, 0
    for token in re.finditer(r"#(\d+)(?:;2;(\d+);(\d+);(\d+))?|!(\d+)([?-~])|([?-~])|([$-])", text[head.end() : -3]):
        number, red, green, blue, times, repeated, single, control = token.groups()
        if number and red:
            palette[int(number)] = (int(red), int(green), int(blue))
        elif number:
            color = int(number)
        elif control:
            x, top = 0, top + 6 * (control == "-")
        else:
            bits = ord(repeated or single) - 63
            for _ in range(int(times or 1)):
                for row in range(6):
                    if bits >> row & 1:
                        pixels[top + row, x] = palette[color]
                x += 1
    return pixels[:height]


def test_sixel_image_of_a_known_picture():
    red = np.zeros((6, 5, 3), np.uint8)
    red[..., 0] = 255
    assert sixel_image(red) == '\x1bPq"1;1;5;6#0;2;100;0;0#0!5~-\x1b\\\n'


@pytest.mark.parametrize("shape", [(1, 1), (6, 9), (13, 40)])
def test_sixel_images_read_back(shape):
    pixels = np.random.default_rng(1).choice([0, 51, 255], (*shape, 3)).astype(np.uint8)
    assert np.abs(read_sixel(sixel_image(pixels)) - pixels / 2.55).max() <= 0.5
