"""A job forks at any moment: while the sender connects, sends, or waits."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from analyser import WAIT_S, Analyser
from sentinel_training._kit import sender

ENDS = """
import os, sys, sentinel_training.sender as s
import sentinel_training._kit.sender as kit
from sentinel_training._wire import training_pb2 as wire
kit.END_WAIT_S = kit.SILENCE_S = 30
one = s.Sender(sys.argv[1], wire.RankHello(), "x")
for n in range(50):
    one.put(wire.StreamStepsRequest(step=wire.StepReport(step=n)))
if os.fork() == 0:
    one.put(wire.StreamStepsRequest(step=wire.StepReport(step=99)))
    one.close()
    sys.exit(0)
os.wait()
print("end")
"""


def run(script: str, path: Path) -> subprocess.CompletedProcess[str]:
    place = {**os.environ, "PYTHONPATH": str(Path(sender.__file__).parents[2])}
    command = [sys.executable, "-c", script, str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, env=place)


@pytest.mark.parametrize("there", [True, False])
def test_end_of_the_process_and_its_children(tmp_path: Path, there: bool) -> None:
    """The rest is sent when the process ends, once; a forked child sends nothing; nothing is left that keeps it alive."""
    socket = tmp_path / "training.sock"
    analyser = Analyser(socket) if there else None
    done = run(ENDS, socket)
    assert (done.returncode, done.stdout) == (0, "end\n"), done.stderr
    if analyser is not None:
        assert [one.step for one in analyser.of("step")] == list(range(50))
        analyser.stop()


# Each child collects garbage that the parent left, as a worker that loads data does sooner or later, and half of them end as Python does.
FORKS = """
import gc, os, sys
import sentinel_training._kit.sender as kit
from sentinel_training.sender import Sender
from sentinel_training._wire import training_pb2 as wire
kit.FIRST_RETRY_S = kit.LAST_RETRY_S = 0.0005
one = Sender(sys.argv[1], wire.RankHello(), "x")
step = lambda n: wire.StreamStepsRequest(step=wire.StepReport(step=n))
for n in range(75):
    one.put(step(n))
    children = []
    for k in range(4):
        child = os.fork()
        if child == 0:
            gc.collect()
            one.put(step(1000))
            if k % 2:
                sys.exit(0)
            os._exit(0)
        children.append(child)
    ends = [os.waitpid(child, 0)[1] for child in children]
    assert ends == [0, 0, 0, 0], ends
print("end")
"""


@pytest.mark.parametrize("there", [True, False])
def test_children_while_it_connects_again_and_again(tmp_path: Path, there: bool) -> None:
    """With gRPC's own library some of three hundred children, or their parent, crashed or hung."""
    path = tmp_path / "training.sock"
    analyser = Analyser(path) if there else None
    if analyser is not None:
        analyser.refuses = lambda request: "" if request.HasField("hello") else "again"
    done = run(FORKS, path)
    assert (done.returncode, done.stdout) == (0, "end\n"), done.stderr
    assert "mutex" not in done.stderr
    if analyser is not None:
        assert len(analyser.of("hello")) > 1
        assert all(one.step < 75 for one in analyser.of("step"))
        analyser.stop()


DIES = """
import os, sys, time
import sentinel_training.sender as s
from sentinel_training._wire import training_pb2 as wire
one = s.Sender(sys.argv[1], wire.RankHello(), "x")
sys.stdin.readline()
if os.fork() == 0:
    sys.stdout.close()
    time.sleep(600)
    os._exit(0)
os.kill(os.getpid(), 9)
"""


def test_a_job_that_dies_is_gone_whatever_its_children_do(tmp_path: Path) -> None:
    path = tmp_path / "training.sock"
    place = {**os.environ, "PYTHONPATH": str(Path(sender.__file__).parents[2])}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(WAIT_S)
        command = [sys.executable, "-c", DIES, str(path)]
        job = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, env=place)
        try:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(WAIT_S)
                assert connection.recv(65_536) != b""
                job.communicate(b"now\n")
                while connection.recv(65_536) != b"":
                    pass
        finally:
            os.killpg(job.pid, 9)
