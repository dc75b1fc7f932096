"""`python -m sentinel_inference --version`: which version this is, and what it was run with.

`manifest` writes down the weights of a model.
"""

from __future__ import annotations

import argparse

from . import __version__

TESTED = """run on CPUs: vLLM 0.32.0 (float32; LLM, AsyncLLM and its server, two workers), Triton 2.51 with its Python backend,
  pytriton 0.7.0, any callable
written for their documented interfaces, not run: TensorRT-LLM, SGLang
not run: GPUs"""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="sentinel_inference", description=__doc__)
    parser.add_argument("--version", action="version", version=f"sentinel-inference {__version__}\n{TESTED}")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command")
    one = commands.add_parser(
        "manifest", help="loads a model in vLLM as the server does, and writes the checksums of its weights"
    )
    one.add_argument("--out", required=True, help="the file to write")
    one.add_argument("--model", required=True, help="as vLLM takes it")
    one.add_argument("--dtype", default="auto")
    one.add_argument("--tensor-parallel-size", type=int, default=1)
    one.add_argument("--pipeline-parallel-size", type=int, default=1)
    one.add_argument("--quantization", default=None)
    one.add_argument("--max-model-len", type=int, default=None)
    one.add_argument("--enforce-eager", action="store_true")
    given = parser.parse_args(arguments)
    if given.command == "manifest":
        from .vllm.make_manifest import make

        options = {
            key: value for key, value in vars(given).items() if key not in ("command", "out") and value is not None
        }
        print(make(given.out, options))
        return
    parser.print_help()


if __name__ == "__main__":
    main()
