"""A run that is asked to stop does so within seconds, whatever it computes just then."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator

#: Seconds that a run has to stop by itself.
PATIENCE_S = 3.5


@contextlib.contextmanager
def stoppable(last_words: Callable[[], None], patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Raise `KeyboardInterrupt` on Ctrl-C and SIGTERM; end the process where that is not heard in time.

    Python hears a signal between two of its own instructions, but one backward pass of a large network on a CPU may
    take half a minute. Checkpoints are whole at every moment, so ending the process loses nothing.

    Parameters
    ----------
    last_words : callable
        Called before the process is ended.
    patience_s : float
        Seconds until then.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(reader, over, last_words, patience_s), daemon=True)
    before = signal.getsignal(signal.SIGTERM)
    descriptor = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, _interrupt)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(descriptor)
        signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)
        writer.close()
        watcher.join(1.0)
        reader.close()


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _watch(reader: socket.socket, over: threading.Event, last_words: Callable[[], None], patience_s: float) -> None:
    asked = {int(signal.SIGINT), int(signal.SIGTERM)}
    while True:
        try:
            heard = reader.recv(64)
        except OSError:
            return
        if not heard:
            return
        if asked & set(heard) and not over.wait(patience_s):
            with contextlib.suppress(Exception):
                last_words()
            os._exit(130)
