# What senders are told: the sentences of queue-run(8), "What senders are told", with transports that are scripts. The reports
# are read by Python's email package. smtpd-dsn.bats has the way from a client to the next host.
load helpers
load notice_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export OUT=$BATS_TEST_TMPDIR/out
  mkdir out
  mkdir -p spool/{working,deliver,deferred,delegated,hold,dead,quarantine,progress,tmp,log,lock}
  transport=$BATS_TEST_DIRNAME/data/transport
  settings=(--spool spool --domain mx.here.test --delivery-timeout 5s --retry-min 1h --retry-max 4h)
}

store() { "$BATS_TEST_DIRNAME/tools/store-items" --sender ok-me@here.test "$@"; }
queue_run() { queue-run "${settings[@]}" --local-transport "$transport" --remote-transport "$transport" "$@"; }
count() { find "spool/$1" -maxdepth 1 -type f | wc -l; }
has() { [ "$(count "$1")" = "$2" ]; }
is_empty() { has working 0 && has deliver 0 && has deferred 0 && has dead 0 && has progress 0; }
notices() { cat out/"${1:-ok-me@here.test}"/* 2>/dev/null | grep -c '^Auto-Submitted: auto-replied'; }
only_notice() { ls out/"${1:-ok-me@here.test}"/*; }

@test "queue-run: a failure is told to the sender, and the message is gone" {
  store spool working bad@there.test ok@there.test
  queue_run --drain
  is_empty
  [ "$(notices)" = 1 ]
  [ "$(grep ^here.test out/calls)" = "here.test  ok-me@here.test" ]  # from the null reverse-path
  [ "$(report "$(only_notice)" '[f["Action"] for f in fields[1:]], fields[1]["Final-Recipient"], fields[1]["Status"], fields[0]["Reporting-MTA"]')" = \
    "(['failed'], 'rfc822; bad@there.test', '5.1.1', 'dns; mx.here.test')" ]
  [ "$(report "$(only_notice)" 'returned.get_content_type(), returned.get_payload(0)["Subject"], "no such user" in words')" = "('message/rfc822', 'message 0', True)" ]
}

@test "queue-run: recipients that failed are told behind their attempt, though others are still tried; each once" {
  store spool working bad@there.test once@there.test
  queue_run --drain
  [ "$(notices)" = 1 ]
  has deferred 1
  queue_run --drain --now
  is_empty
  [ "$(notices)" = 1 ]
}

@test "queue-run: what is given up is told with what was wrong last" {
  store --age 1000000 spool working later@there.test
  queue_run --drain
  is_empty
  [ "$(report "$(only_notice)" 'fields[1]["Action"], fields[1]["Status"], fields[1]["Diagnostic-Code"]')" = "('failed', '4.2.0', 'smtp; 450 4.2.0 not now')" ]
}

@test "queue-run: NOTIFY=NEVER is obeyed, NOTIFY=SUCCESS is told, and RET and ENVID come back" {
  store --context '{"envelop":{"dsn":{"ret":"HDRS","envid":"Q+2Bq"},"rcpt":[{"address":"bad@a.test","notify":"NEVER"},{"address":"bad@b.test","notify":"SUCCESS"},{"address":"ok@c.test","notify":"SUCCESS,FAILURE","orcpt":"rfc822;see@c.test"},{"address":"ok@d.test","notify":"FAILURE"},{"address":"bad@e.test","notify":"FAILURE"}]}}' \
    spool working bad@a.test bad@b.test ok@c.test ok@d.test bad@e.test
  queue_run --drain
  is_empty
  [ "$(notices)" = 2 ]
  success=$(grep -l '^Action: relayed' out/ok-me@here.test/*)
  failure=$(grep -l '^Action: failed' out/ok-me@here.test/*)
  [ "$(report "$success" 'len(fields), fields[0]["Original-Envelope-Id"], fields[1]["Original-Recipient"], fields[1]["Final-Recipient"]')" = \
    "(2, 'Q+q', 'rfc822; see@c.test', 'rfc822; ok@c.test')" ]
  [ "$(report "$failure" 'len(fields), fields[1]["Final-Recipient"], returned.get_content_type()')" = "(2, 'rfc822; bad@e.test', 'text/rfc822-headers')" ]
}

@test "queue-run: local mail is delivered, a host that promises to tell leaves nothing to tell" {
  printf '#!/bin/sh\ncat <&3 >"$OUT/context-$1"; printf "%s250 ok\\0Kok\\0" n\n' >promises
  chmod +x promises
  store --context '{"envelop":{"rcpt":[{"address":"ok@a.test","notify":"SUCCESS"},{"address":"ok@b.test","notify":"SUCCESS"}]}}' spool working ok@a.test ok@b.test
  queue-run "${settings[@]}" --drain --local-domains a.test --local-domains here.test --local-transport "$transport" --remote-transport "$PWD/promises"
  [ "$(notices)" = 1 ]
  [ "$(report "$(only_notice)" 'len(fields), fields[1]["Final-Recipient"], fields[1]["Action"]')" = "(2, 'rfc822; ok@a.test', 'delivered')" ]
  [ "$(jq -c .envelop.rcpt out/context-b.test)" = '[{"address":"ok@b.test","notify":"SUCCESS"}]' ]
}

@test "queue-run: a message without a sender that fails goes to dead/, or is told to the postmaster, and that is the end of it" {
  id=$("$BATS_TEST_DIRNAME/tools/store-items" --sender '' spool working bad@there.test)
  queue_run --drain
  [ -e "spool/dead/$id" ]
  mv "spool/dead/$id" spool/working/
  queue_run --drain --postmaster ok-post@here.test
  is_empty
  [ "$(report "$(only_notice ok-post@here.test)" 'fields[1]["Final-Recipient"], str(m["To"])')" = "('rfc822; bad@there.test', 'ok-post@here.test')" ]

  "$BATS_TEST_DIRNAME/tools/store-items" --sender bad-me@here.test spool working bad@there.test
  run -0 queue_run --drain --postmaster bad-post@here.test  # message -> bounce -> double bounce -> dead/
  has dead 1
  has working 0
  [ "$(grep -c ' notice id=' <<<"$output")" = 2 ]
  grep -q '^recipient <bad-post@here.test>$' spool/dead/*
}

@test "queue-run: nobody is told where rules or the settings want it so" {
  id=$(store --context '{"bounce":false}' spool working bad@there.test)
  other=$(store spool deliver bad@there.test)
  queue_run --drain --bounce no
  [ -e "spool/dead/$id" ]
  [ -e "spool/dead/$other" ]
  mv "spool/dead/$id" spool/working/
  queue_run --drain
  [ -e "spool/dead/$id" ]
  [ "$(notices)" = 0 ]
}

@test "queue-run: the sender is warned of a delay once, at its age, unless it is bulk mail or he does not want it" {
  store --age 20000 spool working later@a.test
  store --age 3000 spool working later@b.test
  store --age 20000 --context '{"envelop":{"rcpt":[{"address":"later@c.test","notify":"FAILURE"}]}}' spool working later@c.test
  bulk=$(store --age 20000 spool working later@d.test)
  sed -i 's/^Subject: message 0/Precedence: bulk/; s/^message \(.*\)/message \1/' "spool/working/$bulk"
  sed -i "s/^message [0-9]*\$/message $(sed '1,/^{}$/d' "spool/working/$bulk" | wc -c)/" "spool/working/$bulk"
  queue_run --drain
  has deferred 4
  [ "$(notices)" = 1 ]
  [ "$(report "$(only_notice)" 'fields[1]["Final-Recipient"], fields[1]["Action"], "Will-Retry-Until" in fields[1]')" = "('rfc822; later@a.test', 'delayed', True)" ]
  queue_run --drain --now
  [ "$(notices)" = 1 ]
}

@test "queue-run: 10,000 recipients that fail are told in notices of 1,000" {
  printf '#!/bin/sh\nshift 2\nfor r in "$@"; do printf "h550 5.1.1 no such user\\0"; done; printf "Kok\\0"\n' >refuses
  chmod +x refuses
  mapfile -t many < <(seq -f 'bad-%.0f@a.test' 10000)
  store spool working "${many[@]}" >ids
  run -0 queue-run "${settings[@]}" --drain --local-domains here.test --local-transport "$transport" --remote-transport "$PWD/refuses" --recipients-per-call 1000
  is_empty
  [ "$(notices)" = 10 ]
  [ "$(cat out/ok-me@here.test/* | tr -d '\r' | sed -n 's/^Final-Recipient: rfc822; //p' | sort -u | wc -l)" = 10000 ]
  [ "$(du -sb out/ok-me@here.test | cut -f1)" -lt 4000000 ]
}

@test "queue-run: texts come from a folder, and a mistake in one is an error at the start" {
  mkdir texts
  printf 'Subject: Nicht zugestellt: {subject}\nFrom: Postamt\nContent-Language: de\n\nFür {sender}:\n\n{recipients}' >texts/failure
  store spool working bad@there.test
  queue_run --drain --bounce-templates texts
  [ "$(report "$(only_notice)" 'str(m["Subject"]), m["From"].addresses[0].display_name, str(m["Content-Language"]), words.split("\n")[0]')" = \
    "('Nicht zugestellt: message 0', 'Postamt', 'de', 'Für ok-me@here.test:')" ]
  printf 'Subject: x\n\n{who}\n' >texts/delay
  run -78 queue_run --drain --bounce-templates texts
  [[ $output == *"queue.bounce_templates: texts/delay: line 3: {who}; expected one of: "* ]]
}

@test "queue-run: while the disk is full nobody is told and nothing is lost; then it is made good" {
  id=$(store spool hold bad@there.test)
  start queue-run queue-run "${settings[@]}" --local-transport "$transport" --remote-transport "$transport"
  wait_for grep -q ' started ' queue-run.log
  rmdir spool/tmp
  : >spool/tmp
  mv "spool/hold/$id" spool/working/
  wait_for grep -q 'notifications are not stored' queue-run.log
  [ -e "spool/working/$id" ]
  rm spool/tmp
  mkdir spool/tmp
  wait_for is_empty
  [ "$(notices)" = 1 ]
  stop queue-run
}
