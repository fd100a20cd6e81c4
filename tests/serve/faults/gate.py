"""A gate before a store: shut, it turns everybody away; silent, it takes what is said and answers nothing."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress


class Gate:
    """Passes bytes between a free port and another one, while it is open.

    Args:
        port: Of the store.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._inside: list[socket.socket] = []
        self.silent = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open()

    def _open(self) -> None:
        threading.Thread(target=self._watch, args=(self._listener,), daemon=True).start()

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *_: object) -> None:
        self.shut()

    def shut(self) -> None:
        """From here on the store is away."""
        self.silent.clear()
        for one in (self._listener, *self._inside):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._inside.clear()

    def reopen(self) -> None:
        """It is back."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._open()

    def _watch(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            self._inside += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=_pass, args=(source, target, self.silent), daemon=True).start()


def _pass(source: socket.socket, target: socket.socket, silent: threading.Event) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            while silent.is_set():
                time.sleep(0.05)
            target.sendall(piece)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
