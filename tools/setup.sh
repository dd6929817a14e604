#!/bin/sh
# Makes .venv from the pinned, hash-checked requirements; does nothing when it is up to date.
# Usage: tools/setup.sh run|dev      (dev contains run)
set -eu
cd "$(dirname "$0")/.."

kind=$1
venv=.venv
uv_version=0.13.9
case $kind in
    run) lock=requirements.txt ;;
    dev) lock=requirements-dev.txt ;;
    *) echo "usage: tools/setup.sh run|dev" >&2; exit 2 ;;
esac

fail() {
    echo "$*" >&2
    exit 1
}

# The stamp is the checksum of the lock file that was installed.
fresh() {
    [ -x $venv/bin/python ] && [ -f "$venv/stamp-$1" ] &&
        [ "$(cat "$venv/stamp-$1")" = "$(cksum < "$2")" ]
}

find_python() {
    for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
}

make_venv() {
    python=$(find_python)
    [ -n "$python" ] || fail "Python 3.11 or newer is needed: install python3 (and python3-venv)."
    if ! $python -m venv --clear $venv >/dev/null 2>&1; then
        rm -rf $venv
        fail "Python's venv module is missing: run 'apt-get install python3-venv' and try again."
    fi
}

install() {
    # uv lives beside the environment, not in it: the environment holds what the lock file names.
    if [ -x $venv/uv/bin/uv ] || $venv/bin/python -m pip install --quiet \
        --disable-pip-version-check --target $venv/uv "uv==$uv_version" 2>/dev/null; then
        UV_PYTHON_DOWNLOADS=never $venv/uv/bin/uv pip sync --quiet --require-hashes \
            --python $venv/bin/python "$lock" && return
    fi
    echo "uv is not usable here, installing with pip (slower)." >&2
    $venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
}

if fresh $kind $lock || { [ $kind = run ] && fresh dev requirements-dev.txt; }; then
    :
else
    [ -x $venv/bin/python ] && $venv/bin/python -m pip --version >/dev/null 2>&1 || make_venv
    echo "Installing the pinned packages into $venv ..."
    install || fail "The packages could not be installed: the first set-up needs a network" \
        "connection to a Python package index."
    rm -f $venv/stamp-run $venv/stamp-dev
    cksum < "$lock" > "$venv/stamp-$kind"
fi
$venv/bin/python tools/compile_messages.py
