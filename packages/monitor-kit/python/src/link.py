"""Sockets of the sender's thread. A forked child closes its copies of them, and never writes to one."""

from __future__ import annotations

import contextlib
import os
import select
import socket

# Read at once.
READ_BYTES = 65_536
# The job may have set SIGPIPE back to what ends a process.
_QUIETLY = socket.MSG_NOSIGNAL

_open: set[socket.socket] = set()


def _close_in_child() -> None:
    """Else the analyser would take the job for alive as long as one of its children is."""
    for one in list(_open):
        one.close()
    _open.clear()


os.register_at_fork(after_in_child=_close_in_child)


def _kept(one: socket.socket) -> socket.socket:
    one.setblocking(False)
    _open.add(one)
    return one


def _close(one: socket.socket) -> None:
    _open.discard(one)
    one.close()


class Waker:
    """Ends the wait of the sender's thread."""

    def __init__(self) -> None:
        self.reader, self._writer = (_kept(one) for one in socket.socketpair())

    def wake(self) -> None:
        # Where it is full there is enough to wake of.
        with contextlib.suppress(OSError):
            self._writer.send(b"\0", _QUIETLY)

    def wait(self, timeout_s: float) -> None:
        poll = select.poll()
        poll.register(self.reader, select.POLLIN)
        poll.poll(1000 * timeout_s)
        self.clear()

    def clear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.reader.recv(READ_BYTES)

    def close(self) -> None:
        _close(self._writer)
        _close(self.reader)


class Link:
    """A connection to the Unix socket at `path`.

    :raises OSError: nobody listens there, or, later, the connection broke.
    """

    def __init__(self, path: str, waker: Waker) -> None:
        self._waker = waker
        self._socket = _kept(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        try:
            self._socket.connect(path)
        except BaseException:
            _close(self._socket)
            raise
        self._unsent = bytearray()

    @property
    def full(self) -> bool:
        """The kernel takes no more for now."""
        return len(self._unsent) > 0

    def send(self, data: bytes) -> None:
        """Writes what the kernel takes; the rest goes with `wait`."""
        self._unsent += data
        self._write()

    def wait(self, timeout_s: float | None) -> bytes | None:
        """What the other side wrote, None where it wrote nothing until it was woken, could write, or time was up; b"" = it has closed."""
        poll = select.poll()
        poll.register(self._waker.reader, select.POLLIN)
        poll.register(self._socket, select.POLLIN | (select.POLLOUT if self.full else 0))
        ready = dict(poll.poll(None if timeout_s is None else 1000 * timeout_s))
        if self._waker.reader.fileno() in ready:
            self._waker.clear()
        happened = ready.get(self._socket.fileno(), 0)
        if happened & select.POLLOUT:
            self._write()
        return self._socket.recv(READ_BYTES) if happened & ~select.POLLOUT else None

    def close(self) -> None:
        # A child that forked a moment ago may still hold a copy.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        _close(self._socket)

    def _write(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent, _QUIETLY)]
