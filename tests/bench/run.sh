#!/bin/bash
# The benchmark: install what is missing, build for speed, measure. tests/bench/bench.py has the help.
set -euo pipefail

root=$(dirname -- "$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")")
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH

for argument in "$@"; do
        case $argument in
        -h | --help) command -v python3 >/dev/null && exec python3 -B "$root/tests/bench/bench.py" --help ;;
        esac
done

"$root/deploy/packages.sh" build run database test bench
exec python3 -B "$root/tests/bench/bench.py" "$@"
