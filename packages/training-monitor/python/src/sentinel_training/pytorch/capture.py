"""One micro-batch as it was computed: what went in, which gradient came back, and what the parameters' gradients were."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from .._kit.checksum import checksum
from .layout import TooSparseError, copied
from .python_state import PythonState, UnknownStateError
from .randomness import Randomness, draw_state

# A micro-batch with more than this is not sent to another rank; it is computed again on its own only.
MAX_CAPTURE_BYTES = 64 << 20
_PLAIN = (type(None), bool, int, float, str, torch.dtype, torch.device)


class NotCaptured(RuntimeError):
    """A micro-batch that cannot be computed again; says why."""


@dataclass
class Capture:
    inputs: list[Any]
    inputs_spec: pytree.TreeSpec
    buffers: dict[str, Tensor]
    randomness: Randomness
    autocast: tuple[bool, torch.dtype]
    # Digest of what the model's Python objects held; b"" = not known yet.
    values: bytes = b""
    # One per output that takes part in the gradient, in the order of the outputs.
    output_gradients: list[Tensor | None] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return any(gradient is not None for gradient in self.output_gradients)

    def to_bytes(self) -> bytes:
        """For another rank. Raises NotCaptured where it is larger than MAX_CAPTURE_BYTES."""
        tensors = [leaf for leaf in (*self.inputs, *self.output_gradients) if isinstance(leaf, Tensor)]
        if sum(t.numel() * t.element_size() for t in (*tensors, *self.buffers.values())) > MAX_CAPTURE_BYTES:
            raise NotCaptured(f"a micro-batch with its output gradients is larger than {MAX_CAPTURE_BYTES >> 20} MiB")
        place = io.BytesIO()
        content = {
            "inputs": self.inputs,
            "buffers": self.buffers,
            "output_gradients": self.output_gradients,
            "autocast": self.autocast,
            "values": self.values.hex(),
            "randomness": self.randomness.plain(),
        }
        _save(
            pytree.tree_map_only(Tensor, lambda one: one if one.device == _HOST else copied(one, _HOST), content), place
        )
        return place.getvalue()


def from_bytes(data: bytes, own: Capture, device: torch.device) -> Capture:
    """Another rank's micro-batch, of the same structure as `own`."""
    content = _load(io.BytesIO(data))
    randomness = Randomness.from_plain(content.pop("randomness"))
    here = pytree.tree_map_only(Tensor, lambda tensor: copied(tensor, device), content)
    return Capture(
        inputs=here["inputs"],
        inputs_spec=own.inputs_spec,
        buffers=here["buffers"],
        randomness=randomness,
        autocast=content["autocast"],
        values=bytes.fromhex(content["values"]),
        output_gradients=here["output_gradients"],
    )


_HOST = torch.device("cpu")

# The originals: the monitor puts its own functions into the places of torch.save and torch.load.
_save, _load = torch.save, torch.load


class Capturing:
    """Takes one micro-batch while the job computes it. Its hooks hang on the model only that long."""

    def __init__(self, module: nn.Module, device: torch.device, *, inputs: bool, norms: bool) -> None:
        self._module = module
        self._device = device
        self._with_inputs = inputs
        self._with_norms = norms
        self._parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self._handles: list[Any] = []
        self._gradients: dict[int, Tensor] = {}
        self._norms: dict[int, Tensor] = {}
        self.capture: Capture | None = None
        self.why_not = ""
        # Why no rank may replay.
        self.refused = ""
        self._state: PythonState | None = None
        # Seconds that its hooks took, and those of looking at what the model's Python objects hold.
        self.spent = 0.0
        self.looked = 0.0

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._with_inputs:
            try:
                self.capture = take_inputs(self._module, self._device, args, kwargs)
                began = time.perf_counter()
                self._state = PythonState(self._module)
                self.capture.values = self._state.digest()
                self.looked = time.perf_counter() - began
            except NotCaptured as reason:
                self.why_not = str(reason)
            except UnknownStateError as reason:
                self.refused = f"{reason}, and a replay could change it"
        for index, parameter in enumerate(self._parameters):
            self._handles.append(hang_first(parameter, self._on_gradient(index)))

    def outputs(self, output: Any) -> None:
        """Called with what the model gave back."""
        if self.capture is None:
            return
        began = time.perf_counter()
        changed = self._state.changed() if self._state is not None else None
        self._state = None
        self.looked += time.perf_counter() - began
        if changed is not None:
            self.refused = f"{changed} changes in a forward pass, and a replay would change it once more"
        leaves = [leaf for leaf in pytree.tree_leaves(output) if isinstance(leaf, Tensor) and leaf.requires_grad]
        self.capture.output_gradients = [None] * len(leaves)
        for index, leaf in enumerate(leaves):
            self._handles.append(hang_last(leaf, self._on_output_gradient(index)))

    def end(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []

    @property
    def started_backward(self) -> bool:
        return bool(self._gradients or self._norms)

    def spoil(self, why: str) -> None:
        self.capture, self.why_not = None, why

    def digest(self) -> Tensor:
        """int64[2] of the gradients that this micro-batch gave to the parameters, before ranks reduced them."""
        return combine([self._gradients.get(index) for index in range(len(self._parameters))], self._device)

    def norm_squares(self) -> Tensor | None:
        """float64 scalar: sum of the squares of those gradients."""
        if not self._norms:
            return None
        return torch.stack([norm.double() for norm in self._norms.values()]).square().sum()

    def _on_gradient(self, index: int) -> Any:
        def hook(gradient: Tensor) -> None:
            began = time.perf_counter()
            try:
                if index in self._norms or index in self._gradients:
                    self.spoil("more than one backward pass for one forward pass")
                    return
                with torch.no_grad():
                    if self._with_norms:
                        self._norms[index] = torch.linalg.vector_norm(gradient)
                    if self.capture is not None:
                        self._gradients[index] = checksum([gradient])
            except Exception as reason:
                self.spoil(f"{type(reason).__name__}: {reason}")
            self.spent += time.perf_counter() - began

        return hook

    def _on_output_gradient(self, index: int) -> Any:
        def hook(gradient: Tensor | None) -> None:
            if self.capture is not None and gradient is not None:
                try:
                    self.capture.output_gradients[index] = copied(gradient)
                except TooSparseError as reason:
                    self.spoil(f"a gradient of an output is {reason}")

        return hook


def hang_first(tensor: Tensor, hook: Callable[[Tensor], None]) -> Any:
    """Calls `hook` with the gradient of the tensor before hooks of the user change it: a replay runs none of them."""
    handle = _hang(tensor, hook)
    hooks: dict[int, Any] = tensor._backward_hooks  # type: ignore[assignment]
    for key in [key for key in hooks if key != handle.id]:
        hooks[key] = hooks.pop(key)
    return handle


def hang_last(tensor: Tensor, hook: Callable[[Tensor | None], None]) -> Any:
    """Calls `hook` with the gradient of the tensor as hooks of the user have left it, those too that are hung on it later."""
    node, number = tensor.grad_fn, tensor.output_nr
    if node is None:
        return _hang(tensor, hook)
    return node.register_prehook(lambda gradients: hook(gradients[number]))


def _hang(tensor: Tensor, hook: Callable[..., None]) -> Any:
    register: Callable[..., Any] = tensor.register_hook
    return register(hook)


def take_inputs(module: nn.Module, device: torch.device, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Capture:
    """Copies of what goes into the model now.

    Raises:
        NotCaptured: something among it is neither a tensor nor a plain value, or a view of far more than it shows.
    """
    leaves, spec = pytree.tree_flatten((args, kwargs))
    for leaf in leaves:
        if not isinstance(leaf, (Tensor, *_PLAIN)):
            raise NotCaptured(f"the model is given a {type(leaf).__name__}, which is not a tensor or a plain value")
        if isinstance(leaf, Tensor) and leaf.requires_grad:
            raise NotCaptured("the model is given a tensor that takes part in the gradient")
    device_type = device.type
    try:
        inputs = [copied(leaf) if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        buffers = {name: copied(buffer) for name, buffer in module.named_buffers()}
    except TooSparseError as reason:
        raise NotCaptured(f"the model is given {reason}") from None
    return Capture(
        inputs=inputs,
        inputs_spec=spec,
        buffers=buffers,
        randomness=draw_state(device),
        autocast=(torch.is_autocast_enabled(device_type), torch.get_autocast_dtype(device_type)),
    )


def combine(checksums: list[Tensor | None], device: torch.device) -> Tensor:
    """int64[2] over the checksums of several tensors in order; None = a parameter that took no part."""
    zero = torch.zeros(2, dtype=torch.int64, device=device)
    return checksum([torch.stack([zero if one is None else one for one in checksums])])
