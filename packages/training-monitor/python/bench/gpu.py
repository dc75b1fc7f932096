"""What can be seen of the library on one GPU: `python bench/gpu.py`, one line of JSON for each check, status 1 where one fails.

A fake analyser (tests/analyser.py) writes down what it is sent; it needs grpcio. Nothing else here needs more than PyTorch, h2, protobuf
and PyYAML.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import sentinel_training
from sentinel_training._kit.checksum import checksum

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from analyser import Analyser  # type: ignore[import-not-found]

WIDTH, DEPTH, BATCH, STEPS = 1024, 6, 256, 24
DEVICE = torch.device("cuda")
WRONG_FROM = 12
LAST_WRONG = "FAULT_LAST_STEP"


class Model(nn.Module):
    """Products and functions whose kernels give the same bits each time, and dropout, whose randomness a replay has to repeat."""

    def __init__(self) -> None:
        super().__init__()
        block = [part for _ in range(DEPTH) for part in (nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH), nn.GELU())]
        self.body = nn.Sequential(*block, nn.Dropout(0.1), nn.Linear(WIDTH, 1))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.body(x).square().mean()
        return result


def train(config: str | None, *, wrong: bool = False) -> list[Tensor]:
    """Parameters after the last step. `wrong`: one product of each step from WRONG_FROM on, not when it is computed again."""
    torch.manual_seed(7)
    model = Model().to(DEVICE)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    step = 0

    # A device keeps its faults where the model's Python objects do not show them.
    os.environ[LAST_WRONG] = str(WRONG_FROM - 1)

    def once(_: nn.Module, __: Any, output: Tensor) -> None:
        if wrong and step > int(os.environ[LAST_WRONG]):
            output.data.view(-1)[5] += 1
            os.environ[LAST_WRONG] = str(step)

    model.body[3].register_forward_hook(once)
    monitor = None
    if config is not None:
        monitor = sentinel_training.pytorch.TrainingMonitor(config_path=config)
        monitor.attach(model, optimizer)
    while step < STEPS:
        optimizer.zero_grad()
        with torch.autocast("cuda", torch.bfloat16):
            loss = model(torch.randn(BATCH, WIDTH, device=DEVICE))
        loss.backward()
        optimizer.step()
        step += 1
    torch.cuda.synchronize()
    if monitor is not None:
        monitor.detach()
    return [parameter.detach().clone() for parameter in model.parameters()]


def same(a: list[Tensor], b: list[Tensor]) -> bool:
    return all(torch.equal(x.view(torch.int32), y.view(torch.int32)) for x, y in zip(a, b, strict=True))


def watched(folder: Path, name: str, **options: Any) -> tuple[list[Tensor], Analyser]:
    socket, config = folder / f"{name}.sock", folder / f"{name}.yaml"
    every = (
        "{sampling_rate: 0.5, overhead_budget_pct: 100, replay: {interval_steps: 4}, job_id: gpu, socket_path: SOCKET}"
    )
    config.write_text(f"training_monitor: {every.replace('SOCKET', str(socket))}\n")
    analyser = Analyser(socket)
    parameters = train(str(config), **options)
    analyser.wait(lambda: len(analyser.of("replay")) > 0 and len(analyser.of("step")) > 0)
    analyser.stop()
    return parameters, analyser


def disagreements(analyser: Analyser) -> list[int]:
    rounds = analyser.of("replay")
    return [one.step for one in rounds if len({answer.digest for answer in one.answers}) > 1]


def checks(folder: Path) -> list[tuple[str, bool, dict[str, Any]]]:
    tensors = [
        torch.randn(n, device=DEVICE).to(kind) for n, kind in ((10_000_019, torch.float32), (777, torch.bfloat16))
    ]
    on_gpu, on_cpu = checksum(tensors).tolist(), checksum([tensor.cpu() for tensor in tensors]).tolist()
    once, again = train(None), train(None)
    parameters, healthy = watched(folder, "healthy")
    _, faulty = watched(folder, "faulty", wrong=True)
    (hello,) = healthy.of("hello")
    steps = healthy.of("step")
    rounds = healthy.of("replay")
    return [
        ("checksums are those of a CPU", on_gpu == on_cpu, {"checksum": on_gpu}),
        ("the job repeats its own bits", same(once, again), {}),
        ("the library changes no bit", same(once, parameters), {"steps": STEPS}),
        ("the device is named", hello.ranks[0].gpu.startswith("GPU-"), {"framework": hello.framework}),
        ("statistics are sent", all(one.nonfinite_gradients == 0 for one in steps), {"records": len(steps)}),
        ("replays give the same bits", rounds != [] and disagreements(healthy) == [], {"rounds": len(rounds)}),
        (
            "a wrong product is noticed",
            disagreements(faulty) != [] and min(disagreements(faulty)) >= WRONG_FROM,
            {"steps": disagreements(faulty)},
        ),
    ]


def main() -> int:
    about = {"device": torch.cuda.get_device_name(), "torch": torch.__version__, "cuda": torch.version.cuda}
    print(json.dumps(about))
    with tempfile.TemporaryDirectory() as folder:
        found = checks(Path(folder))
    for what, ok, details in found:
        print(json.dumps({"check": what, "ok": ok, **details}))
    return 0 if all(ok for _, ok, _ in found) else 1


if __name__ == "__main__":
    sys.exit(main())
