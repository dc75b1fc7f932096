"""A call against the server's side of h2, byte by byte."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded
from h2.settings import SettingCodes, Settings

from sentinel_training._kit import rpc
from sentinel_training._kit.rpc import PREFIX, Call, CallFailed

HEAD = [(":status", "200"), ("content-type", "application/grpc")]


class Served:
    """A call that a server has begun to answer; what the client sends is in `received`."""

    def __init__(self, window: int = 65_535) -> None:
        self.call = Call("/a.Service/Method", "test")
        self.server = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.server.local_settings = Settings(client=False, initial_values={SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.server.initiate_connection()
        self.received = bytearray()
        self.headers: dict[str, str] = {}
        self.ended = False
        assert not self.call.ready
        self.exchange()
        self.server.send_headers(1, HEAD)

    def exchange(self) -> list[bytes]:
        """Both read what the other wrote, until neither writes; gives the answers."""
        answers: list[bytes] = []
        while True:
            sent, told = self.call.outgoing(), self.server.data_to_send()
            if not sent and not told:
                return answers
            for event in self.server.receive_data(sent) if sent else []:
                if isinstance(event, RequestReceived):
                    self.headers = {str(name): str(value) for name, value in event.headers}
                if isinstance(event, DataReceived):
                    self.received += event.data
                    self.server.acknowledge_received_data(event.flow_controlled_length, 1)
                self.ended = self.ended or isinstance(event, StreamEnded)
            answers += self.call.receive(told) if told else []


def framed(message: bytes, compressed: int = 0) -> bytes:
    return PREFIX.pack(compressed, len(message)) + message


def test_what_a_grpc_server_sees() -> None:
    served = Served()
    assert served.call.ready
    assert served.headers == {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/a.Service/Method",
        ":authority": "localhost",
        "te": "trailers",
        "content-type": "application/grpc",
        "user-agent": "test",
    }
    served.call.send(b"one")
    served.call.send(b"")
    served.exchange()
    assert bytes(served.received) == b"\0\0\0\0\3one\0\0\0\0\0"
    served.call.end()
    served.exchange()
    assert served.ended and served.call.over is None


def test_only_as_much_as_there_is_room_for() -> None:
    served = Served(window=10)
    message = bytes(range(256)) * 1000
    served.call.send(message)
    first = served.call.outgoing()
    assert len(first) < 30 and served.call.waiting == len(message) + PREFIX.size - 10
    for event in served.server.receive_data(first):
        if isinstance(event, DataReceived):
            served.received += event.data
            served.server.acknowledge_received_data(event.flow_controlled_length, 1)
    served.server.increment_flow_control_window(300_000, 1)
    served.server.increment_flow_control_window(300_000)
    served.exchange()
    assert served.call.waiting == 0 and bytes(served.received) == framed(message)


def test_answers_in_pieces_and_many_at_once() -> None:
    served = Served()
    data = framed(b"first") + framed(b"") + framed(b"x" * 1000)
    for k in range(len(data) - 500):
        served.server.send_data(1, data[k : k + 1])
        got = served.exchange()
        assert got == {9: [b"first"], 14: [b""]}.get(k, [])
    served.server.send_data(1, data[-500:])
    assert served.exchange() == [b"x" * 1000]


def test_more_answers_than_a_window_holds() -> None:
    served, answer = Served(), framed(b"x" * 16_000)
    for _ in range(100):
        served.server.send_data(1, answer)
        assert served.exchange() == [answer[PREFIX.size :]]


def test_a_ping_is_answered() -> None:
    served = Served()
    served.server.ping(b"12345678")
    assert b"12345678" not in served.call.outgoing()
    served.call.receive(served.server.data_to_send())
    assert b"12345678" in served.call.outgoing()


ENDS: list[tuple[str, Callable[[H2Connection], object]]] = [
    (
        "status 7: too long",
        lambda server: server.send_headers(1, [("grpc-status", "7"), ("grpc-message", "too%20long")], True),
    ),
    ("ended the call", lambda server: server.send_headers(1, [("grpc-status", "0")], True)),
    ("ended the call", lambda server: server.end_stream(1)),
    ("reset the call", lambda server: server.reset_stream(1, 2)),
    ("closes the connection", lambda server: server.close_connection()),
]


@pytest.mark.parametrize(("why", "end"), ENDS)
def test_the_server_ends_it_after_an_answer(why: str, end: Callable[[H2Connection], object]) -> None:
    served = Served()
    served.server.send_data(1, framed(b"last"))
    end(served.server)
    assert served.call.receive(served.server.data_to_send()) == [b"last"]
    assert why in str(served.call.over)
    served.call.outgoing()


def test_no_grpc_there() -> None:
    call, server = Call("/a.Service/Method", "test"), H2Connection(H2Configuration(client_side=False))
    server.initiate_connection()
    server.receive_data(call.outgoing())
    server.send_headers(1, [(":status", "404")], end_stream=True)
    call.receive(server.data_to_send())
    assert call.over == "HTTP status 404"


def test_answers_that_are_not_taken() -> None:
    served = Served()
    served.server.send_data(1, framed(b"x", compressed=1))
    with pytest.raises(CallFailed, match="1 bytes, compressed"):
        served.exchange()
    served = Served()
    served.server.send_data(1, PREFIX.pack(0, rpc.MAX_ANSWER_BYTES + 1))
    with pytest.raises(CallFailed, match="of 4194305 bytes"):
        served.exchange()
    with pytest.raises(CallFailed, match="no HTTP/2"):
        Served().call.receive(bytes(range(256)) * 2)
