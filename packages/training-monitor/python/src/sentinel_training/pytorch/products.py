"""A matrix product of one linear layer against its checksum: the sum over the rows of C = A B is (the sum over the rows of A) B."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .._wire import training_pb2 as wire
from .hooks import Hook


class ProductCheck:
    """Of one forward pass of one layer; the number stays on the device until it is asked for."""

    def __init__(self, name: str, layer: nn.Linear) -> None:
        self.layer = name
        self.shape = ""
        self.dtype = ""
        self._error: Tensor | None = None
        self._ready: Any = None
        self._handle: Any = layer.register_forward_hook(Hook(self._check))

    def end(self) -> None:
        self._handle.remove()

    @property
    def done(self) -> bool:
        return self._error is not None and (self._ready is None or self._ready.query())

    def error(self) -> float:
        assert self._error is not None
        return float(self._error.item())

    def record(self, step: int, time_us: int) -> wire.ProductCheck:
        return wire.ProductCheck(
            step=step,
            time_us=time_us,
            op="linear",
            layer=self.layer,
            shape=self.shape,
            dtype=self.dtype,
            relative_error=self.error(),
        )

    def _check(self, layer: nn.Linear, args: tuple[Any, ...], output: Any) -> None:
        weight = layer.weight
        if self._error is not None or not args or not isinstance(output, Tensor) or hasattr(weight, "device_mesh"):
            return
        with torch.no_grad(), torch.autocast(output.device.type, enabled=False):
            a = args[0].detach().reshape(-1, weight.shape[1])
            c = output.detach().reshape(-1, weight.shape[0])
            error = relative_error(a, weight.detach(), layer.bias, c)
        self.shape = f"{c.shape[0]}x{c.shape[1]}x{a.shape[1]}"
        self.dtype = str(output.dtype).removeprefix("torch.")
        if error.device.type == "cuda":
            host = torch.empty((), dtype=error.dtype, pin_memory=True)
            host.copy_(error, non_blocking=True)
            self._ready = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._ready.record()
            error = host
        self._error = error


class ProductChecks:
    """Of the layers in turn; what a device has not finished waits."""

    def __init__(self, layers: list[tuple[str, nn.Linear]]) -> None:
        self._layers = layers
        self._under_way: list[tuple[int, ProductCheck]] = []

    def begin(self, step: int, turn: int) -> None:
        """Checks the next product of one layer. `turn`: counts up, and says which."""
        if self._layers:
            self._under_way.append((step, ProductCheck(*self._layers[turn % len(self._layers)])))

    def end(self) -> None:
        """The forward pass is over: later ones are not looked at."""
        for _, check in self._under_way:
            check.end()

    def finished(self, time_us: int) -> list[wire.ProductCheck]:
        """Those that are done, each once; one whose layer was not in the pass is forgotten."""
        done = [check.record(step, time_us) for step, check in self._under_way if check.done]
        self._under_way = [(step, check) for step, check in self._under_way if check.shape and not check.done]
        return done


def relative_error(a: Tensor, weight: Tensor, bias: Tensor | None, c: Tensor) -> Tensor:
    """Largest |sum over rows of C - ((sum over rows of A) W^T + M b)| over (sum over rows of |A|) |W|^T + M |b|.

    Args:
        a: [M, K] as the layer was given it. weight: [N, K]. bias: [N]. c: [M, N] as the layer gave it back.
    """
    if c.dtype in (torch.bfloat16, torch.float16):
        # What the product itself was given under autocast.
        a, weight = a.to(c.dtype), weight.to(c.dtype)
    wide = torch.float64 if c.dtype == torch.float64 else torch.float32
    a, weight = a.to(wide), weight.to(wide)
    expected = weight @ a.sum(0)
    scale = weight.abs() @ a.abs().sum(0)
    if bias is not None:
        expected += a.shape[0] * bias.detach().to(wide)
        scale += a.shape[0] * bias.detach().to(wide).abs()
    difference = (c.sum(0, dtype=wide) - expected).abs()
    # Where the scale is zero every term is: any difference at all is a whole one.
    return (difference / scale.clamp_min(torch.finfo(wide).tiny)).max().clamp_max(torch.finfo(wide).max)


def linear_layers(module: nn.Module) -> list[tuple[str, nn.Linear]]:
    return [(name, part) for name, part in module.named_modules() if type(part) is nn.Linear]
