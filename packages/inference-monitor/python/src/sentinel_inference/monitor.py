"""The monitor of one inference server."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from ._kit.guard import log
from ._version import __version__
from .channel import MONITOR, Channel
from .config import Settings, load

F = TypeVar("F", bound=Callable[..., Any])


class Attachment(Protocol):
    def close(self) -> None: ...


class InferenceMonitor:
    """Captures records of sampled requests and sends them to the analyser of this node.

    It never changes what the server answers. What goes wrong in it ends it, is said once in the log of `sentinel_inference`, and
    costs no request; a result that cannot be read costs its record and is counted. Without the analyser the server goes on, and what is
    not sent is dropped and counted.
    """

    def __init__(self, settings: Settings) -> None:
        self._channel = Channel(settings, __version__)
        self._attached: Attachment | None = None

    @classmethod
    def from_config(cls, path: str | os.PathLike[str] | None = None) -> InferenceMonitor:
        """Reads section `inference_monitor` of the file at `path`; None = /etc/sentinel/config/sentinel.yaml, else the defaults.

        Raises:
            ConfigError: the file cannot be read, or a value is not allowed.
        """
        return cls(load(path))

    @property
    def dropped(self) -> int:
        """Records that were not sent because the analyser was away or slow."""
        return self._channel.dropped

    @property
    def unread(self) -> int:
        """Sampled results that could not be read; the log says why."""
        return self._channel.unread

    @property
    def seen(self) -> int:
        """Requests that passed, sampled or not."""
        return self._channel.sampling.seen

    @property
    def spent_s(self) -> float:
        """Seconds that the hooks of the library took in the server's own process so far."""
        return self._channel.spent_s

    def attach_vllm(self, engine: Any) -> InferenceMonitor:
        """`engine`: an LLM, LLMEngine or AsyncLLM of vLLM, V1."""
        from .vllm.attach import VllmAttachment

        return self._attach(lambda: VllmAttachment(engine, self._channel))

    def attach_trtllm(self, llm: Any) -> InferenceMonitor:
        """`llm`: an LLM of TensorRT-LLM. Written for its documented interface; not run with it."""
        from .trtllm import TrtllmAttachment

        return self._attach(lambda: TrtllmAttachment(llm, self._channel))

    def attach_sglang(self, engine: Any) -> InferenceMonitor:
        """`engine`: an Engine of SGLang. Written for its documented interface; not run with it."""
        from .sglang import SglangAttachment

        return self._attach(lambda: SglangAttachment(engine, self._channel))

    def attach_triton(self, model: Any) -> Any:
        """Inside a Triton server. `model`: the TritonPythonModel, at the end of its `initialize`; or an `infer` function of pytriton.

        Returns: the model, or what is to be given to pytriton in place of the function.
        """
        from .triton import TritonAttachment, watched

        if hasattr(model, "execute"):
            self._attach(lambda: TritonAttachment(model, self._channel))
            return model
        return watched(model, self._channel)

    def wrap(self, function: F, model: str = "", read: Callable[[Any], Any] | None = None) -> F:
        """`function` that returns what it returns, and of whose results sampled ones are looked at.

        It may be asynchronous. `model`: its name; default: that of the function. `read` takes what it returned and gives a mapping with
        `logits` (tokens, vocabulary), `logprobs` (tokens) with `tokens`, or any named tensors; default: the result itself, where it is a
        mapping, an object with such attributes, or one array (logits).
        """
        from .anything import wrapped

        return cast(F, wrapped(function, self._channel, model, read))

    def reloaded(self) -> None:
        """To be called where weights were exchanged on purpose in a way that the library does not see."""
        found = getattr(self._attached, "reloaded", None)
        if found is not None:
            found()

    def close(self) -> None:
        """Takes every hook out, sends what waits, and ends the thread."""
        if self._attached is not None:
            self._attached.close()
            self._attached = None
        self._channel.close()

    def _attach(self, make: Callable[[], Attachment]) -> InferenceMonitor:
        if self._attached is not None:
            raise RuntimeError("this monitor is attached already: make one for each engine")
        try:
            self._attached = make()
        except Exception as reason:
            self._channel.guard.off(MONITOR, f"{type(reason).__name__}: {reason}")
            log.debug("attach failed", exc_info=True)
        return self
