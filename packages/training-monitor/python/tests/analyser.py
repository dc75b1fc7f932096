"""An analyser that only writes down what it is sent: the real wire contract on a real Unix socket."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc

from sentinel_training._wire import training_pb2 as wire
from sentinel_training.sender import METHOD

WAIT_S = 300.0


class Analyser:
    def __init__(self, socket: Path, pause_s: float = 0) -> None:
        """`pause_s`: how long it takes to look at a record. Records for which `wants_replay` is true are answered so; those for which
        `refuses` gives a reason end their stream with it."""
        self.refuses: Callable[[wire.StreamStepsRequest], str] = lambda _: ""
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

    def _stream(self, requests: Iterator[wire.StreamStepsRequest], call: Any) -> Iterator[wire.StreamStepsResponse]:
        for count, request in enumerate(requests, 1):
            with self._lock:
                self.requests.append(request)
            self._stopped.wait(self._pause)
            if reason := self.refuses(request):
                call.abort(grpc.StatusCode.INVALID_ARGUMENT, reason)
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


def serve() -> None:
    """In a process of its own: for each line of the input, the steps that came."""
    one = Analyser(Path(sys.argv[1]), float(sys.argv[2]))
    for _ in sys.stdin:
        print(*(step.step for step in one.of("step")), flush=True)


if __name__ == "__main__":
    serve()
