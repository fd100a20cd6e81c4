"""A server that says whatever a test wants to hear."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager


@contextmanager
def answering(reply):
    """The URL of a server that answers everything with the same bytes, or with nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held = []

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                held.append(connection)
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection):
            try:
                while connection.recv(65536):
                    if reply:
                        connection.sendall(reply)
            except OSError:
                pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"redis://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in held:
                connection.close()
