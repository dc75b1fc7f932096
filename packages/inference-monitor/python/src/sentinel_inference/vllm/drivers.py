"""Do what jobs wish for: in the event loop of an asynchronous engine, or between the steps of one that is stepped by its user."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from .jobs import Generate, Job, Pause, Rpc
from .watch import OWN

_numbers = itertools.count()


def own_id() -> str:
    return f"{OWN}{next(_numbers)}"


def params_of(values: dict[str, Any]) -> Any:
    """Of a request of our own: computed anew, not taken from what was computed before."""
    from vllm import SamplingParams

    params = SamplingParams(detokenize=False, **values)
    params.skip_reading_prefix_cache = True
    return params


class AsyncDriver:
    """Of AsyncLLM: a task of its event loop, from its first request on, or from now on where it runs already."""

    def __init__(self, engine: Any, job: Callable[[], Job]) -> None:
        self._engine, self._job = engine, job
        self._task: asyncio.Task[None] | None = None
        self.begin()

    def begin(self) -> None:
        """To be called with every request; does nothing where the task runs."""
        if self._task is None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return
            self._task = loop.create_task(self._run())

    def close(self) -> None:
        if self._task is not None and not self._task.done():
            loop = self._task.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._task.cancel)

    async def _run(self) -> None:
        job = self._job()
        given: Any = None
        failed: Exception | None = None
        while True:
            try:
                wish = job.send(given) if failed is None else job.throw(failed)
            except StopIteration:
                return
            given, failed = None, None
            try:
                given = await self._do(wish)
            except Exception as reason:
                failed = reason

    async def _do(self, wish: Any) -> Any:
        if isinstance(wish, Pause):
            return await asyncio.sleep(wish.seconds)
        if isinstance(wish, Rpc):
            return await self._engine.collective_rpc(wish.method, args=wish.args)
        prompt = {"prompt_token_ids": wish.tokens}
        outputs = [one async for one in self._engine.generate(prompt, params_of(wish.params), own_id())]
        return outputs[-1]


def finish(engine: Any, job: Job) -> Any:
    """Drives a job that wishes for no request to its end at once, without pauses; `engine` is an LLMEngine at rest."""
    given: Any = None
    failed: Exception | None = None
    while True:
        try:
            wish = job.send(given) if failed is None else job.throw(failed)
        except StopIteration as end:
            return end.value
        given, failed = None, None
        try:
            given = engine.collective_rpc(wish.method, args=wish.args) if isinstance(wish, Rpc) else None
        except Exception as reason:
            failed = reason


class StepDriver:
    """Of LLMEngine: does at most one thing before each step, in the thread of the user, and nothing while nobody steps."""

    def __init__(self, engine: Any, job: Callable[[], Job], run: Callable[[Callable[[], None]], None]) -> None:
        """`run` calls a function and keeps to itself what it raises."""
        self._engine, self._job, self._run = engine, job(), run
        self._wish: Any = None
        self._until = 0.0
        self._own = ""
        self._over = False
        self._step = engine.step
        engine.step = self._stepped

    def begin(self) -> None:
        """Nothing: it is stepped."""

    def close(self) -> None:
        vars(self._engine).pop("step", None)

    def _stepped(self) -> list[Any]:
        if not self._over:
            self._run(self._go_on)
        outputs: list[Any] = self._step()
        if not self._own:
            return outputs
        theirs = [output for output in outputs if output.request_id != self._own]
        for output in outputs:
            if output.request_id == self._own and output.finished:
                self._own = ""
                self._run(lambda output=output: self._give(output))  # type: ignore[misc]
        return theirs

    def _go_on(self) -> None:
        """Does the wish of the job, where it is time, and asks it for its next one."""
        if self._own:
            return
        if self._wish is None:
            self._give(None)
        if isinstance(self._wish, Pause):
            if time.monotonic() >= self._until:
                self._give(None)
        elif isinstance(self._wish, Rpc):
            try:
                found = self._engine.collective_rpc(self._wish.method, args=self._wish.args)
            except Exception as reason:
                self._ask(partial(self._job.throw, reason))
            else:
                self._give(found)
        elif isinstance(self._wish, Generate):
            self._own = own_id()
            prompt = {"prompt_token_ids": self._wish.tokens}
            try:
                self._engine.add_request(self._own, prompt, params_of(self._wish.params))
            except Exception as reason:
                self._own = ""
                self._ask(partial(self._job.throw, reason))

    def _give(self, value: Any) -> None:
        self._ask(partial(self._job.send, value))

    def _ask(self, step: Callable[[], Any]) -> None:
        try:
            self._wish = step()
        except StopIteration:
            self._over = True
            return
        if isinstance(self._wish, Pause):
            self._until = time.monotonic() + self._wish.seconds
