# smtpd(8): how it is started, limited and stopped.
load smtpd_helpers

setup() { cd "$BATS_TEST_TMPDIR" && make_keep; }

listens_on() { is_listening "$port"; }
# From the log, one a worker that was started.
workers() { sed -n 's/.*worker started worker=\([0-9]*\).*/\1/p' smtpd.log; }
has_workers() { [ "$(workers | wc -l)" = "$1" ]; }

# hold NAME [ADDRESS]: a client that stays and says nothing; it was greeted when this returns.
hold() {
  start "$1" socat -u "TCP4:127.0.0.1:$port${2:+,bind=$2}" STDOUT
  wait_for grep -q ^220 "$1.log"
}
# start_message NAME TEXT: a client that goes as far as DATA, says the text, and stays.
start_message() {
  start "$1" bash -c "{ printf 'EHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n$2'; sleep 30; } | socat -t 1 - TCP4:127.0.0.1:$port"
  wait_for grep -q ^354 "$1.log"
}

delivers() {
  send >out
  [ "$(codes <out)" = "220 250 250 250 354 250 221" ]
}

@test "smtpd: under tcpserver, each connection a process" {
  port=$(free_port)
  start server tcpserver -HRl0 127.0.0.1 "$port" smtpd -- ./keep
  wait_for_port "$port"
  delivers
  grep -qx 'TCPREMOTEIP=127.0.0.1' kept/1.envir
  grep -qx "TCPLOCALPORT=$port" kept/1.envir
}

@test "smtpd: under tcplaunch, each connection a process" {
  start server tcplaunch -1 127.0.0.1:0 smtpd -- ./keep
  wait_for grep -q '^[0-9]*$' server.log
  port=$(grep -m 1 '^[0-9]*$' server.log)
  delivers
  grep -qx 'TCPREMOTEIP=127.0.0.1' kept/1.envir
}

@test "smtpd: under inetd, each connection a process" {
  [ "$(id -u)" = 0 ] || skip "inetd wants to be root"
  port=$(free_port)
  echo "127.0.0.1:$port stream tcp nowait root $(command -v smtpd) smtpd -- $PWD/keep" >inetd.conf
  start inetd inetd -d "$PWD/inetd.conf"
  wait_for_port "$port"
  delivers
  grep -qx 'TCPREMOTEIP=127.0.0.1' kept/1.envir
}

@test "smtpd: under inetd with wait, one process for all connections" {
  [ "$(id -u)" = 0 ] || skip "inetd wants to be root"
  port=$(free_port)
  echo "127.0.0.1:$port stream tcp wait root $(command -v smtpd) smtpd --log-destination $PWD/smtpd.log -- $PWD/keep" >inetd.conf
  start inetd inetd -d "$PWD/inetd.conf"
  wait_for_port "$port"
  delivers
  delivers
  has_kept 2
  [ "$(sed -n 's/.* smtpd\[\([0-9]*\)\] info accepted.*/\1/p' smtpd.log | sort -u | wc -l)" = 1 ]
  kill -TERM "$(sed -n 's/.* smtpd\[\([0-9]*\)\].*/\1/p' smtpd.log | head -n 1)"
}

# As systemd and s6 do it: the socket is descriptor 3, LISTEN_FDS and LISTEN_PID say so. A configuration that would listen
# elsewhere changes nothing.
@test "smtpd: sockets of LISTEN_FDS are served" {
  printf '[smtp]\nlisten = 192.0.2.1:25\n' >vsmtp.ini
  export VSMTP_CONFIG=$PWD/vsmtp.ini
  cat >activate.py <<'EOF'
import os, socket, sys
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(100)
print("port", s.getsockname()[1], flush=True)
if s.fileno() != 3: os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ["LISTEN_FDS"], os.environ["LISTEN_PID"] = "1", str(os.getpid())
os.execvp("smtpd", ["smtpd", "--", "./keep"])
EOF
  start smtpd python3 activate.py
  wait_for grep -q ^port smtpd.log
  port=$(sed -n 's/^port //p' smtpd.log)
  delivers
  stop smtpd
}

@test "smtpd: what is handed over is served, not what the configuration would listen on" {
  local taken
  taken=$(free_port)
  start taken socat "TCP4-LISTEN:$taken,fork" /dev/null
  wait_for_port "$taken"
  printf '[smtp]\nlisten = 127.0.0.1:%s\n[queue]\nspool = %s/spool\n' "$taken" "$PWD" >vsmtp.ini
  export VSMTP_CONFIG=$PWD/vsmtp.ini
  run -78 smtpd -- ./keep  # the address counts where nothing is handed over: descriptor 0 is /dev/null here
  [[ $output == *"127.0.0.1:$taken"*"Address already in use"* ]]

  port=$(free_port)
  start server tcpserver -HRl0 127.0.0.1 "$port" smtpd -- ./keep
  wait_for_port "$port"
  delivers
  stop server || true
  # As under inetd and systemd, where no environment says so.
  start server tcpserver -HRl0 127.0.0.1 "$port" env -u PROTO smtpd -- ./keep
  wait_for_port "$port"
  delivers
  stop server || true

  printf 'EHLO c\r\nQUIT\r\n' >session
  [ "$(smtpd -- ./keep <session | codes)" = '220 250 221' ]
  [ "$(cat session | smtpd --listen '' -- ./keep | codes)" = '220 250 221' ]
  [ "$(cat session | sendmail -bs | codes)" = '220 250 221' ]
}

@test "smtpd: under s6-supervise" {
  mkdir service
  port=$(free_port)
  printf '#!/bin/sh\nexec smtpd --listen 127.0.0.1:%s -- %s/keep\n' "$port" "$PWD" >service/run
  chmod +x service/run
  start supervise s6-supervise service
  wait_for_port "$port"
  delivers
  s6-svc -d service
  wait_for not listens_on
  s6-svc -x service
}
not() { ! "$@"; }

@test "smtpd: on a Unix socket clients are local users" {
  start smtpd smtpd --listen "unix:$PWD/smtp.sock" -- ./keep
  wait_for serves smtp.sock
  printf 'EHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n' | socat -t 20 - "UNIX:smtp.sock" >out
  [ "$(codes <out)" = "220 250 250 250 354 250 221" ]
  [ "$(stat -c %a smtp.sock)" = 600 ]
}

@test "smtpd: --workers serve one socket; one that dies is replaced, SIGTERM stops all" {
  serve --workers 2
  wait_for has_workers 2
  local pids
  pids=$(workers)
  delivers
  kill -KILL "$(workers | head -n 1)"
  wait_for has_workers 3
  grep -q 'error worker died worker=.* signal=9 ' smtpd.log
  delivers
  pids=$(workers)
  stop smtpd
  for pid in $pids; do has_ended "$pid"; done
}

@test "smtpd: workers do not outlive their parent" {
  serve --workers 2
  wait_for has_workers 2
  kill -KILL "$(pid_of smtpd)"
  for pid in $(workers); do wait_for has_ended "$pid"; done
}

@test "smtpd: SIGTERM lets a message under way finish, and tells the others to come again" {
  script slow <<EOF
sleep 2
exec $PWD/keep
EOF
  serve -- ./slow
  hold idle
  start_message busy 'x\r\n.\r\nNOOP\r\n'
  kill -TERM "$(pid_of smtpd)"
  wait_for grep -q '^421 4.3.2 ' idle.log
  wait_for not listens_on
  wait_for grep -q '^421 4.3.2 ' busy.log
  [ "$(codes <busy.log)" = "220 250 250 250 354 250 250 421" ]
  has_kept 1
  wait_for has_ended "$(pid_of smtpd)"
}

@test "smtpd: what is still under way --stop-timeout after SIGTERM is ended" {
  serve --stop-timeout 1s
  start_message busy 'x\r\n'
  stop smtpd
  wait_for grep -q '^421 4.3.2 ' busy.log
  has_kept 0
}

@test "smtpd: SIGHUP reads the configuration again for new sessions; a bad one changes nothing" {
  printf '[smtp]\ngreeting = one\n' >vsmtp.ini
  serve --config vsmtp.ini
  greeting() { printf 'QUIT\r\n' | say | head -n 1 | tr -d '\r'; }
  [ "$(greeting)" = '220 mx.example.org one' ]
  printf '[smtp]\ngreeting = two\n' >vsmtp.ini
  kill -HUP "$(pid_of smtpd)"
  wait_for grep -q 'configuration reloaded' smtpd.log
  [ "$(greeting)" = '220 mx.example.org two' ]
  printf '[smtp]\ngreetin = three\n' >vsmtp.ini
  kill -HUP "$(pid_of smtpd)"
  wait_for grep -q 'reload failed.*vsmtp.ini:2' smtpd.log
  [ "$(greeting)" = '220 mx.example.org two' ]
}

@test "smtpd: --user is who serves, after the sockets are bound" {
  [ "$(id -u)" = 0 ] || skip "only root can become another user"
  chmod 755 "$BATS_TEST_TMPDIR"
  serve --user nobody -- true
  [ "$(stat -c %U "/proc/$(worker)")" = nobody ]
  [ "$(awk '/^(Gid|Groups):/ { for (i = 2; i <= NF; i++) if ($i == 0) print "root" }' "/proc/$(worker)/status")" = "" ]
  delivers
}

@test "smtpd: connections over --client-count-per-address-max and --client-count-max are told to come again" {
  serve --client-count-per-address-max 2 --client-count-max 3
  hold one
  hold two
  [ "$(printf 'QUIT\r\n' | say | codes)" = 421 ]
  hold three 127.0.0.2
  [ "$(printf 'QUIT\r\n' | socat -t 20 - "TCP4:127.0.0.1:$port,bind=127.0.0.3" | codes)" = 421 ]
  [ "$(grep -c 'turned away' smtpd.log)" = 2 ]
  stop one || true
  wait_for grep -q 'session ended early' smtpd.log
  [ "$(printf 'QUIT\r\n' | say | codes)" = "220 221" ]
}

@test "smtpd: a client that has reset its connection before it was accepted gets nothing done" {
  serve --relay-clients 192.0.2.1
  kill -STOP "$(worker)"
  python3 - "$port" <<'EOF'
import socket, struct, sys
for i in range(20):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.sendall(b"EHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nx\r\n.\r\n")
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
EOF
  kill -CONT "$(worker)"
  [ "$(send b@other.example | codes)" = "220 250 250 550 554 500 500 500 500 221" ]
  has_kept 0
}

@test "smtpd: a silent client is told 421 when its time for a stage is over" {
  serve --timeout-connect 1s --timeout-mail-from 2s
  local begin=$SECONDS
  socat -u "TCP4:127.0.0.1:$port" STDOUT >out
  [ "$(codes <out)" = "220 421" ]
  [ $((SECONDS - begin)) -le 5 ]
  { printf 'EHLO c\r\nMAIL FROM:<a@a.example>\r\n'; sleep 6; } | say >out
  [ "$(codes <out)" = "220 250 250 421" ]
  grep -q 'session ended early .*client=127.0.0.1 helo=c phase=mail cause=timeout' smtpd.log
}

@test "smtpd: a client that dribbles wins no time, neither in commands nor in a message" {
  serve --timeout-connect 2s --timeout-data 1s --data-time-max 3s
  run python3 - "$port" <<'EOF'
import socket, sys, time
def dribble(prefix, octet, most):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.sendall(prefix)
    s.settimeout(0.2)
    said, begin = b"", time.time()
    while time.time() - begin < 15:
        try:
            s.sendall(octet)
            chunk = s.recv(1000)
            if not chunk: break
            said += chunk
        except TimeoutError: pass
        except OSError: break
    assert b"\r\n421 4.4.2 " in said, said
    assert time.time() - begin < most, time.time() - begin
dribble(b"", b"x", 6)
dribble(b"EHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n", b"x", 8)
dribble(b"EHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nBDAT 1000 LAST\r\n", b"x", 8)
dribble(b"BDAT 1000\r\n", b"x", 8)
EOF
  echo "$output"
  [ "$status" = 0 ]
  has_kept 0
}

@test "smtpd: with 10,000 silent connections a new client is served within a second, and each costs below 2 KB" {
  [ "$(ulimit -Hn)" -gt 11000 ] || skip "not enough descriptors"
  ulimit -n "$(ulimit -Hn)"
  serve --client-count-per-address-max 0 --client-count-max 12000 -- true
  run python3 - "$port" "$(worker)" <<'EOF'
import socket, sys, time
port, pid = int(sys.argv[1]), sys.argv[2]
def memory(): return next(int(line.split()[1]) for line in open(f"/proc/{pid}/smaps_rollup") if line.startswith("Pss:"))
def client():
    s = socket.create_connection(("127.0.0.1", port))
    s.recv(1000)
    return s
before, clients = memory(), []
for i in range(10000):
    s = client()
    s.sendall(b"EHLO c.example\r\n")
    s.recv(1000)
    clients.append(s)
each = (memory() - before) / 10000
begin = time.time()
s = client()
s.sendall(b"EHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n")
s.sendall(b"x\r\n.\r\nQUIT\r\n")
said = b""
while chunk := s.recv(1000): said += chunk
took = time.time() - begin
print(f"{each:.2f} KB each, a message took {took:.3f} s")
assert b"221 " in said and took < 1 and each < 2
EOF
  echo "$output" >&3
  [ "$status" = 0 ]
}

@test "smtpd: wrong options and settings are named, with what is allowed" {
  run -78 smtpd --listen nonsense -- ./keep
  [[ $output == *"nonsense"*"expected"* ]]
  run -78 smtpd --listen 127.0.0.1:0 --relay-clients 192.0.2.0/33 -- ./keep
  [[ $output == *"192.0.2.0/33"*"expected"* ]]
  run -78 smtpd --command-line-max 511 -- ./keep
  [[ $output == *"at least 512"* ]]
  run -64 smtpd --bare-line-end ignore -- ./keep
  [[ $output == *"refuse normalise"* ]]
  run -64 smtpd ./keep
  [[ $output == *"behind --"* ]]
}

@test "smtpd: --help names every setting and the manual" {
  run -0 smtpd --help
  [[ $output == *"--bare-line-end"*"--data-time-max"*"man 8 smtpd"* ]]
}

@test "smtpd: every setting of --help is in the manual" {
  for option in $(smtpd --help | grep -o -- '^  --[a-z-]*'); do
    grep -Eq "Fl -${option#--}( |,|\$)" "$TOP/smtpd/smtpd.8" || { echo "not in smtpd.8: $option"; false; }
  done
}

@test "smtpd: at a terminal lines end as they are typed" {
  cat >terminal.py <<'EOF'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0: os.execvp("smtpd", ["smtpd", "--log-destination", "log", "--", "./keep"])
os.write(fd, b"HELO c\nMAIL FROM:<a@a.example>\nRCPT TO:<b@b.example>\nDATA\nx\n.\nQUIT\n")
said = b""
while True:
    try: chunk = os.read(fd, 1000)
    except OSError: break
    if not chunk: break
    said += chunk
sys.stdout.buffer.write(said)
EOF
  python3 terminal.py >out
  grep -q '^250 2.0.0 Ok: queued as 1' out
  [ "$(tail -n 1 kept/1.msg)" = $'x\r' ]
}
