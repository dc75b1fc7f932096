"""Continues `tokens` greedily by `max_tokens`, one response for each token. A negative token is refused: an error in the middle."""

from typing import Any

import numpy as np
import triton_python_backend_utils as pb

TOKENS, WIDTH = 64, 32


class TritonPythonModel:
    def initialize(self, arguments: dict[str, str]) -> None:
        random = np.random.default_rng(0)
        self.embedding = random.standard_normal((TOKENS, WIDTH), dtype=np.float32)
        self.mixing = random.standard_normal((WIDTH, WIDTH), dtype=np.float32)

    def execute(self, requests: list[Any]) -> None:
        for request in requests:
            self.answer(request)

    def answer(self, request: Any) -> None:
        sender = request.get_response_sender()
        tokens = pb.get_input_tensor_by_name(request, "tokens").as_numpy()
        last = int(tokens[-1])
        for _ in range(int(pb.get_input_tensor_by_name(request, "max_tokens").as_numpy()[0])):
            if last < 0:
                sender.send(pb.InferenceResponse(error=pb.TritonError("a token is negative")))
                break
            logits = (self.embedding[last % TOKENS] @ self.mixing @ self.embedding.T).astype(np.float32)
            last = int(logits.argmax())
            token = np.array([last], dtype=np.int64)
            sender.send(pb.InferenceResponse([pb.Tensor("token", token), pb.Tensor("logits", logits)]))
        sender.send(flags=pb.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
