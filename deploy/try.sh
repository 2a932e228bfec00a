#!/bin/bash
# From a plain clone to a running service with a retailer in it, and one order carried through.
set -euo pipefail

readonly root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
readonly build=$root/build/try
readonly program=$build/holdfast
readonly port_first=10000 port_count=10000 # below the range from which the kernel takes ports for outgoing connections
readonly start_attempts=5
readonly ready_within_s=30 stop_within_s=40 poll_s=0.1

usage() {
        cat <<'USAGE'
usage: deploy/try.sh [--once | --fresh | --stop | --remove]

Installs missing Debian packages, builds the service, starts a private PostgreSQL, migrates, loads the demo
retailer (deploy/demo), serves on a free port of 127.0.0.1, and walks one click-and-collect order through the API.
The service keeps running; another run uses the same data. All files are under build/.

  --once     use a separate database, stop and remove everything after the walk; exit 0 only if every step succeeded
  --fresh    delete the data of earlier runs first
  --stop     stop the service and its PostgreSQL; the data stays
  --remove   stop them and delete the data

example: deploy/try.sh --once
USAGE
}

fail() {
        printf 'try: %s\n' "$*" >&2
        exit 1
}

say() {
        printf '\n%s== %s%s\n' "$bold" "$*" "$plain"
}

# ---- the build ----

# One build at a time: a second try.sh waits. meson's output goes to a log, because a newcomer does not need it.
build() {
        local log=$root/build/try.log build_lock
        exec {build_lock}>"$root/build/.try.lock"
        flock "$build_lock"
        if [ ! -f "$build/build.ninja" ]; then
                rm -rf -- "$build"
                (umask 022 && meson setup --buildtype=release -Dwerror=false "$build" "$root") >"$log" 2>&1 || fail "meson setup failed: $(tail -n 30 "$log")"
        fi
        (umask 022 && ninja -C "$build" holdfast) >"$log" 2>&1 || fail "the build failed: $(tail -n 60 "$log")"
        exec {build_lock}>&-
}

# ---- processes ----

recorded() {
        cat "$state/$1" 2>/dev/null || true
}

# The start time of a living process, in clock ticks since boot (proc(5): field 22). Its name may contain blanks, so it is cut off.
born() {
        sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 !~ /[XZ]/ { print $20 }'
}

# Whether it is the process that this script started, and not a later one with the same number. Two are known: the service,
# and "mails", the mail catcher.
is_running() {
        local since
        since=$(recorded "${1-}born")
        [ -n "$since" ] && [ "$since" = "$(born "$(recorded "${1-}pid")")" ]
}

record() {
        echo "$2" >"$state/${1}pid"
        born "$2" >"$state/${1}born" || true
}

stop_process() {
        local pid end=$((SECONDS + stop_within_s))
        if is_running "$1"; then
                pid=$(recorded "${1}pid")
                kill -TERM "$pid"
                while is_running "$1" && [ $SECONDS -lt $end ]; do sleep $poll_s; done
                ! is_running "$1" || kill -KILL "$pid"
        fi
        rm -f -- "$state/${1}pid" "$state/${1}born"
}

stop_service() {
        stop_process ''
        stop_process mails.
}

stop_all() {
        stop_service
        [ ! -d "$state/postgres" ] || "$root/deploy/cluster.sh" stop "$state/postgres"
}

remove_all() {
        stop_service
        [ ! -d "$state/postgres" ] || "$root/deploy/cluster.sh" remove "$state/postgres"
        rm -rf -- "$state"
}

port_is_free() {
        ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

random_port() {
        local port
        until port=$((port_first + (RANDOM * 32768 + RANDOM) % port_count)) && port_is_free "$port"; do :; done
        echo "$port"
}

# The well-known ports if they are free, so that a command from an earlier run works again.
choose_ports() {
        api_port=8080 admin_port=8081
        if [ $stays = no ] || [ "$1" -gt 1 ] || ! port_is_free $api_port || ! port_is_free $admin_port; then
                api_port=$(random_port)
                admin_port=$(random_port)
        fi
}

# All settings of `holdfast`, for this script and for a shell that sources the file.
write_environment() {
        local name
        export HOLDFAST_DATABASE_URL=$database_url
        export HOLDFAST_JWT_SECRET_FILE=$state/secrets/jwt_secret
        export HOLDFAST_PICKUP_SECRET_FILE=$state/secrets/pickup_secret
        export HOLDFAST_WEBHOOK_SEALING_KEY_FILE=$state/secrets/webhook_sealing_key
        export HOLDFAST_LISTEN=127.0.0.1:$api_port
        export HOLDFAST_ADMIN_LISTEN=127.0.0.1:$admin_port
        export HOLDFAST_SMTP_URL=smtp://127.0.0.1:$mail_port
        export API=http://127.0.0.1:$api_port
        {
                for name in ${!HOLDFAST_@} API; do echo "export $name=${!name@Q}"; done
                printf 'PATH=%s:$PATH\n' "${build@Q}"
        } >"$state/environment"
}

# Wait until the service is ready; fails if it ends before.
wait_ready() {
        local end=$((SECONDS + ready_within_s))
        until "$program" healthcheck >/dev/null 2>&1; do
                is_running || return 1
                [ $SECONDS -lt $end ] || fail "the service is not ready after $ready_within_s s: $(tail -n 20 "$state/log")"
                sleep $poll_s
        done
}

launch() {
        choose_ports "$1"
        write_environment
        setsid "$program" serve </dev/null >"$state/log" 2>&1 &
        record '' $!
        wait_ready
}

# Keeps the mails to customers as files; none leaves the machine.
catch_mails() {
        mail_port=$(random_port)
        setsid "$root/deploy/mails.py" "$mail_port" "$state/mails" </dev/null >"$state/mails.log" 2>&1 &
        record mails. $!
}

# Another process may take a port between the look and the start; then the script tries another port.
serve() {
        local attempt
        for ((attempt = 1; attempt <= start_attempts; attempt++)); do
                launch $attempt && return
                grep -q 'cannot listen' "$state/log" || break
        done
        fail "the service did not start: $(tail -n 20 "$state/log")"
}

# Opening stock is set once: after that the user may change the figures.
load() {
        cd "$root/deploy/demo"
        "$program" import locations locations.csv
        "$program" import products products.csv
        [ -f "$state/stocked" ] || "$program" import stock stock.csv
        touch "$state/stocked"
        cd "$OLDPWD"
}

# ---- the front door ----

tell_how_to_go_on() {
        cat <<TEXT

The service runs at $API; read its API in a browser: $API/docs

    . $(relative "$state/environment")     # sets API, the settings and the path of the program
    TOKEN=\$(holdfast token --subject me --scope admin --ttl 86400)
    curl -H "Authorization: Bearer \$TOKEN" \$API/v1/locations

Its mails to customers are files in $(relative "$state/mails"). Its log is $(relative "$state/log"). To stop it: $(relative "$root/deploy/try.sh") --stop
TEXT
}

# The path relative to the reader's directory, if that is shorter.
relative() {
        realpath --relative-base="$PWD" -- "$1"
}

# At the exit of an unfinished run, and always with --once.
leave() {
        local code=$?
        trap - EXIT
        trap '' HUP INT TERM
        if [ $stays = no ]; then
                remove_all
        elif [ $settled = no ]; then
                stop_all
        fi
        exit $code
}

run() {
        say "Packages"
        "$root/deploy/packages.sh" build run database
        say "Building (the first time takes a minute or two)"
        build
        "$program" version
        say "A private PostgreSQL"
        settled=no
        stop_service
        [ $fresh = no ] || remove_all
        (umask 022 && mkdir -p "$state") # user postgres must reach it
        "$root/deploy/secrets.sh" "$state/secrets" jwt_secret pickup_secret webhook_sealing_key
        database_url=$("$root/deploy/cluster.sh" start "$state/postgres")
        api_port=0 admin_port=0 mail_port=0
        write_environment
        "$program" migrate
        say "The demo retailer"
        load
        say "The service"
        catch_mails
        serve
        echo "ready at $API"
        settled=yes
        say "One order, from the shelf to the customer"
        walked=0
        "$root/deploy/walk.py" || walked=$?
}

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR-}" ] && [ "${TERM-dumb}" != dumb ]; then
        bold=$'\e[1m' plain=$'\e[0m'
fi

# Debian's programs, even if others come first in the caller's path; none of the caller's settings.
export PATH=$build:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
unset ${!HOLDFAST_@} ${!PG@}
umask 077

state=$root/build/demo
stays=yes settled=yes fresh=no
case ${1-} in
-h | --help) usage && exit 0 ;;
'') ;;
--fresh) fresh=yes ;;
--once) stays=no ;;
--stop | --remove) ;;
*) usage >&2 && exit 2 ;;
esac
[ $# -le 1 ] || { usage >&2 && exit 2; }

case ${1-} in
--stop) stop_all && exit ;;
--remove) remove_all && exit ;;
esac

(umask 022 && mkdir -p "$root/build")
[ -w "$root/build" ] || fail "$root/build belongs to another user; work in your own clone"
[ $stays = yes ] || { state=$(mktemp -d "$root/build/once.XXXXXX") && chmod 711 "$state"; }
trap leave EXIT
trap 'exit 130' HUP INT TERM
run
[ $stays = no ] || tell_how_to_go_on
exit $walked
