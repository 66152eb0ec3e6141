#!/bin/sh
# Makes .venv and installs cnnlab into it with the given extras, once: nothing happens when neither pyproject.toml
# nor constraints.txt has changed since. Usage: scripts/venv.sh course,test,dev     PYTHON=python3.12 scripts/venv.sh course
set -eu

extras=${1:?"say which extras to install, for example: scripts/venv.sh course"}
cd "$(dirname "$0")/.."
venv_python=.venv/bin/python
stamp=.venv/.installed-$(echo "$extras" | tr ',' '-')

say() { printf '%s\n' "$*" >&2; }
die() { say "$@"; exit 1; }
recent_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none; }

find_python() {
  if [ -n "${PYTHON:-}" ]; then
    recent_enough "$PYTHON" || die "PYTHON=$PYTHON is not a working Python 3.11 or newer. Give another: make PYTHON=python3.12 …"
    echo "$PYTHON"
    return
  fi
  for candidate in python3 python3.13 python3.12 python3.11 python; do
    if recent_enough "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  die "No Python 3.11 or newer was found. Install one (on Debian and Ubuntu: apt install python3 python3-venv), or name it: make PYTHON=/path/to/python …"
}

if [ -n "${PYTHON:-}" ]; then
  find_python > /dev/null # a PYTHON that is no use is refused before anything is thrown away
fi

# An environment that no longer starts (the Python below it was upgraded), or one of another Python than asked for, is made anew.
if [ -d .venv ]; then
  if ! recent_enough "$venv_python"; then
    say "The Python in .venv does not start or is too old: making .venv anew."
    rm -rf .venv
  elif [ -n "${PYTHON:-}" ] && [ "$(version_of "$PYTHON")" != "$(version_of "$venv_python")" ]; then
    say ".venv has Python $(version_of "$venv_python"), PYTHON=$PYTHON asks for $(version_of "$PYTHON"): making .venv anew."
    rm -rf .venv
  fi
fi

key="$(cat pyproject.toml constraints.txt | cksum) $(pwd)"
# A stamp for course-test-dev also answers for course: its extras begin with the ones asked for.
for done_before in "$stamp"*; do
  if [ -f "$done_before" ] && [ "$(cat "$done_before")" = "$key" ]; then
    exit 0
  fi
done

make_venv() {
  "$1" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
    die "$1 cannot make virtual environments (ensurepip is missing). On Debian and Ubuntu: apt install python3-venv"
  "$1" -m venv .venv || { rm -rf .venv; die "Making .venv failed; the lines above say why."; }
}

if [ ! -d .venv ]; then
  base=$(find_python)
  make_venv "$base"
elif ! "$venv_python" -c 'import pip' >/dev/null 2>&1; then
  make_venv "$venv_python" # it was interrupted half way, before pip: its own Python completes it
fi

say "Installing cnnlab [$extras] into .venv (once; it takes a minute or two) …"
"$venv_python" -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt --editable ".[$extras]" ||
  die "" "Installing failed; the lines above say why. It needs a Python package index: check the network (or your pip settings) and run the command again."
# On all cores, where pip takes one. Some packages bring files that are no valid Python on purpose: these are left.
"$venv_python" -m compileall -qq -j 0 .venv/lib || true
echo "$key" > "$stamp"
