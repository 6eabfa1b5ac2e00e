# smtpd(8): proxies that say who the client is, by the PROXY protocol and by XCLIENT.
load smtpd_helpers

setup() { cd "$BATS_TEST_TMPDIR" && make_keep; }

message() { printf 'EHLO client.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nSubject: x\r\n\r\nhello\r\n.\r\nQUIT\r\n'; }
# A header of version 2 for 192.0.2.7:40000 to 192.0.2.8:25.
version_2() { printf '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\7\xc0\0\2\x08\x9c\x40\0\x19'; }

@test "smtpd: the client is whom the header of the PROXY protocol names" {
  serve --proxy-clients 127.0.0.1 --relay-clients 192.0.2.0/24
  { printf 'PROXY TCP4 192.0.2.7 192.0.2.8 40000 25\r\n'; message; } | say >out
  [ "$(codes <out)" = '220 250 250 250 354 250 221' ]
  { version_2; message; } | say | codes | grep -q '354 250 221$'
  { printf 'PROXY TCP6 2001:db8::7 2001:db8::8 40000 25\r\n'; message; } | say | codes | grep -q '^220 250 250 550'
  timeout 30 swaks --server "127.0.0.1:$port" --proxy-version 1 --proxy-family TCP4 --proxy-source 192.0.2.7 --proxy-source-port 40000 --proxy-dest 192.0.2.8 --proxy-dest-port 25 \
    --from a@a.example --to b@b.example --hide-all
  has_kept 3
  for n in 1 2 3; do
    grep -q '^Received: from .*(\[192.0.2.7\])' kept/$n.msg
    grep -qx TCPREMOTEIP=192.0.2.7 kept/$n.envir
    grep -qx TCPLOCALIP=192.0.2.8 kept/$n.envir
    [ "$(jq -r .connection.client_addr kept/$n.ctx)" = 192.0.2.7:40000 ]
  done
}

@test "smtpd: a proxy that names nobody gives nobody its rights; no header, no session" {
  serve --proxy-clients 127.0.0.1 --relay-clients 127.0.0.1
  { printf 'PROXY UNKNOWN\r\n'; message; } | say | codes | grep -q '^220 250 250 550'
  { printf '\r\n\r\n\0\r\nQUIT\n\x20\0\0\0'; message; } | say | codes | grep -q '^220 250 250 550'
  [ -z "$(message | say)" ]
  [ -z "$(printf 'PROXY TCP4 somewhere\r\n' | say)" ]
  grep -q 'no header of the PROXY protocol .*client=127.0.0.1' smtpd.log
  has_kept 0
}

@test "smtpd: one session under tcpserver has its client from the header of a proxy, and nobody else's" {
  port=$(free_port)
  start smtpd tcpserver -HRl0 127.0.0.1 "$port" smtpd --domain mx.example.org --proxy-clients 127.0.0.1 --relay-clients 192.0.2.0/24 --handshake-timeout 1s -- ./keep
  wait_for_port "$port"
  { printf 'PROXY TCP4 192.0.2.7 192.0.2.8 40000 25\r\n'; message; } | say >out
  [ "$(codes <out)" = '220 250 250 250 354 250 221' ]
  { version_2; message; } | say | codes | grep -q '354 250 221$'
  for n in 1 2; do
    grep -qx TCPREMOTEIP=192.0.2.7 kept/$n.envir
    [ "$(jq -r .connection.client_addr kept/$n.ctx)" = 192.0.2.7:40000 ]
  done
  { printf 'PROXY TCP4 198.51.100.7 192.0.2.8 40000 25\r\n'; message; } | say | codes | grep -q '^220 250 250 550'
  [ -z "$(message | say)" ]
  grep -q 'no header of the PROXY protocol .*cause="not of its form"' smtpd.log
  [ -z "$(socat -t 5 -T 5 -u "TCP4:127.0.0.1:$port" STDOUT)" ]
  grep -q 'no header of the PROXY protocol .*cause=timeout' smtpd.log
  # From anywhere else a header is no more than a bad command.
  { printf 'PROXY TCP4 192.0.2.7 192.0.2.8 40000 25\r\n'; message; } | socat -t 20 -T 20 - "TCP4:127.0.0.1:$port,bind=127.0.0.2" | codes | grep -q '^220 500'
  has_kept 2
}

@test "smtpd: octets of the header may come one by one, and a client that sends none has its time" {
  serve --proxy-clients 127.0.0.1 --relay-clients 192.0.2.0/24 --handshake-timeout 1s
  timeout 30 python3 - "$port" <<'END'
import socket, sys, time
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
for octet in b'PROXY TCP4 192.0.2.7 192.0.2.8 40000 25\r\n':
    s.send(bytes([octet]))
    time.sleep(0.005)
assert s.recv(1000).startswith(b'220 ')
silent = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
assert silent.recv(1000) == b''
END
}

@test "smtpd: clients behind a proxy are counted, not the proxy" {
  serve --proxy-clients 127.0.0.1 --client-count-per-address-max 2
  timeout 30 python3 - "$port" <<'END'
import socket, sys
def session(ip):
    s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
    s.send(b'PROXY TCP4 %s 192.0.2.8 40000 25\r\n' % ip)
    return s, s.recv(1000)[:3]
held = [session(b'192.0.2.%d' % n) for n in (1, 1, 2, 2, 3)]
assert [code for _, code in held] == [b'220'] * 5, held
assert session(b'192.0.2.1')[1] == b'421'
held[0][0].close()
import time
for _ in range(100):
    s, code = session(b'192.0.2.1')
    if code == b'220': break
    time.sleep(0.05)
assert code == b'220'
END
}

@test "smtpd: XCLIENT from those who may, and from nobody else" {
  serve --relay-clients 192.0.2.0/24
  ! printf 'EHLO c\r\nQUIT\r\n' | say | grep XCLIENT || false
  [ "$(printf 'EHLO c\r\nXCLIENT ADDR=192.0.2.7\r\nQUIT\r\n' | say | codes)" = '220 250 550 221' ]
  stop smtpd
  script policy <<'END'
while read -r line; do
  echo "$line" >>asked
  [ -n "$line" ] || printf 'action=DUNNO\n\n'
done
END
  serve --relay-clients 192.0.2.0/24 --xclient-clients 127.0.0.1 --policy ./policy
  { printf 'EHLO proxy\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nRSET\r\nXCLIENT NAME=c.example ADDR=192.0.2.7 PORT=40000 LOGIN=a+2Bb\r\n'; message; } | say >out
  grep -q '^250.XCLIENT NAME ADDR PORT LOGIN DESTADDR DESTPORT HELO PROTO' out
  [ "$(codes <out)" = '220 250 250 550 250 220 250 250 250 354 250 221' ]
  grep -q '^Received: from client.example (c.example \[192.0.2.7\])' kept/1.msg
  grep -qx SMTPAUTHUSER=a+b kept/1.envir
  [ "$(grep -c '^protocol_state=CONNECT' asked)" = 2 ]
  [ "$(sed -n '/protocol_state=MAIL/,/^$/p' asked | grep -c '^client_address=192.0.2.7')" = 1 ]
  # What it does not say is nobody's, and it may say the next thing.
  { printf 'EHLO proxy\r\nXCLIENT ADDR=[UNAVAILABLE]\r\n'; message; } | say | codes | grep -q '^220 250 220 250 250 550'
  { printf 'EHLO proxy\r\nXCLIENT ADDR=IPV6:2001:db8::1\r\nEHLO x\r\nXCLIENT ADDR=192.0.2.9\r\n'; message; } | say | codes | grep -q '^220 250 220 250 220 250 250 250 354'
  for line in 'XCLIENT' 'XCLIENT FOO=bar' 'XCLIENT ADDR' 'XCLIENT ADDR='; do
    [ "$(printf 'EHLO c\r\n%s\r\nQUIT\r\n' "$line" | say | codes)" = '220 250 501 221' ]
  done
  [ "$(printf 'EHLO c\r\nMAIL FROM:<>\r\nXCLIENT ADDR=192.0.2.9\r\nQUIT\r\n' | say | codes)" = '220 250 250 503 221' ]
  timeout 30 swaks --server "127.0.0.1:$port" --xclient-addr 192.0.2.7 --xclient-name c.example --from a@a.example --to b@b.example --hide-all
}

@test "smtpd: a client behind a proxy does not speak for others because the proxy may" {
  serve --proxy-clients 127.0.0.1 --xclient-clients 127.0.0.1
  [ "$(printf 'PROXY TCP4 192.0.2.7 192.0.2.8 40000 25\r\nEHLO c\r\nXCLIENT ADDR=127.0.0.1\r\nQUIT\r\n' | say | codes)" = '220 250 550 221' ]
}
