#!/bin/bash
# Kill the database's primary while clients place orders. tests/deploy/failover.py does the work.
set -euo pipefail

root=$(dirname -- "$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")")
readonly root

usage() {
        cat <<'USAGE'
usage: tests/deploy/failover.sh [SCENARIO...]

Sets up three nodes with etcd, Patroni and PostgreSQL from the files of deploy/ha, and two instances of the service. One finds the
primary through HAProxy, the other by the list of hosts in its connection string. Clients place orders through both and
repeat unanswered requests, while the primary is lost:

  crash       PostgreSQL is killed; Patroni lives
  node        all processes of the node are killed, as by a power cut
  partition   the node is cut off from all others and goes on running

Writes must resume within 30 seconds through both instances, without a restart. Every acknowledged order must be there exactly once,
and its repetition must find it. The node must come back, and the audit be clean. Without arguments it does all three.

Needs root, for private network namespaces that end with it; installs missing packages (deploy/packages.txt). About two minutes.

example: tests/deploy/failover.sh crash
USAGE
}

case ${1-} in
-h | --help) usage && exit 0 ;;
esac
for scenario in "$@"; do
        case $scenario in
        crash | node | partition) ;;
        *) usage >&2 && exit 2 ;;
        esac
done
[ "$(id -u)" = 0 ] || { echo "failover: must be root, for network namespaces" >&2 && exit 1; }

export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH PYTHONDONTWRITEBYTECODE=1
"$root/deploy/packages.sh" build run database ha test
[ -e "$root/build/release/build.ninja" ] || meson setup -Dbuildtype=release "$root/build/release" "$root" >/dev/null
ninja -C "$root/build/release" holdfast >/dev/null

# A separate PID namespace: when its first process ends, the kernel ends all others in it, and removes the network.
export HOLDFAST_BINARY=$root/build/release/holdfast
unset ${!PG@}
exec unshare --net --pid --ipc --mount --mount-proc --fork --kill-child \
        bash -c 'python3 -u "$0" "$@"; exit $?' "$root/tests/deploy/failover.py" "$@"
