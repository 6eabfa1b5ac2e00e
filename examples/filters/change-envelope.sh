#!/bin/sh
# change-envelope.sh OLD NEW -- NEXT...: sends what is for OLD to NEW instead. With OLD empty, NEW gets a copy of all messages.
# A chain filter as vsmtp-chain(7) describes it: the next program finds the changed envelope on 1.
set -u
old=$1 new=$2
shift 2
[ "${1-}" != -- ] || shift

# Descriptor 1 is open for reading. In a pipeline 1 is something else, so it is read by another number.
exec 5<&1
envelope=$(mktemp) || exit 53
trap 'rm -f "$envelope"' EXIT

# F sender NUL, T recipient NUL for each, NUL: lines while awk looks at it. Addresses are compared as they stand.
tr '\000' '\n' </dev/fd/5 | OLD=$old NEW=$new LC_ALL=C awk '
  BEGIN { old = ENVIRON["OLD"]; new = ENVIRON["NEW"] }
  $0 == "T" old && old != "" { print "T" new; next }
  $0 == "" && old == "" && !added { print "T" new; added = 1 }
  { print }' | tr '\n' '\000' >"$envelope" || exit 54

exec 1<"$envelope" 5<&-
rm -f "$envelope"  # exec keeps the file, not its name
exec "$@"
