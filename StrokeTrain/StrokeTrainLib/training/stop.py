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
_ASKED = (signal.SIGINT, signal.SIGTERM)


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

    Raises
    ------
    KeyboardInterrupt
        If it was asked to stop, also where a library made another error of it: `torch.save` that is interrupted says
        that its file has an unexpected position.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    over, asked = threading.Event(), threading.Event()

    def interrupt(number: int, frame: object) -> None:
        asked.set()
        # What cleans up must not be interrupted in its turn; who watches still ends it in time.
        for one in _ASKED:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    watcher = threading.Thread(target=_watch, args=(reader, over, last_words, patience_s), daemon=True)
    before = {number: signal.getsignal(number) for number in _ASKED}
    descriptor = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    for number in _ASKED:
        signal.signal(number, interrupt)
    watcher.start()
    try:
        yield
    except Exception as error:
        if asked.is_set():
            raise KeyboardInterrupt from error
        raise
    finally:
        over.set()
        signal.set_wakeup_fd(descriptor)
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        writer.close()
        watcher.join(1.0)
        reader.close()


def _watch(reader: socket.socket, over: threading.Event, last_words: Callable[[], None], patience_s: float) -> None:
    asked = {int(number) for number in _ASKED}
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
