"""What `tokens` computes, asynchronously, as models are that ask other models."""

import asyncio
from typing import Any

import numpy as np
import triton_python_backend_utils as pb

TOKENS, WIDTH = 64, 32


class TritonPythonModel:
    def initialize(self, arguments: dict[str, str]) -> None:
        self.embedding = np.random.default_rng(0).standard_normal((TOKENS, WIDTH), dtype=np.float32)

    async def execute(self, requests: list[Any]) -> list[Any]:
        return [await self.answer(request) for request in requests]

    async def answer(self, request: Any) -> Any:
        await asyncio.sleep(0)
        tokens = pb.get_input_tensor_by_name(request, "tokens").as_numpy() % TOKENS
        logits = (self.embedding[tokens] @ self.embedding.T).astype(np.float32)
        return pb.InferenceResponse([pb.Tensor("logits", logits)])
