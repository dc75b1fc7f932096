#!/bin/sh
# Writes the pins with hashes anew: lock.sh UV [NAME...]
set -eu
uv=$1; shift
cd "$(dirname "$0")"
for name in ${*:-uv stubs torch jax vllm triton mlserver clients}; do
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
    --custom-compile-command 'lock.sh UV' --override torch-overrides.in "$name.in" --output-file "$name.txt"
done
