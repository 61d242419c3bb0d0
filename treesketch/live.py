"""The picture in a browser's tab that follows what is typed. Scenes in; a page on the loopback address out.

The address has a secret part, and requests under another host's name are refused, so that no other page can look.
"""

import secrets
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from treesketch.errors import SketchError
from treesketch.raster import png_bytes, rasterise
from treesketch.scene import Scene
from treesketch.terminal import fit

HOST = "127.0.0.1"
SIDE = 1024  # pixels of the picture's longer side
PATIENCE = 15.0  # seconds after which a page that waits is told that nothing has changed

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>treesketch</title>
<style>body{margin:0;display:grid;place-items:center;height:100vh;background:#777}
img{max-width:96vw;max-height:96vh;box-shadow:0 2px 12px #0008}</style>
<img id="picture" src="picture.png" alt="the program's picture">
<script>
new EventSource("changes").onmessage = (event) => {
  document.getElementById("picture").src = "picture.png?" + event.data;
};
</script></html>
"""


class Page:
    """A page that shows the latest scene it was given, for as long as the process runs."""

    def __init__(self) -> None:
        self._scene: Scene | None = None
        self._number = 0  # of the scene
        self._changed = threading.Condition()
        handler = type("Handler", (_Handler,), {"page": self})
        try:
            self._server = ThreadingHTTPServer((HOST, 0), handler)
        except OSError as error:
            raise SketchError(f"cannot serve a page on {HOST}: {error}") from None
        self._server.daemon_threads = True
        self.path = f"/{secrets.token_urlsafe(8)}/"
        self.host = f"{HOST}:{self._server.server_address[1]}"
        self.address = f"http://{self.host}{self.path}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def show(self, scene: Scene) -> None:
        """Have all open pages show a scene."""
        with self._changed:
            self._scene, self._number = scene, self._number + 1
            self._changed.notify_all()

    def picture(self) -> bytes:
        """The scene as a PNG; empty before the first."""
        scene = self._scene
        return png_bytes(rasterise(scene, fit(scene, SIDE, SIDE))) if scene else b""

    def wait(self, seen: int) -> int:
        """The number of the scene that is shown, at the latest after PATIENCE, sooner when it is not `seen`."""
        with self._changed:
            self._changed.wait_for(lambda: self._number != seen, PATIENCE)
            return self._number

    def close(self) -> None:
        """Serve no longer."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    page: Page

    def do_GET(self) -> None:
        """The page, its picture, or the changes of it as server-sent events."""
        path = self.path.partition("?")[0]
        name = path.removeprefix(self.page.path)
        ours = path.startswith(self.page.path) and self.headers.get("Host") == self.page.host
        if not ours or name not in ("", "picture.png", "changes"):
            self.send_error(HTTPStatus.NOT_FOUND)
        elif name == "changes":
            self._tell()
        elif name:
            self._send(self.page.picture(), "image/png")
        else:
            self._send(_PAGE.encode(), "text/html; charset=utf-8")

    def _send(self, content: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def _tell(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        seen = 0
        try:
            while True:
                number = self.page.wait(seen)
                self.wfile.write(f"data: {number}\n\n".encode() if number != seen else b": still here\n\n")
                seen = number
        except OSError:
            pass  # the page was closed

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal belongs to the program."""
