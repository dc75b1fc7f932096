"""A small inference server with OpenAI's interface: a transformer of two layers over bytes, in PyTorch, seeded. It knows nothing of SENTINEL.

    python serve.py PORT        SIGUSR1 flips one bit of one weight in its memory, as a fault of the memory would.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import torch
from torch import nn

WIDTH, HEADS, LAYERS, BYTES, LONGEST = 64, 4, 2, 256, 1024


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(BYTES, WIDTH)
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, dropout=0, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, BYTES)

    def forward(self, tokens: list[int]) -> torch.Tensor:
        """Logarithms of the probability of each byte after each token, [len(tokens), BYTES]."""
        mask = nn.Transformer.generate_square_subsequent_mask(len(tokens))
        hidden = self.layers(self.embedding(torch.tensor([tokens])), mask=mask, is_causal=True)
        return torch.log_softmax(self.head(hidden)[0], dim=-1)


class Server:
    def __init__(self) -> None:
        self.model = Model().eval()
        self.turn = threading.Lock()

    def flip(self, *_: object) -> None:
        """One bit of the exponent of one weight: from now on every answer is a little wrong, and none fails."""
        weight = self.model.layers.layers[1].linear1.weight.detach()
        weight.view(-1)[17:18].view(torch.int32).bitwise_xor_(1 << 26)
        print("a bit of a weight has flipped", flush=True)

    @torch.inference_mode()
    def complete(self, asked: dict[str, Any]) -> dict[str, Any]:
        prompt = asked.get("prompt", "")
        tokens = list(prompt.encode() if isinstance(prompt, str) else prompt)[-LONGEST:] or [0]
        first = len(tokens)
        with self.turn:
            for _ in range(min(int(asked.get("max_tokens", 16)), LONGEST)):
                tokens.append(int(self.model(tokens)[-1].argmax()))
            scores = self.model(tokens)
        shown = range(0 if asked.get("echo") else first, len(tokens))
        choice: dict[str, Any] = {
            "index": 0,
            "text": bytes(tokens[i] for i in shown).decode("latin-1"),
            "finish_reason": "length",
            "logprobs": self.logprobs(tokens, scores, shown, asked["logprobs"]) if asked.get("logprobs") else None,
        }
        if asked.get("return_token_ids"):
            choice |= {"token_ids": tokens[first:], "prompt_token_ids": tokens[:first]}
        usage = {"prompt_tokens": first, "completion_tokens": len(tokens) - first, "total_tokens": len(tokens)}
        about = {"id": "cmpl-example", "object": "text_completion", "created": int(time.time()), "model": "example"}
        return {**about, "choices": [choice], "usage": usage}

    @staticmethod
    def logprobs(tokens: list[int], scores: torch.Tensor, shown: range, count: int) -> dict[str, Any]:
        best = scores.topk(min(int(count), 20), dim=-1)
        top = [{chr(t): v for t, v in zip(best.indices[i].tolist(), best.values[i].tolist(), strict=True)} for i in range(len(tokens))]
        return {
            "tokens": [chr(tokens[i]) for i in shown],
            # Nothing comes before the first.
            "token_logprobs": [float(scores[i - 1, tokens[i]]) if i > 0 else None for i in shown],
            "top_logprobs": [top[i - 1] if i > 0 else None for i in shown],
            "text_offset": [i - shown[0] for i in shown],
        }


def handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def answer(self, status: int, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:  # noqa: N802
            known: dict[str, object] = {
                "/health": {},
                "/version": {"version": "1"},
                "/v1/models": {"object": "list", "data": [{"id": "example", "object": "model", "owned_by": "example"}]},
            }
            self.answer(200, known[self.path]) if self.path in known else self.answer(404, {"error": {"message": "?"}})

        def do_POST(self) -> None:  # noqa: N802
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path != "/v1/completions":
                return self.answer(404, {"error": {"message": "?"}})
            try:
                return self.answer(200, server.complete(json.loads(body)))
            except (ValueError, TypeError) as reason:
                return self.answer(400, {"error": {"message": str(reason)}})

    return Handler


def main() -> None:
    torch.set_num_threads(1)
    server = Server()
    signal.signal(signal.SIGUSR1, server.flip)
    http = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), handler(server))
    http.daemon_threads = True
    print("serving", flush=True)
    http.serve_forever()


if __name__ == "__main__":
    main()
