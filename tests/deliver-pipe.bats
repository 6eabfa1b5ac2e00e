# The sentences of deliver-pipe(8).
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  printf 'Return-Path: <old@x>\r\nSubject: hello\r\n\r\nFrom here on\r\n' >mail.eml
  me=$(id -un)
}

# pipe [OPTION...] { ... } HOST SENDER RECIPIENT...: the report, a line for each NUL; the log is in pipe.log
pipe() { deliver-pipe --user "$me" "$@" <mail.eml 2>>pipe.log | tr '\0' '\n'; }

@test "deliver-pipe: the command gets the message, with Return-Path and Delivered-To in front, and lines that end in LF" {
  run -0 pipe { /usr/bin/tee out } example.org me@example.com You@example.org
  [ "${lines[0]}" = "r250 2.0.0 delivered to command /usr/bin/tee" ]
  [ "${lines[1]}" = "Kdelivered" ]
  diff -u - out <<END
Return-Path: <me@example.com>
Delivered-To: You@example.org
Subject: hello

From here on
END
}

@test "deliver-pipe: fields and line ends are as set" {
  pipe --fields 'from-line delivered-to' { /usr/bin/tee out } example.org '' you@example.org
  [[ "$(head -n 1 out)" == "From MAILER-DAEMON "* ]]
  [ "$(sed -n 2,3p out)" = "Delivered-To: you@example.org
Return-Path: <old@x>" ]
  pipe --line-end crlf --fields from-line { /usr/bin/tee out } example.org me@x you@example.org
  [ "$(grep -c $'\r$' out)" = "$(wc -l <out)" ]
  run -78 deliver-pipe --user "$me" --fields subject { cat } h s r <mail.eml
  [[ $output == *"pipe.fields: 'subject'; expected: from-line, return-path, delivered-to"* ]]
}

@test "deliver-pipe: arguments name parts of the call, the environment all of them" {
  cat >show <<'END'
#!/bin/sh
printf '%s\n' "$@" "$SENDER" "$RECIPIENT" "$LOCAL" "$HOST" "$EXT" "$DEFAULT" "$NEWSENDER" "$DTLINE" >shown
END
  chmod +x show
  pipe { ./show {user} x-{extension} {domain} {sender} {host} } h.test me@example.com 'Joe+Box@Example.ORG'
  diff -u - shown <<'END'
Joe
x-Box
example.org
me@example.com
h.test
me@example.com
Joe+Box@Example.ORG
Joe+Box
example.org
Box
Box
me@example.com
Delivered-To: Joe+Box@Example.ORG

END
}

@test "deliver-pipe: a process a recipient, or with --all one for all" {
  out=$(pipe { /bin/sh -c 'echo "$1" >>calls; case $1 in b*) exit 67;; esac' sh {recipient} } h me@x a@x b@x c@x)
  [ "$out" = "r250 2.0.0 delivered to command /bin/sh
h550 5.1.1 user unknown
r250 2.0.0 delivered to command /bin/sh
Kdelivered" ]
  [ "$(cat calls)" = "a@x
b@x
c@x" ]
  rm calls
  pipe --all { /bin/sh -c 'echo "$*" >>calls' sh {recipient} } h me@x a@x b@x
  [ "$(cat calls)" = "a@x b@x" ]
}

@test "deliver-pipe: a HOST that begins with a bar is a command line for the shell" {
  out=$(pipe '|grep -q "^Subject: hello" && echo "$RECIPIENT" >got' me@x you@example.org)
  [ "$out" = 'r250 2.0.0 delivered to command |grep -q "^Subject: hello" && echo "$RECIPIENT" >got
Kdelivered' ]
  [ "$(cat got)" = you@example.org ]
}

@test "deliver-pipe: the exit code says what becomes of the mail, and so may the first line of output" {
  [ "$(pipe { /bin/sh -c 'exit 75' } h s a@x | head -n 1)" = "s451 4.3.0 temporary failure" ]
  [ "$(pipe { /bin/sh -c 'exit 100' } h s a@x)" = "h550 5.3.0 command failed for good
D550 5.3.0 command failed for good" ]
  [ "$(pipe { /bin/sh -c 'exit 111' } h s a@x | tail -n 1)" = "Z451 4.3.0 command failed for now" ]
  [ "$(pipe { /bin/sh -c 'echo "4.2.2 mailbox full"; exit 1' } h s a@x | head -n 1)" = "s450 4.2.2 mailbox full" ]
  [ "$(pipe { /bin/sh -c 'kill -SEGV $$' } h s a@x | head -n 1)" = "s451 4.3.0 /bin/sh was killed by signal 11" ]
  [[ "$(pipe { /no/such/program } h s a@x | head -n 1)" == "s451 4.3.0 exec /no/such/program: No such file"* ]]
}

@test "deliver-pipe: a command that takes too long is killed, with its children" {
  out=$(pipe --timeout 300ms { /bin/sh -c 'sleep 100 & echo $! >child; wait' } h s a@x)
  [[ $out == "s451 4.3.0 /bin/sh took longer than 0 s and was killed"* ]]
  wait_for has_ended "$(cat child)"
}

@test "deliver-pipe: memory is limited" {
  out=$(pipe --memory-max 300m { python3 -c 'x = "x" * 100000000; print("fits")' } h s a@x)
  [[ $out == r* ]]
  out=$(pipe --memory-max 300m { python3 -c 'x = "x" * 1000000000' } h s a@x)
  [[ $out == s*exit\ code\ 1* ]]
}

@test "deliver-pipe: the command does not outlive it" {
  start pipe deliver-pipe --user "$me" { /bin/sh -c 'echo $$ >pid; exec sleep 100' } h s a@x
  wait_for test -s pid
  stop pipe KILL || true
  wait_for has_ended "$(cat pid)"
}

@test "deliver-pipe: root is no user that runs commands unless it is named" {
  [ "$(id -u)" = 0 ] || skip "for root"
  run -78 deliver-pipe { cat } h s a@x <mail.eml
  [[ $output == *"pipe.user: not set"* ]]
  chmod 755 . && : >who && chmod 666 who
  pipe --user nobody { /bin/sh -c 'id -un >who' } h s a@x
  [ "$(cat who)" = nobody ]
}

@test "deliver-pipe: --call makes a message call of it" {
  mkdir -p spool/{working,deliver,deferred,delegated,hold,dead,quarantine,progress,tmp,log,lock}
  out=$(pipe --all --call { queue-inject --spool spool } h me@example.com a@example.org b@example.org)
  [[ $out == r*$'\n'r*$'\n'Kdelivered ]]
  item=$(find spool/working -type f)
  [ "$(grep -c '^recipient ' "$item")" = 2 ]
  grep -q '^sender <me@example.com>' "$item"
  out=$(pipe --call { mime-check } h me@example.com a@example.org)
  [[ $out == s* ]]
}

@test "deliver-pipe: is a transport of queue-run by two lines of vsmtp.ini" {
  mkdir -p spool/{working,deliver,deferred,delegated,hold,dead,quarantine,progress,tmp,log,lock}
  cat >vsmtp.ini <<END
[queue]
spool = spool
bounce = no
[pipe]
user = $me
[transport "lists"]
program = deliver-pipe { /usr/bin/tee -a $PWD/list-{user} }
[relay "lists.test"]
transport = lists
END
  "$BATS_TEST_DIRNAME/tools/store-items" spool working staff@lists.test all@lists.test
  VSMTP_CONFIG=vsmtp.ini queue-run --drain
  grep -q '^Delivered-To: staff@lists.test' list-staff
  grep -q '^Delivered-To: all@lists.test' list-all
  [ -z "$(find spool/working spool/deferred spool/dead -type f)" ]
}

@test "deliver-pipe: set-user-ID programs have no effect where pipe.no_new_privileges says so" {
  for no in no yes; do
    deliver-pipe --user "$me" --no-new-privileges $no { sh -c 'grep NoNewPrivs /proc/self/status >status' } h s r@here.test </dev/null | grep -q ^r
    [ "$(cut -f2 status)" = $([ $no = yes ] && echo 1 || echo 0) ]
  done
}

@test "deliver-pipe: a wrong command line exits 64" {
  run -64 deliver-pipe --user "$me" { cat } h s </dev/null
  run -64 deliver-pipe --user "$me" { cat h s r </dev/null
  run -64 deliver-pipe --user "$me" host s r </dev/null
  [[ $output == *"expected { COMMAND ARGUMENT... } in front of HOST"* ]]
}
