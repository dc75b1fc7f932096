"""Users of a model over gRPC, one request after the other, until killed: ADDRESS."""

import itertools
import sys
import time

import numpy as np
import tritonclient.grpc as grpc

client = grpc.InferenceServerClient(sys.argv[1])
for token in itertools.cycle(range(64)):
    tokens = np.array([[token]], dtype=np.int64)
    asked = grpc.InferInput("tokens", list(tokens.shape), "INT64")
    asked.set_data_from_numpy(tokens)
    client.infer("tokens", [asked])
    time.sleep(0.05)
