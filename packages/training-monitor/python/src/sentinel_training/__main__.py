"""`python -m sentinel_training --version`: which version this is, and what it was tested with."""

from __future__ import annotations

import argparse

from . import __version__

TESTED = """tested on CPUs, with four ranks over gloo: PyTorch 2.13.0 (eager, DistributedDataParallel, FSDP2, HSDP,
  torch.compile with backend aot_eager; with inductor in one process; a job that torchrun starts anew);
  JAX 0.10.2 with optax 0.2.8, four devices of one process, and two processes of two
run in one process on an H100: checksums, replays, statistics
not run: several GPUs, nccl, backend inductor on several ranks
off by design: replay and local gradient norms under FSDP; checks of matrix products in compiled models; comparison of ranks after Join;
  PyTorch's FSDP1 (replica checksums); JAX over several processes (each compares its own devices)"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="sentinel_training", description=__doc__)
    parser.add_argument("--version", action="version", version=f"sentinel-training {__version__}\n{TESTED}")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.parse_args()
    parser.print_help()


if __name__ == "__main__":
    main()
