"""Logits of the token after each of `tokens`, as the model of Triton beside it."""

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

TOKENS, WIDTH = 64, 32


class TokensModel(MLModel):
    async def load(self) -> bool:
        self.embedding = np.random.default_rng(0).standard_normal((TOKENS, WIDTH), dtype=np.float32)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        tokens = NumpyCodec.decode_input(payload.inputs[0]) % TOKENS
        logits = (self.embedding[tokens] @ self.embedding.T).astype(np.float32)
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("logits", logits)])
