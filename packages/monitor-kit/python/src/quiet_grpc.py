"""gRPC that writes nothing to the output of the job or server where the analyser goes away, unless GRPC_VERBOSITY asks for it."""

from __future__ import annotations

import os

_VARIABLE = "GRPC_VERBOSITY"
_asked = _VARIABLE in os.environ
if not _asked:
    os.environ[_VARIABLE] = "NONE"

import grpc  # noqa: E402

# It reads the variable when its first channel is made.
grpc.insecure_channel("unix:/nonexistent").close()
if not _asked:
    del os.environ[_VARIABLE]

__all__ = ["grpc"]
