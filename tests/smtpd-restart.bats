# smtpd(8), SIGNALS and what service managers are told: it begins anew without a connection refused or dropped.
load smtpd_helpers

setup() { cd "$BATS_TEST_TMPDIR" && make_keep; }

restarts() { grep -c 'info restarted' smtpd.log; }
has_restarted() { [ "$(restarts)" -ge "$1" ]; }

# Clients that send all the time, each message a connection; each with its number as sender. Ends when the file stop is there, prints what
# went wrong and how many were accepted.
make_clients() {
  cat >clients.py <<'EOF'
import os, socket, sys, threading
port, wrong, accepted, lock = int(sys.argv[1]), [], [0], threading.Lock()
def say(file, sock, line, code):
    if line: sock.sendall(line)
    while True:
        reply = file.readline()
        if not reply: raise OSError("closed behind " + repr(line))
        if reply[3:4] != b"-": break
    if not reply.startswith(code): raise OSError(repr(line) + " " + repr(reply))
def client(number):
    count = 0
    while not os.path.exists("stop"):
        try:
            sock = socket.create_connection(("127.0.0.1", port), 30)
            file = sock.makefile("rb")
            say(file, sock, None, b"220")
            say(file, sock, b"EHLO c.example\r\n", b"250")
            say(file, sock, b"MAIL FROM:<m%d-%d@a.example>\r\n" % (number, count), b"250")
            say(file, sock, b"RCPT TO:<b@b.example>\r\n", b"250")
            say(file, sock, b"DATA\r\n", b"354")
            say(file, sock, b"Subject: x\r\n\r\nhello\r\n.\r\n", b"250")
            say(file, sock, b"QUIT\r\n", b"221")
            sock.close()
            count += 1
        except OSError as error:
            with lock: wrong.append(f"{number}-{count}: {error}")
            return
    with lock: accepted[0] += count
threads = [threading.Thread(target=client, args=(n,)) for n in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("\n".join(wrong) or f"accepted {accepted[0]}", flush=True)
EOF
}

@test "smtpd: over ten restarts under load no connection is refused or dropped, and no message lost" {
  make_clients
  queue-inject --spool spool --make-spool
  start queue queue-inject --spool spool --resident "$PWD/queue.sock"
  wait_for serves queue.sock
  serve --workers 2 -- "unix:$PWD/queue.sock"
  start clients python3 clients.py "$port"
  local i pid
  pid=$(pid_of smtpd)
  for i in 1 2 3 4 5 6 7 8 9 10; do
    kill -USR2 "$pid"
    wait_for has_restarted "$i"
    sleep 0.2
  done
  touch stop
  wait_for grep -q . clients.log
  grep -q '^accepted' clients.log || { cat clients.log smtpd.log; false; }
  kill -0 "$pid"  # the same process, for whoever watches over it
  stop queue
  [ "$(qctl --spool spool list --json | grep -c '"id"')" = "$(sed -n 's/^accepted //p' clients.log)" ]
  [ "$(sed -n 's/^accepted //p' clients.log)" -gt 20 ]
}

@test "smtpd: a session goes on while it begins anew, and the old process ends with it" {
  serve
  local old
  old=$(worker)
  mkfifo session
  start client bash -c "socat -t 20 -T 20 - TCP4:127.0.0.1:$port <session"
  exec 9>session
  printf 'EHLO c\r\nMAIL FROM:<a@a.example>\r\n' >&9
  wait_for grep -q '^250 2' client.log
  kill -USR2 "$(pid_of smtpd)"
  wait_for has_restarted 1
  wait_for 5 grep -q "smtpd\[$old\] info draining connections=1" smtpd.log || { cat smtpd.log; ps -ef | tail -40; false; }
  [ "$(send | codes)" = "220 250 250 250 354 250 221" ]
  ! has_ended "$old"
  printf 'RCPT TO:<b@b.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n' >&9
  exec 9>&-
  wait_for grep -q ^221 client.log
  [ "$(codes <client.log)" = "220 250 250 250 354 250 221" ]
  wait_for has_ended "$old"
  has_kept 2
}

@test "smtpd: sessions that stay longer than --drain-timeout are told 421" {
  serve --drain-timeout 1s
  start idle socat -u "TCP4:127.0.0.1:$port" STDOUT
  wait_for grep -q ^220 idle.log
  kill -USR2 "$(pid_of smtpd)"
  wait_for 5 grep -q '^421 4.3.2' idle.log || { cat idle.log smtpd.log; false; }
}

@test "smtpd: a configuration or a program that cannot start leaves the old one serving" {
  printf '[smtp]\ngreeting = one\n' >vsmtp.ini
  cp "$TOP/bin/smtpd" ./smtpd-of-now
  start smtpd ./smtpd-of-now --config vsmtp.ini --listen 127.0.0.1:0 --domain mx.example.org -- ./keep
  wait_for grep -q 'listening address=127' smtpd.log
  port=$(sed -n 's/.*listening address=127.0.0.1:\([0-9]*\).*/\1/p' smtpd.log | head -n 1)
  printf '[smtp]\ngreetin = two\n' >vsmtp.ini
  kill -USR2 "$(pid_of smtpd)"
  wait_for grep -q 'restart failed, the old one stays exit_code=78' smtpd.log
  grep -q "vsmtp.ini:2: unknown key 'greetin'" smtpd.log
  printf '[smtp]\ngreeting = two\n' >vsmtp.ini
  printf '#!/bin/sh\nexit 3\n' >new
  chmod +x new
  mv new smtpd-of-now
  kill -USR2 "$(pid_of smtpd)"
  wait_for grep -q 'restart failed, the old one stays exit_code=3' smtpd.log
  mv smtpd-of-now gone
  kill -USR2 "$(pid_of smtpd)"
  wait_for grep -q 'cannot start program=./smtpd-of-now cause="No such file or directory"' smtpd.log
  [ "$(send | grep ^220 | tr -d '\r')" = "220 mx.example.org one" ]
  cp "$TOP/bin/smtpd" ./smtpd-of-now
  kill -USR2 "$(pid_of smtpd)"
  wait_for has_restarted 1
  [ "$(send | grep ^220 | tr -d '\r')" = "220 mx.example.org two" ]
}

@test "smtpd: in a chroot it begins anew with what is found there" {
  [ "$(id -u)" = 0 ] || skip "only root can enter a chroot"
  chmod 755 "$BATS_TEST_TMPDIR"
  mkdir -p jail/bin jail/large spool
  chown nobody jail/large
  cp "$TOP/bin/smtpd" jail/bin/
  queue-inject --spool spool --make-spool
  start queue queue-inject --spool spool --resident "$PWD/jail/queue.sock" --socket-mode 666
  wait_for serves jail/queue.sock
  printf '[smtp]\ngreeting = one\n[server]\ndomain = mx.example.org\n' >jail/vsmtp.ini
  cd jail
  start smtpd bin/smtpd --config vsmtp.ini --listen 127.0.0.1:0 --user nobody --chroot "$PWD" --message-directory large -- unix:/queue.sock
  cd ..
  wait_for grep -q 'listening address=127' smtpd.log
  port=$(sed -n 's/.*listening address=127.0.0.1:\([0-9]*\).*/\1/p' smtpd.log | head -n 1)
  [ "$(send | grep ^220 | tr -d '\r')" = "220 mx.example.org one" ]
  sed -i 's/one/two/' jail/vsmtp.ini
  kill -USR2 "$(pid_of smtpd)"
  wait_for has_restarted 1 || { cat smtpd.log; false; }
  [ "$(readlink "/proc/$(worker)/root")" = "$PWD/jail" ]
  [ "$(awk '/^Uid/ { print $2 }' "/proc/$(worker)/status")" = "$(id -u nobody)" ]
  send >said
  [ "$(codes <said)" = "220 250 250 250 354 250 221" ]
  grep -q '^220 mx.example.org two' said
}

@test "smtpd: begun anew it listens where the new configuration says" {
  local other
  other=$(free_port)
  port=$(free_port)
  printf '[smtp]\nlisten = 127.0.0.1:%s 127.0.0.1:%s\n' "$port" "$other" >vsmtp.ini
  start smtpd smtpd --config vsmtp.ini -- ./keep
  wait_for_port "$other"
  printf '[smtp]\nlisten = 127.0.0.1:%s\n' "$port" >vsmtp.ini
  kill -USR2 "$(pid_of smtpd)"
  wait_for has_restarted 1
  wait_for not is_listening "$other"
  is_listening "$port"
  stop smtpd
  not is_listening "$port"
}
not() { ! "$@"; }

# ---- service managers

# As systemd listens; what it hears is in notify.log.
manager() {
  cat >manager.py <<'EOF'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = sys.argv[1]
s.bind("\0" + name[1:] if name[0] == "@" else name)
print("listens", flush=True)
while True: print(s.recv(10000).decode().replace("\n", " "), flush=True)
EOF
  start notify python3 manager.py "$1"
  wait_for grep -q listens notify.log
}
heard() { grep -q "$1" notify.log; }

@test "smtpd: systemd is told READY, RELOADING, WATCHDOG and STOPPING, also behind a restart" {
  manager "@vsmtp-$BATS_TEST_NUMBER-$$"
  export NOTIFY_SOCKET="@vsmtp-$BATS_TEST_NUMBER-$$" WATCHDOG_USEC=400000
  script shows <<'EOF'
[ -z "$NOTIFY_SOCKET$WATCHDOG_USEC" ] || exit 31
exec "$@"
EOF
  serve -- ./shows ./keep
  wait_for heard "^READY=1 MAINPID=$(pid_of smtpd) "
  wait_for heard '^WATCHDOG=1'
  kill -HUP "$(pid_of smtpd)"
  wait_for heard '^RELOADING=1 MONOTONIC_USEC=[0-9]'
  wait_for eval '[ "$(grep -c ^READY=1 notify.log)" = 2 ]'
  kill -USR2 "$(pid_of smtpd)"
  wait_for eval '[ "$(grep -c ^READY=1 notify.log)" = 3 ]'
  [ "$(grep -c ^RELOADING=1 notify.log)" = 2 ]
  : >notify.log
  wait_for heard '^WATCHDOG=1'
  kill -STOP "$(worker)"  # it hangs
  sleep 1
  : >notify.log
  sleep 1
  ! heard '^WATCHDOG=1'
  kill -CONT "$(worker)"
  wait_for heard '^WATCHDOG=1'
  stop smtpd
  wait_for heard '^STOPPING=1'
}

@test "smtpd: s6 is told by --notify-fd" {
  mkdir service
  port=$(free_port)
  printf '#!/bin/sh\nexec smtpd --notify-fd 5 --listen 127.0.0.1:%s -- %s/keep\n' "$port" "$PWD" >service/run
  chmod +x service/run
  echo 5 >service/notification-fd
  start supervise s6-supervise service
  s6-svwait -U -t 20000 service
  is_listening "$port"
  s6-svc -2 service  # SIGUSR2: the descriptor is used up, and may be another one's
  wait_for grep -q 'info restarted' supervise.log
  s6-svc -wd -d service
  s6-svc -x service
  run -64 smtpd --notify-fd 77 --listen 127.0.0.1:0 -- ./keep
  [[ $output == *"--notify-fd 77"* ]]
}
