#!/bin/bash
# A private PostgreSQL 15 in a directory, for trials, tests and benchmarks; the caller may be root or any other user.
set -euo pipefail

readonly programs=${POSTGRES_BIN:-/usr/lib/postgresql/15/bin}
readonly port_first=20000 port_count=10000 # below the range from which the kernel takes ports for outgoing connections
readonly start_attempts=5
readonly wait_s=60
readonly name_of_socket=/.s.PGSQL..lock
readonly socket_path_max=107 # bytes of sun_path without its NUL (unix(7))

usage() {
        cat <<'USAGE'
usage: deploy/cluster.sh start DIR [--fast-tests] [--set NAME=VALUE]...
       deploy/cluster.sh stop DIR [fast | immediate]
       deploy/cluster.sh url DIR [--superuser] [--database NAME]
       deploy/cluster.sh remove DIR

  start    make the cluster at the first call, start it, wait until it answers, print its URL; a later call starts it
           again on the same data and, if it is free, the same port
  stop     fast: end sessions and write a checkpoint; immediate: as in a crash. The data stays.
  url      print the libpq connection URL of role and database "holdfast", or of the superuser "postgres"
  remove   stop it and delete all its files

  --fast-tests      no fsync: faster, but the data is lost in a power cut; remembered for later starts
  --set NAME=VALUE  any server setting; remembered for later starts

It listens on 127.0.0.1 and a unix socket, and asks for a password (SCRAM) on both. Started by root it runs as user
postgres, and its data is elsewhere (/var/tmp) if that user cannot reach DIR.

example: deploy/cluster.sh start build/trial
USAGE
}

fail() {
        printf 'cluster: %s\n' "$*" >&2
        exit 1
}

# PostgreSQL refuses to run as root.
as_owner() {
        if [ "$(id -u)" = 0 ]; then
                setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"
        else
                "$@"
        fi
}

recorded() {
        cat "$directory/$1" 2>/dev/null || true
}

# Only the caller may read the password and all other files here.
record() {
        printf '%s\n' "$2" >"$directory/$1"
}

can_own() {
        (umask 022 && mkdir -p "$1") && { [ "$(id -u)" != 0 ] || chown postgres:postgres "$1"; } && as_owner test -w "$1" -a -x "$1"
}

# The directory of the server's files: under DIR, or elsewhere if its user cannot reach DIR.
choose_home() {
        home=$directory/server
        if ! can_own "$home" 2>/dev/null; then
                rmdir "$home" 2>/dev/null || true
                home=$(mktemp -d /var/tmp/holdfast-cluster.XXXXXX)
                can_own "$home" || fail "user postgres can write neither in $directory nor in /var/tmp"
        fi
        chmod 700 "$home"
        record home "$home"
}

# The length of a socket's path is limited; a deep DIR gets a socket under /tmp.
choose_socket_directory() {
        sockets=$home
        if [ $((${#home} + ${#port_first} + ${#name_of_socket})) -gt $socket_path_max ]; then
                sockets=$(mktemp -d /tmp/holdfast-socket.XXXXXX)
                can_own "$sockets"
        fi
        record sockets "$sockets"
}
create() {
        [ -x "$programs/initdb" ] || fail "no PostgreSQL 15 in $programs; run deploy/packages.sh database"
        (umask 022 && mkdir -p "$directory")
        choose_home
        choose_socket_directory
        record password "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
        recorded password | as_owner tee "$home/password" >/dev/null
        as_owner "$programs/initdb" --pgdata="$home/data" --username=postgres --pwfile="$home/password" --auth=scram-sha-256 \
                --encoding=UTF8 --locale=C.UTF-8 --data-checksums --no-instructions "$@" >"$directory/initdb.log" 2>&1 ||
                fail "initdb failed: $(cat "$directory/initdb.log")"
        rm -f -- "$home/password"
}

write_settings() {
        [ "$fast" = no ] || settings=("fsync=off" "synchronous_commit=off" "full_page_writes=off" "${settings[@]}")
        [ ${#settings[@]} = 0 ] || record settings "$(printf '%s\n' "${settings[@]}")"
        {
                printf '%s\n' "listen_addresses = '127.0.0.1'" "unix_socket_directories = '$sockets'" \
                        "max_connections = 200" "timezone = 'UTC'" "log_timezone = 'UTC'" "log_line_prefix = '%m [%p] %u@%d '"
                recorded settings | sed -E "s/'/''/g; s/^([a-z_.]+)=(.*)$/\1 = '\2'/"
        } | as_owner tee "$home/settings.conf" >/dev/null
        include_settings "include '$home/settings.conf'"
}

# Not in postgresql.auto.conf, which belongs to the server and to restore tools.
include_settings() {
        as_owner grep -qxF "$1" "$home/data/postgresql.conf" || printf '%s\n' "$1" | as_owner tee -a "$home/data/postgresql.conf" >/dev/null
}

port_is_free() {
        ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

choose_port() {
        port=$(recorded port)
        until [ -n "$port" ] && port_is_free "$port"; do
                port=$((port_first + (RANDOM * 32768 + RANDOM) % port_count))
        done
        record port "$port"
}

is_running() {
        [ -n "$(recorded home)" ] && as_owner "$programs/pg_ctl" --pgdata="$home/data" status >/dev/null 2>&1
}

launch() {
        as_owner "$programs/pg_ctl" --pgdata="$home/data" --log="$home/log" --options="-p $port" --timeout=$wait_s --wait \
                --silent start </dev/null >/dev/null 2>&1
}

# Another process may take the port between the look and the start; then the script tries another port.
launch_on_some_port() {
        local attempt
        for ((attempt = 1; attempt <= start_attempts; attempt++)); do
                choose_port
                launch && return
                as_owner tail -n 20 "$home/log" | grep -q 'could not bind\|could not create any TCP/IP sockets' || break
        done
        fail "PostgreSQL did not start; the end of $home/log: $(as_owner tail -n 20 "$home/log")"
}

url() {
        printf 'postgresql://%s:%s@127.0.0.1:%s/%s\n' "$1" "$(recorded password)" "$(recorded port)" "$2"
}

# The role of the service owns its database and may make others; it is no superuser.
create_role() {
        PGPASSWORD=$(recorded password) "$programs/psql" --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --host=127.0.0.1 \
                --port="$port" --username=postgres --dbname=postgres <<SQL >/dev/null
create role holdfast login createdb password '$(recorded password)';
grant pg_monitor to holdfast;
create database holdfast owner holdfast;
SQL
        record role holdfast
}

start() {
        local fast=no settings=() initdb_options=()
        while [ $# -gt 0 ]; do
                case $1 in
                --fast-tests) fast=yes initdb_options=(--no-sync) ;;
                --set) settings+=("${2:?--set needs NAME=VALUE}") && shift ;;
                *) fail "start: unknown argument '$1'" ;;
                esac
                shift
        done
        if ! is_running; then
                [ -n "$(recorded role)" ] || { remove && create "${initdb_options[@]}"; }
                as_owner test -d "$home/data" || fail "the data in $home is gone; run: deploy/cluster.sh remove $directory"
                write_settings
                launch_on_some_port
                [ -n "$(recorded role)" ] || create_role
        fi
        url holdfast holdfast
}

stop() {
        local mode=${1:-fast}
        case $mode in fast | immediate) ;; *) fail "stop: fast or immediate, not '$mode'" ;; esac
        is_running || return 0
        as_owner "$programs/pg_ctl" --pgdata="$home/data" --mode="$mode" --timeout=$wait_s --wait --silent stop >/dev/null ||
                fail "PostgreSQL in $home did not stop within $wait_s s"
}

# Only files that this script has made; DIR itself stays unless it is empty then.
remove() {
        stop immediate
        [ -z "$home" ] || rm -rf -- "$home"
        [ -z "$sockets" ] || rm -rf -- "$sockets"
        (cd "$directory" 2>/dev/null && rm -f -- home initdb.log password port role settings sockets) || true
        rmdir -- "$directory" 2>/dev/null || true
        home='' sockets=''
}

print_url() {
        local role=holdfast database=holdfast
        while [ $# -gt 0 ]; do
                case $1 in
                --superuser) role=postgres ;;
                --database) database=${2:?--database needs a name} && shift ;;
                *) fail "url: unknown argument '$1'" ;;
                esac
                shift
        done
        [ -n "$(recorded role)" ] || fail "no cluster in $directory"
        url "$role" "$database"
}

case ${1-} in
-h | --help) usage && exit 0 ;;
esac
[ $# -ge 2 ] || { usage >&2 && exit 2; }
readonly command=$1 directory=$(readlink -m -- "$2")
shift 2

# The caller's PostgreSQL settings must not reach the private server; and user postgres cannot enter /root.
unset ${!PG@}
umask 077
cd /

home=$(recorded home)
sockets=$(recorded sockets)
case $command in
start | stop | remove) "$command" "$@" ;;
url) print_url "$@" ;;
*) usage >&2 && exit 2 ;;
esac
