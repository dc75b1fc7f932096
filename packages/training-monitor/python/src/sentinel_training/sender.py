"""The stream of one rank to the analyser of its node."""

from __future__ import annotations

from collections.abc import Callable

from ._kit import sender
from ._wire import training_pb2 as wire

METHOD = "/sentinel.v1.TrainingService/StreamSteps"


class Sender(sender.Sender[wire.StreamStepsRequest, wire.StreamStepsResponse]):
    def __init__(
        self,
        socket_path: str,
        hello: wire.RankHello,
        config_path: str,
        on_answer: Callable[[wire.StreamStepsResponse], None] | None = None,
    ) -> None:
        """`on_answer` is called in the thread with what the analyser answers."""
        self._layers: list[str] = []
        stream = sender.Stream[wire.StreamStepsRequest, wire.StreamStepsResponse](
            method=METHOD,
            answer=wire.StreamStepsResponse,
            going_on="training",
            command=f"sentinel-training-monitor --config {config_path}",
        )
        super().__init__(
            stream, socket_path, lambda: wire.StreamStepsRequest(hello=hello), self._name_layers, on_answer
        )

    def layers(self, names: list[str]) -> None:
        """What the norms of layers belong to; said with the first step of every stream."""
        self._layers = names

    def _name_layers(self, record: wire.StreamStepsRequest, named: bool) -> bool:
        if record.HasField("step") and not named:
            record.step.layers[:] = self._layers
            return True
        return False
