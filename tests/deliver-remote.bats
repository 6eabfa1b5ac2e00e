# deliver-remote(8): Postfix's smtp-sink and a whole Postfix as servers, unbound as DNS, and a liar where a server misbehaves.
load helpers

SINK_USER=()
[ "$(id -u)" != 0 ] || SINK_USER=(-u nobody)

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  chmod 755 . # smtp-sink runs as another user
  printf 'From: a@example.net\r\nSubject: test\r\n\r\nhello\r\n' >mail.eml
  port=$(free_port)
}

# sink [OPTION...]: smtp-sink on $port of 127.0.0.1; sink_at ADDRESS [OPTION...]
sink() { sink_at 127.0.0.1 "$@"; }
sink_at() {
  local address=$1
  shift
  start "sink-$address" smtp-sink "${SINK_USER[@]}" -c "$@" "$address:$port" 100
  wait_for answers "$address" "$port"
}
answers() { socat -u /dev/null "TCP4:$1:$2"; }

# liar ACTION...: see tests/tools/liar.py; liar.log is what it was told.
liar() {
  start liar python3 "$TOP/tests/tools/liar.py" "$port" "$@"
  wait_for_port "$port"
}

# remote [OPTION...] HOST SENDER RECIPIENT... <message: the report, a line for each NUL; the log is in remote.log.
remote() { deliver-remote --domain me.example "$@" 2>>remote.log | tr '\0' '\n'; }
# to_server [RECIPIENT...]: from a@example.net to the server on $port
to_server() { remote "[127.0.0.1]:$port" a@example.net "${@:-b@example.org}" <mail.eml; }

# resident [OPTION...]: on remote.sock, with the relay on $port
resident() {
  start resident deliver-remote --resident remote.sock --domain me.example --relay-host "[127.0.0.1]:$port" "$@"
  wait_for test -S remote.sock
}
call() { "$TOP/build/tests/call" --from a@example.net "$@" 2>>call.log; }

# dns RECORD...: unbound with these records on $dns_port of 127.0.0.1; everything below example.org that is not there does not
# exist, and broken.example is refused.
dns() {
  dns_port=$(free_port)
  {
    printf 'server:\n interface: 127.0.0.1@%s\n do-daemonize: no\n use-syslog: no\n chroot: ""\n username: ""\n directory: "."\n pidfile: ""\n' "$dns_port"
    printf ' module-config: "iterator"\n local-zone: "example.org." static\n local-zone: "broken.example." always_refuse\n'
    printf " local-data: '%s'\n" "$@"
    printf 'remote-control:\n control-enable: no\n'
  } >unbound.conf
  start unbound unbound -d -c unbound.conf
  wait_for_port "$dns_port"
}
# by_mx DOMAIN [OPTION...]
by_mx() {
  local domain=$1
  shift
  remote --dns-server "127.0.0.1@$dns_port" --port "$port" "$@" "$domain" a@example.net "b@$domain" <mail.eml
}

# ---- reports

@test "deliver-remote: reports every recipient and the message, in the words of the server" {
  liar 'say 220 liar.example ESMTP' 'hear EHLO me.example' 'say 250 liar.example' 'hear MAIL FROM:<a@example.net>' 'say 250 2.1.0 ok' \
    'hear RCPT TO:<b@example.org>' 'say 250 2.1.5 ok' 'hear RCPT TO:<c@example.org>' 'say 550 5.1.1 no such user' \
    'hear RCPT TO:<d@example.org>' 'say 451-4.2.1 not now|451 4.2.1 come back' 'hear DATA' 'say 354 go' 'message got.eml' 'say 250 2.0.0 queued as 42' \
    'hear QUIT' 'say 221 bye'
  run -0 to_server b@example.org c@example.org d@example.org
  [ "${lines[0]}" = "r[127.0.0.1]:$port said at end of data: 250 2.0.0 queued as 42" ]
  [ "${lines[1]}" = "h[127.0.0.1]:$port said at RCPT: 550 5.1.1 no such user" ]
  [ "${lines[2]}" = "s[127.0.0.1]:$port said at RCPT: 451 4.2.1 not now" ]
  [ "${lines[3]}" = "451 4.2.1 come back" ]
  [ "${lines[4]}" = "K[127.0.0.1]:$port said at end of data: 250 2.0.0 queued as 42" ]
  [ "${#lines[@]}" = 5 ]
  cmp got.eml mail.eml
}

@test "deliver-remote: what a server says is printable in the report" {
  liar 'raw 554-\x1b[2J no\r\n554 \xff\r\n'
  run -0 to_server
  [ "$output" = "D[127.0.0.1]:$port said at greeting: 554 \\x1b[2J no"$'\n'"554 \\xff" ]
}

@test "deliver-remote: exits 0 and says Z when nobody listens" {
  run -0 to_server b@example.org c@example.org
  [ "$output" = "Z[127.0.0.1]:$port: 451 4.4.1 connect: Connection refused" ]
}

@test "deliver-remote: the empty sender is the null reverse-path" {
  liar 'say 220 x' 'hear EHLO' 'say 250 x' 'hear MAIL FROM:<>' 'say 250 ok' loop
  run -0 remote "127.0.0.1:$port" '' b@example.org <mail.eml
  [[ $output == *"K[127.0.0.1]:$port said at end of data: 250 2.0.0 taken" ]]
}

@test "deliver-remote: without a recipient the command line is wrong" {
  run -55 deliver-remote example.org a@example.net <mail.eml
  [ "$output" = 'deliver-remote: fatal: expected: HOST SENDER RECIPIENT...' ]
  run -64 deliver-remote --resident x.sock example.org
  run -64 deliver-remote --no-such-option
  run -78 deliver-remote --port 0 example.org a@example.net b@example.org <mail.eml
  [[ $output == *"remote.port = 0; expected: a number from 1 to 65535" ]]
  run -78 deliver-remote --relay-host 'a b' example.org a@example.net b@example.org <mail.eml
}

# ---- refusals at every stage, by smtp-sink

@test "deliver-remote: a refusal for good is D, one for now is Z, at every stage" {
  local option stage expected
  while read -r option stage expected; do
    sink "$option" "$stage"
    run -0 to_server
    echo "$option $stage: $output"
    [ "${lines[-1]:0:1}" = "$expected" ]
    stop sink-127.0.0.1 || true
  done <<'END'
-f CONNECT D
-r CONNECT Z
-r EHLO Z
-f EHLO K
-f EHLO,HELO D
-f MAIL D
-r MAIL Z
-f RCPT D
-r RCPT Z
-f DATA D
-r DATA Z
-f . D
-r . Z
-f QUIT K
END
}

@test "deliver-remote: a server that hangs up, with 421 or without, makes Z at every stage but QUIT" {
  local option stage
  for option in -q -Q; do
    for stage in CONNECT EHLO MAIL RCPT DATA . QUIT; do
      sink "$option" "$stage"
      run -0 to_server
      echo "$option $stage: $output"
      if [ "$stage" = QUIT ]; then [ "${lines[-1]:0:1}" = K ]; else [ "${lines[-1]:0:1}" = Z ]; fi
      stop sink-127.0.0.1 || true
    done
  done
}

@test "deliver-remote: a connection lost after the final dot may mean a delivery, and the report says so" {
  sink -q .
  run -0 to_server
  [ "${lines[-1]}" = "Z[127.0.0.1]:$port: 451 4.4.2 connection closed at end of data; the message may have been delivered" ]
}

@test "deliver-remote: no recipient is accepted, no message is sent" {
  mkdir -m 777 out
  sink -f RCPT -D out/dump
  run -0 to_server b@example.org c@example.org
  echo "$output"
  [ "${lines[0]:0:1}${lines[1]:0:1}${lines[2]:0:1}" = hhD ]
  [ ! -s out/dump ]
}

@test "deliver-remote: servers without ESMTP, PIPELINING or ENHANCEDSTATUSCODES are served" {
  local option
  for option in -e -p -E; do
    sink "$option"
    run -0 to_server b@example.org c@example.org
    [ "${lines[0]:0:1}${lines[1]:0:1}${lines[2]:0:1}" = rrK ]
    stop sink-127.0.0.1 || true
  done
}

# ---- what goes over the wire

@test "deliver-remote: dots are doubled and line ends are CRLF, whatever the message has" {
  printf 'Subject: x\n\n.\n..a\r\n.b\rc\n\r\n.' >mail.eml
  liar 'say 220 x' 'hear EHLO' 'say 250 x' 'hear MAIL' 'say 250 ok' 'hear RCPT' 'say 250 ok' 'hear DATA' 'say 354 go' 'message got.eml' 'say 250 ok' loop
  run -0 to_server
  cmp got.eml <(printf 'Subject: x\r\n\r\n.\r\n..a\r\n.b\r\nc\r\n\r\n.\r\n')
}

@test "deliver-remote: no end-of-data look-alike of a message ends it, or becomes a command" {
  [ -e "$VSMTP_TESTDATA/smtp/end-of-data.json" ] || { [ "${CI:-}" != true ]; skip 'no test data'; }
  liar 'say 220 x' 'hear EHLO' 'say 250-x|250 8BITMIME' loop
  local bytes
  for bytes in $(jq -r '.cases[].bytes_hex' "$VSMTP_TESTDATA/smtp/end-of-data.json"); do
    { printf 'Subject: x\r\n\r\ntext'; printf "$(sed 's/../\\x&/g' <<<"$bytes")"; printf 'MAIL FROM:<smuggled@example.com>\r\nRCPT TO:<v@example.org>\r\nDATA\r\nx\r\n.\r\n'; } >mail.eml
    run -0 to_server
    [[ $output == *K*"250 2.0.0 taken" ]]
  done
  ! grep -q smuggled liar.log
  [ "$(grep -c MAIL liar.log)" = "$(jq '.cases | length' "$VSMTP_TESTDATA/smtp/end-of-data.json")" ]
}

@test "deliver-remote: addresses are quoted where they must be, and never end a command" {
  liar 'say 220 x' 'hear EHLO' 'say 250 x' loop
  run -0 to_server 'a b@example.org' $'x\r\nRSET@example.org' 'c>@example.org' "$(printf 'l%.0s' {1..320})@example.org"
  [[ ${lines[1]} == "h[127.0.0.1]:$port: 553 5.1.3 recipient address that SMTP cannot carry" ]]
  grep -qF '1 RCPT TO:<"a b"@example.org>' liar.log
  grep -qF '1 RCPT TO:<"c>"@example.org>' liar.log
  grep -qF "1 RCPT TO:<$(printf 'l%.0s' {1..320})@example.org>" liar.log
  ! grep -q RSET liar.log
}

@test "deliver-remote: more recipients than recipients_max get further transactions on the same connection" {
  liar 'say 220 x' 'hear EHLO' 'say 250-x|250 PIPELINING' loop
  local recipients=()
  for i in {1..25}; do recipients+=("r$i@example.org"); done
  run -0 remote --recipients-max 10 "[127.0.0.1]:$port" a@example.net "${recipients[@]}" <mail.eml
  [ "$(grep -c ^r <<<"$output")" = 25 ]
  [ "$(grep -c MAIL liar.log)" = 3 ]
  [ "$(grep -c CONNECTED liar.log)" = 1 ]
  [ "$(grep -c RCPT liar.log)" = 25 ]
  [ "$(tail -n 2 liar.log | head -n 1)" = '1 QUIT' ]
}

# ---- extensions

@test "deliver-remote: 8-bit octets without 8BITMIME are sent in quoted-printable, not what is signed as it stands" {
  printf 'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\303\251\r\n' >mail.eml
  liar 'say 220 x' 'hear EHLO' 'say 250-x|250 SIZE' loop
  run -0 to_server
  [ "${lines[0]:0:1}" = r ]
  printf 'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A9\r\n' | cmp - loop.eml
  grep -qxF "1 MAIL FROM:<a@example.net> SIZE=$(stat -c %s loop.eml)" liar.log
  printf 'MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\303\251\r\n--b--\r\n' >mail.eml
  run -0 to_server
  [ "${lines[0]}" = "h[127.0.0.1]:$port: 554 5.6.3 message has 8-bit octets and host offers no 8BITMIME, and it is signed or encrypted as it stands" ]
}

@test "deliver-remote: 8-bit octets without 8BITMIME are 5.6.3, or are sent, when remote.eight_bit says so" {
  printf 'Subject: x\r\n\r\n\303\251\r\n' >mail.eml
  sink -8
  run -0 remote --eight-bit refuse "[127.0.0.1]:$port" a@example.net b@example.org <mail.eml
  [ "${lines[0]}" = "h[127.0.0.1]:$port: 554 5.6.3 message has 8-bit octets and host offers no 8BITMIME" ]
  run -0 remote --eight-bit send "[127.0.0.1]:$port" a@example.net b@example.org <mail.eml
  [ "${lines[0]:0:1}" = r ]
}

@test "deliver-remote: 8-bit octets are declared where 8BITMIME is offered" {
  printf 'Subject: x\r\n\r\n\303\251\r\n' >mail.eml
  liar 'say 220 x' 'hear EHLO' 'say 250-x|250-SIZE 1000|250 8BITMIME' loop
  run -0 to_server
  [ "${lines[0]:0:1}" = r ]
  grep -qxF '1 MAIL FROM:<a@example.net> SIZE=18 BODY=8BITMIME' liar.log
}

@test "deliver-remote: UTF-8 addresses and headers need SMTPUTF8, 5.6.7 and 5.6.9" {
  liar 'say 220 x' 'hear EHLO' 'say 250-x|250 8BITMIME' loop
  run -0 remote "[127.0.0.1]:$port" $'\u00e9@example.net' b@example.org <mail.eml
  [ "${lines[0]}" = "h[127.0.0.1]:$port: 553 5.6.7 sender address is in UTF-8 and host offers no SMTPUTF8" ]
  run -0 to_server $'\u00e9@example.org' c@example.org
  [ "${lines[0]}" = "h[127.0.0.1]:$port: 553 5.6.7 recipient address is in UTF-8 and host offers no SMTPUTF8" ]
  [ "${lines[1]:0:1}" = r ]
  printf 'Subject: \303\251\r\n\r\nx\r\n' >mail.eml
  run -0 to_server
  [ "${lines[0]}" = "h[127.0.0.1]:$port: 554 5.6.9 header is in UTF-8 and host offers no SMTPUTF8" ]
}

@test "deliver-remote: SMTPUTF8 is asked for when it is offered and needed" {
  liar 'say 220 x' 'hear EHLO' 'say 250-x|250-8BITMIME|250 SMTPUTF8' loop
  run -0 to_server $'\u00e9@example.org'
  [ "${lines[0]:0:1}" = r ]
  grep -qxF '1 MAIL FROM:<a@example.net> SMTPUTF8' liar.log
}

@test "deliver-remote: a message over the server's SIZE is refused without being sent" {
  local size
  size=$(stat -c %s mail.eml)
  liar 'say 220 x' 'hear EHLO' "say 250-x|250 SIZE $size" loop next 'say 220 x' 'hear EHLO' "say 250-x|250 SIZE $((size - 1))" loop
  run -0 to_server
  [ "${lines[0]:0:1}" = r ]
  run -0 to_server
  [ "${lines[0]}" = "h[127.0.0.1]:$port: 552 5.3.4 message of $size octets, host takes $((size - 1))" ]
  [ "$(grep -c MAIL liar.log)" = 1 ]
}

@test "deliver-remote: LMTP has a verdict for each recipient after the message" {
  liar 'say 220 x LMTP' 'hear LHLO me.example' 'say 250-x|250 PIPELINING' 'hear MAIL' 'hear RCPT' 'hear RCPT' 'hear RCPT' 'hear DATA' \
    'say 250 ok|250 ok|550 5.1.1 no|250 ok|354 go' 'message got.eml' 'say 250 2.0.0 stored' 'say 452 4.2.2 full' loop
  run -0 remote --protocol lmtp "[127.0.0.1]:$port" a@example.net b@example.org c@example.org d@example.org <mail.eml
  [ "${lines[0]}" = "r[127.0.0.1]:$port said at end of data: 250 2.0.0 stored" ]
  [ "${lines[1]}" = "h[127.0.0.1]:$port said at RCPT: 550 5.1.1 no" ]
  [ "${lines[2]}" = "s[127.0.0.1]:$port said at end of data: 452 4.2.2 full" ]
}

@test "deliver-remote: LMTP over a Unix socket" {
  # smtp-sink drops its privileges before it listens
  mkdir -m 777 run
  start lmtp smtp-sink "${SINK_USER[@]}" -L unix:run/lmtp 10
  wait_for test -S run/lmtp
  run -0 remote --protocol lmtp "unix:$PWD/run/lmtp" a@example.net b@example.org <mail.eml
  [[ ${lines[0]} == "runix:$PWD/run/lmtp said at end of data: 250 2."* ]]
}

# ---- liars

@test "deliver-remote: a server that speaks something else" {
  liar 'say HTTP/1.1 400 Bad Request'
  run -0 to_server
  [ "$output" = "Z[127.0.0.1]:$port: 451 4.5.0 not a reply: HTTP/1.1 400 Bad Request at greeting" ]
}

@test "deliver-remote: a reply without end is cut off" {
  liar 'flood 100000 220-more and more and more and more and more' 'wait 5'
  run -0 to_server
  [ "$output" = "Z[127.0.0.1]:$port: 451 4.5.0 reply of more than 65536 octets at greeting" ]
}

@test "deliver-remote: each stage has its time limit" {
  local option stage script=()
  while read -r option stage; do
    script+=('say 220 x')
    case $stage in
      greeting) script=() ;;
      EHLO) script+=('hear EHLO') ;;
      MAIL) script+=('hear EHLO' 'say 250 x' 'hear MAIL') ;;
      RCPT) script+=('hear EHLO' 'say 250 x' 'hear MAIL' 'say 250 ok' 'hear RCPT') ;;
      DATA) script+=('hear EHLO' 'say 250 x' 'hear MAIL' 'say 250 ok' 'hear RCPT' 'say 250 ok' 'hear DATA') ;;
      'end of data') script+=('hear EHLO' 'say 250 x' 'hear MAIL' 'say 250 ok' 'hear RCPT' 'say 250 ok' 'hear DATA' 'say 354 go' 'message x') ;;
    esac
    liar "${script[@]}" 'wait 30'
    run -0 remote "--timeout-$option" 300ms "[127.0.0.1]:$port" a@example.net b@example.org <mail.eml
    echo "$option: $output"
    [[ ${lines[-1]} == "Z[127.0.0.1]:$port: 451 4.4.2 no answer within 1 s at $stage"* ]]
    stop liar || true
    script=()
  done <<'END'
greeting greeting
helo EHLO
mail MAIL
rcpt RCPT
data DATA
message end of data
END
}

@test "deliver-remote: a server that dribbles its reply gains no time by it" {
  liar 'drip 220-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 0.1'
  SECONDS=0
  run -0 remote --timeout-greeting 500ms "[127.0.0.1]:$port" a@example.net b@example.org <mail.eml
  [ "$output" = "Z[127.0.0.1]:$port: 451 4.4.2 no answer within 1 s at greeting" ]
  [ $SECONDS -le 3 ]
}

@test "deliver-remote: a server that stops reading the message is given up after the time of a block" {
  head -c 30000000 /dev/zero | tr '\0' x | fold -w 70 >mail.eml
  liar 'say 220 x' 'hear EHLO' 'say 250-x|250 PIPELINING' 'hear MAIL' 'hear RCPT' 'hear DATA' 'say 250 ok|250 ok|354 go' 'wait 30'
  run -0 remote --timeout-block 500ms "[127.0.0.1]:$port" a@example.net b@example.org <mail.eml
  [ "$output" = "Z[127.0.0.1]:$port: 451 4.4.2 host takes no octets within 1 s at message" ]
}

@test "deliver-remote: a server may refuse in the middle of the message, and its words are heard" {
  head -c 30000000 /dev/zero | tr '\0' x | fold -w 70 >mail.eml
  liar 'say 220 x' 'hear EHLO' 'say 250-x|250-SIZE 100000000|250 PIPELINING' 'hear MAIL' 'hear RCPT' 'hear DATA' 'say 250 ok|250 ok|354 go' \
    'read 100000' 'say 552 5.3.4 I lied about SIZE' 'wait 0.2' 'close'
  run -0 to_server
  [ "${lines[0]}" = "h[127.0.0.1]:$port said at message: 552 5.3.4 I lied about SIZE" ]
}

@test "deliver-remote: a server that goes in the middle of the message has not got it" {
  head -c 30000000 /dev/zero | tr '\0' x | fold -w 70 >mail.eml
  liar 'say 220 x' 'hear EHLO' 'say 250-x|250 PIPELINING' 'hear MAIL' 'hear RCPT' 'hear DATA' 'say 250 ok|250 ok|354 go' 'read 100000' reset
  run -0 to_server
  [[ $output == "Z[127.0.0.1]:$port: 451 4.4.2 "*" at message" ]]
}

@test "deliver-remote: 354 for nobody gets an empty message" {
  liar 'say 220 x' 'hear EHLO' 'say 250-x|250 PIPELINING' 'hear MAIL' 'hear RCPT' 'hear DATA' 'say 250 ok|550 no|354 go' 'message got.eml' 'say 250 ok' loop
  run -0 to_server
  [ "${lines[-1]:0:1}" = D ]
  [ -e got.eml ]
  [ ! -s got.eml ]
}

# ---- where mail goes

@test "deliver-remote: hosts of the best preference come first, the next ones when they fail" {
  dns 'example.org. MX 10 dead.example.org.' 'example.org. MX 20 live.example.org.' 'example.org. MX 30 last.example.org.' \
    'dead.example.org. A 127.0.0.2' 'live.example.org. A 127.0.0.3' 'last.example.org. A 127.0.0.4'
  sink_at 127.0.0.3
  sink_at 127.0.0.4
  run -0 by_mx example.org
  [ "${lines[0]}" = "rlive.example.org[127.0.0.3]:$port said at end of data: 250 2.0.0 Ok" ]
}

@test "deliver-remote: a host that greets with 4xx, or says 421 before it has the message, is passed over" {
  local option
  dns 'example.org. MX 10 busy.example.org.' 'example.org. MX 20 live.example.org.' 'busy.example.org. A 127.0.0.2' 'live.example.org. A 127.0.0.3'
  sink_at 127.0.0.3
  for option in '-r CONNECT' '-f CONNECT' '-q CONNECT' '-Q MAIL' '-Q RCPT' '-q DATA'; do
    # shellcheck disable=SC2086 # an option and its value
    sink_at 127.0.0.2 $option
    run -0 by_mx example.org
    echo "$option: $output"
    [ "${lines[0]}" = "rlive.example.org[127.0.0.3]:$port said at end of data: 250 2.0.0 Ok" ]
    stop sink-127.0.0.2 || true
  done
}

@test "deliver-remote: a refusal of sender, recipient or message is not carried to the next host" {
  local stage
  dns 'example.org. MX 10 a.example.org.' 'example.org. MX 20 b.example.org.' 'a.example.org. A 127.0.0.2' 'b.example.org. A 127.0.0.3'
  sink_at 127.0.0.3
  for stage in MAIL RCPT DATA .; do
    sink_at 127.0.0.2 -f "$stage"
    run -0 by_mx example.org
    [[ ${lines[0]} == "ha.example.org[127.0.0.2]:$port said at "* ]]
    stop sink-127.0.0.2 || true
  done
}

@test "deliver-remote: when every address fails the report has them all, and Z unless all refused for good" {
  dns 'example.org. MX 10 a.example.org.' 'example.org. MX 20 b.example.org.' 'a.example.org. A 127.0.0.2' 'b.example.org. A 127.0.0.3'
  sink_at 127.0.0.2 -f CONNECT
  run -0 by_mx example.org
  [ "${lines[0]}" = "Za.example.org[127.0.0.2]:$port said at greeting: 500 5.3.0 Error: command failed" ]
  [ "${lines[1]}" = "b.example.org[127.0.0.3]:$port: 451 4.4.1 connect: Connection refused" ]
  sink_at 127.0.0.3 -f CONNECT
  run -0 by_mx example.org
  [[ ${lines[0]} == Da.example.org* ]]
}

@test "deliver-remote: not more than max_addresses are tried" {
  dns 'example.org. MX 10 a.example.org.' 'a.example.org. A 127.0.0.2' 'a.example.org. A 127.0.0.3' 'a.example.org. A 127.0.0.4'
  run -0 by_mx example.org --max-addresses 2
  [ "$(grep -c 'Connection refused' <<<"$output")" = 2 ]
  run -0 by_mx example.org --max-addresses 3
  [ "$(grep -c 'Connection refused' <<<"$output")" = 3 ]
}

@test "deliver-remote: a domain without MX is its own host, by A and AAAA" {
  dns 'example.org. A 127.0.0.1' 'six.example.org. AAAA ::1'
  sink
  run -0 by_mx example.org
  [ "${lines[0]:0:1}" = r ]
  stop sink-127.0.0.1 || true
  start six smtp-sink "${SINK_USER[@]}" -6 "[::1]:$port" 10
  wait_for socat -u /dev/null "TCP6:[::1]:$port"
  run -0 by_mx six.example.org
  [ "${lines[0]}" = "rsix.example.org[::1]:$port said at end of data: 250 2.0.0 Ok" ]
  run -0 by_mx six.example.org --address-family ipv4
  [ "$output" = 'D550 5.1.2 six.example.org has no address' ]
}

@test "deliver-remote: what DNS says about a domain that cannot be reached" {
  dns 'null.example.org. MX 0 .' 'empty.example.org. TXT x' 'gone.example.org. MX 10 nowhere.example.org.' 'self.example.org. MX 10 me.example.' \
    'loop.example.org. MX 10 a.example.org.' 'loop.example.org. MX 20 me.example.' 'loop.example.org. MX 30 b.example.org.' 'a.example.org. A 127.0.0.2' 'b.example.org. A 127.0.0.3'
  local domain expected
  while read -r domain expected; do
    run -0 by_mx "$domain"
    echo "$domain: $output"
    [ "$output" = "$expected" ]
  done <<END
null.example.org D556 5.1.10 null.example.org accepts no mail (null MX)
empty.example.org D550 5.1.2 empty.example.org has no address
none.example.org D550 5.1.2 no such domain: none.example.org
gone.example.org D550 5.4.4 no mail exchanger of gone.example.org has an address: nowhere.example.org
self.example.org D554 5.4.6 mail for self.example.org loops back: its best mail exchanger me.example is this host
loop.example.org Za.example.org[127.0.0.2]:$port: 451 4.4.1 connect: Connection refused
broken.example Z451 4.4.3 DNS: MX broken.example: SERVFAIL
a..b D550 5.1.2 no such domain: a..b
END
}

@test "deliver-remote: forged answers are told from missing ones where a trust anchor is given" {
  dns 'example.org. MX 10 a.example.org.' 'a.example.org. A 127.0.0.1'
  sink
  echo 'example.org. IN DS 12345 8 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef' >anchor
  run -0 by_mx example.org
  [ "${lines[0]:0:1}" = r ]
  run -0 by_mx example.org --dns-trust-anchor anchor
  [[ $output == 'Z451 4.7.5 DNSSEC: MX example.org: '* ]]
}

@test "deliver-remote: DNS that does not answer is given up after its time" {
  start silent socat -u "UDP4-RECV:$port,bind=127.0.0.1" /dev/null
  run -0 remote --dns-server "127.0.0.1@$port" --dns-timeout 500ms example.org a@example.net b@example.org <mail.eml
  [ "$output" = 'Z451 4.4.3 DNS: MX example.org: no answer within 1 s' ]
}

@test "deliver-remote: a zone may be asked elsewhere, and resolv.conf names the servers otherwise" {
  dns 'example.org. A 127.0.0.1'
  sink
  run -0 remote --dns-server 127.0.0.1@1 --dns-stub "example.org=127.0.0.1@$dns_port" --port "$port" example.org a@example.net b@example.org <mail.eml
  [ "${lines[0]:0:1}" = r ]
  run -0 remote --dns-resolv-conf nowhere example.org a@example.net b@example.org <mail.eml
  [[ $output == 'Z451 4.4.3 DNS: MX example.org: read nowhere: '* ]]
}

@test "deliver-remote: a host in brackets has no MX, an internationalised name is looked up in A-labels" {
  dns 'example.org. MX 10 wrong.example.org.' 'example.org. A 127.0.0.1' 'xn--bcher-kva.example.org. A 127.0.0.1'
  sink
  run -0 remote --dns-server "127.0.0.1@$dns_port" "[example.org]:$port" a@example.net b@example.org <mail.eml
  [ "${lines[0]}" = "rexample.org[127.0.0.1]:$port said at end of data: 250 2.0.0 Ok" ]
  run -0 remote --dns-server "127.0.0.1@$dns_port" --port "$port" $'b\u00fccher.example.org' a@example.net b@example.org <mail.eml
  [ "${lines[0]:0:1}" = r ]
}

@test "deliver-remote: relay_host gets all mail, and no domain is looked up" {
  sink
  run -0 remote --relay-host "[127.0.0.1]:$port" --dns-server 127.0.0.1@1 example.org a@example.net b@example.org <mail.eml
  [ "${lines[0]:0:1}" = r ]
}

@test "deliver-remote: a host in brackets is the destination, whatever relay_host says" {
  sink
  run -0 remote --relay-host '[127.0.0.1]:1' "[127.0.0.1]:$port" a@example.net b@example.org <mail.eml
  [ "${lines[0]:0:1}" = r ]
}

@test "deliver-remote: connections come from remote.source" {
  liar 'say 220 x' 'hear EHLO' 'say 250 x' loop
  run -0 remote --source 127.0.0.9 "[127.0.0.1]:$port" a@example.net b@example.org <mail.eml
  [ "${lines[0]:0:1}" = r ]
  grep -qx '1 CONNECTED 127.0.0.9' liar.log
}

@test "deliver-remote: resident, connections come from several addresses in turn" {
  liar 'say 220 x' 'hear EHLO' 'say 250 x' loop
  resident --source 127.0.0.8 --source 127.0.0.9 --reuse no
  run -0 call --to b@example.org --repeat 4 -- unix:remote.sock <mail.eml
  [ "$(grep -c 'CONNECTED 127.0.0.8' liar.log)" = 2 ]
  [ "$(grep -c 'CONNECTED 127.0.0.9' liar.log)" = 2 ]
}

@test "deliver-remote: a mail exchanger that is where this host listens is this host" {
  dns 'example.org. MX 10 a.example.org.' 'example.org. MX 20 b.example.org.' 'a.example.org. A 127.0.0.2' 'b.example.org. A 127.0.0.3'
  sink_at 127.0.0.2
  printf '[smtp]\nlisten = 127.0.0.3:%s\n' "$port" >vsmtp.ini
  run -0 by_mx example.org --config vsmtp.ini
  [ "${lines[0]:0:1}" = r ]
  printf '[smtp]\nlisten = 0.0.0.0:%s\n' "$port" >vsmtp.ini
  run -0 by_mx example.org --config vsmtp.ini
  [ "$output" = 'D554 5.4.6 mail for example.org loops back: its best mail exchanger a.example.org is this host' ]
  run -0 by_mx example.org --own-addresses 127.0.0.2
  [[ $output == 'D554 5.4.6 '* ]]
}

@test "deliver-remote: resident, an address that did not answer is tried behind the others for a while" {
  dns 'example.org. MX 10 dead.example.org.' 'example.org. MX 20 live.example.org.' 'dead.example.org. A 127.0.0.2' 'live.example.org. A 127.0.0.3'
  sink_at 127.0.0.3
  start resident deliver-remote --resident remote.sock --domain me.example --dns-server "127.0.0.1@$dns_port" --port "$port" --reuse no --log-level debug --dead-host-time 2s
  wait_for test -S remote.sock
  for _ in 1 2 3; do call --delivery -- unix:remote.sock example.org a@example.net b@example.org <mail.eml; done
  [ "$(grep -c 'address failed.*127.0.0.2' resident.log)" = 1 ]
  sleep 2
  call --delivery -- unix:remote.sock example.org a@example.net b@example.org <mail.eml
  [ "$(grep -c 'address failed.*127.0.0.2' resident.log)" = 2 ]
}

@test "deliver-remote: DNS is not touched when nothing is to be looked up" {
  sink
  strace -f -o trace deliver-remote --domain me.example "127.0.0.1:$port" a@example.net b@example.org <mail.eml >report
  [ "$(head -c 1 report)" = r ]
  ! grep -qE 'resolv.conf|/etc/hosts|clone|urandom' trace
}

# ---- the end of a chain

@test "deliver-remote: in a chain the client hears the server's own words" {
  liar 'say 220 x' 'hear EHLO' 'say 250 x' 'hear MAIL' 'say 250 ok' 'hear RCPT' 'say 550-5.7.1 not you|550 5.7.1 never' loop \
    next 'say 220 x' 'hear EHLO' 'say 250 x' loop
  run -1 call --to b@example.org -- deliver-remote --relay-host "[127.0.0.1]:$port" <mail.eml
  [ "${lines[0]}" = permanent ]
  [ "${lines[1]}" = 'reply: 550 5.7.1 not you' ]
  [ "${lines[2]}" = '550 5.7.1 never' ]
  run -0 call --to b@example.org -- deliver-remote --relay-host "[127.0.0.1]:$port" <mail.eml
  [ "${lines[0]}" = taken ]
  [ "${lines[1]}" = 'reply: 250 2.0.0 taken' ]
  stop liar || true
  run -1 call --to b@example.org -- deliver-remote --relay-host "[127.0.0.1]:$port" <mail.eml
  [ "${lines[0]}" = temporary ]
  [ "${lines[1]}" = "reply: 451 4.4.1 [127.0.0.1]:$port: connect: Connection refused" ]
}

@test "deliver-remote: in a chain a refused recipient keeps the message from all of its destination" {
  liar 'say 220 x' 'hear EHLO' 'say 250-x|250 PIPELINING' 'hear MAIL' 'hear RCPT' 'hear RCPT' 'say 250 ok|250 ok|550 5.1.1 no' listen
  run -1 call --to b@example.org --to c@example.org -- deliver-remote --relay-host "[127.0.0.1]:$port" <mail.eml
  [ "${lines[0]}" = permanent ]
  [ "${lines[1]}" = 'reply: 550 5.1.1 no' ]
  ! grep -q DATA liar.log
}

@test "deliver-remote: in a chain every recipient goes by its domain" {
  dns 'one.example.org. A 127.0.0.2' 'two.example.org. A 127.0.0.3'
  mkdir -m 777 out
  sink_at 127.0.0.2 -D out/one
  sink_at 127.0.0.3 -D out/two
  local options=(--domain me.example --dns-server "127.0.0.1@$dns_port" --port "$port")
  run -0 call --to a@one.example.org --to b@TWO.example.org --to c@one.example.org -- deliver-remote "${options[@]}" <mail.eml
  [ "${lines[0]}" = taken ]
  [ "$(grep -c ^X-Rcpt-Args: out/one)" = 2 ]
  [ "$(grep -c ^X-Rcpt-Args: out/two)" = 1 ]
  run -1 call --to a@one.example.org --to b@none.example.org -- deliver-remote "${options[@]}" <mail.eml
  [ "${lines[0]}" = permanent ]
  [ "${lines[1]}" = 'reply: 550 5.1.2 no such domain: none.example.org' ]
}

@test "deliver-remote: in a chain it is the end" {
  run -1 call --to b@example.org -- deliver-remote -- queue-inject <mail.eml
  [ "${lines[0]}" = temporary ]
  printf 'garbage' >envelope
  run -91 sh -c 'deliver-remote <mail.eml 1<envelope 2>/dev/null'
}

# ---- resident

@test "deliver-remote: resident, it serves delivery calls and message calls, many at once" {
  sink
  resident
  run -0 call --delivery -- unix:remote.sock ignored.example a@example.net b@example.org c@example.org <mail.eml
  [ "${lines[0]}" = taken ]
  [ "${lines[1]}" = "r[127.0.0.1]:$port said at end of data: 250 2.0.0 Ok" ]
  [ "${lines[2]}" = "r[127.0.0.1]:$port said at end of data: 250 2.0.0 Ok" ]
  [ "${lines[3]}" = "K[127.0.0.1]:$port said at end of data: 250 2.0.0 Ok" ]
  run -0 call --to b@example.org --repeat 2000 --at-once 50 -- unix:remote.sock <mail.eml
  [ "${lines[0]}" = '2000 times taken' ]
  stop resident
}

@test "deliver-remote: resident, a connection is used again, but not too often and not too long" {
  liar 'say 220 x' 'hear EHLO' 'say 250 x' loop
  resident --reuse-idle 500ms --reuse-max 3
  run -0 call --to b@example.org --repeat 7 -- unix:remote.sock <mail.eml
  [ "${lines[0]}" = '7 times taken' ]
  [ "$(grep -c CONNECTED liar.log)" = 3 ]
  [ "$(grep -c '^1 MAIL' liar.log)" = 3 ]
  grep -q '^1 QUIT' liar.log
  ! grep -q '^3 QUIT' liar.log
  wait_for grep -q '^3 QUIT' liar.log
}

@test "deliver-remote: resident, remote.reuse = no closes after each message" {
  liar 'say 220 x' 'hear EHLO' 'say 250 x' loop
  resident --reuse no
  run -0 call --to b@example.org --repeat 3 -- unix:remote.sock <mail.eml
  [ "$(grep -c CONNECTED liar.log)" = 3 ]
  [ "$(grep -c QUIT liar.log)" = 3 ]
}

@test "deliver-remote: resident, a server that ends an idle connection costs no message" {
  # It hangs up when the next MAIL comes, without a word and with 421.
  local first=('say 220 x' 'hear EHLO' 'say 250 x' 'hear MAIL' 'say 250 ok' 'hear RCPT' 'say 250 ok' 'hear DATA' 'say 354 go' 'message x' 'say 250 ok' 'hear MAIL')
  liar "${first[@]}" close next "${first[@]}" 'say 421 idle for too long' close next 'say 220 x' 'hear EHLO' 'say 250 x' loop
  resident
  run -0 call --to b@example.org --repeat 4 -- unix:remote.sock <mail.eml
  [ "$(awk '/times taken/ { n += $1 } END { print n }' <<<"$output")" = 4 ]
  [ "$(grep -c CONNECTED liar.log)" = 3 ]
}

@test "deliver-remote: resident, not more than connections_max are open at once" {
  liar 'say 220 x' 'hear EHLO' 'say 250 x' 'wait 0.1' loop
  resident --connections-max 2 --reuse no
  run -0 call --to b@example.org --repeat 8 --at-once 8 -- unix:remote.sock <mail.eml
  [ "${lines[0]}" = '8 times taken' ]
  awk '$2 == "CONNECTED" { if (++open > 2) bad = 1 } $2 == "QUIT" { --open } END { exit bad }' liar.log
}

@test "deliver-remote: resident, SIGTERM ends when what is under way has its answer" {
  liar 'say 220 x' 'hear EHLO' 'say 250 x' 'hear MAIL' 'say 250 ok' 'hear RCPT' 'say 250 ok' 'hear DATA' 'say 354 go' 'message x' 'wait 1' 'say 250 late' loop
  resident
  call --to b@example.org -- unix:remote.sock <mail.eml >answer &
  wait_for grep -q DATA liar.log
  stop resident
  wait $!
  [ "$(head -n 1 answer)" = taken ]
}

@test "deliver-remote: resident, a large message does not come into its heap" {
  head -c 60000000 /dev/zero | tr '\0' x | fold -w 70 >mail.eml
  sink
  resident
  run -0 call --to b@example.org --repeat 4 --at-once 4 -- unix:remote.sock <mail.eml
  [ "${lines[0]}" = '4 times taken' ]
  local heap
  heap=$(awk '$1 == "RssAnon:" { print $2 }' "/proc/$(pid_of resident)/status")
  echo "$heap KB"
  [ "$heap" -lt 8000 ]
}

# ---- a whole server

@test "deliver-remote: Postfix takes what it is sent, octet by octet" {
  [ "$(id -u)" = 0 ] || skip 'Postfix starts as root only'
  local postfix # its daemons are other users, and must be able to enter
  postfix=$(mktemp -d /tmp/vsmtp-postfix.XXXXXX)
  chmod 755 "$postfix"
  python3 - "$TOP/tests/bench" "$postfix" "$port" <<'END' >postfix.out 2>&1 || { cat postfix.out "$postfix/out" "$postfix/maillog"; false; }
import sys
sys.path.insert(0, sys.argv[1])
import servers
server = servers.Postfix(sys.argv[2], int(sys.argv[3]), 'local')
server.start()
servers.wait_for_greeting(int(sys.argv[3]))
END
  cat postfix.out
  printf 'Subject: x\r\n\r\n.dot\r\n..\r\n.\r\nlast \303\251\r\n' >mail.eml
  run -0 remote "[127.0.0.1]:$port" a@example.net u@bench.invalid 1u@bench.invalid nobody@bench.invalid <mail.eml
  python3 - "$TOP/tests/bench" "$postfix" "$port" <<'END' &
import sys
sys.path.insert(0, sys.argv[1])
import os, servers, time
server = servers.Postfix(sys.argv[2], int(sys.argv[3]), 'local')
end = time.monotonic() + 20
while time.monotonic() < end and sum(len(f) for d, _, f in os.walk(server.maildirs()) if d.endswith('/new')) < 2:
    time.sleep(0.1)
server.stop()
END
  wait $!
  [ "${lines[0]:0:1}${lines[1]:0:1}" = rr ]
  [[ ${lines[2]} == "h[127.0.0.1]:$port said at RCPT: 550 5.1.1 <nobody@bench.invalid>: Recipient address rejected"* ]]
  local file
  for file in "$postfix"/mail/*/new/*; do tail -n 4 "$file" | cmp - <(printf '.dot\n..\n.\nlast \303\251\n'); done
  [ "$(find "$postfix/mail" -path '*/new/*' -type f | wc -l)" = 2 ]
  rm -rf "$postfix"
}

@test "deliver-remote: a [relay] section says where mail for a domain goes, and wins over relay_host" {
  sink
  other=$(free_port)
  printf '[relay "example.org"]\nhost = [127.0.0.1]:%s\n[relay "box.example"]\ntransport = box\n' "$port" >vsmtp.ini
  out=$(remote --config vsmtp.ini --relay-host "[127.0.0.1]:$other" example.org a@example.net b@Example.ORG <mail.eml)
  [[ $out == r*$'\n'K* ]]
  out=$(remote --config vsmtp.ini --relay-host "[127.0.0.1]:$other" example.org a@example.net b@example.com <mail.eml)
  [[ $out == Z*":$other"* ]]
  # What the section of another transport sends has its host already.
  out=$(remote --config vsmtp.ini --relay-host "[127.0.0.1]:$other" "[127.0.0.1]:$port" a@example.net b@box.example <mail.eml)
  [[ $out == r*$'\n'K* ]]
}

@test "deliver-remote: the message call goes by [relay] sections too" {
  sink
  other=$(free_port)
  printf '[relay "*"]\nhost = [127.0.0.1]:%s\n[relay "c.example"]\nhost = [127.0.0.1]:%s\n' "$port" "$other" >vsmtp.ini
  run -0 call --to x@a.example --to y@b.example -- deliver-remote --domain me.example --config vsmtp.ini <mail.eml
  run ! call --to x@a.example --to z@c.example -- deliver-remote --domain me.example --config vsmtp.ini <mail.eml
  [[ $output == temporary*":$other"* ]]
}

@test "deliver-remote: BDAT where it is offered and wanted; Postfix takes it" {
  [ "$(id -u)" = 0 ] || skip 'Postfix starts as root only'
  local postfix
  postfix=$(mktemp -d /tmp/vsmtp-postfix.XXXXXX)
  chmod 755 "$postfix"
  python3 - "$TOP/tests/bench" "$postfix" "$port" <<'END' >postfix.out 2>&1 || { cat postfix.out; false; }
import sys
sys.path.insert(0, sys.argv[1])
import servers
server = servers.Postfix(sys.argv[2] + '/run', int(sys.argv[3]), 'hold')
server.start()
servers.wait_for_greeting(int(sys.argv[3]))
END
  printf 'Subject: x\n\n.dot\n..\n.\nlast' >mail.eml
  run remote --chunking yes "[127.0.0.1]:$port" a@example.net u@bench.invalid <mail.eml
  local queued
  queued=$(find "$postfix/run/spool/hold" -type f | head -n 1)
  postcat -c "$postfix/run/etc" -b "$queued" >body || true
  python3 - "$TOP/tests/bench" "$postfix" "$port" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import servers
servers.Postfix(sys.argv[2] + '/run', int(sys.argv[3]), 'hold').stop()
END
  rm -rf "$postfix"
  [ "${lines[0]:0:1}" = r ]
  cmp <(tail -n 4 body) <(printf '.dot\n..\n.\nlast\n')
}

@test "deliver-remote: XFORWARD tells a host of xforward_hosts who the client was" {
  liar 'say 220 x' 'hear EHLO' 'say 250-x|250 XFORWARD ADDR HELO' loop
  export TCPREMOTEIP=2001:db8::1 SMTPHELOHOST=client.example
  run -0 remote --xforward-hosts 127.0.0.0/8 "[127.0.0.1]:$port" a@example.net b@example.org <mail.eml
  [ "${lines[0]:0:1}" = r ]
  grep -qxF '1 XFORWARD ADDR=IPv6:2001:db8::1 HELO=client.example' liar.log
  run -0 to_server
  [ "$(grep -c XFORWARD liar.log)" = 1 ]
}
