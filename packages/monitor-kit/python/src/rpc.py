"""One streaming call of gRPC over HTTP/2: bytes in, bytes out. It does no I/O and holds no lock, so that a fork at any moment does no harm.

https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

from __future__ import annotations

import struct
from urllib.parse import unquote

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import H2Error
from h2.settings import SettingCodes

# Of one answer; a question of the analyser holds at most 1 MiB.
MAX_ANSWER_BYTES = 4 * 2**20
# Whether it is compressed, and the length.
PREFIX = struct.Struct(">BI")


class CallFailed(Exception):
    """What came is not what a gRPC server sends."""


class Call:
    """A call of `method`, as gRPC names it: /SERVICE/METHOD."""

    def __init__(self, method: str, user_agent: str) -> None:
        self._http = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._http.initiate_connection()
        self._http.update_settings({SettingCodes.ENABLE_PUSH: 0})
        self._stream = self._http.get_next_available_stream_id()
        headers = {
            ":method": "POST",
            ":scheme": "http",
            ":path": method,
            ":authority": "localhost",
            "te": "trailers",
            "content-type": "application/grpc",
            "user-agent": user_agent,
        }
        self._http.send_headers(self._stream, list(headers.items()))
        self._unsent = bytearray()
        self._received = bytearray()
        # A server is there that reads: it has said its settings.
        self.ready = False
        # Why nothing more comes; None = it goes on.
        self.over: str | None = None

    @property
    def waiting(self) -> int:
        """Bytes of messages for which the server has not given room yet."""
        return len(self._unsent)

    def send(self, message: bytes) -> None:
        self._unsent += PREFIX.pack(0, len(message))
        self._unsent += message

    def end(self) -> None:
        """There are no more messages. To be called when nothing waits."""
        if self.over is None:
            self._http.end_stream(self._stream)

    def outgoing(self) -> bytes:
        """What is to be written to the socket now: many messages share a frame."""
        if self.over is None:
            self._frames()
        return self._http.data_to_send()

    def receive(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes.

        :raises CallFailed: what came is no HTTP/2, no gRPC, or too large.
        """
        try:
            events = self._http.receive_data(data)
            for event in events:
                self._take(event)
        except H2Error as reason:
            raise CallFailed(f"no HTTP/2: {reason}") from reason
        return self._messages()

    def _frames(self) -> None:
        unsent = self._unsent
        room = min(len(unsent), self._http.local_flow_control_window(self._stream))
        while room > 0:
            size = min(room, self._http.max_outbound_frame_size)
            self._http.send_data(self._stream, bytes(unsent[:size]))
            del unsent[:size]
            room -= size

    def _take(self, event: Event) -> None:
        if isinstance(event, RemoteSettingsChanged):
            self.ready = True
        elif isinstance(event, DataReceived):
            self._received += event.data
            self._http.acknowledge_received_data(event.flow_controlled_length, self._stream)
        elif isinstance(event, ResponseReceived | TrailersReceived):
            self._read({str(name): str(value) for name, value in event.headers})
        elif isinstance(event, StreamEnded):
            self._end("the server ended the call")
        elif isinstance(event, StreamReset):
            self._end(f"the server reset the call: {event.error_code}")
        elif isinstance(event, ConnectionTerminated):
            self._end(f"the server closes the connection: {event.error_code}")

    def _read(self, headers: dict[str, str]) -> None:
        if headers.get(":status", "200") != "200":
            self._end(f"HTTP status {headers[':status']}")
        elif headers.get("grpc-status", "0") != "0":
            self._end(f"gRPC status {headers['grpc-status']}: {unquote(headers.get('grpc-message', ''))}")

    def _end(self, why: str) -> None:
        if self.over is None:
            self.over = why

    def _messages(self) -> list[bytes]:
        found, received = [], self._received
        while len(received) >= PREFIX.size:
            compressed, size = PREFIX.unpack_from(received)
            if compressed or size > MAX_ANSWER_BYTES:
                raise CallFailed(f"an answer of {size} bytes{', compressed' if compressed else ''}")
            if len(received) < PREFIX.size + size:
                break
            found.append(bytes(received[PREFIX.size : PREFIX.size + size]))
            del received[: PREFIX.size + size]
        return found
