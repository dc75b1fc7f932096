"""Stand-ins for the CUDA libraries that PyTorch of PyPI links against, so that it runs on a CPU without 2.7 GB of them.

PyTorch loads them when it is imported, and calls none of them where there is no GPU. Each stand-in defines exactly the symbols
that PyTorch wants of it, in the symbol version that it wants; the runtime's say "no device", every other ends the process with its name.
"""

from __future__ import annotations

import collections
import re
import subprocess
import tempfile
from pathlib import Path

SYSTEM = re.compile(r"(lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s|gomp)|ld-linux.*|libcuda)\.so")
SYSTEM_VERSION = re.compile(r"(GLIBC|GCC|CXXABI|GLIBCXX|GOMP|OMP)")
NO_DEVICE = re.compile(r"(cuda|cupti|__cuda)")
# Beginning of a symbol's name -> library, where the symbol has no version that names it. Longest first.
OWNERS = {
    "cublasLt": "libcublasLt",
    "cublas": "libcublas",
    "cudnn": "libcudnn",
    "cusparseLt": "libcusparseLt",
    "cusparse": "libcusparse",
    "cusolver": "libcusolver",
    "cufft": "libcufft",
    "curand": "libcurand",
    "cuFile": "libcufile",
    "cupti": "libcupti",
    "pnccl": "libnccl",
    "nccl": "libnccl",
    "nvrtc": "libnvrtc",
    "nvshmem": "libnvshmem_host",
    "nvJitLink": "libnvJitLink",
    "__cuda": "libcudart",
    "cuda": "libcudart",
}


def build(folder: Path) -> None:
    """Writes the missing libraries into `folder`, which is torch/lib."""
    libraries = sorted(folder.glob("*.so*"))
    present = {library.name for library in libraries}
    missing = {name for library in libraries for name in needed(library)} - present
    missing = {name for name in missing if not SYSTEM.match(name)}
    wanted, defined = set(), set()
    for library in libraries:
        for kind, symbol in symbols(library):
            (wanted if kind in "Uw" else defined).add(symbol)
    by_library = assign(wanted - defined, missing)
    for name in sorted(missing):
        compile_library(folder / name, by_library[name])


def needed(library: Path) -> list[str]:
    return re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-dW", str(library)))


def symbols(library: Path) -> list[tuple[str, str]]:
    lines = (line.split() for line in output("nm", "-D", str(library)).splitlines())
    return [(words[-2], words[-1].replace("@@", "@")) for words in lines if len(words) > 1]


def assign(wanted: set[str], missing: set[str]) -> dict[str, list[tuple[str, str]]]:
    by_library: dict[str, list[tuple[str, str]]] = collections.defaultdict(list)
    for symbol in sorted(wanted):
        name, _, version = symbol.partition("@")
        if SYSTEM_VERSION.match(version):
            continue
        library = version if version in missing else owner(name, missing)
        if library:
            by_library[library].append((name, version))
    return by_library


def owner(symbol: str, missing: set[str]) -> str | None:
    stem = next((OWNERS[start] for start in OWNERS if symbol.startswith(start)), None)
    return next((name for name in sorted(missing) if stem and name.startswith(f"{stem}.so")), None)


def compile_library(path: Path, wanted: list[tuple[str, str]]) -> None:
    versions: dict[str, list[str]] = collections.defaultdict(list)
    for name, version in wanted:
        versions[version].append(name)
    with tempfile.TemporaryDirectory() as work:
        source, script = Path(work, "stand_in.c"), Path(work, "versions")
        source.write_text("#include <stdio.h>\n#include <stdlib.h>\n" + "".join(function(name) for name, _ in wanted))
        named = {version: names for version, names in versions.items() if version}
        script.write_text(
            "".join(f"{version} {{ global: {'; '.join(names)}; }};\n" for version, names in named.items())
        )
        options = [f"-Wl,-soname,{path.name}", *([f"-Wl,--version-script={script}"] if named else [])]
        flags = ["-shared", "-fPIC", "-O1", "-w", "-fno-builtin"]
        subprocess.run(["cc", *flags, *options, "-o", str(path), str(source)], check=True)


def function(name: str) -> str:
    body = "return 100;" if NO_DEVICE.match(name) else f'fputs("no CUDA here: {name}\\n", stderr); abort();'
    return f"long {name}(void) {{ {body} }}\n"


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
