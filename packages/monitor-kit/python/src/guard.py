"""What goes wrong in a detector ends that detector, never the job or the server."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable
from typing import ParamSpec

# Of the library that this is part of.
log = logging.getLogger(__name__.partition(".")[0])
P = ParamSpec("P")


class Guard:
    """Knows which detectors are off; each is switched off once, with one line in the log."""

    def __init__(self) -> None:
        self._off: set[str] = set()
        self._process = os.getpid()

    def runs(self, detector: str) -> bool:
        """False in a child of the process that attached, such as a worker that loads data."""
        return detector not in self._off and self._process == os.getpid()

    def off(self, detector: str, why: str, level: int = logging.WARNING) -> None:
        if detector not in self._off:
            self._off.add(detector)
            log.log(level, "%s is off: %s", detector, why)

    def wrap(self, detector: str, function: Callable[P, object]) -> Callable[P, None]:
        """`function` that returns nothing, raises nothing, and is not called any more once it has failed."""

        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            if not self.runs(detector):
                return
            try:
                function(*args, **kwargs)
            except Exception as reason:
                self.off(detector, f"{type(reason).__name__}: {reason}")
                log.debug("%s failed", detector, exc_info=True)

        return guarded
