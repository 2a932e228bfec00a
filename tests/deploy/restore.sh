#!/bin/bash
# The rehearsal of docs/operations.md: back up an open shop, lose its data, and restore them.
set -euo pipefail

root=$(dirname -- "$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")")
readonly root

usage() {
        cat <<'USAGE'
usage: tests/deploy/restore.sh [ROUNDS]

Runs tests/fault/test_restore.py ROUNDS times in a row, three by default, and prints the time of each step: a full backup by
pgBackRest while clients place orders; the data directory removed and restored to the latest moment; a table dropped and the
cluster restored to a moment before. ./tests/run.sh runs the same test once.

example: tests/deploy/restore.sh 1
USAGE
}

case ${1-} in
-h | --help) usage && exit 0 ;;
esac
readonly rounds=${1:-3}
[[ $rounds =~ ^[1-9][0-9]?$ ]] || { usage >&2 && exit 2; }

for ((round = 1; round <= rounds; round++)); do
        begin=$SECONDS
        "$root/tests/run.sh" fault -k test_restore >"$root/build/restore.log" 2>&1 || { cat "$root/build/restore.log" && exit 1; }
        printf '\nround %s, passed in %s s\n' "$round" $((SECONDS - begin))
        cat "$root/build/tests/fault/restore.txt"
done
