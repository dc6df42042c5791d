#!/bin/sh
# setup.sh VENV LOCK [locked]: make VENV hold exactly what LOCK pins, and this project in editable form, whose entry
# points are read from pyproject.toml when it is installed; with `locked`, what is pinned alone.
# Uses uv (the one on the PATH, else one installed from the package index) and falls back to pip.
set -eu
venv=$1 lock=$2 only=${3:-}
python=${PYTHON:-python3}
stamp=$venv/.litegate-lock
# Behind a proxy of one's own, only the system knows the certificates.
export UV_SYSTEM_CERTS=true

[ -x "$venv/bin/python" ] && cat "$lock" pyproject.toml | cmp -s - "$stamp" && exit 0
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || {
    echo "setup: expected Python 3.11, 3.12 or 3.13, got $python: $("$python" -V 2>&1);" \
         "name another one with PYTHON=..." >&2
    exit 1
}

find_uv() {
    command -v uv && return
    tools=.venv-tools
    [ -x $tools/bin/uv ] && { echo $tools/bin/uv; return; }
    "$python" -m venv $tools >&2 && $tools/bin/python -m pip install -q uv >&2 && echo $tools/bin/uv
}

with_uv() {
    uv=$(find_uv) || return 1
    [ -x "$venv/bin/python" ] || "$uv" venv -q --python "$python" "$venv" || return 1
    "$uv" pip sync -q --python "$venv/bin/python" --require-hashes --compile-bytecode "$lock" &&
        { [ -n "$only" ] || "$uv" pip install -q --python "$venv/bin/python" --no-deps --no-build-isolation -e .; }
}

with_pip() {
    echo "setup: uv could not do it, trying pip" >&2
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install -q --require-hashes -r "$lock"
    [ -n "$only" ] || "$venv/bin/python" -m pip install -q --no-deps --no-build-isolation -e .
}

echo "setup: $venv from $lock (the first time takes some minutes)"
with_uv || with_pip
cat "$lock" pyproject.toml > "$stamp"
