"""What a run from the clone needs, each made once: an environment, and the code of the wire contract beside the sources.

python3 prepare.py torch|jax     prints the interpreter
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from environment import environment

if __name__ == "__main__":
    stubs = Path(__file__).resolve().parent / "stubs.py"
    subprocess.run([str(environment("stubs")), str(stubs)], check=True, stdout=sys.stderr)
    print(environment(sys.argv[1]))
