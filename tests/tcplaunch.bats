# tcplaunch(8), and the same SMTP sessions under tcplaunch, ucspi-tcp's tcpserver and openbsd-inetd.
load smtpd_helpers

setup() { cd "$BATS_TEST_TMPDIR" || return; }

# launch OPTION... -- PROGRAM...: tcplaunch on a free port of 127.0.0.1, whose number is in $port then.
launch() {
  local options=()
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  shift
  start tcplaunch tcplaunch "${options[@]}" 127.0.0.1:0 "$@"
  wait_for grep -q '^[0-9]*$' tcplaunch.log
  port=$(grep -m 1 '^[0-9]*$' tcplaunch.log)
}

# What the server says to a client that says nothing.
greeting() { socat -t 5 -T 5 - "TCP4:127.0.0.1:$port${1:+,bind=$1}" </dev/null; }

# hold NAME [ADDRESS]: a client that stays until `stop NAME`; its program has written a line when this returns.
hold() {
  start "$1" socat -u "TCP4:127.0.0.1:$port${2:+,bind=$2}" STDOUT
  wait_for grep -q . "$1.log"
}
hold_refused() { start "$1" socat -u "TCP4:127.0.0.1:$port" STDOUT; }

# A program that says hello and stays until its client goes.
hello() { printf '#!/bin/sh\necho hello\nexec cat >/dev/null\n' >hello && chmod +x hello; }

children() { pgrep -c -P "$(pid_of tcplaunch)"; }
has_children() { [ "$(children)" = "$1" ]; }

@test "tcplaunch: a program finds both ends of its connection in the environment, and nothing of another one" {
  export TCPREMOTEHOST=old TCPREMOTEINFO=old TCPLOCALHOST=old
  launch -- sh -c 'env | grep -E "^(PROTO|TCP)" | sort'
  run greeting
  [[ ${lines[0]} == PROTO=TCP ]]
  [[ ${lines[1]} == TCPLOCALIP=127.0.0.1 ]]
  [[ ${lines[2]} == "TCPLOCALPORT=$port" ]]
  [[ ${lines[3]} == TCPREMOTEIP=127.0.0.1 ]]
  [[ ${lines[4]} =~ ^TCPREMOTEPORT=[0-9]+$ ]]
  [ "${#lines[@]}" = 5 ]
}

@test "tcplaunch: over IPv6, PROTO is TCP6" {
  start tcplaunch tcplaunch -1 '[::1]:0' sh -c 'echo $PROTO $TCPREMOTEIP $TCPLOCALIP'
  wait_for grep -q '^[0-9]*$' tcplaunch.log
  run socat -t 5 - "TCP6:[::1]:$(grep -m 1 '^[0-9]*$' tcplaunch.log)" </dev/null
  [ "$output" = "TCP6 ::1 ::1" ]
}

@test "tcplaunch: -l sets TCPLOCALHOST" {
  launch -l mx.example.org -- sh -c 'echo $TCPLOCALHOST'
  [ "$(greeting)" = mx.example.org ]
}

@test "tcplaunch: the program gets its arguments as they are, also -- and what follows" {
  launch -- printf '<%s>' -c 3 -- 'a b' --
  [ "$(greeting)" = '<-c><3><--><a b><-->' ]
}

@test "tcplaunch: descriptors 0 and 1 are the connection and wait for it, 2 is the log; the program has none of ours" {
  launch -- sh -c 'read line; echo "got $line"; ls -l /proc/$$/fd | grep -cE "socket:|anon_inode:"; echo to the log >&2'
  run socat -t 5 - "TCP4:127.0.0.1:$port" < <(sleep 0.3; echo hello)
  [ "${lines[0]}" = 'got hello' ]
  [ "${lines[1]}" = 2 ]
  grep -qx 'to the log' tcplaunch.log
}

@test "tcplaunch: several addresses are served, the port of each is printed when one of them was 0" {
  start tcplaunch tcplaunch 127.0.0.1:0 127.0.0.2:0 sh -c 'echo $TCPLOCALIP'
  wait_for eval '[ "$(grep -c "^[0-9]*$" tcplaunch.log)" = 2 ]'
  mapfile -t ports < <(grep '^[0-9]*$' tcplaunch.log)
  [ "$(socat -t 5 - "TCP4:127.0.0.1:${ports[0]}" </dev/null)" = 127.0.0.1 ]
  [ "$(socat -t 5 - "TCP4:127.0.0.2:${ports[1]}" </dev/null)" = 127.0.0.2 ]
}

@test "tcplaunch: a given port is printed with -1 only" {
  local given
  given=$(free_port)
  start tcplaunch tcplaunch "127.0.0.1:$given" true
  wait_for_port "$given"
  run ! grep -qx "$given" tcplaunch.log
  stop tcplaunch
  start tcplaunch tcplaunch -1 "127.0.0.1:$given" true
  wait_for grep -qx "$given" tcplaunch.log
}

@test "tcplaunch: at -c connections the next one waits until one has ended" {
  hello
  launch -c 2 -- ./hello
  hold one
  hold two
  hold_refused three
  sleep 0.3
  [ ! -s three.log ]
  has_children 2
  stop one || true
  wait_for grep -qx hello three.log
  has_children 2
}

@test "tcplaunch: with -r the connection over -c is told why, and the ones below are not" {
  hello
  launch -c 2 -r '421 4.3.2 too many connections' -- ./hello
  hold one
  hold two
  [ "$(greeting)" = $'421 4.3.2 too many connections\r' ]
  [ "$(greeting)" = $'421 4.3.2 too many connections\r' ]
  grep -q 'warning refused remote=127.0.0.1:[0-9]* limit=connections$' tcplaunch.log
  stop one || true
  wait_for has_children 1
  hold three
  grep -qx hello three.log
}

@test "tcplaunch: -p limits one client and leaves room for others" {
  hello
  launch -c 10 -p 2 -r '421 4.7.0 too many connections from you' -- ./hello
  hold one
  hold two
  [ "$(greeting)" = $'421 4.7.0 too many connections from you\r' ]
  hold other 127.0.0.2
  has_children 3
  stop two || true
  wait_for has_children 2
  hold three
  grep -qx hello three.log
}

@test "tcplaunch: a connection over -p is closed without a word when there is no -r" {
  hello
  launch -p 1 -- ./hello
  hold one
  run -0 greeting
  [ -z "$output" ]
}

@test "tcplaunch: -u and -g are in force for the programs, without other groups" {
  [ "$(id -u)" = 0 ] || skip "needs root"
  launch -u nobody -- sh -c 'grep -E "^(Uid|Gid|Groups)" /proc/self/status'
  run greeting
  [[ ${lines[0]} == $'Uid:\t65534\t65534\t65534\t65534' ]]
  [[ ${lines[1]} == $'Gid:\t65534\t65534\t65534\t65534' ]]
  [[ ${lines[2]} =~ ^Groups:[[:space:]]65534[[:space:]]*$ ]]
  stop tcplaunch
  launch -u 65534 -g 7 -- sh -c 'id -u; id -g'
  run greeting
  [ "$output" = $'65534\n7' ]
}

@test "tcplaunch: sockets of LISTEN_FDS are served" {
  python3 - >port <<'END' &
import os, socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(5)
print(s.getsockname()[1], flush=True)
os.dup2(s.fileno(), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
log = os.open("tcplaunch.log", os.O_WRONLY | os.O_CREAT)
os.dup2(log, 1); os.dup2(log, 2)
os.execlp("tcplaunch", "tcplaunch", "sh", "-c", "echo hello $LISTEN_FDS")
END
  echo $! >tcplaunch.pid
  wait_for grep -q listening tcplaunch.log
  port=$(cat port)
  [ "$(greeting)" = hello ]
}

@test "tcplaunch: ended programs are reaped, and a killed one frees its place" {
  launch -c 1 -- sh -c 'kill -9 $$'
  for _ in {1..20}; do run greeting; done
  wait_for eval '[ "$(grep -c "status=\"signal 9\"" tcplaunch.log)" = 20 ]'
  wait_for has_children 0
}

@test "tcplaunch: SIGTERM ends it at once; the programs go on" {
  launch -- sh -c 'echo hello; read line; echo "got $line"'
  mkfifo words
  start client sh -c "socat -t 5 - TCP4:127.0.0.1:$port <words"
  exec 9>words
  wait_for grep -qx hello client.log
  stop tcplaunch
  run ! is_listening "$port"
  echo more >&9
  exec 9>&-
  wait_for grep -qx 'got more' client.log
}

@test "tcplaunch: with --drain SIGTERM closes the addresses and waits for the programs, a second one does not wait" {
  hello
  launch --drain -- ./hello
  hold client
  kill "$(pid_of tcplaunch)"
  wait_for eval '! is_listening '"$port"
  is_running tcplaunch
  stop client || true
  wait_for has_ended "$(pid_of tcplaunch)"
  launch --drain -- ./hello
  hold client
  kill "$(pid_of tcplaunch)"
  wait_for eval '! is_listening '"$port"
  is_running tcplaunch
  stop tcplaunch
}

@test "tcplaunch: SIGHUP opens the log file anew" {
  launch --log-destination log -- true
  greeting
  mv log log.1
  kill -HUP "$(pid_of tcplaunch)"
  wait_for test -e log
  greeting
  wait_for grep -q connected log
}

@test "tcplaunch: what it cannot do, it says before it serves" {
  run -64 tcplaunch
  [[ $output == "tcplaunch: fatal: expected ADDRESS:PORT... PROGRAM"* ]]
  run -64 tcplaunch true
  run -64 tcplaunch 127.0.0.1 true
  [ "$output" = "tcplaunch: fatal: '127.0.0.1' is neither ADDRESS:PORT, such as 0.0.0.0:25 or [::]:25, nor a program" ]
  run -64 tcplaunch -c x 127.0.0.1:0 true
  [[ $output == *"expected a number from 0 to 1000000"* ]]
  run -64 tcplaunch --ipv6-bits 0 127.0.0.1:0 true
  run -64 tcplaunch --ipv6-bits 129 127.0.0.1:0 true
  run -64 tcplaunch -r $'421 a\n421 b' 127.0.0.1:0 true
  run -64 tcplaunch -u no-such-user 127.0.0.1:0 true
  run -64 tcplaunch -g mail 127.0.0.1:0 true
  run -78 tcplaunch 127.0.0.1:0 no-such-program
  [[ $output == "tcplaunch: fatal: program no-such-program: No such file or directory" ]]
  run -78 tcplaunch 127.0.0.1:0 /etc/passwd
  run -75 bash -c 'tcplaunch -1 127.0.0.1:0 true >&-'
  [[ $output == *"tcplaunch: fatal: write: Bad file descriptor" ]]
  launch -- true
  run -78 tcplaunch "127.0.0.1:$port" true
  [[ $output == *"Address already in use"* ]]
}

@test "tcplaunch: 200 connections at once are all served, one program each" {
  launch -c 0 -- sh -c 'echo $$'
  local clients=()
  for _ in {1..200}; do greeting >>pids & clients+=($!); done
  wait "${clients[@]}"
  [ "$(sort -u pids | wc -l)" = 200 ]
}

# Client sides of whole sessions.
sessions() {
  mkdir sessions
  local head='EHLO client.example\nMAIL FROM:<a@a.example>\nRCPT TO:<b@b.example>\n'
  printf 'HELO client.example\nMAIL FROM:<>\nRCPT TO:<b@b.example>\nDATA\nSubject: x\n\n..hello\n.\nQUIT\n' >sessions/plain
  printf "$head"'DATA\nSubject: 1\n\none\n.\nMAIL FROM:<a@a.example>\nRCPT TO:<c@c.example>\nRCPT TO:<d@d.example>\nDATA\n2\n.\nQUIT\n' >sessions/two
  printf "$head"'BDAT 7\n1\n\n45BDAT 6 LAST\n6\n7\nQUIT\n' | sed 's/$/\r/' >sessions/chunks
  printf 'NOOP\nHELP\nVRFY x\nEXPN x\nwhat\nRCPT TO:<b@b.example>\nDATA\nEHLO\nEHLO c.example\nMAIL FROM:a\nRSET\nMAIL FROM:<a@a.example> X=1\nQUIT\n' >sessions/errors
  printf "$head"'DATA\nSubject: refuse me\n\nx\n.\nRSET\nQUIT\n' >sessions/refused
  printf "$head"'DATA\nSubject: the client goes\n\nhalf' >sessions/cut
  printf 'MAIL FROM:<a@a.example> SIZE=99999999999\nQUIT\n' >sessions/large
  : >sessions/nothing
  for file in sessions/*; do sed -i 's/\r*$/\r/' "$file"; done
}

# same_sessions NAME: what server and chain say and get on $port, without what differs from one message to the next.
same_sessions() {
  local session
  mkdir "$1"
  for session in sessions/*; do
    say <"$session" >"$1/${session##*/}.said"
    for file in kept/*.msg; do [ ! -e "$file" ] || sed -i '/^Received: /,/; .*[0-9]\r*$/d' "$file"; done
    cat kept/*.env kept/*.msg >"$1/${session##*/}.kept" 2>/dev/null || true
    rm -rf kept/* keep.d.*
  done
}

@test "tcplaunch: sessions of smtpd are the same as under tcpserver and inetd" {
  [ "$(id -u)" = 0 ] || skip "inetd wants to be root"
  sessions
  make_keep
  script filter <<'EOF'
if grep -q '^Subject: refuse me' /dev/stdin; then printf 'D554 5.7.1 as you wish' >&6; exit 82; fi
shift
exec "$@"
EOF
  local smtpd=(smtpd --domain mx.example.org --relay-domains '*' -- "$PWD/filter" -- "$PWD/keep") tcpserver
  launch -l mx.example.org -- "${smtpd[@]}"
  same_sessions tcplaunch
  stop tcplaunch
  port=$(free_port)
  start tcpserver tcpserver -HRl mx.example.org 127.0.0.1 "$port" "${smtpd[@]}"
  wait_for_port "$port"
  same_sessions tcpserver
  port=$(free_port)
  echo "127.0.0.1:$port stream tcp nowait root $(command -v smtpd) ${smtpd[*]}" >inetd.conf
  start inetd inetd -d "$PWD/inetd.conf"
  wait_for_port "$port"
  same_sessions inetd
  diff -r tcplaunch tcpserver
  diff -r tcplaunch inetd
  # They have taken place: four messages were kept, one was refused.
  [ "$(codes <tcplaunch/two.said)" = '220 250 250 250 354 250 250 250 250 354 250 221' ]
  [ "$(codes <tcplaunch/chunks.said)" = '220 250 250 250 250 250 221' ]
  grep -q '^554 5.7.1 as you wish' tcplaunch/refused.said
  grep -q '^\.hello' tcplaunch/plain.kept
  [ "$(cat tcplaunch/*.kept | grep -c ^F)" = 4 ]
  [ ! -s tcplaunch/cut.kept ]
}

@test "tcplaunch: its manual has no mistakes" { mandoc -T lint -W warning "$TOP/smtpd/tcplaunch.8"; }
