"""Run the scripted model by itself: ``python -m tests.scripted_model --port 0``.

It prints its base URL as one line, and ends on SIGTERM or when its standard input is closed.
"""

import argparse
import socket
import sys
import threading

import uvicorn

from tests.scripted_model.server import ScriptedModel


def main() -> None:
    """Serve on loopback until a signal comes."""
    parser = argparse.ArgumentParser(
        prog="scripted_model", description="An OpenAI-compatible model that obeys a script."
    )
    parser.add_argument("--port", type=int, default=0, help="TCP port on 127.0.0.1; 0 takes a free one")
    port: int = parser.parse_args().port
    # A cut stream is an exception to uvicorn, and it would print it.
    config = uvicorn.Config(ScriptedModel().app(), log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", port), backlog=512) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)  # noqa: T201 - the program that started us reads it
        threading.Thread(target=_stop_at_end_of_input, args=(server,), daemon=True).start()
        server.run(sockets=[listener])


def _stop_at_end_of_input(server: uvicorn.Server) -> None:
    sys.stdin.buffer.read()
    server.should_exit = True


if __name__ == "__main__":
    main()
