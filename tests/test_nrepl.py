"""The nREPL server over real sockets, with a client of our own; bencode by property."""

import base64
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from treesketch import bencode, nrepl

values = st.recursive(
    st.integers(-(10**18), 10**18) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


class Client:
    """One connection."""

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.stream = self.socket.makefile("rb")
        self.sent = 0

    def send(self, **message) -> str:
        self.sent += 1
        self.socket.sendall(bencode.encode({"id": str(self.sent), **message}))
        return str(self.sent)

    def answers(self, number: str) -> list[dict]:
        """All answers to a message, up to the one that says done."""
        found = []
        while not (found and "done" in found[-1].get("status", [])):
            answer = bencode.read(self.stream)
            assert answer is not None
            if answer.get("id") == number:
                found.append(answer)
        return found

    def ask(self, **message) -> list[dict]:
        return self.answers(self.send(**message))

    def close(self) -> None:
        self.stream.close()
        self.socket.close()

    def clone(self) -> str:
        return self.ask(op="clone")[0]["new-session"]


@pytest.fixture(scope="module")
def port():
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=nrepl.accept, args=(server,), daemon=True).start()
    yield server.getsockname()[1]
    server.close()


@pytest.fixture
def client(port):
    client = Client(port)
    yield client
    client.close()


def merged(answers: list[dict], key: str) -> list:
    return [answer[key] for answer in answers if key in answer]


def test_describe_and_unknown_operations(client):
    (answer,) = client.ask(op="describe")
    assert {"clone", "eval", "load-file", "interrupt", "completions", "lookup", "eldoc", "close"} <= set(answer["ops"])
    assert client.ask(op="dance")[0]["status"] == ["error", "unknown-op", "done"]


def test_a_session_is_a_program_that_grows(client):
    session, other = client.clone(), client.clone()
    code = "(def side 8) (defn half [x] (/ x 2)) (rect 0 0 side (half side))"
    assert merged(client.ask(op="eval", session=session, code=code), "value") == ["nil"] * 3
    assert merged(client.ask(op="eval", session=session, code="(half side) side"), "value") == ["4", "8"]
    answers = client.ask(op="eval", session=other, code="side")
    assert "no name 'side' here" in merged(answers, "err")[0] and ["eval-error"] in merged(answers, "status")
    assert set(client.ask(op="ls-sessions")[0]["sessions"]) >= {session, other}
    assert "session-closed" in client.ask(op="close", session=other)[0]["status"]
    assert "error" in client.ask(op="eval", session=other, code="1")[-1]["status"]


def test_errors_have_the_editors_places_and_the_session_goes_on(client):
    session = client.clone()
    answers = client.ask(op="eval", session=session, code="(rect 1 2\n 3)", file="a.clj", line=10, column=5)
    assert merged(answers, "err") == ["a.clj:10:5: rect takes 4, 5 or 8 numbers (x y width height ...), got 3\n"]
    assert merged(client.ask(op="eval", session=session, code="(+ 1 1)"), "value") == ["2"]


def test_a_picture_comes_as_png_where_it_is_asked_for(client):
    session = client.clone()
    answers = client.ask(op="eval", session=session, code="(size 20 10) (background 255 0 0)", picture=1)
    (body,) = merged(answers, "body")
    assert merged(answers, "content-type") == [["image/png", {}]]
    picture = Image.open(io.BytesIO(base64.b64decode(body))).convert("RGB")
    assert picture.width == 2 * picture.height and picture.getpixel((3, 3)) == (255, 0, 0)
    assert not merged(client.ask(op="eval", session=session, code="(fill 1)"), "body")


def test_load_file(client):
    answers = client.ask(
        op="load-file", session=client.clone(), file="(fill 1)\n(elipse 1 2 3 4)", **{"file-path": "b.clj"}
    )
    assert merged(answers, "err") == ["b.clj:2:2: no form 'elipse'; did you mean 'ellipse'?\n"]


@pytest.mark.parametrize(
    "code", ["(ns user)", "(in-ns 'user)", "*ns*", "(clojure.core/require '[x])", "(do (require 'a))"]
)
def test_what_editors_send_to_set_up_is_answered_and_never_evaluated(client, code):
    answers = client.ask(op="eval", session=client.clone(), code=code)
    assert set(merged(answers, "value")) == {"nil"} and not merged(answers, "err")


def test_the_languages_own_do_is_evaluated(client):
    answers = client.ask(op="eval", session=client.clone(), code="(do (elipse 1 2 3 4))")
    assert merged(answers, "err") == ["1:6: no form 'elipse'; did you mean 'ellipse'?\n"]


@pytest.mark.parametrize("code", ['(draw "x.png")', ":save x.clj", "(slurp 1)", "(hy.eval 1)", "(System/exit 0)x ("])
def test_nothing_else_is_reached(client, code):
    answers = client.ask(op="eval", session=client.clone(), code=code)
    assert merged(answers, "err") and "done" in answers[-1]["status"]


def test_completions_lookup_and_eldoc(client):
    session = client.clone()
    client.ask(op="eval", session=session, code="(def elbow 3)")
    found = client.ask(op="completions", session=session, prefix="el")[0]["completions"]
    assert [each["candidate"] for each in found] == ["elbow", "ellipse", "ellipse-mode"]
    assert client.ask(op="lookup", sym="rect")[0]["info"]["arglists-str"] == "(rect x y width height)"
    assert client.ask(op="eldoc", sym="line")[0]["eldoc"] == [["x1", "y1", "x2", "y2"]]
    assert client.ask(op="eldoc", sym="line")[0]["docstring"] == "(line x1 y1 x2 y2)  a stroke; it has no inside"
    client.ask(op="eval", session=session, code="(defn star [x y] (rect x y 1 1))")
    assert client.ask(op="eldoc", session=session, sym="star")[0]["eldoc"] == [["x", "y"]]
    assert client.ask(op="lookup", session=session, sym="star")[0]["info"]["arglists-str"] == "(star x y)"
    assert client.ask(op="eldoc", session=session, sym="elbow")[0]["eldoc"] == [[]]
    assert client.ask(op="eldoc", sym="star")[0]["status"] == ["done", "no-info"]
    assert "no-info" in client.ask(op="lookup", sym="nothing")[0]["status"]


def test_interrupt_ends_what_runs_and_others_go_on(client):
    session = client.clone()
    running = client.send(op="eval", session=session, code="(dotimes [i 9000] (fill i))" * 400)
    time.sleep(0.3)
    assert client.ask(op="interrupt", session=session)[0]["status"] == ["done"]
    assert "interrupted" in client.answers(running)[-1]["status"]
    assert merged(client.ask(op="eval", session=session, code="(+ 1 2)"), "value") == ["3"]


@pytest.mark.parametrize("rubbish", [b"hello", b"i1", b"d3:op", b"l" * 100, b"99999999999:", b"i--1e", b"d1:ai1e"])
def test_malformed_messages_end_their_connection_only(port, client, rubbish):
    other = Client(port)
    other.socket.sendall(rubbish)
    other.socket.shutdown(socket.SHUT_WR)
    try:
        assert other.stream.read() == b""
    except ConnectionResetError:
        pass
    other.close()
    assert client.ask(op="describe")


@given(values)
def test_bencode_reads_what_it_writes(value):
    assert bencode.read(io.BytesIO(bencode.encode(value))) == value


@given(st.binary(max_size=40))
def test_bencode_reads_or_refuses_any_bytes(data):
    try:
        bencode.read(io.BytesIO(data))
    except ValueError:
        pass


def test_the_command_serves_and_tidies_up(tmp_path: Path):
    command = [sys.executable, "-m", "treesketch", "repl", "--nrepl"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as server:
        line = server.stdout.readline()
        port = int(line.rsplit(":", 1)[1])
        assert line == f"nREPL server started on port {port} on host 127.0.0.1 - nrepl://127.0.0.1:{port}\n"
        assert (tmp_path / ".nrepl-port").read_text() == f"{port}\n"
        client = Client(port)
        assert merged(client.ask(op="eval", code="(+ 1 2)"), "value") == ["3"]
        client.close()
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 0
    assert os.listdir(tmp_path) == []
