#!/usr/bin/env python3
"""A web app: GET / answers, POST /jobs leaves a job for the workers, and /metrics is on a port of its own."""

import os
import signal
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

from jobs import connect

answered = 0


class App(BaseHTTPRequestHandler):
    """A request takes a tenth of a second, so one process answers ten a second at most."""

    def do_GET(self) -> None:
        """Tell the metrics at once, or answer after a wait as for a database."""
        global answered
        if self.path == "/metrics":
            page = f"# TYPE requests_total counter\nrequests_total {answered}\n"
        else:
            time.sleep(0.1)
            answered += 1
            page = "hello\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page.encode())

    def do_POST(self) -> None:
        """Enqueue a job, then answer."""
        connection.execute("insert into jobs default values")
        self.do_GET()

    def log_message(self, *arguments: object) -> None:
        """Print no line for each request."""


connection = connect()
metrics = HTTPServer(("127.0.0.1", int(os.environ["METRICS_PORT"])), App)
threading.Thread(target=metrics.serve_forever, daemon=True).start()

app = HTTPServer(("127.0.0.1", 0), App, bind_and_activate=False)
app.socket = socket.socket(fileno=3)  # `socket: shared`: all web processes answer on the one socket that the autoscaler opened
app.socket.setblocking(False)  # another process may take the connection first
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=app.shutdown).start())  # finish the request in hand, then end
app.serve_forever(poll_interval=0.1)
