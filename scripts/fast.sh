#!/bin/sh
# Adds the compiled kernels (the extra cnnlab[fast]) to .venv if there is a wheel for this machine; tried once for each
# change of the lists of packages, and never a reason to stop: NumPy computes the same. NO_FAST=1 leaves it.
set -u

cd "$(dirname "$0")/.."
stamp=.venv/.tried-fast
key="$(cat pyproject.toml constraints.txt | cksum)"
if [ -n "${NO_FAST:-}" ] || { [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$key" ]; }; then
  exit 0
fi
if .venv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary numba,llvmlite \
  --constraint constraints.txt --editable ".[fast]" >/dev/null 2>&1; then
  printf '%s\n' "Compiled kernels for convolutions were added (about 200 MB; NO_FAST=1 leaves them out)." >&2
fi
echo "$key" > "$stamp"
exit 0
