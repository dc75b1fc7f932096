"""An analyser that only writes down what it is sent: the real wire contract on a real Unix socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc

from sentinel_training._wire import training_pb2 as wire
from sentinel_training.sender import METHOD

WAIT_S = 30.0


class Analyser:
    def __init__(self, socket: Path, pause_s: float = 0) -> None:
        """`pause_s`: how long it takes to look at a record. Records for which `wants_replay` is true are answered so."""
        self.wants_replay: Callable[[wire.StreamStepsRequest], bool] = lambda _: False
        self.requests: list[wire.StreamStepsRequest] = []
        self._pause = pause_s
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._server = grpc.server(futures.ThreadPoolExecutor(16))
        handler = grpc.stream_stream_rpc_method_handler(
            self._stream,
            request_deserializer=wire.StreamStepsRequest.FromString,
            response_serializer=wire.StreamStepsResponse.SerializeToString,
        )
        service, method = METHOD.strip("/").split("/")
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
        self._server.add_insecure_port(f"unix:{socket}")
        self._server.start()

    def _stream(self, requests: Iterator[wire.StreamStepsRequest], _: Any) -> Iterator[wire.StreamStepsResponse]:
        for count, request in enumerate(requests, 1):
            with self._lock:
                self.requests.append(request)
            self._stopped.wait(self._pause)
            yield wire.StreamStepsResponse(handled=count, replay_wanted=self.wants_replay(request))

    def of(self, kind: str) -> list[Any]:
        with self._lock:
            return [getattr(request, kind) for request in self.requests if request.WhichOneof("body") == kind]

    def wait(self, enough: Callable[[], bool]) -> None:
        end = time.monotonic() + WAIT_S
        while not enough():
            assert time.monotonic() < end, f"not enough came: {len(self.requests)} records"
            time.sleep(0.01)

    def stop(self) -> None:
        self._stopped.set()
        self._server.stop(grace=None).wait()
