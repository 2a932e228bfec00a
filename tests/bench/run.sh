#!/bin/bash
# Run the benchmarks: install missing packages, build for speed, measure. Without a program's name it is
# tests/bench/bench.py; `--help` after the name has the help of each.
set -euo pipefail

root=$(dirname -- "$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")")
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH

program=bench
case ${1-} in
events | files | growth | pressure)
        program=$1
        shift
        ;;
queue) # not queue.py: Python has a module of that name
        program=store_queue
        shift
        ;;
esac

for argument in "$@"; do
        case $argument in
        -h | --help) command -v python3 >/dev/null && exec python3 -B "$root/tests/bench/$program.py" --help ;;
        esac
done

"$root/deploy/packages.sh" build run database test bench
exec python3 -B "$root/tests/bench/$program.py" "$@"
