"""Ports for the servers that tests start, which are long in starting."""

from __future__ import annotations

import random
import socket

# Below Linux' range for outgoing connections.
FIRST_PORT, LAST_PORT = 20_000, 32_000

_held: list[socket.socket] = []


def free_port() -> int:
    """A loopback port that nothing listens on, and that no test is given again before this process ends: it is held by the name in
    Linux' abstract socket space by which `freePort` of packages/test-kit holds those of the other tests."""
    while True:
        port = random.SystemRandom().randrange(FIRST_PORT, LAST_PORT)
        name = socket.socket(socket.AF_UNIX)
        try:
            # As long as Node makes it.
            name.bind(f"\0sentinel-test/port/{port}".ljust(108, "\0"))
            with socket.socket() as one:
                one.bind(("127.0.0.1", port))
        except OSError:
            name.close()
            continue
        _held.append(name)
        return port
