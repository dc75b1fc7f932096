from __future__ import annotations

from pathlib import Path

import pytest

from sentinel_training.config import ConfigError, Settings, load

DEFAULT_FILE = Path(__file__).resolve().parents[4] / "config" / "sentinel.default.yaml"


def written(folder: Path, text: str) -> Path:
    path = folder / "sentinel.yaml"
    path.write_text(text)
    return path


def test_default_file_says_what_the_code_says() -> None:
    assert load(DEFAULT_FILE, {}) == Settings(path=str(DEFAULT_FILE))


def test_variable_before_file(tmp_path: Path) -> None:
    path = written(
        tmp_path, "training_monitor:\n  socket_path: here.sock\n  cross_rank: {comparison_interval_steps: 7}\n"
    )
    variables = {
        "SENTINEL_TRAINING_MONITOR_CROSS_RANK_COMPARISON_INTERVAL_STEPS": "9",
        "SENTINEL_TRAINING_MONITOR_CROSS_RANK_ENABLED": "false",
    }
    settings = load(path, variables)
    assert settings.comparison_interval_steps == 9
    assert settings.cross_rank_enabled is False
    assert settings.socket_path == str(tmp_path / "here.sock")
    assert load(path, {}).comparison_interval_steps == 7
    (tmp_path / "sentinel.local.yaml").write_text("training_monitor: {cross_rank: {comparison_interval_steps: 8}}")
    assert load(path, {"SENTINEL_ENVIRONMENT": "local"}).comparison_interval_steps == 8
    assert load(path, {**variables, "SENTINEL_ENVIRONMENT": "local"}).comparison_interval_steps == 9


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("training_monitor: {sampling_rate: 2}", "training_monitor.sampling_rate is 2: give a number from 0 to 1"),
        (
            "training_monitor: {checkpoint: {hash_algorithm: md5}}",
            "hash_algorithm is 'md5': give one of sha256, xxhash",
        ),
        ("training_monitor: 5", "training_monitor must be a mapping"),
        ("- a", "training_monitor must be a mapping"),
        ("a: [", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=r"sentinel\.yaml") as raised:
        load(written(tmp_path, text), {})
    assert says in str(raised.value)


def test_each_mistake_is_named_with_its_line_and_costs_its_own_key_alone(tmp_path: Path) -> None:
    text = "training_monitor:\n  replay: {interval_steps: 0}\n  sampling_rate: 7\n  cross_rank:\n    enable: false\n  job_id: mine\n"
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        load(path, {})
    assert str(raised.value) == (
        f"{path}:5: training_monitor.cross_rank.enable is no key: did you mean training_monitor.cross_rank.enabled?; "
        f"{path}:3: training_monitor.sampling_rate is 7: give a number from 0 to 1"
    )
    assert raised.value.values == {"path": str(path), "replay_interval_steps": 0, "job_id": "mine"}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        load(tmp_path / "none.yaml", {})
