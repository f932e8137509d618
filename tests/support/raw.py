"""HTTP by hand, for what a proper client would never send."""

import contextlib
import http.client
import socket

from support import codes_seen
from support.client import Answer

TIMEOUT_SECONDS = 60


class Raw:
    """A connection on which bytes are sent as they are."""

    def __init__(self, port, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(TIMEOUT_SECONDS)
        self.socket.connect(("127.0.0.1", port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())
        return self

    def answer(self, method="GET"):
        """The next answer. Several can be read one after another only when they were not sent at once: what http.client has
        read too much is lost."""
        response = http.client.HTTPResponse(self.socket, method=method)
        response.begin()
        got = Answer(response.status, response.headers, response.read())
        codes_seen.record(got.status, got.headers["Content-Type"], got.body)
        return got

    def rest(self):
        """Everything up to the end of the connection, however it ends."""
        data = b""
        with contextlib.suppress(ConnectionError):
            while piece := self.socket.recv(65536):
                data += piece
        return data


def head(method, target, key="", headers=(), version="HTTP/1.1"):
    """A request's head, up to and with the empty line."""
    lines = [f"{method} {target} {version}", "Host: localhost"]
    if key:
        lines.append(f"Authorization: Bearer {key}")
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines) + "\r\n\r\n"


def exchange(port, data, method="GET"):
    with Raw(port) as connection:
        return connection.send(data).answer(method)
