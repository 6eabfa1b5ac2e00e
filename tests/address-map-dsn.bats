# What senders are told of recipients behind aliases and lists: "Notifications of the delivery" of address-map(8), with
# address-map, queue-inject and queue-run, and transports that are scripts.
load helpers
load notice_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export OUT=$BATS_TEST_TMPDIR/out
  mkdir out
  queue-inject --spool spool --make-spool
  printf 'Subject: a question\r\n\r\nhi\r\n' >mail.eml
  cat >aliases <<END
one: ok-ann@here.test
team: ok-ann@here.test, ok-bob@far.test
mixed: ok-ann@here.test, bad-bob@far.test
slow: later-bob@far.test
list: ok-carl@far.test, ok-dora@far.test
owner-list: ok-boss@here.test
END
  cat >vsmtp.ini <<END
[server]
domain = mx.here.test
[delivery]
local_domains = here.test
[aliases]
files = $PWD/aliases
[queue]
spool = $PWD/spool
END
  export VSMTP_CONFIG=$PWD/vsmtp.ini
  transport=$BATS_TEST_DIRNAME/data/transport
}
# send RECIPIENT NOTIFY [MORE]: MORE of the entry of the recipient.
send() {
  "$TOP/build/tests/call" --from ok-me@x.test --to "$1" --context '{"envelop":{"dsn":{"envid":"Q1"},"rcpt":[{"address":"'"$1"'","transfer_method":"Deliver","notify":"'"$2"'"'"${3:-}"'}]}}' \
    -- address-map -- queue-inject <mail.eml
}
drain() { queue-run --local-transport "$transport" --remote-transport "$transport" --retry-min 1h --log-level warning --drain "$@"; }
notices() { ls out/ok-me@x.test/* 2>/dev/null | wc -l; }
told() { report "$(ls out/ok-me@x.test/*)" '[(f["Action"], f.get("Original-Recipient"), f["Final-Recipient"]) for f in fields[1:]], fields[0].get("Original-Envelope-Id")'; }
got() { awk '{ for (i = 3; i <= NF; i++) print $i }' out/calls | grep -v ok-me | sort | tr '\n' ' '; }

@test "address-map: success of an alias of several is told once, expanded; nothing is sent to the alias" {
  send team@here.test SUCCESS
  drain
  [ "$(got)" = 'ok-ann@here.test ok-bob@far.test ' ]
  [ "$(notices)" = 1 ]
  [ "$(told)" = "([('expanded', None, 'rfc822; team@here.test')], 'Q1')" ]
  [ "$(find spool/{working,deliver,deferred,dead,progress} -type f | wc -l)" = 0 ]
}

@test "address-map: an alias of one is another name: its delivery is told, of the name that the sender knows" {
  send one@here.test SUCCESS
  drain
  [ "$(told)" = "([('delivered', 'rfc822; one@here.test', 'rfc822; ok-ann@here.test')], 'Q1')" ]
}

@test "address-map: a list with an owner takes the message; what becomes of it there is its owner's affair" {
  send list@here.test SUCCESS
  drain
  [ "$(got)" = 'ok-carl@far.test ok-dora@far.test ' ]
  [ "$(notices)" = 1 ]
  [ "$(told)" = "([('delivered', None, 'rfc822; list@here.test')], 'Q1')" ]
  [ "$(cut -d' ' -f2 out/calls | sort -u | tr '\n' ' ')" = ' owner-list@here.test ' ]
}

@test "address-map: who asks for nothing is told of failures only, and who asks for success only is told of no failure" {
  send team@here.test NEVER
  drain
  [ "$(notices)" = 0 ]
  send mixed@here.test SUCCESS
  drain
  [ "$(told)" = "([('expanded', None, 'rfc822; mixed@here.test')], 'Q1')" ]
}

@test "address-map: a failure behind an alias names the address that the sender has written" {
  send mixed@here.test FAILURE
  drain
  [ "$(told)" = "([('failed', 'rfc822; mixed@here.test', 'rfc822; bad-bob@far.test')], 'Q1')" ]
  [ "$(report "$(ls out/ok-me@x.test/*)" '"for <mixed@here.test>" in words')" = True ]
}

@test "address-map: a delay behind an alias names the address that the sender has written, also of a call without a context" {
  "$TOP/build/tests/call" --from ok-me@x.test --to slow@here.test -- address-map -- queue-inject <mail.eml
  drain --delay-warning 1ms
  [ "$(told)" = "([('delayed', 'rfc822; slow@here.test', 'rfc822; later-bob@far.test')], None)" ]
}

@test "address-map: ends of a chain that notify nobody send nothing to the alias" {
  make_maildir mail/ok-ann
  printf 'team: ok-ann@here.test, ok-bob@here.test\n' >aliases
  make_maildir mail/ok-bob
  "$TOP/build/tests/call" --from ok-me@x.test --to team@here.test --context '{"envelop":{"rcpt":[{"address":"team@here.test","notify":"SUCCESS"}]}}' \
    -- address-map -- deliver-maildir --direct --template "$PWD/mail/{local}" <mail.eml
  [ "$(ls mail/ok-ann/new mail/ok-bob/new | grep -c '^[0-9]')" = 2 ]
}
