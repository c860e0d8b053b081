"""A program that answers as an OpenCode 2 without an engine: for what bridges do with servers, not with sessions.

It starts in a tenth of a second. The variable ``FAKE_RUNNING`` names a folder; each file in it is a running session,
until the session is interrupted. Its file is then moved beside the folder.
"""

import sys
from pathlib import Path

PROGRAM = """#!{python}
import base64, json, os, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

if sys.argv[1:] == ["--version"]:
    sys.exit(print("2.1.2"))
WANTED = "Basic " + base64.b64encode(("opencode:" + os.environ["OPENCODE_PASSWORD"]).encode()).decode()
RUNNING = Path(os.environ["FAKE_RUNNING"])

class Handler(BaseHTTPRequestHandler):
    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.headers.get("authorization") != WANTED:
            self.answer(401, {{"_tag": "UnauthorizedError"}})
        elif self.path == "/api/info":
            self.answer(200, {{"version": "2.1.2", "pid": os.getpid(), "urls": [], "paths": {{"tmp": "/"}}}})
        elif self.path == "/api/session/active":
            self.answer(200, {{"data": {{path.name: {{"type": "running"}} for path in RUNNING.iterdir()}}}})
        else:
            self.answer(404, {{}})

    def do_POST(self):
        session, action = self.path.split("/")[3:5]
        (RUNNING / session).rename(RUNNING.with_name(session + " " + action))
        self.answer(200, {{"interrupted": True}})

    def log_message(self, *_):
        pass

def serve():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(json.dumps({{"url": "http://127.0.0.1:%d" % server.server_port}}), flush=True)
    server.serve_forever()

threading.Thread(target=serve, daemon=True).start()
sys.stdin.read()
"""


def write_fake_opencode2(path: Path) -> Path:
    """Write the program to a file."""
    path.write_text(PROGRAM.format(python=sys.executable), encoding="utf-8")
    path.chmod(0o755)
    return path
