# For the tests of smtpd: a server on a free port, a chain that keeps what it is given, clients of few words.
load helpers

# serve OPTION... [-- PROGRAM...]: on a free port of 127.0.0.1, whose number is in $port then. Without a chain: keep.
serve() {
  local chain=(./keep) options=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1"); shift; done
  [ $# -gt 1 ] && chain=("${@:2}")
  start smtpd smtpd --listen 127.0.0.1:0 --domain mx.example.org "${options[@]}" -- "${chain[@]}"
  wait_for grep -q 'listening address=127' smtpd.log
  port=$(sed -n 's/.*listening address=127.0.0.1:\([0-9]*\).*/\1/p' smtpd.log | head -n 1)
}

# The process that serves; pid_of smtpd is its parent, which watches over it. Of several workers: the first.
worker() { awk '{ print $1 }' "/proc/$(pid_of smtpd)/task/$(pid_of smtpd)/children"; }

# A program that ends a chain: the Nth message is in kept/N.msg, its envelope a line each in N.env, context N.ctx, environment N.envir.
make_keep() {
  mkdir -p kept
  cat >keep <<'EOF'
#!/bin/sh
i=1
until mkdir "$0.d.$i" 2>/dev/null; do i=$((i + 1)); done
to=$(dirname "$0")/kept/$i
cat >"$to.msg"
tr '\0' '\n' <&1 >"$to.env"
cat <&3 >"$to.ctx"
env | grep -E '^(PROTO|TCP|SMTP|RELAY)' | sort >"$to.envir"
printf 'K250 2.0.0 Ok: queued as %s' "$i" >&6
EOF
  chmod +x keep
}
kept() { find kept -name '*.msg' | wc -l; }
has_kept() { [ "$(kept)" = "$1" ]; }

# A program of the chain: `script NAME <<EOF`.
script() { { echo '#!/bin/sh'; cat; } >"$1" && chmod +x "$1"; }

# Sends standard input, prints all that the server says.
say() { socat -t 20 -T 20 - "TCP4:127.0.0.1:$port"; }
# The lines of standard input with CR LF.
crlf() { sed 's/$/\r/'; }
# The codes of replies, without lines that go on: "220 250 354".
codes() { sed -n 's/^\([0-9][0-9][0-9]\) .*/\1/p' | paste -sd' '; }

# send [RECIPIENT...]: one small message; prints what is said.
send() {
  { printf 'EHLO client.example\r\nMAIL FROM:<a@a.example>\r\n'
    printf 'RCPT TO:<%s>\r\n' "${@:-b@b.example}"
    printf 'DATA\r\nSubject: x\r\n\r\nhello\r\n.\r\nQUIT\r\n'
  } | say
}
