# Rules behind the queue (queue.rules): stages, verdicts, failures, and what is written of them. With filters that are scripts.
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
    drain --rules "$bad" --rules-timeout 1s --transport-patience 200ms
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
