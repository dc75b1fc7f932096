"""What a forward pass may change beside parameters and buffers: all that a model's Python objects hold.

They are followed from the model's attributes and hooks, through closures, and through the names that code mentions.
"""

from __future__ import annotations

import collections
import contextvars
import enum
import functools
import hashlib
import logging
import pathlib
import random
import re
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from .mentioned import class_data, closure, global_names, methods, own_bases, slots

# A model that holds more than this is not replayed.
MAX_OBJECTS = 100_000
MAX_ARRAY_BYTES = 16 << 20
_VALUES = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    torch.dtype,
    torch.device,
    torch.Size,
    enum.Enum,
    type(...),
)
# They hold nothing, or nothing that a result depends on.
_INERT = (
    *_VALUES,
    *(range, slice, torch.layout, torch.memory_format, torch.finfo, torch.iinfo, re.Pattern, pathlib.PurePath),
    *(
        logging.Logger,
        weakref.ref,
        weakref.ProxyType,
        weakref.CallableProxyType,
        type(threading.Lock()),
        type(threading.RLock()),
        property,
        classmethod,
        staticmethod,
    ),
    *(types.BuiltinFunctionType, types.ModuleType, types.MethodWrapperType, types.WrapperDescriptorType),
    *(
        types.MethodDescriptorType,
        types.GetSetDescriptorType,
        types.MemberDescriptorType,
        types.GenericAlias,
        types.UnionType,
    ),
    *(torch._ops.OpOverload, torch._ops.OpOverloadPacket, torch.jit.ScriptFunction, torch.Stream),
    *((torch.distributed.ProcessGroup,) if torch.distributed.is_available() else ()),
)
# Other threads change what objects of these modules hold.
_SHARED = ("threading", "queue", "multiprocessing", "concurrent", "asyncio", "socket", "io", "_io")
# What a module holds itself; hooks, which are known by numbers that a process counts, are not its own, nor what other objects hold, such as
# the configuration into which transformers writes when rank 0 saves.
_OWN = (nn.Module, Tensor, dict, list, tuple, set)
_HOOKS = ("_hooks", "_hooks_with_kwargs", "_hooks_always_called")
# Of builtin types that a class may be made of, what they hold is looked at.
_SEEN_THROUGH = (object, dict, list, set, tuple, frozenset, collections.OrderedDict, collections.deque)
_HEAP_TYPE = 1 << 9


class UnknownStateError(RuntimeError):
    """There is something of which it is not known what it holds."""


class PythonState:
    """As it is now. Of tensors it knows whether they are written to, and does not keep what they hold."""

    def __init__(self, module: nn.Module) -> None:
        """Raises UnknownStateError."""
        # Where, what gives it as it is, what puts it back, what it was.
        self._kept: list[tuple[str, Callable[[], Any], Callable[[Any], Any] | None, Any]] = []
        # Keeps alive what is known by its identity.
        self._seen: dict[int, Any] = {}
        self._buffers = {id(buffer) for buffer in module.buffers()}
        self._parameters = {id(parameter) for parameter in module.parameters()}
        self._lines: list[str] = []
        # Those that are neither parameters nor buffers, by where they are.
        self._tensors: dict[str, Tensor] = {}
        # Before all else what its modules hold themselves: the model's own.
        self._waiting: collections.deque[tuple[str, Any]] = collections.deque([(type(module).__name__, module)])
        self._later: collections.deque[tuple[str, Any]] = collections.deque()
        while self._waiting or self._later:
            self._own = bool(self._waiting)
            path, value = (self._waiting or self._later).popleft()
            # Most are plain values: told first, and by their type alone.
            if type(value) in _VALUES or isinstance(value, _INERT) or id(value) in self._seen or _ours(value):
                continue
            self._seen[id(value)] = value
            if len(self._seen) > MAX_OBJECTS:
                raise UnknownStateError(f"{path} and what else it reaches are more than {MAX_OBJECTS} objects")
            self._look(path, value)

    def digest(self) -> bytes:
        """16 bytes of all plain values in the attributes of its modules, by which a forward pass may go; none of generators and tensors."""
        return hashlib.blake2b("\n".join(sorted(self._lines)).encode(errors="surrogatepass"), digest_size=16).digest()

    def constants(self) -> list[Tensor]:
        """Tensors in the attributes of its modules that are neither parameters nor buffers, by where they are, as long as they are at most
        MAX_ARRAY_BYTES together."""
        found, size = [], 0
        for path in sorted(self._tensors):
            size += self._tensors[path].nbytes
            if size > MAX_ARRAY_BYTES:
                break
            found.append(self._tensors[path])
        return found

    def changed(self) -> str | None:
        """Where something changed since; None = nowhere."""
        for path, now, _, before in self._kept:
            if not _same(held := now(), before):
                return _where(path, held, before)
        return None

    def restore(self) -> None:
        for _, now, put, before in self._kept:
            if put is not None and not _same(now(), before):
                put(before)

    def _look(self, path: str, value: Any) -> None:
        match value:
            case Tensor():
                self._tensor(path, value)
            case dict() | set() | list() | collections.deque() | bytearray():
                self._container(path, value)
                self._attributes(path, value)
            case tuple() | frozenset():
                self._follow((f"{path}[{at}]", one) for at, one in enumerate(value))
                self._attributes(path, value)
            case types.MappingProxyType():
                self._follow((_join(path, key), one) for key, one in value.items())
            case types.FunctionType():
                self._function(path, value)
            case types.MethodType():
                self._follow([(path, value.__self__), (path, value.__func__)])
            case functools.partial():
                self._follow([(path, value.func), (path, value.args), (path, value.keywords)])
            case functools._lru_cache_wrapper():
                self._follow([(path, value.__wrapped__)])
            case types.CellType():
                self._cell(path, value)
            case contextvars.ContextVar():
                self._context(path, value)
            case type():
                self._class(value)
            case _:
                self._object(path, value)

    def _tensor(self, path: str, tensor: Tensor) -> None:
        if id(tensor) in self._buffers:
            return
        if not tensor.is_inference():
            self._keep(path, lambda: tensor._version, None, common=False)
        plain = type(tensor) is Tensor and tensor.layout == torch.strided and not tensor.is_meta
        if self._own and plain and id(tensor) not in self._parameters:
            self._tensors[path] = tensor

    def _object(self, path: str, value: Any) -> None:
        if self._generator(path, value) or self._array(path, value) or type(value).__module__ == "typing":
            return
        shared = type(value).__module__.partition(".")[0] in _SHARED
        if shared or not self._attributes(path, value):
            raise UnknownStateError(f"{path} is a {type(value).__name__}, which may hold anything")
        self._follow([(type(value).__name__, type(value))])

    def _container(self, path: str, value: Any) -> None:
        if isinstance(value, dict):
            self._keep(path, lambda: dict(value), lambda before: _refill(value, value.update, before))
            self._follow((_join(path, key), one) for key, one in value.items())
            self._follow((path, key) for key in value)
        elif isinstance(value, set):
            self._keep(path, lambda: set(value), lambda before: _refill(value, value.update, before))
            self._follow((path, one) for one in value)
        else:
            self._keep(path, lambda: list(value), lambda before: _refill(value, value.extend, before))
            self._follow((f"{path}[{at}]", one) for at, one in enumerate(value))

    def _attributes(self, path: str, value: Any) -> bool:
        """False where the object holds more than what Python shows of it, or shows nothing."""
        kinds = type(value).__mro__
        names = [name for kind in kinds for name in slots(kind)]
        if names:
            self._named(path, names, value)
        held = getattr(value, "__dict__", None)
        if isinstance(held, dict):
            self._seen[id(held)] = held
            self._container(path, held)
            if isinstance(value, nn.Module):
                self._buffers_of(path, value)
        seen_through = all(kind.__flags__ & _HEAP_TYPE or kind in _SEEN_THROUGH for kind in kinds)
        return isinstance(value, types.SimpleNamespace) or (seen_through and (isinstance(held, dict) or bool(names)))

    def _buffers_of(self, path: str, module: nn.Module) -> None:
        """A replay has buffers of its own, whatever is assigned to them; their names must stay."""
        held = dict(module._buffers)
        self._seen[id(module._buffers)] = module._buffers
        self._keep(
            path, lambda: list(module._buffers), lambda _: _refill(module._buffers, module._buffers.update, held)
        )

    def _named(self, path: str, names: list[str], value: Any) -> None:
        """Attributes of these names, of an object or a class."""

        def now() -> dict[str, Any]:
            return {name: getattr(value, name) for name in names if hasattr(value, name)}

        def put(before: dict[str, Any]) -> None:
            for name, one in before.items():
                setattr(value, name, one)

        self._keep(path, now, put)
        self._follow((_join(path, name), one) for name, one in now().items())

    def _cell(self, path: str, cell: types.CellType) -> None:
        def now() -> list[Any]:
            try:
                return [cell.cell_contents]
            except ValueError:
                return []

        def put(before: list[Any]) -> None:
            for one in before:
                cell.cell_contents = one

        self._keep(path, now, put)
        self._follow((path, one) for one in now())

    def _context(self, path: str, variable: contextvars.ContextVar[Any]) -> None:
        def now() -> list[Any]:
            try:
                return [variable.get()]
            except LookupError:
                return []

        def put(before: list[Any]) -> None:
            for one in before:
                variable.set(one)

        self._keep(path, now, put)
        self._follow((path, one) for one in now())

    def _function(self, path: str, function: types.FunctionType) -> None:
        self._follow((f"{path}.{name}", cell) for name, cell in closure(function))
        self._follow((path, one) for one in (function.__defaults__, function.__kwdefaults__, function.__dict__))
        for place, names in global_names(function):
            self._globals(place, names)

    def _globals(self, place: dict[str, Any], names: list[str]) -> None:
        def now() -> dict[str, Any]:
            return {name: place[name] for name in names if name in place}

        path = str(place.get("__name__", ""))
        self._keep(path, now, place.update)
        self._follow((_join(path, name), one) for name, one in now().items())

    def _class(self, kind: type) -> None:
        for base in own_bases(kind):
            self._named(base.__name__, class_data(base), base)
        self._follow(methods(kind))

    def _generator(self, path: str, value: Any) -> bool:
        """Random number generators."""
        numpy: Any = sys.modules.get("numpy")
        if isinstance(value, torch.Generator):
            self._keep(path, lambda: value.get_state().numpy().tobytes(), None, common=False)
        elif isinstance(value, random.Random):
            self._keep(path, value.getstate, value.setstate, common=False)
        elif numpy is not None and isinstance(value, numpy.random.Generator | numpy.random.RandomState):
            bits = value.bit_generator if isinstance(value, numpy.random.Generator) else value._bit_generator
            state = bits.state
            self._keep(path, lambda: repr(bits.state), lambda _: setattr(bits, "state", state), common=False)
        else:
            return False
        return True

    def _array(self, path: str, value: Any) -> bool:
        numpy: Any = sys.modules.get("numpy")
        if numpy is None or not isinstance(value, numpy.ndarray | numpy.generic):
            return False
        if isinstance(value, numpy.ndarray):
            if value.nbytes > MAX_ARRAY_BYTES or value.dtype.hasobject:
                raise UnknownStateError(f"{path} is an array larger than {MAX_ARRAY_BYTES >> 20} MiB or of objects")

            def put(before: bytes) -> None:
                value[...] = numpy.frombuffer(before, value.dtype).reshape(value.shape)

            self._keep(path, value.tobytes, put)
        return True

    def _keep(self, path: str, now: Callable[[], Any], put: Callable[[Any], Any] | None, common: bool = True) -> None:
        """`common`: where plain values of it differ between ranks, their results may."""
        held = now()
        self._kept.append((path, now, put, held))
        if common and self._own:
            self._lines.extend(_plain(path, held))

    def _follow(self, found: Any) -> None:
        if not self._own:
            self._later.extend(found)
            return
        for path, value in found:
            own = isinstance(value, _OWN) and not path.endswith(_HOOKS)
            (self._waiting if own else self._later).append((path, value))


def _plain(path: str, held: Any) -> Iterator[str]:
    """A line for each plain value in it; what it holds of others is told where they are looked at. A device is another matter."""
    if isinstance(held, set):
        yield f"{path} {sorted(repr(one) for one in held if isinstance(one, _VALUES))}"
    elif isinstance(held, dict | list | tuple):
        for key, value in held.items() if isinstance(held, dict) else enumerate(held):
            if not isinstance(value, dict | list | set):
                yield from _plain(_join(path, key), value)
    elif isinstance(held, _VALUES) and not isinstance(held, torch.device):
        yield f"{path} {held!r}"


def _same(a: Any, b: Any) -> bool:
    """Do two that were kept hold the same? Values are compared, objects must be the same ones."""
    if isinstance(a, dict):
        return len(a) == len(b) and all(map(_same_entry, a, b)) and all(map(_same_entry, a.values(), b.values()))
    if isinstance(a, set):
        return {id(one) for one in a} == {id(one) for one in b}
    if isinstance(a, list):
        return len(a) == len(b) and all(map(_same_entry, a, b))
    return _same_entry(a, b)


def _where(path: str, now: Any, before: Any) -> str:
    """Which entry of a dictionary is another one."""
    if not isinstance(now, dict):
        return path
    differ = (
        key for key in {**before, **now} if not (key in now and key in before and _same_entry(now[key], before[key]))
    )
    return next((_join(path, key) for key in differ), path)


def _same_entry(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if type(a) is tuple:
        return len(a) == len(b) and all(map(_same_entry, a, b))
    # Not a number is not equal to itself. A method is made anew each time that it is asked for.
    return isinstance(a, (*_VALUES, types.MethodType)) and bool(a == b or (a != a and b != b))


def _refill(held: Any, fill: Callable[[Any], Any], before: Any) -> None:
    held.clear()
    fill(before)


def _join(path: str, key: Any) -> str:
    # The dictionaries in which a module holds its parts are no part of their names.
    if key in ("_modules", "_parameters", "_buffers"):
        return path
    return f"{path}.{key}" if isinstance(key, str) else f"{path}[{key!r:.20}]"


def _ours(value: Any) -> bool:
    return (type(value).__module__ or "").partition(".")[0] == __name__.partition(".")[0]
