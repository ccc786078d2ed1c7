#!/usr/bin/env bash
# Makes .venv with everything in requirements.lock and the project itself (`make setup`).
#
# A Python from 3.12 on is looked for as python3.13, python3.12 and python3 on PATH, then among
# pyenv's versions, then through uv. Each is tried, not only found: a pyenv shim stands on PATH even
# when the version it would run is not installed.
set -euo pipefail
cd "$(dirname "$0")/.."

usable='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))'

works() { "$1" -c "$usable" >/dev/null 2>&1; }

candidates() {
  local name versions
  for name in python3.13 python3.12 python3; do
    which -a "$name" 2>/dev/null || true
  done
  if command -v pyenv >/dev/null 2>&1; then
    versions=$(pyenv versions --bare 2>/dev/null | grep -E '^3\.(1[2-9]|[2-9][0-9])\.' | sort -rV || true)
    for name in $versions; do
      echo "$(pyenv root)/versions/$name/bin/python"
    done
  fi
  if command -v uv >/dev/null 2>&1; then
    uv python find '>=3.12' 2>/dev/null ||
      { uv python install 3.13 >&2 && uv python find 3.13; } || true
  fi
}

find_python() {
  local candidate
  while read -r candidate; do
    if works "$candidate"; then
      echo "$candidate"
      return
    fi
  done < <(candidates)
  echo "setup: no Python 3.12 or later (with venv) found as python3.13, python3.12 or python3," \
    "nor by pyenv or uv: install one, e.g. python3 and python3-venv of your system" >&2
  return 1
}

# A .venv whose Python was moved or removed is made anew; one that works is brought up to date.
if ! works .venv/bin/python; then
  python=$(find_python)
  echo "setup: $("$python" --version), $python"
  rm -rf .venv
  "$python" -m venv .venv
fi
pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input)
PIP_ROOT_USER_ACTION=ignore
export PIP_ROOT_USER_ACTION
"${pip[@]}" --require-hashes --requirement requirements.lock
"${pip[@]}" --no-deps --no-build-isolation --editable clients/python --editable .
touch .venv/.stamp
