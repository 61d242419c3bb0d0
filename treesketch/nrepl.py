"""An nREPL server, so that editors of Clojure (Calva, CIDER, Conjure, fireplace) can draw. Messages in, answers out.

The protocol is that of https://nrepl.org; a session is a program that grows. What is evaluated goes the REPL's own way
(Lark, `check`, the Hy runtime); what editors send to set up a Clojure is answered with nil and never evaluated.
"""

import re
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

from treesketch import bencode
from treesketch.errors import SketchError
from treesketch.files import write_whole
from treesketch.hints import definitions, describe
from treesketch.language import load_language
from treesketch.raster import png_bytes, rasterise
from treesketch.repl import Session
from treesketch.terminal import IMAGE_SIDE, fit
from treesketch.units import split_units

HOST = "127.0.0.1"
MOST_CONNECTIONS = 16
MOST_SESSIONS = 64
FARTHEST_LINE = 100_000  # that an editor may say a text begins at
PORT_FILE = ".nrepl-port"

_SET_UP = re.compile(
    r"\(\s*(?:do\s+\(\s*)?(?:ns|in-ns|require|use|refer|import|try|when-let|[\w.*+!?<>=-]+/[\w.*+!?<>=-]+)[\s)]"
    r"|\*[\w-]+\*|'|@|#"
)
_NONE = {"status": ["done", "no-info"]}

Message = dict[str, Any]


def serve(port: int = 0) -> int:
    """Serve on the loopback address until interrupted; port 0 takes a free one, which `.nrepl-port` then holds."""
    try:
        server = socket.create_server((HOST, port))
    except (OSError, OverflowError) as error:
        raise SketchError(f"cannot listen on port {port}: {error}") from None
    port = server.getsockname()[1]
    place = Path(PORT_FILE)
    write_whole(place, f"{port}\n")
    print(f"nREPL server started on port {port} on host {HOST} - nrepl://{HOST}:{port}", flush=True)
    try:
        accept(server)
    except KeyboardInterrupt:
        print("ended")
    finally:
        if place.is_file() and place.read_text(encoding="utf-8") == f"{port}\n":
            place.unlink()
    return 0


def accept(server: socket.socket) -> None:
    """Take connections until the socket is closed, each in a thread of its own."""
    state, places = Server(), threading.BoundedSemaphore(MOST_CONNECTIONS)
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        if places.acquire(blocking=False):
            threading.Thread(target=_talk, args=(connection, state, places), daemon=True).start()
        else:
            connection.close()


def _talk(connection: socket.socket, state: "Server", places: threading.BoundedSemaphore) -> None:
    """Answer the messages of a connection until it ends; what is no bencode ends it."""
    lock = threading.Lock()

    def send(answer: Message) -> None:
        try:
            with lock:
                connection.sendall(bencode.encode(answer))
        except OSError:
            pass  # nobody listens any more

    try:
        with connection, connection.makefile("rb") as stream:
            while isinstance(message := bencode.read(stream), dict):
                state.answer(message, send)
    except (OSError, ValueError):
        pass
    finally:
        places.release()


class Program(Session):
    """A session's program: what it says and complains of is kept for the answer."""

    def __init__(self) -> None:
        super().__init__("off")
        self.said: list[str] = []
        self.complaints: list[str] = []
        self.worker = ThreadPoolExecutor(1)  # a session's messages are evaluated in order
        self.interrupted = False

    def _say(self, text: str) -> None:
        self.said.append(text)

    def _complain(self, message: str) -> None:
        self.complaints.append(message)

    def _command(self, text: str) -> bool:
        raise SketchError(f"{text.split()[0]} is a command of the terminal's REPL; here there are forms and numbers")

    def draw(self, picture: str) -> None:
        raise SketchError("(draw ...) is a command of the terminal's REPL; here there are forms and numbers")

    def interrupt(self) -> None:
        """End what is being evaluated, and what waits."""
        self.interrupted = True
        self._runtime.interrupt()


class Server:
    """The sessions, and an operation for each kind of message."""

    def __init__(self) -> None:
        self._sessions: dict[str, Program] = {}
        self._lock = threading.Lock()
        self._operations: dict[str, Callable[[Message], Message]] = {
            "clone": self._clone,
            "close": self._close,
            "completions": self._completions,
            "complete": self._completions,
            "describe": self._describe,
            "eldoc": self._eldoc,
            "info": self._lookup,
            "interrupt": self._interrupt,
            "lookup": self._lookup,
            "ls-sessions": lambda message: {"sessions": list(self._sessions), "status": ["done"]},
            "stdin": lambda message: {"status": ["done"]},
        }

    def answer(self, message: Message, send: Callable[[Message], None]) -> None:
        """Send the answers to a message; evaluation goes on in the session's own thread."""
        about = {key: message[key] for key in ("id", "session") if isinstance(message.get(key), str)}
        operation = str(message.get("op"))
        if operation in ("eval", "load-file"):
            try:
                program = self._session(message)
            except SketchError as error:
                send({**about, "err": f"{error}\n", "status": ["error", "done"]})
                return
            program.worker.submit(self._evaluate, program, message, lambda answer: send({**about, **answer}))
        elif operation in self._operations:
            send({**about, **self._operations[operation](message)})
        else:
            send({**about, "status": ["error", "unknown-op", "done"]})

    def _session(self, message: Message) -> Program:
        """The session that a message belongs to; one without a session gets one for itself."""
        name = message.get("session")
        if name is None:
            return Program()
        if name not in self._sessions:
            raise SketchError("no such session")
        return self._sessions[str(name)]

    def _evaluate(self, program: Program, message: Message, send: Callable[[Message], None]) -> None:
        """Evaluate a text unit by unit: a value for each, then the picture if it is asked for."""
        text = str(message.get("code" if message.get("op") == "eval" else "file", ""))
        file = str(message.get("file-path" if message.get("op") == "load-file" else "file", "")) or None
        line, column = (_whole(message.get(key)) for key in ("line", "column"))
        padded = "\n" * (line - 1) + " " * (column - 1) + text
        program.interrupted = False
        program.said.clear()
        program.complaints.clear()
        before = program.scene
        for code in self._units(padded, program):
            if not _SET_UP.match(code.strip()):
                program.enter(code, file)
            if program.interrupted:
                send({"status": ["interrupted", "done"]})
                return
            for complaint in program.complaints:
                send({"err": f"{complaint}\n"})
            if program.complaints:
                send({"ex": "SketchError", "root-ex": "SketchError", "status": ["eval-error"]})
                break
            for value in program.said or ["nil"]:
                send({"value": value, "ns": "sketch"})
            program.said.clear()
        if program.scene is not before and (message.get("picture") or message.get("content-type")):
            png = png_bytes(rasterise(program.scene, fit(program.scene, IMAGE_SIDE, IMAGE_SIDE)))
            picture = {"content-type": ["image/png", {}], "content-transfer-encoding": "base64"}
            send({**picture, "body": b64encode(png).decode()})
        send({"status": ["done"]})

    @staticmethod
    def _units(text: str, program: Program) -> Iterator[str]:
        """The units of a text, each behind as much white space as puts it in its place."""
        for unit in split_units(text, program.language):
            yield "\n" * (unit.line - 1) + " " * (unit.column - 1) + unit.text

    def _clone(self, message: Message) -> Message:
        with self._lock:
            if len(self._sessions) >= MOST_SESSIONS:
                return {"err": f"there are {MOST_SESSIONS} sessions; close some\n", "status": ["error", "done"]}
            name = str(uuid4())
            self._sessions[name] = Program()
        return {"new-session": name, "status": ["done"]}

    def _close(self, message: Message) -> Message:
        program = self._sessions.pop(str(message.get("session")), None)
        if program is None:
            return {"status": ["error", "unknown-session", "done"]}
        program.interrupt()
        program.worker.shutdown(wait=False)
        return {"status": ["done", "session-closed"]}

    def _interrupt(self, message: Message) -> Message:
        program = self._sessions.get(str(message.get("session")))
        if program is None:
            return {"status": ["error", "unknown-session", "done"]}
        program.interrupt()
        return {"status": ["done"]}

    def _describe(self, message: Message) -> Message:
        names = sorted([*self._operations, "eval", "load-file"])
        ours = version("treesketch")
        return {
            "ops": {name: {} for name in names},
            "versions": {"treesketch": {"version-string": ours}, "nrepl": {"version-string": "1.0.0", "major": 1}},
            "aux": {"current-ns": "sketch"},
            "status": ["done"],
        }

    def _completions(self, message: Message) -> Message:
        prefix = str(message.get("prefix") or message.get("symbol") or "")
        defined = {name: "function" if usage[0] == "(" else "var" for name, usage in self._defined(message).items()}
        known = {**dict.fromkeys(load_language().words, "function"), **defined}
        found = [{"candidate": word, "type": kind} for word, kind in sorted(known.items()) if word.startswith(prefix)]
        return {"completions": found, "status": ["done"]}

    def _lookup(self, message: Message) -> Message:
        word, usage, doc = self._find(message)
        if not usage:
            return _NONE
        about = {"name": word, "ns": "sketch", "arglists-str": usage, "doc": doc}
        return {**about, "info": about, "status": ["done"]}

    def _eldoc(self, message: Message) -> Message:
        word, usage, doc = self._find(message)
        if not usage:
            return _NONE
        language, defined = load_language(), usage.strip("()").split()[1:]
        signature = language.signature(language.heads[word]) if word in language.heads else defined
        return {
            "name": word,
            "ns": "sketch",
            "type": "function" if usage.startswith("(") else "variable",
            "eldoc": [[each.removesuffix("...") for each in signature]],
            "docstring": doc,
            "status": ["done"],
        }

    def _defined(self, message: Message) -> dict[str, str]:
        """What the message's session defines."""
        program = self._sessions.get(str(message.get("session")))
        return definitions(program.forms if program else ())

    def _find(self, message: Message) -> tuple[str, str, str]:
        """The word that a message asks about, how it is written, and what all its ways to be written mean."""
        word = str(message.get("sym") or message.get("symbol") or "")
        language, defined = load_language(), self._defined(message)
        usage = language.usage(language.heads[word]) if word in language.heads else defined.get(word, "")
        return word, usage, describe(word, language, defined)


def _whole(value: object) -> int:
    return min(max(value, 1), FARTHEST_LINE) if isinstance(value, int) else 1
