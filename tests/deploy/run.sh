#!/bin/bash
# Test deploy/compose.yaml with Docker: from nothing to a handed-over order, and then every failure.
set -euo pipefail

root=$(dirname -- "$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")")
readonly root
readonly image=holdfast:0.1.0 base=debian:bookworm-slim
readonly image_above_base_max=120000000 # bytes
readonly ready_within_s=120 stop_within_s=40 scraped_within_s=90

usage() {
        cat <<'USAGE'
usage: tests/deploy/run.sh [--no-build]

Builds the image, starts deploy/compose.yaml as a separate project on free ports, loads the demo retailer, walks an
order through it, and checks the permissions of the containers. Then it kills the service and the database with SIGKILL
while clients place orders. It starts the profile scale and loses one of the two instances by a kill and by a stop, starts
the profile observability, and removes everything but the images. Every acknowledged order must be there exactly once, and
the audit be clean.
Without Docker it says so and exits 0. It skips tests that a stand-in cannot pass (stand-ins/: images to build without a
registry), and says so.

  --no-build   use the existing image

example: tests/deploy/run.sh
USAGE
}

fail() {
        printf 'FAILED: %s\n' "$*" >&2
        compose logs --no-color --tail=40 >&2 || true
        exit 1
}

passed() {
        printf 'passed: %s\n' "$*"
}

compose() {
        "${program[@]}" --project-name "$project" --file "$root/deploy/compose.yaml" "$@"
}

# Debian 12 has the first spelling, other systems the second.
find_compose() {
        docker version >/dev/null 2>&1 || { echo "skipped: no Docker answers here" && exit 0; }
        if docker compose version >/dev/null 2>&1; then
                program=(docker compose)
        elif command -v docker-compose >/dev/null; then
                program=(docker-compose)
        else
                echo "skipped: there is no docker compose" && exit 0
        fi
}

free_ports() {
        python3 - "$1" <<'PYTHON'
import socket
import sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*[each.getsockname()[1] for each in sockets])
PYTHON
}

# Also of exited containers, which one of the two Compose programs would hide.
container() {
        docker ps --all --quiet --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False
}

state_of() {
        docker inspect --format "$2" "$(container "$1")"
}

bring_up() {
        compose up --detach --no-build "$@" >"$scratch/up" 2>&1 || fail "it does not come up: $(tail -n 20 "$scratch/up")"
}

wait_healthy() {
        local service end=$((SECONDS + ready_within_s))
        for service in "$@"; do
                until [ "$(state_of "$service" '{{.State.Health.Status}}')" = healthy ]; do
                        [ $SECONDS -lt $end ] || fail "$service is not healthy after $ready_within_s s"
                        sleep 0.2
                done
        done
}

within() {
        local service=$1
        shift
        docker exec "$(container "$service")" "$@"
}

inside() {
        within holdfast "$@"
}

# ---- the image and the containers ----

size_of() {
        docker image inspect --format '{{.Size}}' "$1"
}

check_image() {
        local above
        docker image inspect $base >/dev/null 2>&1 || docker pull --quiet $base >/dev/null
        above=$(($(size_of $image) - $(size_of $base)))
        [ $above -le $image_above_base_max ] || fail "the image has $above bytes above its base"
        passed "the image has $((above / 1000000)) MB above its base"
}

check_refused() {
        local what=$1
        shift
        ! inside "$@" >/dev/null 2>&1 || fail "the service's container can $what"
        passed "the service's container cannot $what"
}

check_container() {
        [ "$(inside id -u)" = 10001 ] || fail "the service does not run as 10001"
        passed "the service runs as 10001"
        check_refused "write to its files" touch /written
        check_refused "compile" sh -c 'command -v cc || command -v gcc || command -v as || command -v ld'
        check_refused "read the superuser's password" cat /run/secrets/postgres/superuser_password
        inside grep -q '^CapBnd:[[:space:]]*0*$' /proc/self/status || fail "the service's container has capabilities"
        passed "it has no capability"
        [ "$(docker port "$(container holdfast)")" = "8080/tcp -> 127.0.0.1:$HOLDFAST_PORT" ] || fail "it publishes more than the API on loopback"
        [ -z "$(docker port "$(container postgres)")" ] || fail "PostgreSQL is published"
        passed "only the API is published, on loopback"
}

# PostgreSQL's start-up script needs some privileges; the server that it starts has none.
check_confined() {
        local service status
        for service in "$@"; do
                [ "$(state_of "$service" '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}')" = 'true [ALL]' ] || fail "$service may write to its files, or has kept capabilities"
                [[ $(state_of "$service" '{{.HostConfig.SecurityOpt}}') == *no-new-privileges* ]] || fail "$service may gain privileges"
                status=$(within "$service" cat /proc/1/status)
                ! grep -q '^Uid:[[:space:]]*0' <<<"$status" || fail "$service runs as root"
                grep -q '^CapEff:[[:space:]]*0*$' <<<"$status" || fail "$service runs with capabilities"
        done
        passed "confined: $*"
}

# ---- behaviour ----

# The walk makes its tokens by `holdfast`, which is in the container.
walk() {
        printf '#!/bin/bash\nexec %s exec -T holdfast holdfast "$@"\n' "$(printf '%q ' "${program[@]}" --project-name "$project" --file "$root/deploy/compose.yaml")" >"$scratch/holdfast"
        chmod +x "$scratch/holdfast"
        PATH=$scratch:$PATH API=http://127.0.0.1:$HOLDFAST_PORT "$root/deploy/walk.py" >"$scratch/walk" ||
                fail "the walk: $(tail -n 20 "$scratch/walk")"
}

load_demo() {
        bring_up demo
        [ "$(docker wait "$(container demo)")" = 0 ] || fail "the demo retailer is not loaded: $(docker logs --tail 20 "$(container demo)" 2>&1)"
        TOKEN=$(docker logs --tail 1 "$(container demo)")
        export TOKEN
}

stock_digest() {
        query 'select string_agg(location || sku || on_hand, $$,$$ order by location, sku) from holdfast.stock' | sha256sum
}

query() {
        within postgres psql --username=postgres --dbname=holdfast --no-psqlrc --quiet --tuples-only --no-align --command="$1"
}

secrets_digest() {
        inside sh -c 'cat /run/secrets/holdfast/* | sha256sum'
}

stop_gracefully() {
        docker stop --time $stop_within_s "$(container holdfast)" >/dev/null
        [ "$(state_of holdfast '{{.State.ExitCode}}')" = 0 ] || fail "the service ended with $(state_of holdfast '{{.State.ExitCode}}') on its stop signal"
}

# ---- failures ----

# After `docker kill` Docker would not restart the container, because it was asked for; this is a crash.
crash() {
        printf '%s\n' docker run --rm --pid=host --network=none --user=0 --entrypoint=/bin/sh $image -c "kill -KILL $(state_of "$1" '{{.State.Pid}}')"
}

# Clients place orders at PORT while the command from standard input runs.
place_orders() {
        local prefix=$1 port=$2
        local -a command
        mapfile -t command
        "$root/tests/deploy/load.py" "http://127.0.0.1:$port" --prefix "$prefix" -- "${command[@]}" >"$scratch/load" 2>"$scratch/complaints" ||
                fail "$prefix: not every order was acknowledged: $(cat "$scratch/complaints")"
}

acknowledged() {
        python3 -c 'import json, sys; [print(*each) for each in sorted(json.load(open(sys.argv[1]))["orders"].items())]' "$scratch/load"
}

told() {
        python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$scratch/load" "$1"
}

# Reference and id of each, from the replies and from the database.
check_orders() {
        local prefix=$1
        acknowledged >"$scratch/told"
        query "select external_ref, id from holdfast.orders where external_ref like '$prefix-%'" | tr '|' ' ' | LC_ALL=C sort >"$scratch/found"
        diff "$scratch/told" "$scratch/found" >"$scratch/difference" || fail "$prefix: acknowledged and found differ: $(head "$scratch/difference")"
        inside holdfast audit >"$scratch/audit" 2>&1 || fail "$prefix: the audit: $(cat "$scratch/audit")"
        passed "$(told acknowledged) orders were acknowledged ($(told meanwhile) of them meanwhile), each is there once, the audit is clean; $(told failed_requests) requests were sent again"
}

check_crash() {
        local service=$1 prefix=$2 pid
        pid=$(state_of "$service" '{{.State.Pid}}')
        crash "$service" | place_orders "$prefix" "$HOLDFAST_PORT"
        wait_healthy "$service" holdfast
        [ "$(state_of "$service" '{{.State.Pid}}')" != "$pid" ] || fail "$service was not killed"
        check_orders "$prefix"
        passed "$service was killed while orders came in"
}

# ---- two instances ----

check_scale() {
        tell_stand_in scale haproxy:
        bring_up holdfast-second balancer
        wait_healthy holdfast-second balancer
        check_confined holdfast-second balancer
        crash holdfast | place_orders LOST "$HOLDFAST_BALANCER_PORT"
        wait_healthy holdfast
        check_orders LOST
        passed "one of two instances was killed while orders came in"
        printf '%s\n' docker stop --time $stop_within_s "$(container holdfast-second)" | place_orders LEFT "$HOLDFAST_BALANCER_PORT"
        check_orders LEFT
        [ "$(told failed_requests)" = 0 ] || fail "a client has noticed that an instance was stopped"
        passed "one of two instances was stopped while orders came in, and no client has noticed"
        bring_up holdfast-second
        wait_healthy holdfast-second
}

# ---- monitoring ----

stand_in() {
        docker image inspect --format '{{index .Config.Labels "holdfast.stand-in"}}' "$1" 2>/dev/null || true
}

image_of() {
        compose --profile "$1" config | awk -v image="$2" '$1 == "image:" && index($2, image) == 1 { print $2 }'
}

# A normal Docker has the real images. A machine without a registry may have stand-ins; the output names them.
tell_stand_in() {
        local named other
        named=$(image_of "$1" "$2")
        other=$(stand_in "$named")
        [ -z "$other" ] || echo "note: $other stands in for $named"
}

ask_prometheus() {
        curl --silent --fail --get "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/query" --data-urlencode "query=$1" |
                python3 -c 'import json, sys; print(*[each["value"][1] for each in json.load(sys.stdin)["data"]["result"]])'
}

rules_in_health() {
        curl --silent --fail "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/rules" |
                python3 -c 'import json, sys; print(*{rule["health"] for group in json.load(sys.stdin)["data"]["groups"] for rule in group["rules"]})'
}

check_prometheus() {
        local end=$((SECONDS + scraped_within_s))
        tell_stand_in observability prom/
        bring_up prometheus
        wait_healthy prometheus
        check_confined prometheus
        until [ "$(ask_prometheus 'sum(up{job="holdfast"}) == count(holdfast_build_info)')" = 2 ]; do
                [ $SECONDS -lt $end ] || fail "Prometheus does not see two instances after $scraped_within_s s"
                sleep 0.5
        done
        passed "Prometheus sees both instances"
        until [ "$(rules_in_health)" = ok ]; do
                [ $SECONDS -lt $end ] || fail "Prometheus cannot evaluate every alert rule: $(rules_in_health)"
                sleep 0.5
        done
        passed "Prometheus evaluates every alert rule"
}

check_grafana() {
        local password
        [ "$(stand_in "$(image_of observability grafana/)")" != none ] || { echo "skipped: Grafana, for there is no image of it here" && return; }
        bring_up grafana
        wait_healthy grafana
        check_confined grafana
        password=$(within grafana cat /run/secrets/grafana/admin_password)
        ! curl --silent --fail --user admin:admin "http://127.0.0.1:$GRAFANA_PORT/api/search" >/dev/null || fail "Grafana has its default password"
        curl --silent --fail --user "admin:$password" "http://127.0.0.1:$GRAFANA_PORT/api/search?type=dash-db" | grep -q Holdfast || fail "Grafana shows no dashboard"
        passed "Grafana shows the dashboard to a user with the generated password"
}

# ---- cleaning up ----

down() {
        compose --profile demo --profile observability --profile scale down --volumes --remove-orphans --timeout 10 >/dev/null 2>&1
}

check_nothing_left() {
        local of=label=com.docker.compose.project=$project
        [ -z "$(docker ps --all --quiet --filter "$of")$(docker volume ls --quiet --filter "$of")$(docker network ls --quiet --filter "$of")" ] || fail "something is left"
        passed "nothing is left"
}

leave() {
        local code=$?
        trap - EXIT
        down || true
        rm -rf -- "$scratch"
        exit $code
}

build=yes
case ${1-} in
-h | --help) usage && exit 0 ;;
--no-build) build=no ;;
'') ;;
*) usage >&2 && exit 2 ;;
esac

find_compose
project=holdfast-test-$$
scratch=$(mktemp -d)
read -r HOLDFAST_PORT HOLDFAST_BALANCER_PORT PROMETHEUS_PORT GRAFANA_PORT < <(free_ports 4)
export HOLDFAST_PORT HOLDFAST_BALANCER_PORT PROMETHEUS_PORT GRAFANA_PORT
unset COMPOSE_PROFILES
trap leave EXIT
trap 'exit 130' HUP INT TERM

[ $build = no ] || compose build
check_image
bring_up
wait_healthy holdfast
passed "it comes up from nothing"
check_container
check_confined holdfast postgres
load_demo
passed "the demo retailer is loaded"
walk
passed "an order is walked through"
before=$(stock_digest)
load_demo
[ "$(stock_digest)" = "$before" ] || fail "loading the demo retailer again has changed the stock"
passed "the demo retailer is loaded once"

before=$(secrets_digest)
stop_gracefully
passed "it stops on its signal with 0"
bring_up
wait_healthy holdfast
[ "$(secrets_digest)" = "$before" ] || fail "the secrets are others after a restart"
walk
passed "after a restart secrets and data are as before"

check_crash holdfast KILLED
check_crash postgres CRASHED
check_scale
check_prometheus
check_grafana
down
check_nothing_left
