"""The monitor that a user attaches: hangs hooks on model and optimizer, and says in each step what is measured."""

from __future__ import annotations

import atexit
import contextlib
import itertools
import logging
import os
import time
import weakref
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from .. import config
from .._kit.guard import Guard, log
from .._wire import training_pb2 as wire
from ..pace import FIRST_LOOK, LOOK_INTERVAL, Pace
from ..sender import Sender
from . import agreement, sample
from .barrier import RefusedError
from .capture import Capturing, NotCaptured
from .checkpoint import Checkpoints
from .exchange import Exchange, ExchangeError
from .hooks import BeforeUpdate, Hook
from .looks import Looks, look, told
from .optimizers import optimizers_in
from .outside import learning_rate, loss_of, microseconds
from .products import ProductChecks, linear_layers
from .replay import Replay
from .rounds import Agreed, Known, Rounds, now_us
from .together import Together
from .topology import Topology, data_parallel, ignored, inner, topology, what_is_off
from .weakly import let_go, weakly
from .wishes import NOTICE_STEPS, Wishes

# How many times this process attached a monitor: ranks find each other by it.
_attempts = itertools.count()
# Steps in which everything is replayed after a replay that disagreed.
ASKED_STEPS = 5
# What the end of the job waits for comparisons that are under way.
SETTLE_S = 1.0


class TrainingMonitor:
    """Watches one training job from inside each of its processes.

    Nothing of it changes what the job computes, and whatever fails in it ends a detector, with one line in the log of
    "sentinel_training", never the job. Args:
        config_path: sentinel.yaml; None = /etc/sentinel/config/sentinel.yaml where it exists, else defaults.
    """

    def __init__(self, config_path: str | os.PathLike[str] | None = None) -> None:
        self._guard = Guard()
        try:
            self._settings = config.load(config_path)
        except config.ConfigError as reason:
            log.error("%s; the monitor goes on with its defaults there", reason)
            self._settings = config.Settings(**reason.values)
        self._handles: list[Any] = []
        self._sender: Sender | None = None
        self._checkpoints: Checkpoints | None = None
        self._loss: Tensor | None = None
        self._attached = False
        self._process = os.getpid()
        # Nothing but the model that it hangs on keeps it alive, so that both go when the user lets go of them.
        self._at_exit = weakly(self.detach)

    def attach(self, model: nn.Module, optimizer: Any) -> TrainingMonitor:
        """To be called once on every rank, after the model was wrapped and its optimizer made.

        Ranks wait here for each other, at most a minute. `optimizer`: a torch.optim.Optimizer or several, of which the first counts
        the steps; of a wrapper, such as Accelerate's, the one in it is watched.
        """
        self.detach()
        attempt = next(_attempts)
        try:
            self._set_up(model, optimizers_in(optimizer), topology(model), attempt)
        except Exception as reason:
            self._guard.off("the training monitor", f"{type(reason).__name__}: {reason}")
            log.debug("attach failed", exc_info=True)
            self.detach()
        return self

    def detach(self) -> None:
        """Takes every hook away, sends what waits, and ends the thread."""
        atexit.unregister(self._at_exit)
        if os.getpid() != self._process:
            return
        if self._attached:
            with contextlib.suppress(Exception):
                self._rounds.settle(SETTLE_S)
        self._attached = False
        for handle in self._handles:
            handle.remove()
        self._handles = []
        if self._checkpoints is not None:
            self._checkpoints.remove()
        if self._sender is not None:
            self._sender.close()
            self._sender = None

    def log(self, loss: Tensor | float | None = None) -> None:
        """Where the model does not give back its loss: the loss of this step. Waits for nothing."""
        if loss is not None:
            self._loss = loss.detach() if isinstance(loss, Tensor) else torch.tensor(float(loss))

    @property
    def dropped(self) -> int:
        """Records that were not sent because the analyser was away or slow."""
        return 0 if self._sender is None else self._sender.dropped

    def _set_up(self, model: nn.Module, optimizers: list[Optimizer], here: Topology, attempt: int) -> None:
        self._here, self._optimizers = here, optimizers
        self._ddp = data_parallel(model)
        self._module = inner(model)
        self._own = ignored(self._ddp)
        agreed = agreement.agree(self._settings, here, attempt)
        settings = agreed.settings
        if agreed.apart:
            self._guard.off("comparison of ranks", agreed.apart)
        self._exchange = Exchange(agreed.group) if agreed.group is not None else None
        self._pace = Pace(
            {
                "statistics": settings.statistics_interval_steps,
                "replicas": settings.comparison_interval_steps if self._exchange is not None else 0,
                "replay": 0 if here.sharded else settings.replay_interval_steps,
            },
            settings.overhead_budget_pct,
        )
        self._wishes = Wishes(on=not here.sharded and settings.replay_interval_steps > 0)
        self._looks = Looks()
        self._sender = Sender(
            settings.socket_path, agreement.hello(agreed, here), settings.path, weakly(self._answered)
        )
        self._layers = sample.Layers.of(self._module, here.device)
        self._sender.layers(self._layers.names)
        ring = here.replicas if here.replicas == here.together and not self._own else (here.rank,)
        self._alone = len(ring) == 1
        self._replay = Replay(self._module, here.device, here.rank, ring, self._exchange)
        self._rounds = Rounds(
            self._exchange,
            self._sender.put,
            self._pace.cost,
            here=here,
            agreed=Agreed(
                wants=lambda: not self._alone and self._wants_replay(),
                wanted=self._wishes.agree,
                intervals=lambda: told(self._pace.wishes()),
                wished=self._looks.hear,
                equal=lambda step: self._together.equal(step),
            ),
        )
        self._checks = ProductChecks([] if here.compiled else linear_layers(self._module))
        self._capturing: Capturing | None = None
        self._gradients: sample.Gradients | None = None
        self._replaying = False
        # From when the gradients of a step are there until it ends: what a closure computes then is not looked at.
        self._updating = False
        self._asked: set[int] = set()
        self._asked_until = 0
        self._step, self._last_sample = 0, 0
        self._together = Together(self._ddp)
        # Every rank has every other's samples up to this step.
        self._heard = 0
        self._spent, self._ended_at = 0.0, time.perf_counter()
        self._hang_hooks(model, optimizers[0])
        self._checkpoints = Checkpoints(settings, here.rank, self._sender.put, self._guard, weakly(self._steps, 0))
        self._checkpoints.install(weakly(self._replica_checksum, b""))
        self._attached = True
        atexit.register(self._at_exit)
        weakref.finalize(model, let_go, self._checkpoints, self._sender).atexit = False
        if off := what_is_off(here):
            log.info("off in this job: %s", "; ".join(off))

    def _hang_hooks(self, model: nn.Module, optimizer: Optimizer) -> None:
        guarded = self._guard.wrap
        self._handles = [
            model.register_forward_pre_hook(Hook(guarded("capture", self._before_forward)), with_kwargs=True),
            model.register_forward_hook(Hook(guarded("capture", self._after_forward))),
            optimizer.register_step_pre_hook(BeforeUpdate(guarded("the training monitor", self._before_step))),
            optimizer.register_step_post_hook(Hook(guarded("the training monitor", self._after_step))),
        ]

    # Forward and backward: only the first micro-batch of a step is looked at.

    def _before_forward(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._replaying or self._updating or not torch.is_grad_enabled():
            return
        step = self._step + 1
        self._together.forward()
        self._rounds.give(step + 1 - NOTICE_STEPS)
        # A wrapper may be in another mode: PyTorch Lightning leaves its own as it was.
        if not self._module.training:
            return
        if self._capturing is not None:
            self._end_capture()
            return
        if self._alone and self._wants_replay():
            self._wishes.agree(step - NOTICE_STEPS)
        statistics, replay = self._pace.due("statistics", step), self._replays(step)
        if not (statistics or replay):
            return
        began = time.perf_counter()
        norms = statistics and not self._here.sharded and self._here.world > 1
        self._capturing = Capturing(self._module, self._here.device, inputs=replay, norms=norms)
        if replay or norms:
            self._capturing.begin(args, kwargs)
        if statistics:
            self._checks.begin(step, step // self._pace.intervals["statistics"])
        self._spent += time.perf_counter() - began

    def _end_capture(self) -> None:
        capturing = self._capturing
        if capturing is None:
            return
        if not capturing.started_backward:
            capturing.spoil("two forward passes before one backward pass")
        capturing.end()
        self._checks.end()

    def _after_forward(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if self._replaying or self._capturing is None or not (self._module.training and torch.is_grad_enabled()):
            return
        self._checks.end()
        began = time.perf_counter()
        self._capturing.outputs(output)
        self._spent += time.perf_counter() - began
        loss = loss_of(output)
        if loss is not None:
            self._loss = loss.detach().clone()

    # The optimizer: gradients before the step, parameters after it.

    def _before_step(self) -> None:
        self._updating = True
        began = time.perf_counter()
        step = self._step + 1
        capturing = self._capturing
        if capturing is not None:
            capturing.end()
            self._spent += capturing.spent
        if self._ddp is not None and self._exchange is not None and self._ddp._join_config.enable:
            self._leave("ranks with uneven inputs (Join) do not do the same steps")
        with torch.no_grad():
            if self._pace.due("statistics", step):
                self._gradients = sample.gradients(self._layers)
        if self._come_together(step) and self._replays(step):
            self._run_replay(step, capturing)
        self._spent += time.perf_counter() - began

    def _run_replay(self, step: int, capturing: Capturing | None) -> None:
        began = time.perf_counter()
        missing = capturing or Capturing(self._module, self._here.device, inputs=False, norms=False)
        try:
            self._rounds.advance(wait=True)
            self._replaying = True
            rounds = self._replay.run(step, missing)
            self._pace.cost("replay", time.perf_counter() - began + missing.looked)
            if self._exchange is None or not self._alone:
                self._looks.now = look(self._exchange, step, self._pace.wishes())
        except ExchangeError as reason:
            self._leave(str(reason))
            return
        except (NotCaptured, RefusedError) as reason:
            refused = isinstance(reason, RefusedError)
            self._guard.off("replay", str(reason) if refused else missing.why_not or str(reason))
            self._pace.forget("replay")
            self._asked_until, self._wishes.on = 0, False
            return
        finally:
            self._replaying = False
        in_turn = step > self._asked_until
        accused = {one.rank for one in rounds if len({answer.digest for answer in one.answers}) > 1}
        for one in rounds:
            if one.rank == self._here.rank or one.rank in accused:
                asked = one.rank in self._asked or self._wishes.due(step)
                self._put(wire.StreamStepsRequest(replay=one.record(step, now_us(), asked)))
        if in_turn:
            # Every rank has the same answers, and so asks for the same. What these show asks for nothing more.
            self._asked, self._asked_until = accused, step + ASKED_STEPS if accused else 0

    def _replays(self, step: int) -> bool:
        in_turn = self._pace.due("replay", step) and not self._wishes.stands_in(step, self._pace.intervals["replay"])
        return in_turn or step <= self._asked_until or self._wishes.due(step)

    def _answered(self, answer: wire.StreamStepsResponse) -> None:
        if answer.replay_wanted:
            self._wishes.hear()

    def _wants_replay(self) -> bool:
        return self._wishes.tells(self._pace.least_seconds("replay"))

    def _come_together(self, step: int) -> bool:
        """May ranks replay in this step? If so, what they gave each other some steps ago is there at once."""
        if self._exchange is None:
            return True
        try:
            if not self._together.step(step):
                return False
            self._heard = step + 1 - NOTICE_STEPS
            self._rounds.catch_up(self._heard)
        except ExchangeError as reason:
            self._leave(str(reason))
        return True

    def _after_step(self, *_: Any) -> None:
        began = time.perf_counter()
        self._updating = False
        self._step += 1
        step = self._step
        statistics, replicas = self._pace.due("statistics", step), self._pace.due("replicas", step)
        length = began - self._ended_at
        with torch.no_grad():
            if statistics or replicas:
                self._take_sample(step, statistics, replicas, length)
        try:
            self._rounds.advance()
        except ExchangeError as reason:
            self._leave(str(reason))
        self._take_over_intervals(step)
        self._capturing = self._gradients = None
        for record in self._checks.finished(now_us()):
            self._put(wire.StreamStepsRequest(product=record))
        ended = time.perf_counter()
        self._pace.step(max(length - self._spent, 1e-6))
        self._spent, self._ended_at = 0.0, ended

    def _take_over_intervals(self, step: int) -> None:
        new = self._looks.new(self._heard)
        if self._exchange is None and (step == FIRST_LOOK or step % LOOK_INTERVAL == 0):
            new = self._pace.wishes()
        if new is not None:
            self._pace.intervals = new

    def _take_sample(self, step: int, statistics: bool, replicas: bool, length: float) -> None:
        taken = sample.Sample(step, self._here.device)
        began = time.perf_counter()
        if replicas and len(self._here.replicas) > 1:
            self._add_checksums(taken)
            self._pace.cost("replicas", time.perf_counter() - began)
        began = time.perf_counter()
        if statistics and self._gradients is not None:
            squares = self._capturing.norm_squares() if self._capturing is not None else None
            if self._here.world == 1:
                squares = self._gradients.squares
            taken.statistics(self._gradients, sample.weights(self._layers), squares, self._loss)
        taken.leave()
        spent = time.perf_counter() - began + (self._capturing.spent if self._capturing is not None else 0)
        if statistics:
            self._pace.cost("statistics", spent)
            if self._loss is None:
                self._guard.off("loss", "the model does not give back its loss; call monitor.log(loss=…)", logging.INFO)
        known = Known(
            learning_rate=learning_rate(self._optimizers[0]),
            steps=step - self._last_sample,
            step_us=microseconds(length),
            overhead_us=microseconds(self._spent + spent),
            apart=self._together.apart,
        )
        if statistics:
            self._last_sample = step
        self._rounds.add(taken, known)

    def _steps(self) -> int:
        return self._step

    def _add_checksums(self, taken: sample.Sample) -> None:
        """Of what every replica has alike: optimizers that keep another part of the state on every rank are left out."""
        parameters = [parameter.detach() for parameter in self._module.parameters() if parameter not in self._own]
        replicated = [one for one in self._optimizers if type(one).__name__ != "ZeroRedundancyOptimizer"]
        taken.checksums(parameters, sample.state_tensors(replicated, self._own))

    def _replica_checksum(self) -> bytes:
        taken = sample.Sample(self._step, self._here.device)
        with torch.no_grad():
            self._add_checksums(taken)
        taken.leave()
        taken.arrived(wait=True)
        measured = taken.measured()
        return measured.parameters + measured.state

    def _leave(self, why: str) -> None:
        """Compares with no other rank any more; statistics of this rank go on."""
        self._guard.off("comparison of ranks", why)
        self._guard.off("replay", "ranks are not compared")
        if self._exchange is not None:
            self._exchange.leave()
        self._exchange = None
        self._rounds.leave()
        self._pace.forget("replicas", "replay")
        self._asked_until, self._wishes.on = 0, False

    def _put(self, record: wire.StreamStepsRequest) -> None:
        if self._sender is not None:
            self._sender.put(record)
