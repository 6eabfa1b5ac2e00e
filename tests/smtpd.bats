# smtpd(8): what it says on the wire and what it hands to its chain.
load smtpd_helpers

setup() { cd "$BATS_TEST_TMPDIR" && make_keep; }

@test "smtpd: the manual's session from a file with LF gets its message through" {
  printf '%s\n' 'EHLO c' 'MAIL FROM:<a@a.example>' 'RCPT TO:<b@example.org>' DATA 'Subject: x' '' hello . QUIT >session.txt
  local example
  example=$(mandoc -O width=200 "$TOP/smtpd/smtpd.8" | col -bx | grep -o "sed .* | smtpd --local-domains example.org")
  [ "$(eval "$example -- ./keep" | codes)" = '220 250 250 250 354 250 221' ]
}

@test "smtpd: EHLO tells the limits (RFC 9422), and they are those that hold" {
  serve --rcpt-count-max 2 --transaction-count-max 1
  { printf 'EHLO c\r\nMAIL FROM:<a@a.example>\r\n'; printf 'RCPT TO:<%s@b.example>\r\n' x y z; printf 'RSET\r\nMAIL FROM:<a@a.example>\r\n'; } | say >out
  grep -q $'^250.LIMITS RCPTMAX=2 MAILMAX=1\r$' out
  [ "$(codes <out)" = '220 250 250 250 250 452 250 421' ]
  stop smtpd
  serve --transaction-count-max 0
  printf 'EHLO c\r\nQUIT\r\n' | say | grep -q $'^250.LIMITS RCPTMAX=1000\r$'
}

@test "smtpd: LMTP has a reply for each recipient, and its own words" {
  serve --lmtp yes --local-domains b.example --relay-clients 192.0.2.1
  { printf 'EHLO c\r\nHELO c\r\nLHLO c\r\nMAIL FROM:<a@a.example>\r\nDATA\r\n'
    printf 'RCPT TO:<%s>\r\n' x@b.example n@c.example y@b.example
    printf 'DATA\r\nSubject: x\r\n\r\nhello\r\n.\r\nQUIT\r\n'; } | say >out
  [ "$(codes <out)" = '220 500 500 250 250 503 250 550 250 354 250 250 221' ]
  grep -q 'by mx.example.org with LMTP id' kept/1.msg
  { printf 'LHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<x@b.example>\r\nRCPT TO:<y@b.example>\r\nBDAT 3\r\nA: BDAT 5 LAST\r\nb\r\n\r\n'
    printf 'MAIL FROM:<a@a.example>\r\nRCPT TO:<x@b.example>\r\nRCPT TO:<y@b.example>\r\nDATA\r\na\nb\r\n.\r\nQUIT\r\n'; } | say >out
  [ "$(codes <out)" = '220 250 250 250 250 250 250 250 250 250 250 354 550 550' ]
  stop smtpd
  serve
  [ "$(printf 'LHLO c\r\nQUIT\r\n' | say | codes)" = '220 500 221' ]
}

@test "smtpd: deliver-remote hands mail over by LMTP" {
  serve --lmtp yes --local-domains '*'
  printf 'Subject: x\n\nhello\n' | deliver-remote --protocol lmtp "[127.0.0.1]:$port" a@a.example b@b.example c@b.example | tr '\0' '\n' >report
  [ "$(cut -c1 report | paste -sd' ')" = 'r r K' ]
  has_kept 1
}

@test "smtpd: a session from a file is answered, and its message handed to the chain" {
  crlf >session.txt <<'EOF'
EHLO client.example
MAIL FROM:<Smith@a.example> BODY=8BITMIME SIZE=100
RCPT TO:<b@b.example>
RCPT TO:<c@c.example>
DATA
Subject: x

..hello
.
QUIT
EOF
  smtpd --domain mx.example.org -- ./keep <session.txt >out 2>log
  [ "$(codes <out)" = "220 250 250 250 250 354 250 221" ]
  grep -q '^220 mx.example.org Service ready' out
  grep -q '^250 2.0.0 Ok: queued as 1' out
  [ "$(head -n 3 kept/1.env)" = $'FSmith@a.example\nTb@b.example\nTc@c.example' ]
  head -n 1 kept/1.msg | grep -q '^Received: from client.example'
  sed -n 2p kept/1.msg | grep -Eq '^	by mx.example.org with ESMTP id [0-9A-Z]{18}-1; [A-Z][a-z]{2}, '
  [ "$(tail -n +3 kept/1.msg)" = $'Subject: x\r\n\r\n.hello\r' ]
  jq -e '.metadata.message_id | test("^[0-9A-Z]{18}-1$")' kept/1.ctx
  jq -e '.envelop == {helo: "client.example", mail_from: "Smith@a.example", rcpt: .envelop.rcpt} and (.envelop.rcpt | map(.address)) == ["b@b.example", "c@c.example"]' kept/1.ctx
  jq -e '.connection.server_name == "mx.example.org" and .connection.is_secured == false and .body == "8BITMIME" and .size == 22' kept/1.ctx
  grep -q "accepted id=$(jq -r .metadata.message_id kept/1.ctx) .*from=Smith@a.example to=b@b.example recipients=2 size=22" log
}

@test "smtpd: swaks and curl deliver through a listening server; the chain sees both ends of the connection" {
  serve
  swaks --server "127.0.0.1:$port" --from s@s.example --to t@t.example --body 'from swaks' >swaks.out
  printf 'Subject: t\r\n\r\nfrom curl\r\n' | curl -sS --mail-from c@c.example --mail-rcpt d@d.example -T - "smtp://127.0.0.1:$port/client.example"
  has_kept 2
  grep -q 'from swaks' kept/1.msg
  grep -q 'from curl' kept/2.msg
  grep -q 'for <d@d.example>' kept/2.msg
  grep -qx 'PROTO=TCP' kept/1.envir
  grep -qx 'TCPREMOTEIP=127.0.0.1' kept/1.envir
  grep -qx "TCPLOCALPORT=$port" kept/1.envir
  grep -qx 'TCPLOCALHOST=mx.example.org' kept/1.envir
  grep -qx 'SMTPMAILFROM=c@c.example' kept/2.envir
  grep -qx 'SMTPHELOHOST=client.example' kept/2.envir
  grep -qx 'SMTPRCPTCOUNT=1' kept/2.envir
  jq -e --arg port "$port" '.connection.client_addr | startswith("127.0.0.1:")' kept/1.ctx
  jq -e --arg port "$port" '.connection.server_addr == "127.0.0.1:" + $port' kept/1.ctx
}

@test "smtpd: a port alone listens on loopback, on IPv6 too" {
  [ -e /proc/net/if_inet6 ] || skip "no IPv6 here"
  port=$(free_port)
  start smtpd smtpd --listen "$port" -- ./keep
  wait_for_port "$port"
  grep -q "listening address=127.0.0.1:$port" smtpd.log
  printf 'HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n' | socat -t 20 - "TCP6:[::1]:$port" >out
  [ "$(codes <out)" = "220 250 250 250 354 250 221" ]
  grep -qx 'PROTO=TCP6' kept/1.envir
  grep -qx 'TCPREMOTEIP=::1' kept/1.envir
  head -n 1 kept/1.msg | grep -q 'from c (\[IPv6:::1\])'
  grep -q 'with SMTP id' kept/1.msg
}

@test "smtpd: pipelined commands are answered in one write" {
  serve
  run python3 - "$port" <<'EOF'
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.recv(1000)
s.sendall(b"EHLO c.example\r\n")
assert b"PIPELINING" in s.recv(1000)
s.sendall(b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nRCPT TO:<bad\r\nDATA\r\n")
reply = s.recv(1000)
assert reply.count(b"\r\n") == 4, reply
s.sendall(b"x\r\n.\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nBDAT 3 LAST\r\nabcRSET\r\nQUIT\r\n")
said = b""
while chunk := s.recv(1000): said += chunk
assert [line[:3] for line in said.splitlines()] == [b"250", b"250", b"250", b"250", b"250", b"221"], said
EOF
  [ "$status" = 0 ]
  has_kept 2
  [ "$(tail -c 3 kept/2.msg)" = abc ]
}

# Each look-alike of the end of data, sent in one write and octet by octet: what the server's own state machine does with every cut
# is in lib/smtp/server_session_test.cpp.
@test "smtpd: nothing but CR LF . CR LF ends the data" {
  [ -e "$VSMTP_TESTDATA/smtp/end-of-data.json" ] || { [ "${CI:-}" != true ] || false; skip "no test data"; }
  for mode in refuse normalise; do
    serve --bare-line-end $mode --client-count-per-address-max 0
    run python3 - "$port" "$VSMTP_TESTDATA/smtp/end-of-data.json" $mode <<'EOF'
import json, socket, sys
suite = json.load(open(sys.argv[2]))
for case in suite["cases"]:
    for octet_by_octet in (False, True):
        s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = bytes.fromhex(suite["prefix_hex"] + case["bytes_hex"] + suite["suffix_hex"]) + b"QUIT\r\n"
        s.sendall(b"EHLO c.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n")
        for piece in [data[i:i + 1] for i in range(len(data))] if octet_by_octet else [data]:
            s.sendall(piece)
        said = b""
        while chunk := s.recv(1000): said += chunk
        replies = [line[:3] for line in said.splitlines() if line[3:4] == b" "][5:]
        refused = sys.argv[3] == "refuse" and case["has_bare_cr_or_lf"]
        expected = [b"550"] if refused else [b"250"] + ([b"250", b"250", b"354", b"250"] if case["ends_data"] else []) + [b"221"]
        assert replies == expected, (case["id"], octet_by_octet, said)
EOF
    echo "$output"
    [ "$status" = 0 ]
    stop smtpd
  done
}

@test "smtpd: a message with a bare line end is refused by default, and normalised on demand" {
  serve
  printf 'EHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\na\nb\r\n.\r\nQUIT\r\n' | say >out
  [ "$(codes <out)" = "220 250 250 250 354 550" ]
  grep -q '^550 5.6.11 ' out
  has_kept 0
  grep -q 'refused id=.* reply="550 5.6.11 ' smtpd.log
  stop smtpd
  serve --bare-line-end normalise
  printf 'EHLO c\nMAIL FROM:<a@a.example>\nRCPT TO:<b@b.example>\nDATA\na\nb\rc\r\n.\r\nQUIT\n' | say >out
  [ "$(codes <out)" = "220 250 250 250 354 250 221" ]
  [ "$(tail -n 3 kept/1.msg)" = $'a\r\nb\r\nc\r' ]
}

@test "smtpd: a message declared or found too large is refused at the edge of --message-size-max" {
  serve --message-size-max 1000
  printf 'EHLO c\r\nMAIL FROM:<a@a.example> SIZE=1001\r\nMAIL FROM:<a@a.example> SIZE=1000\r\nQUIT\r\n' | say >out
  [ "$(codes <out)" = "220 250 552 250 221" ]
  grep -q '^250-SIZE 1000' out
  for size in 999 1000 1001; do
    { printf 'EHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n'
      head -c $((size - 2)) /dev/zero | tr '\0' x
      printf '\r\n.\r\nNOOP\r\nQUIT\r\n'
    } | say >out
    if [ $size -le 1000 ]; then codes=250; else codes=552; fi
    [ "$(codes <out)" = "220 250 250 250 354 $codes 250 221" ]
  done
  has_kept 2
}

@test "smtpd: a large message leaves memory for a file of --message-directory, and is whole" {
  mkdir spill
  serve --message-size-max 100m --message-memory-max 10k --message-memfd-max 1m --message-directory "$PWD/spill"
  head -c 40000000 /dev/urandom | base64 -w 76 | sed 's/$/\r/' >large
  { printf 'EHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n'; cat large; printf '.\r\nQUIT\r\n'; } | say >out
  [ "$(codes <out)" = "220 250 250 250 354 250 221" ]
  tail -n +4 kept/1.msg | cmp - large
  [ "$(awk '/VmHWM/ { print $2 }' "/proc/$(worker)/status")" -lt 20000 ]
}

@test "smtpd: a message that cannot be stored is put off with 452, and the session goes on" {
  serve --message-memory-max 1k --message-memfd-max 2k --message-directory "$PWD/missing"
  { printf 'EHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n'
    head -c 5000 /dev/zero | tr '\0' x
    printf '\r\n.\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nsmall\r\n.\r\nQUIT\r\n'
  } | say >out
  [ "$(codes <out)" = "220 250 250 250 354 452 250 250 354 250 221" ]
  grep -q 'warning deferred .*reply="452 4.3.1 .*cause=.*missing' smtpd.log
}

@test "smtpd: BDAT takes binary messages octet by octet as they are" {
  serve
  head -c 70000 /dev/urandom >binary
  { printf 'EHLO c\r\nMAIL FROM:<a@a.example> BODY=BINARYMIME\r\nRCPT TO:<b@b.example>\r\nDATA\r\nBDAT 50000\r\n'
    head -c 50000 binary
    printf 'BDAT 20000 LAST\r\n'
    tail -c 20000 binary
    printf 'QUIT\r\n'
  } | say >out
  [ "$(codes <out)" = "220 250 250 250 503 250 250 221" ]
  tail -n +4 kept/1.msg | cmp - binary
  jq -e '.body == "BINARYMIME" and .size == 70000' kept/1.ctx
}

@test "smtpd: mail is taken for configured domains from everyone, for other domains from relay clients only" {
  serve --relay-clients 192.0.2.0/24 --local-domains example.org --relay-domains .example.net
  send b@example.org b@sub.example.net postmaster b@other.example '"b@example.org"@other.example' b%example.org@other.example >out
  [ "$(codes <out)" = "220 250 250 250 250 250 550 550 550 354 250 221" ]
  grep -q '^550 5.7.1 Relaying denied' out
  [ "$(sed -n 2,4p kept/1.env)" = $'Tb@example.org\nTb@sub.example.net\nTpostmaster' ]
  grep -q 'recipient refused .*client=127.0.0.1 helo=client.example from=a@a.example to=b@other.example reply="550 5.7.1 Relaying denied"' smtpd.log
  grep -q '^RELAYCLIENT' kept/1.envir && false
  stop smtpd
  serve --relay-clients 127.0.0.1
  send b@other.example >out
  [ "$(codes <out)" = "220 250 250 250 354 250 221" ]
  grep -qx 'RELAYCLIENT=' kept/2.envir
}

@test "smtpd: on a pipe nothing is relayed unless RELAYCLIENT says so" {
  printf 'HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@b.example>\r\n' >session.txt
  cat session.txt | smtpd -- ./keep 2>/dev/null | codes | grep -x '220 250 250 550'
  cat session.txt | RELAYCLIENT= smtpd -- ./keep 2>/dev/null | codes | grep -x '220 250 250 250'
  cat session.txt | PROTO=TCP TCPREMOTEIP=192.0.2.9 smtpd --relay-clients 192.0.2.0/24 -- ./keep 2>/dev/null | codes | grep -x '220 250 250 250'
  cat session.txt | PROTO=TCP TCPREMOTEIP=192.0.3.9 smtpd --relay-clients 192.0.2.0/24 -- ./keep 2>/dev/null | codes | grep -x '220 250 250 550'
}

@test "smtpd: addresses with quotes, source routes, UTF-8 and 320 octets" {
  serve
  local64=$(printf 'l%.0s' {1..64})
  domain=$(printf 'd%.0s' {1..63})
  { printf 'EHLO c\r\nMAIL FROM:<"john \\"s\\" smith"@a.example> SMTPUTF8\r\n'
    printf 'RCPT TO:<@r1.example,@r2.example:routed@b.example>\r\nRCPT TO:<użytkownik@bücher.example>\r\nRCPT TO:<"a>b"@b.example>\r\n'
    printf 'RCPT TO:<%s@%s.example>\r\n' "$local64" "$domain"
    printf 'RCPT TO:<%s@%s.%s.%s.%s>\r\n' "$local64" "$domain" "$domain" "$domain" "${domain:0:61}"
    printf 'DATA\r\nx\r\n.\r\nMAIL FROM:<użytkownik@a.example>\r\nQUIT\r\n'
  } | say >out
  [ "$(codes <out)" = "220 250 250 250 250 250 250 501 354 250 553 221" ]
  grep -q '^553 5.6.7 ' out
  [ "$(head -n 5 kept/1.env)" = "F\"john \\\"s\\\" smith\"@a.example
Trouted@b.example
Tużytkownik@bücher.example
T\"a>b\"@b.example
T$local64@$domain.example" ]
  jq -e '.smtputf8 == true and .envelop.rcpt[1].address == "użytkownik@bücher.example"' kept/1.ctx
  grep -q 'with UTF8SMTP id' kept/1.msg
}

@test "smtpd: NUL and 8-bit octets of a message come through; in commands they are errors" {
  serve
  printf 'EHLO c\r\nMAIL FROM:<a\0b@a.example>\r\nMAIL FROM:<a\377@a.example>\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\na\0b\377\r\n.\r\nQUIT\r\n' | say >out
  [ "$(codes <out)" = "220 250 501 501 250 250 354 250 221" ]
  printf 'a\0b\377\r\n' | cmp - <(tail -n 1 kept/1.msg)
}

@test "smtpd: command lines up to --command-line-max, text lines up to --text-line-max" {
  serve --command-line-max 600 --text-line-max 1000
  for size in 599 600 601 65536; do
    { printf 'NOOP '; head -c $((size - 7)) /dev/zero | tr '\0' x; printf '\r\nNOOP\r\nQUIT\r\n'; } | say >out
    if [ $size -le 600 ]; then expected="220 250 250 221"; else expected="220 500 250 221"; fi
    [ "$(codes <out)" = "$expected" ]
  done
  for size in 999 1000 1001; do
    { printf 'EHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n'; head -c $((size - 2)) /dev/zero | tr '\0' x; printf '\r\n.\r\nQUIT\r\n'; } | say >out
    if [ $size -le 1000 ]; then expected=250; else expected=550; fi
    [ "$(codes <out)" = "220 250 250 250 354 $expected 221" ]
  done
}

@test "smtpd: recipients over --rcpt-count-max get 452, and the others their message" {
  serve --rcpt-count-max 2
  send b@b.example c@b.example d@b.example >out
  [ "$(codes <out)" = "220 250 250 250 250 452 354 250 221" ]
  grep -q '^452 4.5.3 ' out
  [ "$(grep -c '^T' kept/1.env)" = 2 ]
}

@test "smtpd: errors are answered late after --error-soft-count, and end the session at --error-hard-count" {
  serve --error-soft-count 2 --error-hard-count 4 --error-delay 1s
  local begin=$SECONDS
  printf 'X\r\nX\r\nX\r\nX\r\nNOOP\r\n' | say >out
  [ "$(codes <out)" = "220 500 500 500 421" ]
  [ $((SECONDS - begin)) -ge 1 ]
  grep -q '^421 4.7.0 Too many errors' out
  grep -q 'session ended early .*client=127.0.0.1 .*cause="421 4.7.0 Too many errors' smtpd.log
}

@test "smtpd: a session has --transaction-count-max messages and --idle-command-max commands without one" {
  serve --transaction-count-max 2 --idle-command-max 2 --error-hard-count 2
  { printf 'EHLO c\r\n'; for _ in 1 2 3; do printf 'MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nx\r\n.\r\n'; done; } | say >out
  [ "$(codes <out)" = "220 250 250 250 354 250 250 250 354 250 421" ]
  printf 'NOOP\r\nRSET\r\nNOOP\r\nVRFY a\r\nNOOP\r\n' | say >out
  [ "$(codes <out)" = "220 250 250 250 421" ]
}

@test "smtpd: a message whose client goes away in the middle is forgotten" {
  serve
  printf 'EHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nhalf' | say >out
  printf 'EHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nBDAT 10\r\nhalf' | say >out
  wait_for grep -c 'session ended early .*client=127.0.0.1 helo=c phase=data cause="the client closed' smtpd.log
  send >out
  [ "$(kept)" = 1 ]
}
