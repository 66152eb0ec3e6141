#!/bin/sh
# All that needs an NVIDIA GPU: the tests marked so, then the benchmark against PyTorch. Where there is none it says so
# and ends well. GPU_PYTHON=python3 takes an environment that has CuPy (and PyTorch with CUDA, to compare with) already;
# else CuPy and cuDNN are added to .venv where the driver lists a GPU. PYTEST_ARGS and BENCH_ARGS are passed on.
set -eu

cd "$(dirname "$0")/.."
PYTHONPATH="$(pwd)${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONPATH
tests='tests/backend tests/kernels tests/nn tests/ops tests/optim tests/train'  # where some need a GPU; others need a browser
why_not='import sys, cnnlab; s = cnnlab.gpu_status(); print(s.reason); sys.exit(not s.ok)'

if [ -n "${GPU_PYTHON:-}" ]; then
  python=$GPU_PYTHON
else
  scripts/venv.sh course,test,dev
  python=.venv/bin/python
  if ! "$python" -c 'import cupy' >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1; then
    "$python" -m pip install --quiet --disable-pip-version-check --editable '.[gpu,gpu-cudnn]'
  fi
fi

if ! found=$("$python" -c "$why_not"); then
  printf '%s\n' "no GPU here: ${found:-$python cannot import cnnlab}. No test was run and nothing was measured."
  exit 0
fi
printf '%s\n' "$found"
failed=0
# shellcheck disable=SC2086  # several arguments are meant
CNNLAB_TESTS_REQUIRE=gpu "$python" -m pytest -m gpu $tests ${PYTEST_ARGS:-} || failed=1
# shellcheck disable=SC2086
"$python" benchmarks/gpu_speed.py ${BENCH_ARGS:-} || failed=1
exit "$failed"
