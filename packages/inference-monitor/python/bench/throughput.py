"""What the library costs a real vLLM: tokens per second, and tokens per second of CPU time, with it over without it, in turns.

    python throughput.py MODEL [--pairs N] [--requests N] [--rate R] [--analyser away|there|slow]

Needs the environment "vllm", and the library's sources or the library installed. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import tiny  # type: ignore[import-not-found]

TESTS = Path(tiny.__file__).parent
TOKENS = 64
PROMPT = "every probe verifies arithmetic on each"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--requests", type=int, default=32)
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--analyser", choices=["away", "there", "slow"], default="there")
    parser.add_argument("--weights", type=int, default=600, help="seconds between two checksums")
    given = parser.parse_args()
    os.environ.update(tiny.ENVIRONMENT, VLLM_ENABLE_V1_MULTIPROCESSING="0")
    from sentinel_inference.vllm import plugin

    plugin.load()
    from vllm import LLM

    llm = LLM(given.model, **tiny.OPTIONS)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(llm, given, Path(folder))))
    llm.llm_engine.engine_core.shutdown()


def measure(llm: Any, given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    from sentinel_inference import InferenceMonitor

    path = folder / "sentinel.yaml"
    path.write_text(
        "inference_monitor: {socket_path: inference.sock, "
        f"sampling_rate: {given.rate}, weights: {{interval_s: {given.weights}}}}}"
    )
    analyser = None
    if given.analyser != "away":
        pause = 10 if given.analyser == "slow" else 0
        code = f"import analyser, time; analyser.Analyser({str(folder / 'inference.sock')!r}, {pause}); time.sleep(1e6)"
        place = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])}
        analyser = subprocess.Popen([sys.executable, "-c", code], env=place)
    generate(llm, given.requests)
    wall, cpu, rates, answered, dropped, spent = [], [], [], 0, 0, 0.0
    for pair in range(given.pairs):
        found = {}
        for watched in (True, False) if pair % 2 else (False, True):
            monitor = InferenceMonitor.from_config(path).attach_vllm(llm) if watched else None
            count, seconds, busy = generate(llm, given.requests)
            found[watched] = (count / seconds, count / busy)
            answered += count
            if monitor is not None:
                dropped += monitor.dropped
                spent += monitor.spent_s
                monitor.close()
        wall.append(found[True][0] / found[False][0])
        cpu.append(found[True][1] / found[False][1])
        rates.append(found[False][0])
    if analyser is not None:
        analyser.kill()
        analyser.wait()
    return {
        "ratio": interval(wall),
        "cpu_ratio": interval(cpu),
        "tokens_per_s": round(statistics.median(rates)),
        "pairs": given.pairs,
        "rate": given.rate,
        "analyser": given.analyser,
        "lost_tokens": 2 * given.pairs * given.requests * TOKENS - answered,
        "dropped": dropped,
        "spent_s": round(spent, 3),
    }


def interval(ratios: list[float]) -> list[float]:
    """Mean, and the ends of its 95 % interval."""
    mean, error = statistics.mean(ratios), statistics.stdev(ratios) / len(ratios) ** 0.5
    return [round(value, 4) for value in (mean, mean - 1.96 * error, mean + 1.96 * error)]


def busy_s() -> float:
    """CPU time of this process and the workers so far, seconds."""
    process = psutil.Process()
    workers = [one for one in process.children() if "analyser" not in " ".join(one.cmdline())]
    times = [one.cpu_times() for one in (process, *workers)]
    return sum(one.user + one.system for one in times)


def generate(llm: Any, requests: int) -> tuple[int, float, float]:
    """Tokens that came, and the seconds that they took: by the clock, and of the CPU."""
    from vllm import SamplingParams

    params = SamplingParams(temperature=0, max_tokens=TOKENS, ignore_eos=True)
    began, busy = time.perf_counter(), busy_s()
    outputs = llm.generate([PROMPT] * requests, params, use_tqdm=False)
    return sum(len(output.outputs[0].token_ids) for output in outputs), time.perf_counter() - began, busy_s() - busy


if __name__ == "__main__":
    main()
