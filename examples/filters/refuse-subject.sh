#!/bin/sh
# refuse-subject.sh TEXT -- NEXT...: refuses messages that have TEXT in their Subject, hands the others on.
# A chain filter as vsmtp-chain(7) describes it: message on 0, envelope on 1, what the client shall read goes to 6.
set -u
text=$1
shift
[ "${1-}" != -- ] || shift

# A file is opened again below, so that its position does not move; a pipe can be read once only and is kept in a file.
if [ ! -f /dev/stdin ]; then
  kept=$(mktemp) && cat >"$kept" || exit 53
  exec <"$kept"
  rm -f "$kept"
fi

# The header, folded lines joined. NULs go first: no shell variable can hold them.
subject=$(tr -d '\r\000' </dev/stdin | LC_ALL=C awk '
  /^$/ { exit }
  /^[ \t]/ { if (wanted) subject = subject $0; next }
  { wanted = tolower($0) ~ /^subject[ \t]*:/ }
  wanted { subject = subject substr($0, index($0, ":") + 1) }
  END { print subject }') || exit 71

case $subject in
  *"$text"*)
    printf 'D554 5.7.1 We do not want to hear of "%s"\n' "$text" >&6
    exit 82
    ;;
esac
exec "$@"
