#!/bin/sh
# add-field.sh 'NAME: VALUE' -- NEXT...: puts a field in front of the header and hands the message on.
# A chain filter as vsmtp-chain(7) describes it: the next program finds the changed message on 0.
set -u
field=$1
shift
[ "${1-}" != -- ] || shift

# A file is opened again below, so that it is read from its start; a pipe can be read once only and is kept in a file.
if [ ! -f /dev/stdin ]; then
  kept=$(mktemp) && cat >"$kept" || exit 53
  exec <"$kept"
  rm -f "$kept"
fi

# The line end of the message: CR LF as it comes by SMTP, LF as it comes from programs of this host.
cr=
LC_ALL=C head -n 1 </dev/stdin | LC_ALL=C grep -q "$(printf '\r')\$" && cr=$(printf '\r')

# Only cat touches the octets of the message: a shell variable would lose its NULs.
new=$(mktemp) || exit 53
trap 'rm -f "$new"' EXIT
{ printf '%s%s\n' "$field" "$cr" && cat </dev/stdin; } >"$new" || exit 53
exec <"$new"
rm -f "$new"  # exec keeps the file, not its name
exec "$@"
