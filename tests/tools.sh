#!/bin/sh
# Leaves on this machine what the tests need besides Python: as root on Debian by installing what is missing, else by
# saying in one line what to install. A server whose address the environment gives needs no program here.
set -eu
missing=""

# need PACKAGE PLACE...: one of the places is a program on the path or a file.
need() {
    package=$1
    shift
    for place in "$@"; do
        if command -v "$place" > /dev/null || [ -e "$place" ]; then return; fi
    done
    missing="$missing $package"
}

[ -n "${NXCAT_TEST_POSTGRESQL_URL:-}" ] || need postgresql postgres /usr/lib/postgresql/*/bin/postgres
[ -n "${NXCAT_TEST_REDIS_URL:-}" ] || need redis-server redis-server
[ -n "${NXCAT_TEST_STOMP_URL:-}" ] || need activemq /usr/share/activemq/bin/activemq.jar
[ -n "${NXCAT_TEST_ELASTICSEARCH_URL:-}" ] || need maven mvn
[ -n "${NXCAT_TEST_ELASTICSEARCH_URL:-}" ] || need openjdk-17-jdk-headless javac

[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "the tests need more programs: apt-get install$missing" >&2
    exit 1
fi
echo "installing$missing"
# Run level 1: no service starts by being installed; the tests start their own.
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt-get update --quiet=2
# shellcheck disable=SC2086 # one word a package
apt-get install --quiet=2 --yes --no-install-recommends $missing > /dev/null
