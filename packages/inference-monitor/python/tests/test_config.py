from __future__ import annotations

from pathlib import Path

import pytest

from sentinel_inference.config import ConfigError, Settings, load

DEFAULT_FILE = Path(__file__).resolve().parents[4] / "config" / "sentinel.default.yaml"


def test_default_file_says_what_the_code_says() -> None:
    assert load(DEFAULT_FILE, {}) == Settings(path=str(DEFAULT_FILE))


def test_variable_before_file(tmp_path: Path) -> None:
    path = tmp_path / "sentinel.yaml"
    path.write_text(
        "inference_monitor:\n  gpu_uuids: [GPU-a]\n  weights: {interval_s: 7, manifest_file: w.json}\n  sampling_rate: 0.5\n"
    )
    assert load(path, {}).gpu_uuids == ("GPU-a",)
    assert load(path, {}).manifest_file == str(tmp_path / "w.json")
    variables = {
        "SENTINEL_INFERENCE_MONITOR_GPU_UUIDS": "GPU-b, GPU-c",
        "SENTINEL_INFERENCE_MONITOR_WEIGHTS_INTERVAL_S": "9",
    }
    settings = load(path, variables)
    assert (settings.gpu_uuids, settings.weights_interval_s, settings.sampling_rate) == (("GPU-b", "GPU-c"), 9, 0.5)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sampling_rate: 2", "inference_monitor.sampling_rate is 2: give a number from 0 to 1"),
        ("gpu_uuids: 5", "inference_monitor.gpu_uuids is 5: give a list of texts"),
        ("replay: {interval_s: -1}", "replay.interval_s is -1: give a whole number from 0 to 86400"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "sentinel.yaml"
    path.write_text(f"inference_monitor: {{{text}}}")
    with pytest.raises(ConfigError, match=r"sentinel\.yaml") as raised:
        load(path, {})
    assert says in str(raised.value)
