"""An analyser that only writes down what it is sent, and asks what a test wants: the real wire contract on a real Unix socket."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc

from sentinel_inference._wire import inference_pb2 as wire
from sentinel_inference.channel import METHOD

WAIT_S = 60.0


class Analyser:
    def __init__(self, socket: Path, pause_s: float = 0) -> None:
        """`pause_s`: how long it takes to look at a record."""
        self.requests: list[wire.StreamSamplesRequest] = []
        self._pause = pause_s
        self._says: queue.Queue[wire.StreamSamplesResponse] = queue.Queue()
        self._stopped = threading.Event()
        self._server = grpc.server(futures.ThreadPoolExecutor(16))
        handler = grpc.stream_stream_rpc_method_handler(
            self._stream,
            request_deserializer=wire.StreamSamplesRequest.FromString,
            response_serializer=wire.StreamSamplesResponse.SerializeToString,
        )
        service, method = METHOD.strip("/").split("/")
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
        self._server.add_insecure_port(f"unix:{socket}")
        self._server.start()

    def _stream(self, requests: Iterator[wire.StreamSamplesRequest], _: Any) -> Iterator[wire.StreamSamplesResponse]:
        over = threading.Event()
        threading.Thread(target=self._read, args=(requests, over), daemon=True).start()
        while not over.is_set() and not self._stopped.is_set():
            with contextlib.suppress(queue.Empty):
                yield self._says.get(timeout=0.05)

    def _read(self, requests: Iterator[wire.StreamSamplesRequest], over: threading.Event) -> None:
        try:
            for count, request in enumerate(requests, 1):
                self.requests.append(request)
                self._stopped.wait(self._pause)
                self.say(handled=count)
        except grpc.RpcError:
            pass
        finally:
            over.set()

    def say(self, **response: Any) -> None:
        self._says.put(wire.StreamSamplesResponse(**response))

    def of(self, kind: str) -> list[Any]:
        return [getattr(request, kind) for request in list(self.requests) if request.WhichOneof("body") == kind]

    def wait(self, enough: Callable[[], bool], step: Callable[[], object] | None = None) -> None:
        """`step` is done again and again meanwhile."""
        end = time.monotonic() + WAIT_S
        while not enough():
            assert time.monotonic() < end, f"not enough came: {[one.WhichOneof('body') for one in self.requests]}"
            if step is not None:
                step()
            time.sleep(0.01)

    def stop(self) -> None:
        self._stopped.set()
        self._server.stop(grace=None).wait()
