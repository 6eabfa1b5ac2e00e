#!/usr/bin/env bats
# smtpd's shield: what addresses and networks may do in a time, over all workers and sessions; qctl shield.
load smtpd_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || exit 1
  make_keep
}
teardown() { stop_all; }

# greetings COUNT ADDRESS: the first lines that so many connections from that address get, one after the other.
greetings() {
  python3 - "$port" "$1" "$2" <<'END'
import socket, sys
for _ in range(int(sys.argv[2])):
    with socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10, source_address=(sys.argv[3], 0)) as client:
        print(client.recv(512).decode().strip())
END
}
# from ADDRESS: standard input goes to the server, what it says is printed.
from() { socat -t 20 -T 20 - "TCP4:127.0.0.1:$port,bind=$1"; }

@test "smtpd shield: connections in a time, counted for all workers together, by address and by network" {
  serve --workers 2 --shield-exempt 192.0.2.1 --shield-connection-rate 5 --shield-network-factor 2 --shield-period 1h
  run -0 greetings 7 127.0.1.1
  [ "$(grep -c '^220 ' <<<"$output")" = 5 ]
  [ "$(grep -c '^421 4.7.0 ' <<<"$output")" = 2 ]
  run -0 greetings 3 127.0.1.2
  [ "$(grep -c '^220 ' <<<"$output")" = 3 ]
  run -0 greetings 1 127.0.1.3  # the eleventh of the network
  [[ $output == 421* ]]
  run -0 greetings 1 127.0.2.1
  [[ $output == 220* ]]
  wait_for grep -q 'turned away .*client=127.0.1.3 .*cause="too many connections in a time from 127.0.1.0/24"' smtpd.log
}

@test "smtpd shield: messages and recipients beyond the rate are put off, at the edge" {
  serve --shield-exempt 192.0.2.1 --shield-message-rate 2 --shield-recipient-rate 3 --shield-period 1h
  local one='MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nSubject: x\r\n\r\nhello\r\n.\r\n'
  # shellcheck disable=SC2059
  run -0 from 127.0.1.1 < <(printf "EHLO c.example\r\n$one${one}MAIL FROM:<a@a.example>\r\nQUIT\r\n")
  [ "$(codes <<<"$output")" = '220 250 250 250 354 250 250 250 354 250 450 221' ]
  [[ $output == *'450 4.7.1 Too much in a short time, try again later'* ]]
  has_kept 2
  stop smtpd
  serve --shield-exempt 192.0.2.1 --shield-recipient-rate 3 --shield-period 1h
  run -0 from 127.0.1.1 < <(printf 'EHLO c.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<1@b.example>\r\nRCPT TO:<2@b.example>\r\nRCPT TO:<3@b.example>\r\nRCPT TO:<4@b.example>\r\nQUIT\r\n')
  [ "$(codes <<<"$output")" = '220 250 250 250 250 250 450 221' ]
  grep -q 'put off .*client=127.0.1.1 .*cause="too many recipients in a time from 127.0.1.1"' smtpd.log
}

@test "smtpd shield: errors lead to a ban that qctl shows and lifts; it outlives reload and restart" {
  local shield=(--shield-file "$PWD/counts" --shield-exempt 192.0.2.1 --shield-error-rate 4 --shield-ban-time 1h)
  serve "${shield[@]}"
  run -0 from 127.0.1.1 < <(printf 'EHLO c.example\r\n1\r\n2\r\n3\r\n4\r\nQUIT\r\n')
  run -0 greetings 1 127.0.1.1
  [[ $output == 220* ]]
  run -0 from 127.0.1.1 < <(printf 'EHLO c.example\r\n5\r\nQUIT\r\n')
  grep -q 'warning banned client=127.0.1.1 for_seconds=3600 cause="too many errors"' smtpd.log
  run -0 greetings 1 127.0.1.1
  [[ $output == '421 4.7.0 '* ]]
  run -0 greetings 1 127.0.1.2
  [[ $output == 220* ]]

  run -0 qctl shield --shield-file counts --json
  [ "$(jq -rs '.[0] | .client, .errors, .bans, (.banned_for_seconds > 3500)' <<<"$output")" = "$(printf '127.0.1.1\n5\n1\ntrue')" ]
  run -0 qctl shield --shield-file counts
  [[ ${lines[0]} == CLIENT*'banned for' && ${lines[1]} == 127.0.1.1*' s' ]]

  kill -HUP "$(pid_of smtpd)"
  wait_for grep -q 'configuration reloaded' smtpd.log
  run -0 greetings 1 127.0.1.1
  [[ $output == 421* ]]
  stop smtpd
  serve "${shield[@]}"
  run -0 greetings 1 127.0.1.1
  [[ $output == 421* ]]
  run -64 qctl shield unban 127.0.9.9 --shield-file counts
  [[ $output == *"nothing is known of '127.0.9.9'"* ]]
  run -0 qctl shield unban 127.0.1.1 --shield-file counts
  run -0 greetings 1 127.0.1.1
  [[ $output == 220* ]]
}

@test "smtpd shield: one session under tcpserver counts with the others through the file" {
  local shield=(--shield-file "$PWD/counts" --shield-exempt 192.0.2.1 --shield-message-rate 1 --shield-period 1h)
  port=$(free_port)
  start tcpserver tcpserver -HRl0 127.0.0.1 "$port" smtpd --domain mx.example.org "${shield[@]}" -- ./keep
  wait_for_port "$port"
  local one='EHLO c.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nQUIT\r\n'
  # shellcheck disable=SC2059
  run -0 from 127.0.1.1 < <(printf "$one")
  [ "$(codes <<<"$output")" = '220 250 250 250 221' ]
  # shellcheck disable=SC2059
  run -0 from 127.0.1.1 < <(printf "$one")
  [ "$(codes <<<"$output")" = '220 250 450 503 221' ]
}

@test "smtpd shield: behind a proxy its clients are counted, not the proxy" {
  serve --proxy-clients 127.0.0.0/8 --shield-exempt 192.0.2.1 --shield-connection-rate 1 --shield-network-factor 0 --shield-period 1h
  by_proxy() { printf 'PROXY TCP4 %s 192.0.2.9 1000 25\r\nQUIT\r\n' "$1" | from 127.0.1.1; }
  run -0 by_proxy 198.51.100.1
  [[ $output == '220 '* ]]
  run -0 by_proxy 198.51.100.1
  [[ $output == '421 '* ]]
  run -0 by_proxy 198.51.100.2
  [[ $output == '220 '* ]]
  grep -q 'turned away .*client=198.51.100.1 cause="too many connections in a time' smtpd.log
}

@test "smtpd shield: who talks before a late greeting is sent away, in the server and in one session; who waits is greeted" {
  local shield=(--shield-exempt 192.0.2.1 --shield-greeting-delay 2s)
  serve "${shield[@]}"
  run -0 from 127.0.1.1 < <(printf 'EHLO c.example\r\nMAIL FROM:<a@a.example>\r\nQUIT\r\n')
  [ "$output" = $'554 5.5.0 Talked before the greeting\r' ]
  grep -q 'session ended early .*client=127.0.1.1 .*cause="talked before the greeting"' smtpd.log
  run -0 greetings 1 127.0.1.2
  [[ $output == '220 '* ]]
  run -0 swaks --server "127.0.0.1:$port" --local-interface 127.0.1.3 --from a@a.example --to b@b.example
  has_kept 1
  port=$(free_port)
  start tcpserver tcpserver -HRl0 127.0.0.1 "$port" smtpd --domain mx.example.org "${shield[@]}" -- ./keep
  wait_for_port "$port"
  run -0 from 127.0.1.1 < <(printf 'EHLO c.example\r\nQUIT\r\n')
  [ "$output" = $'554 5.5.0 Talked before the greeting\r' ]
  run -0 greetings 1 127.0.1.2
  [[ $output == '220 '* ]]
}

@test "smtpd shield: files that cannot be, and qctl without one, are errors that say so" {
  run -78 qctl shield
  [[ $output == *'shield.file is not set'* ]]
  run qctl shield --shield-file /nowhere/counts
  [ "$status" -ne 0 ]
  [[ $output == *'open /nowhere/counts: No such file or directory'* ]]
  echo nonsense >nonsense
  run -78 qctl shield --shield-file nonsense
  [[ $output == *"nonsense: not a ledger of smtpd's shield"* ]]
  run smtpd --listen 127.0.0.1:0 --shield-file /nowhere/counts -- ./keep
  [ "$status" -ne 0 ]
  [[ $output == *'shield.file: open /nowhere/counts'* ]]
  run -78 smtpd --listen 127.0.0.1:0 --shield-exempt nonsense -- ./keep
  [[ $output == *'shield.exempt: '* ]]
}

# dribble ADDRESS PAUSE TEXT...: sends each text, waits that long behind it; what the server says at the end is printed, and after how long.
dribble() {
  timeout 20 python3 -c 'import socket, sys, time
port, source, pause, *texts = sys.argv[1:]
with socket.create_connection(("127.0.0.1", int(port)), 10, source_address=(source, 0)) as client:
    began = time.monotonic()
    try:
        for text in texts:
            client.sendall(text.encode().decode("unicode_escape").encode())
            time.sleep(float(pause))
    except OSError:
        pass
    said = b""
    while octets := client.recv(4096):
        said += octets
    print(said.decode(), "after", int(time.monotonic() - began))' "$port" "$@"
}

@test "smtpd shield: who sends a message or a command an octet at a time is ended, who is only slow is not" {
  serve --data-rate-min 10 --data-rate-time 1s --timeout-line 1s
  local begin='EHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n' dots=() i
  for i in 1 2 3 4 5 6 7 8 9 10 11 12; do dots+=(x); done
  run -0 dribble 127.0.1.1 0.3 "$begin" "${dots[@]}"
  [[ $output == *'354 '*'421 4.4.2 Timeout - closing connection'* ]]
  grep -q 'session ended early .*client=127.0.1.1 .*phase=data cause="too slow"' smtpd.log
  run -0 dribble 127.0.1.2 0.3 "${dots[@]}"
  [[ $output == *'421 4.4.2 Timeout - closing connection'* ]]
  grep -q 'session ended early .*client=127.0.1.2 .*phase=connect cause="too slow"' smtpd.log
  run -0 dribble 127.0.1.3 0.3 "$begin" 'Subject: x\r\n\r\n' 'twelve octet\r\n' 'twelve octet\r\n' 'twelve octet\r\n' 'twelve octet\r\n' '.\r\n' 'QUIT\r\n'
  [[ $output == *'250 2.0.0 Ok: queued'* ]]
  has_kept 1
}

@test "smtpd shield: errors of an address are answered late in its next session too; there are only so many that wait" {
  serve --shield-exempt 192.0.2.1 --shield-tarpit-error-count 2 --shield-tarpit-delay 1s --error-delay 1s --shield-tarpit-session-max 1
  run -0 from 127.0.1.1 < <(printf 'EHLO c\r\nx\r\nQUIT\r\n')
  local begin=$EPOCHREALTIME
  run -0 from 127.0.1.1 < <(printf 'EHLO c\r\nx\r\nQUIT\r\n')
  [ $((${EPOCHREALTIME/./} - ${begin/./})) -lt 900000 ]
  begin=$EPOCHREALTIME
  run -0 from 127.0.1.1 < <(printf 'EHLO c\r\nx\r\nx\r\nQUIT\r\n')
  [ "$(codes <<<"$output")" = '220 250 500 500 221' ]
  [ $((${EPOCHREALTIME/./} - ${begin/./})) -ge 3000000 ]  # 1 s and 2 s
  printf 'EHLO c\r\nx\r\nQUIT\r\n' | from 127.0.1.1 >first &
  local first=$!
  wait_for grep -q '^220' first
  run -0 from 127.0.1.1 < <(sleep 0.2; printf 'EHLO c\r\nx\r\nQUIT\r\n')
  [ "$(codes <<<"$output")" = '220 250 500 421' ]
  grep -q 'session ended early .*cause="too many sessions are delayed"' smtpd.log
  run -0 from 127.0.1.2 < <(printf 'EHLO c\r\nQUIT\r\n')
  [ "$(codes <<<"$output")" = '220 250 221' ]
  wait "$first"
}

# hold COUNT ADDRESS: as many silent connections from there, kept open; what each heard is in held.ADDRESS when they have all ended.
hold() {
  start "hold.$2" python3 -c 'import socket, sys
port, count, source, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
held = [socket.create_connection(("127.0.0.1", port), 20, source_address=(source, 0)) for _ in range(count)]
for one in held: one.recv(512)
print("open", flush=True)
with open(path, "w") as out:
    for one in held:
        one.settimeout(20)
        print(one.recv(512).decode().strip(), file=out)' "$port" "$1" "$2" "$PWD/held.$2"
  wait_for grep -q open "hold.$2.log"
}

@test "smtpd shield: under stress strangers have less time and may make fewer errors, those who are known have it all; qctl tells" {
  serve --shield-file "$PWD/counts" --shield-exempt 127.0.0.1 --relay-clients 192.0.2.1 --client-count-max 10 --shield-stress-percent 50 --shield-stress-timeout 1s --shield-stress-error-count 2
  hold 1 127.0.0.1
  hold 4 127.0.1.1
  wait_for grep -q 'warning stress begins connections=5' smtpd.log
  run -0 qctl shield --shield-file counts
  [ "${lines[-1]}" = 'smtpd is under stress' ]
  run -0 qctl shield --shield-file counts --json
  [ "$(jq -c '.strains // empty' <<<"$output")" = '["stress"]' ]
  run -0 from 127.0.1.2 < <(printf 'EHLO c\r\n1\r\n2\r\n3\r\n')
  [[ "$(codes <<<"$output")" == '220 250 500'*' 421' ]]
  wait_for test -s held.127.0.1.1
  [ "$(sort -u held.127.0.1.1)" = '421 4.4.2 Timeout - closing connection' ]
  wait_for grep -q 'warning stress ends connections=' smtpd.log
  [ ! -s held.127.0.0.1 ]
  is_calm() { ! qctl shield --shield-file counts | grep -q stress; }
  wait_for is_calm
  run -0 from 127.0.1.2 < <(printf 'EHLO c\r\n1\r\n2\r\n3\r\nQUIT\r\n')
  [ "$(codes <<<"$output")" = '220 250 500 500 500 221' ]
}

@test "smtpd shield: when it is full the stranger that is silent for longest makes way" {
  serve --shield-exempt 127.0.0.1 --relay-clients 192.0.2.1 --client-count-max 4 --shield-stress-percent 0
  hold 1 127.0.0.1
  # Nobody makes way who has not been silent for two seconds. A try that took longer than that tells nothing of it.
  run -0 timeout 60 python3 - "$port" <<'EOF'
import socket, sys, time
def connect(source): return socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20, source_address=(source, 0))
while True:
    began = time.monotonic()
    held = [connect('127.0.1.9') for _ in range(3)]
    for one in held: one.recv(512)
    said = connect('127.0.1.2').recv(512).decode().strip()
    took = time.monotonic() - began
    for one in held:
        one.sendall(b'QUIT\r\n')
        while one.recv(512): pass
    if took < 2: break
print(said)
EOF
  [[ $output == '421 4.7.0 '* ]]
  hold 3 127.0.1.1
  sleep 2.1
  run -0 greetings 2 127.0.1.2
  [[ ${lines[0]} == '220 '* && ${lines[1]} == '220 '* ]]
  grep -q 'session ended early .*client=127.0.1.1 .*cause="makes way for others"' smtpd.log
  stop smtpd
  wait_for test -s held.127.0.1.1
  [ "$(head -n 1 held.127.0.1.1)" = '421 4.3.2 Too busy, try again later' ]
  wait_for test -s held.127.0.0.1
  [ "$(cat held.127.0.0.1)" = '421 4.3.2 Service shutting down, closing connection' ]
}

@test "smtpd shield: short of memory, strangers are turned away, and who is exempt or has sent good mail before is not" {
  local options=(--shield-file "$PWD/counts" --shield-exempt 127.0.0.1 --relay-clients 192.0.2.1 --local-domains b.example)
  serve "${options[@]}"
  run -0 from 127.0.1.1 < <(printf 'EHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nSubject: x\r\n\r\nhello\r\n.\r\nQUIT\r\n')
  [ "$(codes <<<"$output")" = '220 250 250 250 354 250 221' ]
  run -0 qctl shield --shield-file counts --json
  [ "$(jq -c 'select(.client == "127.0.1.1") | .accepted' <<<"$output")" = 1 ]
  stop smtpd
  serve "${options[@]}" --shield-memory-high 1
  run -0 greetings 1 127.0.1.2
  [ "$output" = '421 4.3.2 Too busy, try again later' ]
  run -0 greetings 1 127.0.1.1
  [[ $output == '220 '* ]]
  run -0 greetings 1 127.0.0.1
  [[ $output == '220 '* ]]
  grep -q 'turned away .*client=127.0.1.2 .*cause="little memory is left"' smtpd.log
  hold 1 127.0.0.1  # it looks once a second while there is somebody, and what it has seen counts for three
  is_short() { [ "$(qctl shield --shield-file counts | tail -n 1)" = 'smtpd is short of memory' ]; }
  wait_for is_short
}

@test "smtpd shield: short of descriptors, those that are left are for who is known" {
  start smtpd prlimit --nofile=160:160 smtpd --listen 127.0.0.1:0 --domain mx.example.org --shield-exempt 127.0.0.1 --relay-clients 192.0.2.1 --shield-descriptor-reserve 200 \
    --client-count-per-address-max 0 -- ./keep
  wait_for grep -q 'listening address=127' smtpd.log
  port=$(sed -n 's/.*listening address=127.0.0.1:\([0-9]*\).*/\1/p' smtpd.log)
  run -0 timeout 20 python3 - "$port" <<'EOF'
import socket, sys
def connect(source):
    one = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10, source_address=(source, 0))
    return one, one.recv(512)
held = [connect('127.0.1.1') for _ in range(130)]
last = held[-1][1].decode().strip()
print(last, '/', connect('127.0.0.1')[1].decode().strip())
EOF
  [[ $output == '421 4.3.2 Too busy, try again later / 220 '* ]]
  grep -q 'turned away .*client=127.0.1.1 .*cause="few descriptors are left"' smtpd.log
}

@test "smtpd shield: short of disk, messages are put off at MAIL, with the size that is told" {
  mkdir spool
  local free
  free=$(($(df --output=avail -B1 spool | tail -n 1) / 1048576))
  serve --spool "$PWD/spool" --free-min 1000000g --shield-tarpit-error-count 0
  run -0 say < <(printf 'EHLO c\r\nMAIL FROM:<a@a.example>\r\nMAIL FROM:<a@a.example> SIZE=10\r\nQUIT\r\n')
  [ "$(codes <<<"$output")" = '220 250 452 452 221' ]
  [[ $output == *'452 4.3.1 Insufficient system storage'* ]]
  grep -q 'warning put off .*cause="little room on the disk of ' smtpd.log
  stop smtpd
  serve --spool "$PWD/spool" --free-min "$((free / 2))m" --message-size-max 0
  run -0 say < <(printf 'EHLO c\r\nMAIL FROM:<a@a.example> SIZE=%s\r\nMAIL FROM:<a@a.example> SIZE=10\r\nQUIT\r\n' "$((free * 1048576))")
  [ "$(codes <<<"$output")" = '220 250 452 250 221' ]
}

@test "smtpd shield: 1,000 RSETs, command lines of 64 KB and more, without end too: bounded in time and memory" {
  serve --relay-clients 192.0.2.1 --shield-exempt 192.0.2.1 --shield-error-rate 0 --error-hard-count 30 --error-soft-count 30 --shield-tarpit-error-count 0
  memory() { awk '/^VmRSS/ { print $2 }' /proc/"$(pgrep -P "$(pid_of smtpd)" | tail -n 1)"/status; }
  run -0 from 127.0.1.1 < <(printf 'EHLO c\r\n'; for _ in $(seq 1000); do printf 'RSET\r\n'; done)
  [ "$(codes <<<"$output" | tr ' ' '\n' | grep -c 250)" -le 130 ]  # EHLO, 100 of them, and 29 errors; the 30th ends it
  [[ $(codes <<<"$output") == *' 421' ]]
  local before
  before=$(memory)
  run -0 timeout 20 python3 - "$port" <<'EOF'
import socket, sys
def session(lines, end):
    with socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10, source_address=('127.0.1.2', 0)) as client:
        said = client.makefile('rb')
        said.readline()
        for line in lines:
            client.sendall(line)
            print(said.readline().decode()[:9])
        try:
            client.sendall(end)
        except OSError:
            pass
session([b'NOOP ' + b'x' * 65536 + b'\r\n', b'EHLO ' + b'x' * 65536 + b'\r\n', b'MAIL FROM:<' + b'a' * 65536 + b'@a.example>\r\n', b'NOOP\r\n'], b'x' * 50_000_000)
EOF
  [ "$output" = $'500 5.5.2\n500 5.5.2\n500 5.5.2\n250 2.0.0' ]
  [ $(($(memory) - before)) -lt 4000 ]
}

@test "smtpd shield: all places are taken by the silent and by those who dribble; a legitimate client is through within a second" {
  serve --relay-clients 192.0.2.1 --shield-exempt 192.0.2.1 --local-domains b.example --client-count-max 1000 --client-count-per-address-max 0
  run -0 timeout 50 python3 - "$port" <<'EOF'
import smtplib, socket, sys, threading, time
port = int(sys.argv[1])
held = [socket.create_connection(('127.0.0.1', port), 10, source_address=(f'127.1.{i % 250}.{1 + i // 250}', 0)) for i in range(1100)]
stop = threading.Event()
def dribble():
    while not stop.wait(0.2):
        for one in held[:100]:
            try: one.send(b'x')
            except OSError: pass
thread = threading.Thread(target=dribble)
thread.start()
time.sleep(2.5)
began = time.monotonic()
with smtplib.SMTP('127.0.0.1', port, 'c.example', 20, ('127.2.0.1', 0)) as client:
    client.sendmail('a@a.example', ['b@b.example'], b'Subject: x\r\n\r\nhello\r\n')
print(time.monotonic() - began < 1)
stop.set()
thread.join()
EOF
  [ "$output" = True ]
  has_kept 1
  grep -q 'stress begins' smtpd.log
}

@test "smtpd shield: 20,000 connections from one address and from many cost those only who make them" {
  serve --shield-exempt 127.0.0.1 --shield-connection-rate 100 --shield-network-factor 4 --shield-period 1h
  run -0 timeout 100 python3 - "$port" "$(worker)" <<'END'
import socket, sys, time
port, greeted = int(sys.argv[1]), 0
def knock(source):
    with socket.create_connection(('127.0.0.1', port), 10, source_address=(source, 0)) as client:
        return client.recv(100).startswith(b'220')
def memory():
    with open(f'/proc/{sys.argv[2]}/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('RssAnon'))
waited = []
def others(sources):
    greeted = 0
    for i, source in enumerate(sources):
        greeted += knock(source)
        if i % 250 == 0:  # somebody who is no part of it
            began = time.monotonic()
            assert knock('127.0.0.1')
            waited.append(time.monotonic() - began)
    return greeted
before = memory()
one = others('127.1.0.1' for _ in range(10000))
many = others(f'127.{2 + i // 2500}.{i % 250}.{1 + i % 200}' for i in range(10000))
print(one, many, max(waited) < 1, memory() - before < 2048)
END
  [ "$output" = '100 10000 True True' ]
}
