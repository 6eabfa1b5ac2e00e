# The sentences of queue-inject(8) and sendmail(1): the qmail-queue interface, text by hand, options and exit codes.
# queue-inject-disk.bats has disks that fail, queue-inject-kill.bats the crashes.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  queue-inject --spool spool --make-spool
  printf 'Subject: x\r\n\r\nhello\r\n' >message
  envelope me@example.org you@example.com
}
teardown() { stop_all; }

# envelope SENDER RECIPIENT...: the file `envelope`.
envelope() {
  printf 'F%s\0' "$1" >envelope
  shift
  for recipient; do printf 'T%s\0' "$recipient" >>envelope; done
  printf '\0' >>envelope
}
# The message call; the reply is in the file `reply`.
inject() { queue-inject --spool spool "$@" <message 1<envelope 3>&- 6>reply; }
inject_with_context() { printf '%s' "$1" >context; queue-inject --spool spool <message 1<envelope 3<context 6>reply; }
stored() { find spool/working spool/hold spool/quarantine -type f; }
is_empty() { [ -z "$(stored)" ] && [ -z "$(ls spool/tmp)" ]; }
# The message of an item, without the item's header.
content() { sed '1,/^$/d' "$1" | tail -n +2; }

# ---- the qmail-queue interface ------------------------------------------------------------------------------------------

@test "queue-inject: exit 0, the reply names the id, the file has header, context and message" {
  inject
  [[ $(cat reply) =~ ^'K250 2.0.0 Ok: queued as '([0-9A-Z]{18})$ ]]
  file=spool/working/${BASH_REMATCH[1]}
  [ "$(stored)" = "$file" ]
  [ "$(stat -c %a "$file")" = 600 ]
  [ "$(sed -n '/^sender/,/^message/p' "$file")" = "sender <me@example.org>
recipient <you@example.com>
context 3
message 21" ]
  content "$file" | cmp - message
  [ -z "$(ls spool/tmp)" ]
}

@test "queue-inject: all recipients, in order; the null reverse-path; octets that are no text" {
  envelope '' one@x '"t wo"@x' $'\xc3\xa9@x' one@x
  head -c 3000 /dev/urandom | tr -d '\n' >random
  printf '\r\n\0\r' | cat - random >message
  inject
  [ "$(grep -a -E '^(sender|recipient) ' "$(stored)")" = "sender <>
recipient <one@x>
recipient <\"t wo\"@x>
recipient <é@x>
recipient <one@x>" ]
  tail -c "$(stat -c %s message)" "$(stored)" | cmp - message
}

@test "queue-inject: the message may come from a pipe, and be large" {
  head -c 5000000 /dev/zero | tr '\0' 'x' | fold -w 70 | sed 's/$/\r/' >large
  queue-inject --spool spool < <(cat large) 1< <(cat envelope) 3>&-
  content "$(stored)" | cmp - large
}

@test "queue-inject: a descriptor 0 that was read by others is rewound" {
  { cat >/dev/null; queue-inject --spool spool 1<envelope 3>&-; } <message
  content "$(stored)" | cmp - message
}

@test "queue-inject: a malformed envelope exits 91, nothing is stored" {
  for bad in '' 'F' 'Fa@x' 'Fa@x\0' 'Fa@x\0Tb@x' 'Fa@x\0Tb@x\0' 'Ta@x\0\0' 'Fa@x\0\0' 'Fa@x\0Xb@x\0\0' 'a@x\0Tb@x\0\0' 'Fa@x\0Tb@x\0\0rest' 'Fa@x\0Tb\nc@x\0\0' 'Fa\r@x\0Tb@x\0\0'; do
    echo "$bad"
    printf "$bad" >envelope
    run -91 inject
    is_empty
  done
}

@test "queue-inject: an address longer than address_limit exits 11" {
  long=$(printf 'a%.0s' {1..998})
  envelope me@x "$long@x"
  inject
  envelope me@x "$long@xy"
  run -11 inject
  envelope "$long@xy" you@x
  run -11 inject
  inject --address-limit 1001
  [ "$(stored | wc -l)" = 2 ]
}

@test "queue-inject: more Received fields than hop_limit are a loop: 82 with the reply, 31 when nobody reads one" {
  with_hops() { { for _ in $(seq "$1"); do printf 'Received: by x; now\r\n'; done; printf 'Subject: x\r\n\r\nReceived: no field\r\n'; } >message; }
  with_hops 100
  inject
  with_hops 101
  run -82 inject
  [ "$(cat reply)" = 'D554 5.4.6 too many hops' ]
  run -31 eval 'queue-inject --spool spool <message 1<envelope 3>&- 6>&-'
  with_hops 3
  run -82 inject --hop-limit 2
  inject --hop-limit 3
  [ "$(stored | wc -l)" = 2 ]
}

@test "queue-inject: a message larger than message_limit is refused for good, from a file and from a pipe" {
  inject --message-limit 21
  run -82 inject --message-limit 20
  [[ $(cat reply) == 'D552 5.3.4 '* ]]
  run -82 eval 'cat message | queue-inject --spool spool --message-limit 20 1<envelope 3>&- 6>reply'
  [ "$(stored | wc -l)" = 1 ]
}

@test "queue-inject: what cannot be read exits 54" {
  run -54 eval 'queue-inject --spool spool <message 1>&- 3>&-'
  run -54 eval 'queue-inject --spool spool 0<&- 1<envelope 3>&-'
  run -54 eval 'queue-inject --spool spool <. 1<envelope 3>&-'
  echo keep >kept
  run -54 eval 'queue-inject --spool spool <message >>kept'
  [ "$(cat kept)" = keep ]
  is_empty
}

@test "queue-inject: a wrong command line or a bad setting exits 55" {
  run -55 inject --no-such-option
  run -55 inject --queue nowhere
  run -55 inject --quarantine ../x
  run -55 inject --hop-limit many
  echo '[queue]
no_such_key = 1' >bad.ini
  run -55 inject --config bad.ini
  [[ $output == *bad.ini:2:*no_such_key* ]]
  run -55 eval 'queue-inject --spool spool -- next <message 1<envelope'
  is_empty
}

@test "queue-inject: no spool exits 61, a folder that is no folder 62, and none is made" {
  run -61 eval 'queue-inject --spool nowhere <message 1<envelope 3>&-'
  [[ $output == *--make-spool* ]]
  [ ! -e nowhere ]
  rmdir spool/hold
  run -61 inject
  echo >spool/hold
  run -62 inject
}

@test "queue-inject: folders that may not be written exit 64 and 66" {
  chmod -R a+rX .
  as_nobody=
  if [ "$(id -u)" = 0 ]; then
    chmod a+rx "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" "$TOP" "$TOP/bin"
    chown -R 65534 spool
    as_nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'
    $as_nobody test -x "$(command -v queue-inject)" || skip 'the programs lie where only root can reach them'
  fi
  chmod 500 spool/tmp
  run -64 eval '$as_nobody queue-inject --spool spool <message 1<envelope 3>&-'
  chmod 700 spool/tmp
  chmod 500 spool/working
  run -66 eval '$as_nobody queue-inject --spool spool <message 1<envelope 3>&-'
  is_empty
  chmod 700 spool/working
  $as_nobody queue-inject --spool spool <message 1<envelope 3>&-
}

@test "queue-inject: --queue and --quarantine, and the context that wins over them" {
  inject --queue hold
  [ "$(ls spool/hold | wc -l)" = 1 ]
  inject --quarantine spam
  [ "$(ls spool/quarantine/spam | wc -l)" = 1 ]
  inject_with_context '{"quarantine":"virus","a":{"b":1}}'
  grep -qx '{"quarantine":"virus","a":{"b":1}}' spool/quarantine/virus/*
  inject_with_context '{"queue":"hold"}'
  [ "$(ls spool/hold | wc -l)" = 2 ]
  [ -z "$(ls spool/working)" ]
}

@test "queue-inject: where rules want a message is where it is put" {
  inject_with_context '{"metadata":{"message_id":"ID","skipped":{"Quarantine":"odd"}},"quarantine":"odd"}'
  [ "$(ls spool/quarantine/odd | wc -l)" = 1 ]
  inject_with_context '{"metadata":{"skipped":null},"queue":"hold","hold":"too many of them"}'
  grep -q '"hold":"too many of them"' spool/hold/*
  inject_with_context '{"metadata":{"skipped":{"Faccept":{"Left":"Ok"}}},"queue":"deliver"}'
  [ "$(ls spool/deliver | wc -l)" = 1 ]
  inject_with_context '{"queue":"deferred","put_off":{"reason":"450 4.3.2 at night","until":"2037-01-02T03:04:05.000000Z"}}'
  [ "$(stat -c %Y spool/deferred/*)" = "$(date -d 2037-01-02T03:04:05Z +%s)" ]
  [ -z "$(ls spool/working)" ]
}

@test "queue-inject: a context of several lines is stored as one; what is no object exits 91" {
  inject_with_context '{
 "a": "b\nc"
}'
  grep -Fqx '{  "a": "b\nc" }' "$(stored)"
  [ "$(grep -c '^context 17$' "$(stored)")" = 1 ]
  for bad in '{' '[]' 'x' '{"quarantine":"../x"}' '{"queue":"nowhere"}'; do
    run -91 inject_with_context "$bad"
  done
  [ "$(stored | wc -l)" = 1 ]
}

@test "queue-inject: after a first line end of CR LF a message stays as it is; LF becomes CR LF" {
  check() {
    printf "$1" >message
    printf "$2" >expected
    inject
    content "$(stored)" | cmp - expected
    rm "$(stored)"
  }
  check 'a: b\r\n\r\nc\nd\r\n' 'a: b\r\n\r\nc\nd\r\n'
  check 'a: b\n\nc\nd\n' 'a: b\r\n\r\nc\r\nd\r\n'
  check 'a: b\n\nc\r\nd' 'a: b\r\n\r\nc\r\nd\r\n'
  check '' ''
}

@test "queue-inject: is what a plain qmail-queue caller expects" {
  cat >caller.py <<'END'
import os, sys
message, envelope = os.pipe(), os.pipe()
pid = os.fork()
if pid == 0:
    os.dup2(message[0], 0); os.dup2(envelope[0], 1)
    os.closerange(3, 256)
    os.execvp(sys.argv[1], sys.argv[1:])
os.close(message[0]); os.close(envelope[0])
os.write(message[1], b'Subject: x\n\nhello\n'); os.close(message[1])
os.write(envelope[1], b'Fme@x\0Tyou@x\0\0'); os.close(envelope[1])
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
  python3 caller.py queue-inject --spool spool
  content "$(stored)" | cmp - message
}

# ---- by hand ------------------------------------------------------------------------------------------------------------

@test "queue-inject: by hand it completes the header, and -v prints the reply" {
  export VSMTP_CONFIG=$PWD/vsmtp.ini
  printf '[server]\ndomain = host.example\n[queue]\nspool = %s\n' "$PWD/spool" >vsmtp.ini
  run -0 queue-inject -v -f me@example.org -F 'Jörg Ä.' you@example.com 'Other <other@example.net>, plain' < <(printf 'Subject: x\nBcc: secret@x\n\nhello')
  [[ $output == '250 2.0.0 Ok: queued as '* ]]
  file=spool/working/${output##* }
  [ "$(grep -E '^(sender|recipient) ' "$file")" = 'sender <me@example.org>
recipient <you@example.com>
recipient <other@example.net>
recipient <plain@host.example>' ]
  content "$file" >content
  grep -q '^Received: by host.example with local; ' content
  grep -q '^From: =?utf-8?.*?= <me@example.org>' content
  grep -q '^Date: ' content
  grep -q '^Message-ID: <.*@host.example>' content
  ! grep -qi '^bcc' content
  [ "$(tail -n 2 content)" = $'\r\nhello\r' ]
  ! grep -qv $'\r$' content
}

@test "queue-inject: by hand, no recipients exit 64, no address 65, a loop 65, no spool 75" {
  run -64 queue-inject --spool spool -t </dev/null
  run -64 queue-inject --spool spool -f me@x </dev/null
  run -65 queue-inject --spool spool 'a b c' </dev/null
  run -65 queue-inject --spool spool --hop-limit 1 you@x < <(printf 'Received: a\nReceived: b\n\n')
  run -75 queue-inject --spool nowhere you@x </dev/null
  is_empty
}

@test "queue-inject: by hand it hands the message to the chain behind --, or to that of the setting" {
  printf '#!/bin/sh\ncat >message-seen\ncat <&1 >envelope-seen\nprintf "K250 seen" >&6\n' >catch
  chmod +x catch
  run -0 queue-inject -v --spool nowhere you@x -- ./catch < <(printf 'Subject: x\n\n')
  [ "$output" = '250 seen' ]
  grep -q 'Tyou@x' envelope-seen
  grep -q '^Subject: x' message-seen
  rm message-seen
  queue-inject --spool nowhere --submission ./catch you@x </dev/null
  [ -e message-seen ]
  printf '#!/bin/sh\nprintf "D550 5.7.1 not you" >&6; exit 82\n' >refuse
  chmod +x refuse
  run -65 queue-inject --spool nowhere you@x -- ./refuse </dev/null
  [[ $output == *'550 5.7.1 not you'* ]]
}

# ---- for many callers ---------------------------------------------------------------------------------------------------

start_resident() { # [OPTION...]
  start resident queue-inject --spool spool --resident "$PWD/queue.sock" --segment-size 1m "$@"
  wait_for serves queue.sock
}
call() { "$TOP/build/tests/call" "$@" --from me@x --to you@x -- "unix:$PWD/queue.sock" <message; }
logged() { qctl --spool spool list working --json | jq -r 'select(.in_log) | .id'; }

@test "queue-inject: resident, small messages go into the log, large and held ones get a file" {
  start_resident --log-message-limit 21
  run -0 call
  [[ $output == *'250 2.0.0 Ok: queued as '* ]]
  [ "$(logged)" = "${output##* }" ]
  [ -z "$(stored)" ]
  call --context '{"queue":"hold"}'
  [ "$(ls spool/hold | wc -l)" = 1 ]
  printf 'Subject: x\r\n\r\nhello!\r\n' >message
  call
  [ "$(ls spool/working | wc -l)" = 1 ]
  content spool/working/* | cmp - message
  [ "$(logged | wc -l)" = 1 ]
}

@test "queue-inject: resident, the codes are those of a call by exec" {
  start_resident --message-limit 1000 --hop-limit 2
  call
  run call --context '['
  [[ $output == *'exit code 91'* ]]
  printf 'Received: a\r\nReceived: b\r\nReceived: c\r\n\r\n' >message
  run call
  [[ $output == *'554 5.4.6 too many hops'* ]]
  head -c 1001 /dev/zero | tr '\0' x >message
  run call
  [[ $output == *'552 5.3.4'* ]]
  [ "$(logged | wc -l)" = 1 ]
}

@test "queue-inject: resident, calls that come together share their syncs" {
  start resident strace -D -f -qq -o "$PWD/trace" -e trace=fdatasync queue-inject --spool spool --resident "$PWD/queue.sock" --segment-size 4m
  wait_for serves queue.sock
  call --repeat 400 --at-once 50 >answers
  [ "$(grep -c 'queued as' answers)" = 400 ]
  [ "$(logged | wc -l)" = 400 ]
  [ "$(grep -c fdatasync trace)" -le 200 ]
}

@test "queue-inject: resident, all are answered when it is told to end, and it exits 0" {
  start_resident
  call --repeat 300 --at-once 8 >answers &
  caller=$!
  wait_for eval '[ "$(logged | wc -l)" -gt 5 ]'
  stop resident
  wait "$caller" || true
  sed -n 's/^reply: .*queued as //p' answers | sort >taken
  [ -s taken ]
  logged | sort | diff - taken
}

@test "queue-inject: resident, one for a spool: a second one says who has it" {
  start_resident
  run -75 queue-inject --spool spool --resident "$PWD/second.sock"
  [[ $output == *"another queue-inject serves this spool"*"process $(pid_of resident)"* ]]
  call
  inject
  run -75 queue-inject --spool spool --resident "$PWD/queue.sock"
  call
}

@test "queue-inject: resident, the socket has the permissions it is told" {
  start_resident
  [ "$(stat -c %a queue.sock)" = 600 ]
  stop resident
  rm -f queue.sock
  start_resident --socket-mode 666
  [ "$(stat -c %a queue.sock)" = 666 ]
  run -64 queue-inject --spool spool --resident x.sock --socket-mode 9
}

# ---- sendmail -----------------------------------------------------------------------------------------------------------

@test "queue-inject: a descriptor that its caller has closed never becomes a file of the queue" {
  queue-inject --spool spool --resident "$PWD/queue.sock" --log-level debug <&- >&- 2>&- 3>&- &
  echo $! >closed.pid
  wait_for serves queue.sock
  local fd
  for fd in 0 1 2; do [ "$(readlink "/proc/$(cat closed.pid)/fd/$fd")" = /dev/null ]; done
  # Nor does anything read or write there as if it were a file.
  run -54 bash -c 'exec queue-inject --spool spool <&- 1<envelope'
  run -71 bash -c 'queue-inject --version >&-'
  [ "$output" = 'queue-inject: fatal: write: Bad file descriptor' ]
  run -71 bash -c 'queue-inject --help >/dev/full'
  [ "$output" = 'queue-inject: fatal: write: No space left on device' ]
}

@test "sendmail: the options that programs use" {
  export VSMTP_CONFIG=$PWD/vsmtp.ini
  printf '[server]\ndomain = host.example\n[queue]\nspool = %s\n' "$PWD/spool" >vsmtp.ini
  text=$'To: a@x\nCc: b@x\nBcc: c@x\nSubject: s\n\none\n.\ntwo\n'
  one() { # RECIPIENTS LAST-LINE OPTION...: one message with these recipients that ends so
    local recipients=$1 last=$2
    shift 2
    sendmail "$@" < <(printf '%s' "$text")
    file=$(stored)
    [ "$(sed -n 's/^recipient <\(.*\)>/\1/p' "$file" | xargs)" = "$recipients" ]
    [ "$(tail -n 1 "$file")" = "$last"$'\r' ]
    sender=$(sed -n 's/^sender <\(.*\)>/\1/p' "$file")
    rm "$file"
  }
  one 'a@x b@x c@x' two -t -i
  one 'a@x b@x c@x' two -ti
  one 'a@x b@x c@x' two -oi -t -oem -odb
  one 'd@x a@x b@x c@x' one -t d@x
  one 'd@x e@x' one -f me@y d@x e@x
  [ "$sender" = me@y ]
  one 'd@x' one -fme@y -F 'A B' d@x
  [ "$sender" = me@y ]
  one 'd@x' one -r me@y -B8BITMIME -N never -R hdrs -V 7 -bm -U -- d@x
  [ "$sender" = me@y ]
  one 'd@x' one -f '' d@x
  [ "$sender" = '' ]
  one 'd@x' one -f '<>' d@x
  [ "$sender" = '' ]
  one '-d@x' one -- -d@x
  one 'd@x' two -i d@x
}

@test "sendmail: what it does not know exits 64; -v prints the reply; newaliases and -bi do nothing" {
  export VSMTP_CONFIG=$PWD/vsmtp.ini
  printf '[queue]\nspool = %s\n' "$PWD/spool" >vsmtp.ini
  run -64 sendmail -Z you@x </dev/null
  run -64 sendmail -bd </dev/null
  run -64 sendmail -f </dev/null
  run -64 sendmail </dev/null
  run -0 sendmail -v you@x </dev/null
  [[ $output == '250 2.0.0 Ok: queued as '* ]]
  run -0 sendmail -bi </dev/null
  ln -s "$TOP/bin/sendmail" newaliases
  run -0 ./newaliases </dev/null
}

@test "sendmail: -bp and mailq list the queue, -bs speaks SMTP" {
  export VSMTP_CONFIG=$PWD/vsmtp.ini
  printf '[queue]\nspool = %s\n' "$PWD/spool" >vsmtp.ini
  run -0 sendmail -v you@x </dev/null
  id=${output##* }
  run -0 sendmail -bp
  [[ $output == *"$id"* ]]
  ln -s "$TOP/bin/sendmail" mailq
  run -0 ./mailq
  [[ $output == *"$id"* ]]
  printf 'EHLO me\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\nSubject: x\r\n\r\nhello\r\n.\r\nQUIT\r\n' >session
  run -0 eval 'sendmail -bs <session'
  [[ $output == *'250 2.0.0 Ok: queued as '* ]]
  [ "$(stored | wc -l)" = 2 ]
}
