"""What was sent on one stream and is not known to have been looked at."""

from __future__ import annotations

import collections

# Records that may be on their way; more wait in the queue. The analyser answers every 64 at the latest, and takes 512 of one stream.
IN_FLIGHT_RECORDS = 256


class Flight:
    def __init__(self, dropped: int) -> None:
        """`dropped`: how many the analyser knows to have been dropped, before this stream."""
        self._before = dropped
        self._told = dropped
        # The hello is answered like a record, and is none.
        self._hello = True
        # For each on its way, how many it says were dropped.
        self._says: collections.deque[int] = collections.deque()
        self._handled = 0
        # When something was answered, or sent where nothing was on its way.
        self.since_s = 0.0

    @property
    def records(self) -> int:
        """Not answered."""
        return max(0, len(self._says) - self._hello)

    @property
    def empty(self) -> bool:
        return not self._says

    @property
    def answered(self) -> bool:
        return self._handled > 0

    @property
    def room(self) -> bool:
        return len(self._says) < IN_FLIGHT_RECORDS

    @property
    def told(self) -> int:
        """Dropped records that the analyser knows of."""
        return self._told

    def send(self, dropped: int, now_s: float) -> int:
        """One more is sent, when so many were dropped in all; gives what it is to say, which is since the stream began."""
        if not self._says:
            self.since_s = now_s
        self._says.append(dropped)
        return dropped - self._before

    def answer(self, handled: int, now_s: float) -> None:
        """The analyser has done with so many of this stream."""
        for _ in range(min(handled - self._handled, len(self._says))):
            self._told = self._says.popleft()
            self._handled += 1
            self._hello = False
            self.since_s = now_s
