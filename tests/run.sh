#!/bin/bash
# Install missing packages, build, and run every test: the way to start tests/run.py, which has the help.
set -euo pipefail

root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")

# Debian's programs, even if others come first in the caller's path.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH

for argument in "$@"; do
        case $argument in
        -h | --help) command -v python3 >/dev/null && exec python3 -B "$root/tests/run.py" --help ;;
        esac
done

"$root/deploy/packages.sh" build run database test
exec python3 -B "$root/tests/run.py" "$@"
