# Mailings whose reverse-path tells each recipient: queue-run(8), "Mailings".
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export OUT=$BATS_TEST_TMPDIR/out
  mkdir out
  queue-inject --spool spool --make-spool
  printf 'Subject: news\r\n\r\nhello\r\n' >message
  transport=$BATS_TEST_DIRNAME/data/transport
  run=(queue-run --spool spool --local-domains here.test --local-transport "$transport" --remote-transport "$transport" --log-level warning --drain)
}
# inject CONTEXT SENDER RECIPIENT...
inject() {
  printf '%s' "$1" >context
  { printf 'F%s\0' "$2"; printf 'T%s\0' "${@:3}"; printf '\0'; } >envelope
  queue-inject --spool spool <message 1<envelope 3<context
}

@test "verp: each recipient is sent to in a call and from an address of its own, local ones too" {
  inject '{"verp":"-="}' news@here.test ok-a@there.test ok-b@there.test ok-c@here.test
  "${run[@]}"
  diff - <(sort out/calls) <<'END'
here.test news-ok-c=here.test@here.test ok-c@here.test
there.test news-ok-a=there.test@here.test ok-a@there.test
there.test news-ok-b=there.test@here.test ok-b@there.test
END
}

@test "verp: other delimiters, and none that could not be told from the rest" {
  inject '{"verp":"+="}' news@here.test ok-a@there.test
  inject '{"verp":"a="}' news@here.test ok-b@there.test
  "${run[@]}"
  grep -qx 'there.test news+ok-a=there.test@here.test ok-a@there.test' out/calls
  grep -qx 'there.test news@here.test ok-b@there.test' out/calls
}

@test "verp: a sender of the form that qmail and ezmlm use" {
  inject '{}' 'news-@here.test-@[]' ok-a@there.test ok-b@other.test
  "${run[@]}"
  diff - <(sort out/calls) <<'END'
other.test news-ok-b=other.test@here.test ok-b@other.test
there.test news-ok-a=there.test@here.test ok-a@there.test
END
}

@test "verp: who fails here is told to his own address, in a notification of his own" {
  inject '{"verp":"-="}' ok@here.test bad-a@there.test ok-b@there.test bad-c@other.test
  "${run[@]}"
  [ "$(ls out | grep -c '^ok-bad')" = 2 ]
  grep -q '^Final-Recipient: rfc822; bad-c@other.test' out/ok-bad-c=other.test@here.test/*
  [ "$(cat out/ok-bad-*/* | grep -c '^Final-Recipient: ')" = 2 ]
  [ -z "$(find spool/working spool/deliver spool/deferred spool/dead spool/progress -type f)" ]
}

@test "verp: a thousand failures are a thousand notifications, each once" {
  inject '{"verp":"-="}' ok@here.test $(printf 'bad-%d@there.test ' {1..1000})
  "${run[@]}" --bounce-recipients-max 10
  [ "$(ls out | grep -c '^ok-bad')" = 1000 ]
  [ "$(find out -path '*/ok-bad*/*' | wc -l)" = 1000 ]
}
