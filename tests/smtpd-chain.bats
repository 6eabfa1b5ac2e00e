# smtpd(8): how the end of a chain becomes the reply to the message. Each outcome with exec'd programs, some with resident ones.
load smtpd_helpers

setup() { cd "$BATS_TEST_TMPDIR" && make_keep; }

# reply_of: the reply to the end of a message, all its lines.
reply_of() { send | sed -n '/^354/,/^221/p' | sed '1d;$d' | tr -d '\r'; }

@test "smtpd: a filter's own words are the reply, with its code and in several lines" {
  script say_it <<'EOF'
cat words >&6
exit 82
EOF
  serve -- ./say_it -- ./keep
  printf 'D554 5.7.1 not today' >words
  [ "$(reply_of)" = '554 5.7.1 not today' ]
  printf 'Z450 4.7.1 later' >words
  [ "$(reply_of)" = '450 4.7.1 later' ]
  printf 'Dplain words' >words
  [ "$(reply_of)" = '554 5.7.1 plain words' ]
  printf 'Zplain words' >words
  [ "$(reply_of)" = '451 4.3.0 plain words' ]
  printf 'D550 5.7.1 one\n550 5.7.1 two\nthree\n' >words
  [ "$(reply_of)" = $'550-5.7.1 one\n550-5.7.1 two\n550 5.7.1 three' ]
  printf 'Da\rb\001c\303\251' >words
  [ "$(reply_of)" = '554 5.7.1 a?b?c??' ]
  { printf D; head -c 3000 /dev/zero | tr '\0' x; } >words
  [ "$(reply_of | wc -l)" = 6 ]
  [ "$(reply_of | wc -L)" -le 510 ]
  [ "$(reply_of | sed 's/^554.5.7.1 //' | tr -d '\n' | wc -c)" = 3000 ]
  has_kept 0
}

@test "smtpd: a 421 of the chain ends the session" {
  script closes <<'EOF'
printf 'Z421 4.3.2 come back' >&6
exit 82
EOF
  serve -- ./closes
  send >out
  [ "$(codes <out)" = "220 250 250 250 354 421" ]
}

@test "smtpd: exit codes are read as qmail-queue(8) has them, unknown ones keep the mail at the client" {
  script ends <<'EOF'
exit $(cat code)
EOF
  serve -- ./ends
  for row in '0 250' '11 554' '31 554' '40 554' '41 451' '51 451' '53 452' '54 451' '55 451' '61 451' '71 451' '72 451' '81 451' '91 451' '1 451' '99 451' '111 451'; do
    echo "${row% *}" >code
    [[ "$(reply_of)" == "${row#* } "* ]]
  done
  grep -q 'accepted id=' smtpd.log
  echo 0 >code
  [[ "$(reply_of)" =~ ^'250 2.0.0 Ok: queued as '[0-9A-Z]{18}-1$ ]]
}

@test "smtpd: a program that crashes, is killed, says garbage or cannot be started makes a 451 and a log line" {
  script crashes <<'EOF'
kill -SEGV $$
EOF
  script garbage <<'EOF'
printf 'what is this' >&6
exit 82
EOF
  script nothing <<'EOF'
exit 82
EOF
  script liar <<'EOF'
printf 'D250 fine' >&6
exit 82
EOF
  for program in ./crashes ./garbage ./nothing ./liar ./missing unix:missing.sock; do
    serve -- $program -- ./keep
    [[ "$(reply_of)" == '451 4.3.0 '* ]]
    [ "$(grep -c 'warning deferred id=.* cause=' smtpd.log)" = 1 ]
    stop smtpd
  done
  has_kept 0
}

@test "smtpd: a program that hangs is ended at --chain-timeout, and its children with it" {
  script hangs <<'EOF'
sleep 1000 &
echo $! >sleeper
wait
EOF
  serve --chain-timeout 1s -- ./hangs -- ./keep
  [[ "$(reply_of)" == '451 4.3.0 '* ]]
  grep -q 'cause=.*1 s' smtpd.log
  wait_for has_ended "$(cat sleeper)"
}

@test "smtpd: while one client's chain works, others are served" {
  script slow <<'EOF'
grep -q slow <&1 && sleep 3
shift; exec "$@"
EOF
  serve -- ./slow -- ./keep
  start waits bash -c "printf 'EHLO c\r\nMAIL FROM:<slow@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n' | socat -t 20 - TCP4:127.0.0.1:$port"
  wait_for grep -q 354 waits.log
  local begin=$SECONDS
  send >out
  [ $((SECONDS - begin)) -lt 2 ]
  has_kept 1
  [ "$(codes <out)" = "220 250 250 250 354 250 221" ]
  wait_for grep -q '^221' waits.log
  [ "$(codes <waits.log)" = "220 250 250 250 354 250 221" ]
}

@test "smtpd: a chain of two filters passes the message on, and what is behind -- wins over smtp.chain" {
  script adds <<'EOF'
with=$(mktemp ./with.XXXXXX)
{ printf 'X-Added: yes\r\n'; cat; } >"$with"
shift; exec "$@" <"$with"
EOF
  printf '[smtp]\nchain = false\n' >vsmtp.ini
  serve --config vsmtp.ini -- ./adds -- ./adds -- ./keep
  send | grep -q '^250 2.0.0 Ok: queued as 1'
  [ "$(grep -c '^X-Added' kept/1.msg)" = 2 ]
  stop smtpd
  printf '[smtp]\nchain = ./adds -- ./keep\nlisten = 127.0.0.1:0\n' >vsmtp.ini
  start smtpd smtpd --config vsmtp.ini
  wait_for grep -q 'listening address' smtpd.log
  port=$(sed -n 's/.*listening address=127.0.0.1:\([0-9]*\).*/\1/p' smtpd.log)
  send | grep -q '^250 2.0.0 Ok: queued as 2'
  [ "$(grep -c '^X-Added' kept/2.msg)" = 1 ]
}

@test "smtpd: one session on descriptors 0 and 1 calls its chain as the server does" {
  script refuses <<'EOF'
printf 'D554 5.7.1 not today' >&6
exit 82
EOF
  printf 'EHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n' >session.txt
  smtpd -- ./refuses -- ./keep <session.txt | grep -q '^554 5.7.1 not today'
  smtpd -- ./missing <session.txt 2>log | grep -q '^451 4.3.0 '
  grep -q 'warning deferred .*missing' log
}
