"""Writes the code of the wire contract into the package before it is built."""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "monitor-kit" / "python" / "scripts"))
import stubs  # type: ignore[import-not-found]


class Build(build_py):
    def run(self) -> None:
        stubs.write("sentinel_inference")
        super().run()


setup(cmdclass={"build_py": Build})
