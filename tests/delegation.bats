# Delegation over SMTP: rules hand messages to a content filter, which brings them back on the receiver of its service; what becomes of
# those that it refuses, keeps, returns twice or makes up; and a real one, spampd with SpamAssassin.
load helpers
load delegation_helpers

delivered_all() { [ "$(find out -mindepth 2 -type f | wc -l)" = "$1" ]; }
# give_back FILE: as a filter does; prints what the receiver said at the end.
give_back() {
  curl -sv "smtp://127.0.0.1:${2:-$receiver}" --mail-from filter@x.test --mail-rcpt other@y.test -T "$1" 2>&1 | sed -n 's/^< \([245][0-9][0-9] .*\)\r$/\1/p' | grep -v '^2[25][01] .*\(Bye\|bye\|closing\)' | tail -n 1
}

@test "delegation: to the filter with the field in front, back, on at the same directive, delivered to its own recipients" {
  standard_rules && content_filter && receive
  id=$(store --sender me@x.test spool working ok-1@a.test ok-2@b.test)
  start run queue-run "${settings[@]}"
  wait_for delivered ok-1@a.test || { cat run.log receiver.log rules.log; false; }
  wait_for delivered ok-2@b.test
  [ "$(head -n 1 seen/1.msg)" = "X-VSMTP-DELEGATION: sent; stage=postq; directive=\"scan\"; id=\"$id\""$'\r' ]
  [ "$(cat seen/1.env)" = "EHLO
me@x.test
ok-1@a.test
ok-2@b.test" ]
  for field in X-Before X-After X-Scanned X-Delivery; do [ "$(grep -c "^$field:" out/ok-1@a.test/*)" = 1 ]; done
  ! grep -qi x-vsmtp-delegation out/*/*
  has_seen 1
  wait_for is_empty
}

@test "delegation: the filter's word decides: an infected message is quarantined, and released goes on without a second look" {
  standard_rules && content_filter && receive
  id=$(store spool working ok-EICAR@a.test)
  start run queue-run "${settings[@]}"
  wait_for [ -e "spool/quarantine/virus/$id" ] || { cat run.log receiver.log; false; }
  grep -q X-Virus-Infected "spool/quarantine/virus/$id"
  ! grep -q X-After "spool/quarantine/virus/$id"
  qctl --spool spool release "$id"
  wait_for delivered ok-EICAR@a.test
  has_seen 1
}

@test "delegation: while it is away it lies in delegated/, and qctl says where it is and until when" {
  standard_rules && content_filter && receive
  echo keep >seen/mode
  id=$(store spool working ok@a.test)
  drain
  [ -e "spool/delegated/$id" ]
  [ $(($(stat -c %Y "spool/delegated/$id") - $(date +%s))) -gt 3500 ]
  qctl --spool spool why "$id" | tee why
  grep -q "the content filter 127.0.0.1:$filter_port has it" why
  grep -q 'scan' why
  qctl --spool spool list delegated | grep "$id"
  qctl --spool spool show "$id" | grep 'handed over'
  # Not again before its time; then it comes back, though nobody runs the queue.
  drain
  has_seen 1
  [ "$(give_back seen/1.msg)" = "250 2.0.0 Ok: back as $id" ]
  drain
  delivered ok@a.test
  is_empty
}

@test "delegation: what comes back twice is taken once, and the second one is no failure" {
  standard_rules && content_filter && receive
  echo keep >seen/mode
  id=$(store spool working gate@a.test)
  start run queue-run "${settings[@]}"
  wait_for has_seen 1
  [ "$(give_back seen/1.msg)" = "250 2.0.0 Ok: back as $id" ]
  [ "$(give_back seen/1.msg)" = "250 2.0.0 Ok: back as $id" ]
  : >out/gate
  wait_for delivered gate@a.test
  wait_for is_empty
  [ "$(give_back seen/1.msg)" = "500 5.7.1 Delegation failed to get old context" ]
  is_empty
}

@test "delegation: what is made up, stale or misplaced is refused or means nothing, and the message that waits stays" {
  standard_rules && content_filter && receive
  echo keep >seen/mode
  id=$(store spool working ok@a.test)
  held=$(store spool hold ok@b.test)
  drain
  cp "spool/delegated/$id" as_it_was
  field() { printf 'X-VSMTP-DELEGATION: sent; stage=%s; directive="%s"; id="%s"\r\nSubject: x\r\n\r\nx\r\n' "$@" >made_up; }
  printf 'Subject: x\r\n\r\nx\r\n' >made_up
  [ "$(give_back made_up)" = "500 5.7.1 Delegation header not found" ]
  field delivery scan "$id"; [ "$(give_back made_up)" = "500 5.7.1 Delegation directive not found" ]
  field preq scan "$id"; [ "$(give_back made_up)" = "500 5.7.1 Delegation stage not matching" ]
  field postq other "$id"; [ "$(give_back made_up)" = "500 5.7.1 Delegation directive not found" ]
  field postq scan "$held"; [ "$(give_back made_up)" = "500 5.7.1 Delegation failed to get old context" ]
  field postq scan 0H8ZK4TQ2N700A3W05; [ "$(give_back made_up)" = "500 5.7.1 Delegation failed to get old context" ]
  field postq scan ../hold/x; [ "$(give_back made_up)" = "500 5.7.1 Delegation failed to get old context" ]
  cmp as_it_was "spool/delegated/$id"
  [ -e "spool/hold/$held" ]
  # The same field on another listener: an ordinary message.
  port=$(free_port)
  start other smtpd --listen "127.0.0.1:$port" --domain own.test -- "unix:$PWD/rules.sock" -- queue-inject --spool spool --queue hold
  wait_for_port "$port"
  field postq scan "$id"
  [[ $(give_back made_up "$port") == "250 2.0.0 Ok: queued as "* ]]
  has hold 2
  cmp as_it_was "spool/delegated/$id"
  # One that the sender has written does not go out to the filter.
  qctl --spool spool release "$(grep -rl 'Subject: x' spool/hold | xargs basename)"
  drain
  [ "$(grep -ci '^x-vsmtp-delegation' seen/2.msg)" = 1 ]
}

@test "delegation: a filter that is down, busy or refuses puts the message off, and why is to be seen" {
  standard_rules && receive
  id=$(store spool working ok@a.test)
  drain
  [ -e "spool/delegated/$id" ]
  qctl --spool spool list delegated --json | jq -r .reason | grep "^451 4.3.0 the content filter 127.0.0.1:$filter_port has not taken the message: .*refused"
  content_filter
  for mode in busy refuse; do
    echo $mode >seen/mode
    qctl --spool spool retry "$id"
    drain
    [ -e "spool/delegated/$id" ] || { cat drain.log; false; }
  done
  has_seen 2
  grep -q 'deferred 1 .*451 4.3.0 busy' "spool/progress/$id"
  grep -q 'deferred 1 .*550 5.7.1 no' "spool/progress/$id"
  echo proxy >seen/mode
  start run queue-run "${settings[@]}"
  qctl --spool spool retry "$id"
  wait_for delivered ok@a.test
  has_seen 3
}

@test "delegation: one that was never taken fails when it is too old" {
  standard_rules
  id=$(store --age 10 spool working ok@a.test)
  drain --lifetime 5s
  [ -e "spool/dead/$id" ]
  grep -q "failed 1 .*given up.*the content filter 127.0.0.1:$filter_port has not taken" "spool/progress/$id"
}

@test "delegation: lost ones are found by their time: handed over again, held, failed or forgotten" {
  standard_rules && content_filter && receive
  echo keep >seen/mode
  id=$(store spool working ok@a.test)
  for lost in hold fail drop; do declare "$lost=$(store spool working "ok-$lost@a.test")"; done
  drain --delegation-time 1s
  has_seen 4
  sleep 1.1  # that is the time itself
  for lost in hold fail drop; do queue-run "${settings[@]}" --once "${!lost}" --delegation-time 1s --delegation-lost $lost >>drain.log 2>&1 || true; done
  [ -e "spool/hold/$hold" ]
  grep -q 'note .* held: the content filter .* has not given it back within 1 s' "spool/progress/$hold"
  [ -e "spool/dead/$fail" ]
  grep -q 'failed 1 .*554 5.3.0 the content filter .* has not given it back' "spool/progress/$fail"
  [ -z "$(find spool -name "$drop")" ]
  drain --delegation-time 1s
  has_seen 5
  grep -q 'not back within 1 s, handed over again' "spool/progress/$id"
  # One copy is enough.
  [ "$(give_back "$(grep -l "$id" seen/*.msg | head -n 1)")" = "250 2.0.0 Ok: back as $id" ]
  drain
  delivered ok@a.test
}

@test "delegation: back while the call that hands it over is still open" {
  standard_rules && content_filter && receive
  echo late >seen/mode
  store spool working ok@a.test
  start run queue-run "${settings[@]}"
  wait_for grep -q 'back from a content filter' run.log
  grep -q X-Scanned spool/delegated/*  # durable
  : >seen/go
  wait_for delivered ok@a.test
  wait_for is_empty
  has_seen 1
}

@test "delegation: through residents; two directives, one at each stage, each with its own field" {
  rules <<'V'
#{ postq: [ delegate av "first; look" || { append_header("X-First", "1"); next() } ],
   delivery: [ delegate av "second" || { append_header("X-Second", "1"); accept() } ] }
V
  content_filter
  start inject queue-inject --resident "$PWD/inject.sock" --spool spool
  wait_for serves inject.sock
  start receiver smtpd --listen "127.0.0.1:$receiver" --domain own.test -- "unix:$PWD/rules.sock" -- "unix:$PWD/inject.sock"
  wait_for_port "$receiver"
  start run queue-run "${settings[@]}"
  printf 'Subject: x\r\n\r\nEND\r\n' >message
  queue-inject -f me@x.test ok@a.test -- "unix:$PWD/inject.sock" <message
  wait_for delivered ok@a.test || { cat run.log receiver.log rules.log inject.log; false; }
  grep -q 'stage=postq; directive="first; look"' seen/1.msg
  grep -q 'stage=delivery; directive="second"' seen/2.msg
  [ "$(grep -c 'X-VSMTP-DELEGATION' seen/2.msg)" = 1 ]
  [ "$(grep -c '^X-First\|^X-Second' out/ok@a.test/*)" = 2 ]
  wait_for is_empty
}

@test "delegation: a resident queue-inject takes many back, with a queue-run and without one" {
  standard_rules && content_filter
  start inject queue-inject --resident "$PWD/inject.sock" --spool spool
  wait_for serves inject.sock
  start receiver smtpd --listen "127.0.0.1:$receiver" --domain own.test -- "unix:$PWD/rules.sock" -- "unix:$PWD/inject.sock"
  wait_for_port "$receiver"
  echo keep >seen/mode
  store --count 12 spool working 'ok-{n}@a.test' >/dev/null
  drain
  has_seen 12
  # Nobody runs the queue: not even its socket of an earlier life.
  for n in 1 2 3 4; do [[ $(give_back seen/$n.msg) == "250 2.0.0 Ok: back as "* ]]; done
  grep -q ' back ' spool/progress/*
  start run queue-run "${settings[@]}"
  wait_for delivered_all 4
  for n in 5 6 7 8 9 10 11 12; do give_back seen/$n.msg >"said.$n" & done
  for n in 5 6 7 8 9 10 11 12; do wait_for grep -q '^250 2.0.0 Ok: back as ' "said.$n"; done
  wait_for delivered_all 12
  wait_for is_empty
  [ "$(give_back seen/1.msg)" = "500 5.7.1 Delegation failed to get old context" ]
}

@test "delegation: an operator takes a message from the filter, and it goes on behind the directive" {
  standard_rules && content_filter
  echo keep >seen/mode
  id=$(store spool working ok@a.test)
  start run queue-run "${settings[@]}"
  wait_for has_seen 1
  wait_for grep -q handed "spool/progress/$id"
  qctl --spool spool move "$id" working
  wait_for delivered ok@a.test || { cat run.log; qctl --spool spool why "$id"; false; }
  grep -q X-After out/ok@a.test/*
  has_seen 1
  receive
  [ "$(give_back seen/1.msg)" = "500 5.7.1 Delegation failed to get old context" ]
}

@test "delegation: killed at any moment, nothing is lost, and nothing is delivered that the filter has not seen" {
  standard_rules && content_filter && receive
  store --count 40 spool working 'ok-{n}@a.test' >/dev/null
  for n in 1 2 3 4 5; do
    start run queue-run "${settings[@]}" --processes 8
    sleep "0.$((RANDOM % 40 + 10))"
    kill -KILL "$(pid_of run)" 2>/dev/null || true
    stop run || true
  done
  # Those that the filter had when the crash came are handed over once more.
  start run queue-run "${settings[@]}" --delegation-time 1s --retry-min 1s --processes 8
  all_delivered() { [ "$(find out -mindepth 2 -type f -path '*@a.test/*' -printf '%h\n' | sort -u | wc -l)" = 40 ]; }
  wait_for all_delivered || { cat run.log; find spool -type f; false; }
  for file in out/*@a.test/*; do
    [ "$(grep -c '^X-Before' "$file")" = 1 ] && [ "$(grep -c '^X-After' "$file")" = 1 ] && grep -q '^X-Scanned' "$file" && grep -q '^END' "$file" || { cat "$file"; false; }
  done
  wait_for is_empty
}

@test "delegation: spampd, a real content filter, scores a message, and rules read what it says" {
  [ -x /usr/sbin/spampd ] || { [ -z "${CI:-}" ] || false; skip "spampd is not installed"; }
  rules <<'V'
#{ postq: [ delegate av "spam" || if get_header("X-Spam-Flag") == "YES" { quarantine("spam", get_header("X-Spam-Status")) } else { next() } ] }
V
  receive
  # All tests of its own would take a second to load; two rules of this site are enough to see the filter at work.
  printf 'required_score 5\nbody GTUBE /XJS\\*C4JDBQADN1/\nscore GTUBE 1000\nuse_bayes 0\nreport_safe 0\n' >sa.cf
  start spampd /usr/sbin/spampd --nodetach --host "127.0.0.1:$filter_port" --relayhost "127.0.0.1:$receiver" --children 1 --user "$(id -un)" --group "$(id -gn)" \
    --pid "$PWD/spampd.own" --logsock inet --local-only --tagall --saconfig "$PWD/sa.cf"
  wait_for_port "$filter_port"
  printf 'From: a@x.test\r\nSubject: hello\r\n\r\ntext\r\nEND\r\n' >ham
  printf 'From: a@x.test\r\nSubject: buy\r\n\r\nXJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\nEND\r\n' >spam
  queue-inject --spool spool -f a@x.test ok@a.test <ham
  queue-inject --spool spool -f a@x.test ok-spam@a.test <spam
  start run queue-run "${settings[@]}"
  wait_for delivered ok@a.test || { cat run.log spampd.log receiver.log; false; }
  grep -q '^X-Spam-Status: No' out/ok@a.test/*
  wait_for has quarantine/spam 1 || { cat run.log receiver.log; false; }
  qctl --spool spool quarantine list | grep 'spam: Yes, score='
  [ ! -e out/ok-spam@a.test ]
}
