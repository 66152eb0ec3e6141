#!/bin/sh
# Writes constraints.txt anew: the newest versions that pyproject.toml allows, as this machine's package index has them.
# PyTorch keeps its pin: it is only a second opinion in tests, and its newest ordinary wheel brings gigabytes of CUDA.
# Usage: scripts/renew-constraints.sh     (needs the network; run `make test` afterwards: it names pins that refuse the
# oldest Python we allow)
set -eu
cd "$(dirname "$0")/.."
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"${PYTHON:-python3}" -m venv "$fresh/venv"
"$fresh/venv/bin/python" -m pip install --quiet --editable '.[course,test,dev]'
{
  sed -n '/^#/p' constraints.txt
  {
    "$fresh/venv/bin/python" -m pip list --format=freeze --exclude-editable
    sed -n '/^torch==/p' constraints.txt
  } | grep -v -i -E '^(cnnlab|pip|setuptools)==' | LC_ALL=C sort -f
} > "$fresh/constraints.txt"
mv "$fresh/constraints.txt" constraints.txt
