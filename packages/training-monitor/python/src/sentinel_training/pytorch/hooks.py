"""Functions that are hung on a user's model or optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class Hook:
    """Calls a function and returns nothing. A copy or a pickle of the model that it hangs on gets one that does nothing."""

    def __init__(self, function: Callable[..., None] | None = None) -> None:
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        # torch.compile would trace what a hook does; nothing of it belongs into the compiled step.
        if self._function is not None and not torch.compiler.is_compiling():
            self._function(*args, **kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> Hook:
        return Hook()

    def __reduce__(self) -> tuple[type[Hook], tuple[()]]:
        return Hook, ()
