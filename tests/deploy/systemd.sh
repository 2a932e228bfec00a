#!/bin/bash
# The installed units under a real systemd.
set -euo pipefail

root=$(dirname -- "$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")")
readonly root program=$root/build/release/holdfast
readonly within_s=30

usage() {
        cat <<'USAGE'
usage: tests/deploy/systemd.sh

Installs the program with meson into an empty directory, lays that over this machine's /usr, and boots a systemd on it, in private
namespaces: it shares only /usr, and only for reading. Then it does the work of an administrator: migrate, start, commands by
hand, the nightly jobs, reload. It takes the database away, freezes the loop, stops, and starts with wrong settings.

Needs root, and a kernel that lets it mount cgroups; uses the installed systemd of Debian. About a minute.

example: tests/deploy/systemd.sh
USAGE
}

fail() {
        printf 'FAILED: %s\n' "$*" >&2
        [ -z "${manager:-}" ] || inside journalctl --no-pager --lines=40 --output=cat >&2 || true
        exit 1
}

passed() {
        printf 'passed: %s\n' "$*"
}

eventually() {
        local what=$1 end=$((SECONDS + within_s))
        shift
        until "$@"; do
                [ $SECONDS -lt $end ] || fail "not within $within_s s: $what"
                sleep 0.1
        done
}

# ---- the machine: an empty one; its /usr is the host's with the files that meson has installed on top

make_machine() {
        local machine=$1 device
        mount -t tmpfs -o mode=755 tmpfs "$machine"
        mkdir -p "$machine"/{usr,etc/systemd/system,etc/holdfast,var/lib,var/log,var/tmp,run,tmp,proc,sys,dev,root,old}
        chmod 1777 "$machine/tmp" "$machine/var/tmp"
        mount -t overlay -o "lowerdir=$scratch/installed/usr:/usr" overlay "$machine/usr"
        for device in bin lib lib64 sbin; do ln -s "usr/$device" "$machine/$device"; done
        cp -a /etc/{passwd,group,shadow,nsswitch.conf,ld.so.cache} "$machine/etc/"
        od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$machine/etc/machine-id"
        mount -t proc proc "$machine/proc"
        mount -t sysfs -o ro sysfs "$machine/sys"
        mount -t tmpfs -o mode=755 tmpfs "$machine/run"
        mount -t tmpfs -o mode=755 tmpfs "$machine/dev"
        mkdir "$machine/dev/shm" "$machine/dev/pts" && ln -s pts/ptmx "$machine/dev/ptmx"
        while read -r device numbers; do
                mknod -m 666 "$machine/dev/$device" c $numbers
        done <<<$'null 1 3\nzero 1 5\nfull 1 7\nrandom 1 8\nurandom 1 9\ntty 5 0'
        mount_cgroups "$machine/sys/fs/cgroup"
}

mount_cgroups() {
        if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
                mount -t cgroup2 cgroup2 "$1"
        else
                mount -t tmpfs -o mode=755 tmpfs "$1"
                mkdir "$1/systemd"
                mount -t cgroup -o none,name=systemd cgroup "$1/systemd"
        fi
}

# Units that would affect more than this machine, or need parts that it does not have.
mask() {
        local unit
        for unit in "$@"; do ln -s /dev/null "$1/etc/systemd/system/$unit" 2>/dev/null || true; done
}

boot() {
        local machine=$scratch/machine
        make_machine "$machine"
        mask "$machine" systemd-sysctl.service systemd-modules-load.service systemd-udevd.service systemd-udev-trigger.service \
                dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount
        cp "$scratch"/{database_url,pickup_secret,holdfast.env} "$machine/etc/holdfast/"
        chmod 600 "$machine"/etc/holdfast/*
        cd "$machine"
        pivot_root . old
        umount -l /old
        mount --make-rshared /
        exec env -i container=holdfast-test PATH=/usr/sbin:/usr/bin /lib/systemd/systemd --system --show-status=no --unit=basic.target
}

# ---- separate cgroups, so that no process is left in those of others

own_cgroup() {
        local hierarchy
        for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*; do
                [ -e "$hierarchy/cgroup.procs" ] && [ ! -L "$hierarchy" ] || continue
                mkdir -p "$hierarchy/$1" && echo $BASHPID 2>/dev/null >"$hierarchy/$1/cgroup.procs" || true
        done
}

leave_cgroup() {
        local hierarchy
        for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*; do
                [ ! -d "$hierarchy/$1" ] || [ -L "$hierarchy" ] || find "$hierarchy/$1" -depth -type d -exec rmdir {} + 2>/dev/null || true
        done
}

# ---- the tests

inside() {
        nsenter --target "$manager" --all -- "$@"
}

property() {
        inside systemctl show --property="$1" --value "${2:-holdfast}"
}

property_is() {
        [ "$(property "$1")" = "$2" ]
}

is_up() {
        inside systemctl is-system-running 2>/dev/null | grep -q 'running\|degraded'
}

check_process() {
        local status
        status=$(inside cat "/proc/$(property MainPID)/status")
        grep -q '^CapBnd:[[:space:]]*0*$' <<<"$status" || fail "it has capabilities"
        grep -q '^NoNewPrivs:[[:space:]]*1$' <<<"$status" && grep -q '^Seccomp:[[:space:]]*2$' <<<"$status" || fail "it is not shut in"
        ! grep -q '^Uid:[[:space:]]*0' <<<"$status" || fail "it runs as root"
        passed "it runs as nobody in particular, without capabilities, its system calls filtered"
}

check_requests() {
        local token answer
        token=$("$program" token --subject test --scope admin)
        answer=$(curl --silent --output /dev/null --write-out '%{http_code}' --request PUT --header "Authorization: Bearer $token" \
                --header 'Content-Type: application/json' --data '{"name": "Web", "kind": "web"}' http://127.0.0.1:8080/v1/channels/web)
        [ "$answer" = 201 ] || fail "a request is answered with $answer"
        passed "a request is answered, with the settings of the credentials"
}

check_commands() {
        local code=0
        inside holdfastctl doctor >"$scratch/doctor.log" 2>&1 || fail "holdfastctl doctor: $(cat "$scratch/doctor.log")"
        grep -q '^ok .*schema' "$scratch/doctor.log" || fail "the doctor has not seen the schema: $(cat "$scratch/doctor.log")"
        inside holdfastctl nonsense >/dev/null 2>&1 || code=$?
        [ $code = 2 ] || fail "a command that there is not ends with $code"
        passed "a command by hand has the settings and the secrets of the unit, and its exit code comes through"
}

check_upkeep() {
        local textfile=/var/lib/prometheus/node-exporter/holdfast.prom
        inside systemctl start holdfast-audit || fail "the audit fails where nobody collects its outcome"
        inside mkdir -p "${textfile%/*}"
        inside systemctl start holdfast-audit || fail "the audit fails"
        inside grep -q '^holdfast_audit_findings 0$' "$textfile" || fail "the audit's outcome is not there"
        [ "$(inside stat --format=%a "$textfile")" = 644 ] || fail "the node exporter cannot read the audit's outcome"
        [ "$(inside ls -A "${textfile%/*}")" = holdfast.prom ] || fail "the audit leaves something behind"
        inside systemctl start holdfast-prune || fail "it cannot prune"
        inside systemctl --quiet enable --now holdfast-audit.timer holdfast-prune.timer || fail "the timers cannot be enabled"
        [ -n "$(property NextElapseUSecRealtime holdfast-audit.timer)" ] || fail "the timer of the audit does not wait"
        [ -n "$(property NextElapseUSecRealtime holdfast-prune.timer)" ] || fail "the timer of the pruning does not wait"
        passed "audit and pruning run, the outcome can be read by others, the timers wait for the night"
}

check_outage() {
        "$root/deploy/cluster.sh" stop "$scratch/cluster"
        eventually "systemctl status says that it is not ready" property_is StatusText 'Not ready: see /readyz.'
        "$root/deploy/cluster.sh" start "$scratch/cluster" >/dev/null
        eventually "it is ready again" property_is StatusText Serving.
        property_is NRestarts 0 || fail "it was started again because the database was away"
        passed "the status tells of an outage and of its end; nothing is started again"
}

check_watchdog() {
        inside kill -STOP "$(property MainPID)"
        eventually "the watchdog starts it again" property_is NRestarts 1
        eventually "it serves again" property_is StatusText Serving.
        passed "a loop that stands still is killed and started again"
}

check_end() {
        inside systemctl stop holdfast
        property_is Result success && property_is ExecMainStatus 0 || fail "it did not stop well: $(property ExecMainStatus)"
        passed "it stops with 0"
        inside sh -c 'echo HOLDFAST_LISTEN=nonsense >>/etc/holdfast/holdfast.env'
        ! inside systemctl start holdfast 2>/dev/null || fail "it starts with settings that are wrong"
        property_is ExecMainStatus 78 && property_is ActiveState failed || fail "wrong settings: $(property ExecMainStatus), $(property ActiveState)"
        passed "with settings that are wrong it fails once and is not tried again"
}

run() {
        ip link set lo up
        "$root/deploy/cluster.sh" start "$scratch/cluster" >"$scratch/database_url"
        od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$scratch/pickup_secret"
        HOLDFAST_JWT_SECRET=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
        export HOLDFAST_JWT_SECRET
        cat "$root/deploy/systemd/holdfast.env" - <<<"HOLDFAST_JWT_SECRET=$HOLDFAST_JWT_SECRET" >"$scratch/holdfast.env"
        unshare --cgroup --pid --ipc --uts --mount --fork --kill-child "$0" --boot "$scratch" >"$scratch/boot.log" 2>&1 &
        eventually "a first process" pgrep -P $! >/dev/null
        manager=$(pgrep -P $!)
        eventually "systemd is up: $(cat "$scratch/boot.log")" is_up
        inside systemctl start holdfast-migrate || fail "it cannot migrate"
        passed "the unit of the migration does its work"
        inside systemctl start holdfast || fail "it does not start"
        property_is StatusText Serving. || fail "it is started before it serves"
        passed "it is started when it serves"
        check_process
        check_requests
        check_commands
        check_upkeep
        inside systemctl reload holdfast || fail "it does not reload"
        passed "it reloads"
        check_outage
        check_watchdog
        check_end
}

leave() {
        local code=$?
        trap - EXIT
        "$root/deploy/cluster.sh" remove "$scratch/cluster" >/dev/null 2>&1 || true
        exit $code
}

case ${1-} in
-h | --help) usage && exit 0 ;;
--boot) scratch=$2 && boot ;;
--run)
        scratch=$2
        trap leave EXIT
        run
        ;;
'')
        [ "$(id -u)" = 0 ] || { echo "systemd: must be root, for namespaces" >&2 && exit 1; }
        export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
        "$root/deploy/packages.sh" build run database
        for word in curl dbus-daemon ip systemctl systemd-run unshare; do
                command -v $word >/dev/null || { echo "systemd: there is no $word here" >&2 && exit 1; }
        done
        scratch=$(mktemp -d /var/tmp/holdfast-systemd-XXXXXX)
        chmod 755 "$scratch"
        mkdir "$scratch/machine"
        meson setup --prefix=/usr -Dbuildtype=release "$scratch/build" "$root" >/dev/null
        [ -e "$root/build/release/build.ninja" ] || meson setup -Dbuildtype=release "$root/build/release" "$root" >/dev/null
        ninja -C "$root/build/release" holdfast >/dev/null
        cp "$program" "$scratch/build/holdfast"
        DESTDIR=$scratch/installed meson install -C "$scratch/build" --no-rebuild >/dev/null
        group=holdfast-test-$$
        (own_cgroup "$group" && exec unshare --net --pid --ipc --uts --mount --mount-proc --fork --kill-child \
                bash -c '"$0" --run "$1"; exit $?' "$(readlink -f -- "$0")" "$scratch") && code=0 || code=$?
        leave_cgroup "$group"
        [ $code != 0 ] && echo "the logs stay in $scratch" >&2 || rm -rf -- "$scratch"
        exit $code
        ;;
*) usage >&2 && exit 2 ;;
esac
