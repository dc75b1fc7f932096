"""Asks a server of KServe v2 over HTTP and gRPC with Triton's clients, and prints what came as JSON.

usage: kserve_surface.py HTTP_HOST:PORT GRPC_HOST:PORT [binary] [stream]
"""

import hashlib
import json
import queue
import sys

import numpy as np
import tritonclient.grpc as grpc
import tritonclient.http as http
from google.protobuf.json_format import MessageToDict
from tritonclient.utils import InferenceServerException

TOKENS = np.array([[3, 5, 7]], dtype=np.int64)
#: A megabyte in one answer, over many reads.
MANY = np.arange(8 * 400, dtype=np.int64).reshape(8, 400) % 64


def main(over_http: str, over_grpc: str, can: set[str]) -> None:
    found = {"http": outcomes(http_calls(over_http, "binary" in can))}
    found["grpc"] = outcomes(grpc_calls(over_grpc))
    if "stream" in can:
        found["stream"] = outcomes(stream_calls(over_grpc))
    json.dump(found, sys.stdout)


def http_calls(address: str, binary: bool) -> dict:
    client = http.InferenceServerClient(address, concurrency=4)

    def infer(tokens, wants_binary: bool, **more):
        asked = http.InferInput("tokens", list(tokens.shape), "INT64")
        asked.set_data_from_numpy(tokens, binary_data=wants_binary)
        outputs = [http.InferRequestedOutput("logits", binary_data=wants_binary)]
        answer = client.infer("tokens", [asked], outputs=outputs, request_id="7", **more)
        values = digest(answer.as_numpy("logits"))
        response = answer.get_response()
        for output in response["outputs"]:
            output.pop("data", None)
        return [response, values]

    calls = {
        "live": client.is_server_live,
        "ready": client.is_server_ready,
        "server": client.get_server_metadata,
        "model": lambda: client.get_model_metadata("tokens"),
        "json": lambda: infer(TOKENS, False),
        "many in json": lambda: infer(MANY, False),
        "no such model": lambda: client.get_model_metadata("nowhere"),
    }
    if binary:
        calls |= {
            "binary": lambda: infer(TOKENS, True),
            "many in binary": lambda: infer(MANY, True),
            "version": lambda: infer(TOKENS, True, model_version="1"),
            "compressed": lambda: infer(
                TOKENS, True, request_compression_algorithm="gzip", response_compression_algorithm="gzip"
            ),
            "bad shape": lambda: infer(TOKENS.reshape(3), True),
        }
    return calls


def grpc_calls(address: str) -> dict:
    client = grpc.InferenceServerClient(address)

    def infer(tokens, model="tokens", **more):
        asked = grpc.InferInput("tokens", list(tokens.shape), "INT64")
        asked.set_data_from_numpy(tokens)
        answer = client.infer(model, [asked], request_id="7", **more)
        outputs = MessageToDict(answer.get_response())["outputs"]
        return [digest(answer.as_numpy("logits")), [output["shape"] for output in outputs]]

    return {
        "live": client.is_server_live,
        "server": lambda: MessageToDict(client.get_server_metadata()),
        "model": lambda: MessageToDict(client.get_model_metadata("tokens")),
        "infer": lambda: infer(TOKENS),
        "many": lambda: infer(MANY),
        "in time": lambda: infer(TOKENS, client_timeout=30),
        "no such model": lambda: infer(TOKENS, "nowhere"),
    }


def stream_calls(address: str) -> dict:
    def stream(prompts: list[list[int]], tokens: int):
        came: queue.Queue = queue.Queue()
        with grpc.InferenceServerClient(address) as client:
            client.start_stream(lambda result, error: came.put((result, error)))
            for number, prompt in enumerate(prompts):
                first = grpc.InferInput("tokens", [len(prompt)], "INT64")
                first.set_data_from_numpy(np.array(prompt, dtype=np.int64))
                length = grpc.InferInput("max_tokens", [1], "INT64")
                length.set_data_from_numpy(np.array([tokens], dtype=np.int64))
                client.async_stream_infer("stream", [first, length], request_id=str(number), enable_empty_final_response=True)
            client.stop_stream()
        # Triton answers requests of one stream side by side: in order are those to one request.
        answers: dict = {}
        while not came.empty():
            result, error = came.get()
            which = "" if error else result.get_response().id
            answers.setdefault(which, []).append(str(error) if error else tensors(result))
        return answers

    def tensors(result):
        token = result.as_numpy("token")
        return None if token is None else [token.tolist(), digest(result.as_numpy("logits"))]

    return {
        "one": lambda: stream([[3]], 20),
        "three": lambda: stream([[3], [4, 5], [6]], 5),
        "an error in the middle": lambda: stream([[3], [-1]], 3),
    }


def digest(values: np.ndarray) -> list:
    return [values.shape, hashlib.sha256(values.tobytes()).hexdigest()]


def outcomes(calls: dict) -> dict:
    return {name: outcome(call) for name, call in calls.items()}


def outcome(call) -> object:
    try:
        return call()
    except InferenceServerException as error:
        return [error.status(), error.message()]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], set(sys.argv[3:]))
