# Rules behind the queue (queue.rules): stages, verdicts, failures, and what is written of them. With filters that are scripts, and with
# vsl-filter as a program and resident.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  PATH="$TOP/build/tests:$PATH"
  export OUT=$BATS_TEST_TMPDIR/out
  mkdir out
  queue-inject --spool spool --make-spool
  transport=$BATS_TEST_DIRNAME/data/transport
  settings=(--spool spool --local-domains own.test --remote-transport "$transport" --retry-min 1h --retry-max 4h --bounce no)
}

store() { "$BATS_TEST_DIRNAME/tools/store-items" "$@"; }
delivered() { [ "$(cat out/"$1"/* 2>/dev/null | grep -c '^END')" = "${2:-1}" ]; }
count() { find "spool/$1" -type f | wc -l; }
has() { [ "$(count "$1")" = "$2" ]; }
is_empty() { has working 0 && has deliver 0 && has deferred 0 && has dead 0 && has progress 0 && has tmp 0 && has hold 0; }
context_of() { sed '1,/^$/d;q' "$1" | head -n 1; }
# filter NAME: a program of the message call, from standard input.
filter() {
  { echo '#!/bin/sh'; cat; } >"$1"
  chmod +x "$1"
}
# rules: resident vsl-filter with the rules on standard input.
rules() {
  cat >main.vsl
  start rules vsl-filter --resident "$PWD/rules.sock" --spool spool main.vsl
  wait_for serves rules.sock
  settings+=(--rules "unix:$PWD/rules.sock")
}
drain() { queue-run "${settings[@]}" --drain "$@" >>drain.log 2>&1; }
mark='stage=$(sed -n '\''s/.*"stage":"\([a-z]*\)".*/\1/p'\'' /dev/fd/3); echo "$stage" >>"$OUT/stages"; shift; exec "$@"'

@test "queue-run: each fresh message goes through the chain at postq, then at delivery; what is unchanged is not written anew" {
  filter look <<<"$mark"
  id=$(store spool working ok@a.test)
  inode=$(stat -c %i "spool/working/$id")
  filter later <<<"[ \"\$(stat -c %i spool/working/$id)\" = $inode ] || echo new >>\$OUT/stages; shift; exec \"\$@\""
  drain --rules "$PWD/look -- $PWD/later"
  [ "$(cat out/stages)" = "postq
delivery" ]
  delivered ok@a.test
  is_empty
}

@test "queue-run: what lies in deliver/ sees delivery only, what is tried again sees nothing, a stage may be left out" {
  filter look <<<"$mark"
  store spool deliver ok@a.test
  store --due -1 spool deferred ok@b.test
  drain --rules "$PWD/look"
  [ "$(cat out/stages)" = delivery ]
  store spool working ok@c.test
  drain --rules "$PWD/look" --rules-stages postq
  [ "$(tail -n 1 out/stages)" = postq ]
  delivered ok@a.test && delivered ok@b.test && delivered ok@c.test
}

@test "queue-run: a program of the chain may change message, envelope and context; the new text is stored before it goes on" {
  filter edit <<'F'
grep -q '"stage":"postq"' /dev/fd/3 || { shift; exec "$@"; }
[ -e "$OUT/edited" ] && { shift; exec "$@"; }
: >"$OUT/edited"
{ printf 'X-New: 1\r\n'; cat; } >new
printf 'Fother@a.test\0Tok@new.test\0\0' >envelope
shift
exec "$@" <new 1<envelope
F
  # What the rules of delivery see is in a file already.
  filter see <<'F'
grep -q '"stage":"delivery"' /dev/fd/3 && ls spool/deliver >seen
shift
exec "$@"
F
  id=$(store spool working ok@old.test)
  drain --rules "$PWD/edit -- $PWD/see" || { cat drain.log; false; }
  [ "$(cat seen)" = "$id" ] || { cat drain.log; false; }
  grep -q X-New out/ok@new.test/*
  [ "$(cut -d' ' -f2 out/calls)" = other@a.test ]
  [ ! -e out/ok@old.test ]
  is_empty
}

@test "queue-run: exit codes of a chain: refused goes to dead/ with the reply, put off comes again, taken is taken" {
  filter judge <<'F'
case $(cat) in
  *'X-Id'*) ;;
esac
IFS= read -r line <&1 || :
case $line in
  *bad*) printf 'D554 5.6.0 not this' >&6; exit 82 ;;
  *later*) [ -e "$OUT/open" ] || { printf 'Z451 4.7.1 the scanner is away' >&6; exit 82; } ;;
  *gone*) exit 0 ;;
esac
shift
exec "$@"
F
  bad=$(store --sender bad@x.test spool working ok@1.test)
  later=$(store --sender later@x.test spool working ok@2.test)
  store --sender gone@x.test spool working ok@3.test
  store --sender fine@x.test spool working ok@4.test
  drain --rules "$PWD/judge"
  delivered ok@4.test
  has working 0
  [ -e "spool/dead/$bad" ] && [ -e "spool/deferred/$later" ]
  grep -q 'ruled \* postq - denied: 554 5.6.0 not this$' "spool/progress/$bad"
  grep -q 'unruled \* postq - 451 4.7.1 the scanner is away$' "spool/progress/$later"
  qctl --spool spool show "$later" | grep 'rules failed postq: 451 4.7.1 the scanner is away'
  qctl --spool spool list --json | jq -r "select(.id == \"$later\").reason" | grep 'scanner is away'
  # Again with all its rules, though it lies in deferred/.
  : >out/open
  drain --rules "$PWD/judge" --now
  delivered ok@2.test
  [ ! -e out/ok@1.test ] && [ ! -e out/ok@3.test ]
}

@test "queue-run: rules that crash, hang or are not there put mail off, and mail in deferred/ goes on meanwhile" {
  filter crash <<<'kill -SEGV $$'
  filter hang <<<'exec sleep 1000'
  for bad in "$PWD/crash" "$PWD/hang" /no/such/filter "unix:$PWD/nobody.sock"; do
    id=$(store spool working ok@a.test)
    store --due -1 spool deferred ok@other.test
    # What could not be called is left behind, and that is said.
    drain --rules "$bad" --rules-timeout 1s --transport-patience 200ms || [ $? = 75 ]
    [ -e "spool/deferred/$id" ] || { echo "$bad"; cat drain.log; false; }
    grep -q 'unruled \* postq' "spool/progress/$id"
  done
  delivered ok@other.test 4
  [ ! -e out/ok@a.test ]
  grep -q 'signal 11' spool/progress/*
  grep -q 'no end within 1 s' spool/progress/*
  # Without rules it goes on without them.
  drain --now
  delivered ok@a.test 4
  is_empty
}

@test "queue-run: mistakes in queue.rules are told at the start" {
  run -78 queue-run "${settings[@]}" --drain --rules "a --"
  run -78 queue-run "${settings[@]}" --drain --rules-stages "preq" --rules a
  [[ $output == *"rules_stages: 'preq'; expected: postq, delivery"* ]]
}

@test "queue-inject: --replace without queue-run puts another text in the place of a message, durably" {
  id=$(store spool hold ok@a.test)
  printf 'Subject: new\r\n\r\nnew\r\nEND\r\n' >new
  printf 'Fx@a.test\0Tok@b.test\0\0' >envelope
  queue-inject --spool spool --replace "$id" <new 1<envelope 3</dev/null
  [ -e "spool/deliver/$id" ]
  has hold 0
  drain
  delivered ok@b.test
  run -71 bash -c "queue-inject --spool spool --replace $id <new 1<envelope 3</dev/null"
  [[ $output == *"no message $id"* ]]
  run -55 queue-inject --spool spool --replace nonsense
}

# ---- vsl-filter -----------------------------------------------------------------------------------------------------------

@test "queue-run and vsl-filter: the statuses of postq do what the specification says" {
  rules <<'V'
#{
    postq: [
        rule "by subject" || switch mail_from().local_part {
            "denied" => deny("554 5.6.0 not this"),
            "shut" => deny(),
            "fast" => faccept(),
            "odd" => quarantine("odd/ones"),
            "told" => info("250 2.0.0 told"),
            "kept" => { queue::hold("to be looked at"); accept() }
            "late" => queue::defer("450 4.3.2 at night", 7200),
            _ => next(),
        },
    ],
    delivery: [ action "mark" || prepend_header("X-Delivery", "seen") ],
}
V
  for who in denied shut fast odd told kept late other; do
    declare "$who=$(store --sender "$who@x.test" spool working "ok-$who@a.test")"
  done
  drain
  [ -e "spool/dead/$denied" ] && [ -e "spool/dead/$shut" ] && [ -e "spool/quarantine/odd/ones/$odd" ] && [ -e "spool/hold/$kept" ] && [ -e "spool/deferred/$late" ]
  grep -q 'ruled \* postq - denied: 554 5.6.0 not this$' "spool/progress/$denied" || { cat spool/progress/*; context_of "spool/dead/$denied"; false; }
  grep -q 'ruled \* postq - held: to be looked at$' "spool/progress/$kept"
  grep -q 'ruled \* delivery - put off: 450 4.3.2 at night$' "spool/progress/$late"
  [ $(($(stat -c %Y "spool/deferred/$late") - $(date +%s))) -gt 7000 ]
  delivered ok-fast@a.test && delivered ok-told@a.test && delivered ok-other@a.test
  ! grep -q X-Delivery out/ok-fast@a.test/*
  grep -q '^X-Delivery: seen' out/ok-told@a.test/*
  grep -q '^X-Delivery: seen' out/ok-other@a.test/*
  context_of "spool/quarantine/odd/ones/$odd" | jq -e '.quarantine | .name == "odd/ones" and .rule == "by subject" and .stage == "postq" and (.time | length) > 10'
  context_of "spool/dead/$denied" | jq -e '.envelop.rcpt[0].email_status.failed.reason | contains("554 5.6.0 not this")'
}

@test "queue-run and vsl-filter: what is released goes on where it stood, and what set it aside does not see it again" {
  rules <<'V'
#{
    postq: [
        rule "first" || if has_header("X-Id") { quarantine("all") } else { next() },
        rule "never" || deny(),
    ],
    delivery: [
        action "mark" || prepend_header("X-Delivery", "seen"),
        action "hold" || if mail_from().local_part == "twice" { queue::hold("again") },
    ],
}
V
  once=$(store spool working ok-once@a.test)
  twice=$(store --sender twice@x.test spool working ok-twice@a.test)
  drain
  has quarantine/all 2
  qctl --spool spool release "$once" "$twice"
  drain
  delivered ok-once@a.test
  grep -q X-Delivery out/ok-once@a.test/*
  [ -e "spool/hold/$twice" ]
  qctl --spool spool release "$twice"
  drain
  delivered ok-twice@a.test
  is_empty
}

@test "queue-run and vsl-filter: recipients, copies, senders and transports that rules choose" {
  rules <<'V'
#{
    postq: [
        action "copy" || bcc("ok-copy@archive.test"),
        action "sender" || rewrite_mail_from_envelop("new@x.test"),
        action "recipient" || rewrite_rcpt_envelop("ok-old@a.test", "ok-new@a.test"),
        action "off" || disable_delivery("ok-off@a.test"),
    ],
    delivery: [
        action "forward" || forward("ok-new@a.test", "192.0.2.7:2525"),
        action "local" || maildir("ok-here@far.test"),
        action "as always" || deliver("ok-far@b.test"),
    ],
}
V
  store spool working ok-old@a.test ok-off@a.test ok-here@far.test ok-far@b.test
  filter local <<<'echo "local $*" >>"$OUT/calls"; printf '"'rok\\0Kok\\0'"
  queue-run "${settings[@]}" --local-transport "$PWD/local" --drain
  [ "$(sort out/calls)" = "[192.0.2.7]:2525 new@x.test ok-new@a.test
archive.test new@x.test ok-copy@archive.test
b.test new@x.test ok-far@b.test
local far.test new@x.test ok-here@far.test" ]
  is_empty
}

@test "queue-run and vsl-filter: *_all, and a message that nobody shall get" {
  rules <<'V'
#{
    delivery: [
        rule "which" || switch mail_from().local_part {
            "off" => { disable_delivery_all(); accept() }
            "there" => { forward_all("relay.test:26"); accept() }
            "here" => { maildir_all(); accept() }
            "none" => { for r in rcpt_list() { remove_rcpt_envelop(r) }; accept() }
            _ => next(),
        },
    ],
}
V
  for who in off there here none; do store --sender "$who@x.test" spool working "ok-1@$who.test" "ok-2@$who.test"; done
  filter local <<<'echo "local $*" >>"$OUT/calls"; printf '"'rok\\0rok\\0Kok\\0'"
  queue-run "${settings[@]}" --local-transport "$PWD/local" --drain 2>drain.log
  [ "$(sort out/calls)" = "[relay.test]:26 there@x.test ok-1@there.test ok-2@there.test
local here.test here@x.test ok-1@here.test ok-2@here.test" ] || { cat out/calls drain.log; false; }
  is_empty
}

@test "queue-run and vsl-filter: a rule that fails puts the message off with the place in the rules, and it goes on when they are mended" {
  rules <<'V'
#{ delivery: [ action "fine" || prepend_header("X-A", "1"), rule "broken" || if 1 / (rcpt_list().len - 1) == 0 { accept() } else { next() } ] }
V
  id=$(store spool working ok@a.test)
  drain
  [ -e "spool/deferred/$id" ]
  qctl --spool spool show "$id" | grep "rules failed delivery: 451 4.3.0 stage 'delivery' skipped => rule engine failed in 'broken': .*main.vsl:1:"
  echo '#{ delivery: [ action "fine" || prepend_header("X-A", "1") ] }' >main.vsl
  kill -HUP "$(pid_of rules)"
  wait_for grep -q 'rules loaded' rules.log
  drain --now
  [ "$(grep -c '^X-A' out/ok@a.test/*)" = 1 ]
  is_empty
}

@test "queue-run and vsl-filter: a message of the log that rules leave alone stays there, one that they change gets a file" {
  rules <<'V'
#{ postq: [ action "mark" || if mail_from().local_part == "mark" { prepend_header("X-Marked", "1") } ], delivery: [ rule "fine" || accept() ] }
V
  start inject queue-inject --resident "$PWD/inject.sock" --spool spool
  wait_for serves inject.sock
  printf 'Subject: x\r\n\r\nEND\r\n' >message
  queue-inject -f plain@x.test gate-1@a.test -- "unix:$PWD/inject.sock" <message
  queue-inject -f mark@x.test gate-2@a.test -- "unix:$PWD/inject.sock" <message
  start queue-run queue-run "${settings[@]}"
  wait_for grep -q gate-1@a.test out/calls
  wait_for grep -q gate-2@a.test out/calls
  [ "$(find spool/working spool/deliver spool/progress -type f | wc -l)" = 2 ] || { find spool -type f; cat spool/progress/*; false; }  # the changed one, and that its rules have run
  has deliver 1
  : >out/gate
  wait_for delivered gate-1@a.test
  wait_for delivered gate-2@a.test
  grep -q X-Marked out/gate-2@a.test/*
  wait_for is_empty
  stop queue-run
  drain
  delivered gate-2@a.test
}

@test "queue-run and vsl-filter: as a program of the chain, not resident" {
  cat >main.vsl <<'V'
#{ postq: [ action "mark" || prepend_header("X-Marked", "1") ], delivery: [ rule "odd" || if rcpt_list().len > 1 { quarantine("many") } else { next() } ] }
V
  many=$(store spool working ok@1.test ok@2.test)
  store spool working ok@3.test
  drain --rules "vsl-filter $PWD/main.vsl" || { cat drain.log; false; }
  grep -q X-Marked out/ok@3.test/*
  grep -q X-Marked "spool/quarantine/many/$many"
  [ ! -e out/ok@1.test ]
}

@test "queue-run: killed at any moment of its rules, no message is lost, none goes past them, none is delivered twice" {
  rules <<'V'
#{
    postq: [ action "mark" || prepend_header("X-Postq", "1"), rule "bad" || if mail_from().local_part == "bad" { quarantine("bad") } else { next() } ],
    delivery: [ action "mark" || prepend_header("X-Delivery", "1") ],
}
V
  store --count 60 spool working 'ok-{n}@a.test' >/dev/null
  store --count 20 --sender bad@x.test spool working 'ok-bad-{n}@a.test' >/dev/null
  for n in 1 2 3 4 5; do
    start run queue-run "${settings[@]}" --processes 8
    sleep "0.$((RANDOM % 30 + 5))"
    kill -KILL "$(pid_of run)" 2>/dev/null || true
    stop run || true
  done
  queue-run "${settings[@]}" --drain 2>last.log || { cat last.log; false; }
  has quarantine/bad 20
  [ "$(find out -path '*ok-bad*' | wc -l)" = 0 ]
  [ "$(find out -mindepth 2 -type f -path '*@a.test/*' -printf '%h\n' | sort -u | wc -l)" = 60 ]
  # Rules may see a message again whose new text was not stored yet; never one that was.
  for file in $(find out -mindepth 2 -type f -path '*@a.test/*'); do
    [ "$(grep -c '^X-Postq' "$file")" = 1 ] && [ "$(grep -c '^X-Delivery' "$file")" = 1 ] || { echo "$file"; cat "$file"; false; }
  done
  has working 0 && has deliver 0 && has deferred 0 && has tmp 0
}

@test "vsmtp up --rules: rules run behind the queue, and a quarantine of theirs is released to the recipient" {
  cat >main.vsl <<'V'
#{
    rcpt: [ rule "all" || accept() ],
    postq: [ action "box" || maildir_all(), rule "odd" || if get_header("Subject") == "odd" { quarantine("odd", "its subject") } else { next() } ],
    delivery: [ action "mark" || prepend_header("X-Delivery", "seen") ],
}
V
  port=$(free_port)
  start up vsmtp up --dir "$PWD/data" --port "$port" --rules main.vsl
  wait_for_port "$port"
  for subject in even odd; do
    printf 'From: a@b.test\r\nSubject: %s\r\n\r\ntext\r\n' "$subject" | curl -s "smtp://127.0.0.1:$port" --mail-from a@b.test --mail-rcpt me@example.org -T -
  done
  wait_for grep -rqs '^Subject: even' data/mail/example.org/me/new
  grep -rq '^X-Delivery: seen' data/mail/example.org/me/new
  wait_for [ -e data/spool/quarantine/odd/* ]
  id=$(basename data/spool/quarantine/odd/*)
  qctl --config data/vsmtp.ini quarantine list | grep 'odd: its subject'
  qctl --config data/vsmtp.ini release "$id"
  wait_for grep -rqs '^Subject: odd' data/mail/example.org/me/new
  [ "$(grep -rl '^X-Delivery: seen' data/mail/example.org/me/new | wc -l)" = 2 ]
  stop up
}
