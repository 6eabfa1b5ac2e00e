# Where mail goes: the sections [transport "NAME"] and [relay "DOMAIN"] of queue-run(8), with transports that are scripts.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export OUT=$BATS_TEST_TMPDIR/out
  mkdir out
  mkdir -p spool/{working,deliver,deferred,delegated,hold,dead,quarantine,progress,tmp,log,lock}
  cat >way <<'END'
#!/bin/sh
# way NAME HOST SENDER RECIPIENT...: takes everything, and tells
echo "$1: $2 to $(shift 3; echo "$*")" >>"$OUT/calls"
shift 3
for recipient do printf 'r\0'; done
printf 'Kok\0'
END
  chmod +x way
  cat >vsmtp.ini <<END
[delivery]
local_domains = here.test .there.test
[queue]
spool = spool
local_transport = $PWD/way local
remote_transport = $PWD/way remote
bounce = no
retry_min = 1h
[transport "lists"]
program = $PWD/way lists
recipients_per_call = 1
[transport "box"]
program = $PWD/way box
host = unix:/run/box
[relay "lists.there.test"]
transport = lists
[relay "box.test"]
transport = box
[relay "elsewhere.test"]
transport = box
host = other-box
[relay "partner.test"]
host = [192.0.2.1]:2525
[relay ".partner.test"]
transport = remote
END
}

store() { "$BATS_TEST_DIRNAME/tools/store-items" "$@"; }
queue_run() { queue-run --config vsmtp.ini --drain "$@"; }
calls() { sort out/calls; }

@test "queue-run: a [relay] section says transport and host, a [transport] section its host where that does not" {
  store spool working a@Lists.there.test b@box.test c@elsewhere.test d@partner.test e@here.test f@a.there.test g@far.test
  queue_run
  diff -u - <(calls) <<END
box: other-box to c@elsewhere.test
box: unix:/run/box to b@box.test
lists: lists.there.test to a@Lists.there.test
local: a.there.test to f@a.there.test
local: here.test to e@here.test
remote: [192.0.2.1]:2525 to d@partner.test
remote: far.test to g@far.test
END
}

@test "queue-run: [relay] sections go before local domains, these before the one for all, that before relay_host" {
  printf '[remote]\nrelay_host = smart.test\n' >>vsmtp.ini
  store spool working a@here.test b@far.test c@a.partner.test
  queue_run
  [ "$(calls)" = "local: here.test to a@here.test
remote: a.partner.test to c@a.partner.test
remote: smart.test to b@far.test" ]
  rm out/calls
  printf '[relay "*"]\nhost = smarter.test\n' >>vsmtp.ini
  store spool working a@here.test b@far.test c@a.partner.test
  queue_run
  [ "$(calls)" = "local: here.test to a@here.test
remote: a.partner.test to c@a.partner.test
remote: smarter.test to b@far.test" ]
}

@test "queue-run: a transport has a limit of recipients of its own" {
  store spool working a@lists.there.test b@lists.there.test c@here.test d@here.test
  queue_run
  [ "$(calls)" = "lists: lists.there.test to a@lists.there.test
lists: lists.there.test to b@lists.there.test
local: here.test to c@here.test d@here.test" ]
}

@test "queue-run: error of a [relay] section fails or puts off its mail, and calls nobody" {
  printf '[relay "gone.test"]\nerror = 5.1.2 moved away\n[relay "busy.test"]\nerror = 4.3.2 being moved\n' >>vsmtp.ini
  gone=$(store spool working a@gone.test)
  busy=$(store spool working b@busy.test)
  run -0 queue_run
  [ -e "spool/dead/$gone" ]
  [ -e "spool/deferred/$busy" ]
  [[ $output == *"id=$gone status=failed recipient=a@gone.test transport=none"*'reply="550 5.1.2 moved away"'* ]]
  [[ $output == *"id=$busy status=deferred recipient=b@busy.test"*'reply="450 4.3.2 being moved"'* ]]
  [ ! -e out/calls ]
}

@test "queue-run: a section's mistakes are told with file and line" {
  printf '[relay "x.test"]\ntransport = nobody\n' >>vsmtp.ini
  run -78 queue_run
  [[ $output == *"vsmtp.ini:$(grep -n nobody vsmtp.ini | cut -d: -f1): [relay \"x.test\"] transport = 'nobody'; expected: one of local remote box lists"* ]]
}

@test "queue-run: a recipient whose domain would be a file, a command or an option as HOST has failed" {
  local address
  for address in 'a@/etc/x' 'a@|id' 'a@-x' 'a@unix:/run/x'; do store spool working "$address"; done
  queue_run --local-domains '*'
  [ ! -e out/calls ]
  [ "$(find spool/dead -type f | wc -l)" = 4 ]
}

@test "queue-run: a forward with a log-in waits where the remote transport knows no URLs; others go" {
  context='{"envelop":{"rcpt":[{"address":"a@x.test","transfer_method":{"Forward":{"Url":"smtp://me:pw@far.test"}}},{"address":"b@x.test","transfer_method":{"Forward":{"Domain":"near.test"}}}]}}'
  printf '%s' "$context" >context
  printf 'Fme@here.test\0Ta@x.test\0Tb@x.test\0\0' >envelope
  echo hello | queue-inject --spool spool 1<envelope 3<context
  queue_run --remote-transport-urls no
  [ "$(calls)" = 'remote: [near.test] to b@x.test' ]
  grep -q '451 4.3.5 the remote transport here knows no log-in' spool/progress/*
  queue_run --now
  [ "$(calls | tail -n 1)" = 'remote: smtp://me@far.test to a@x.test' ]
}

@test "queue-run: rules and aliases send mail to mbox files, commands, LMTP servers and transports by name" {
  mkdir boxes
  cat >>vsmtp.ini <<END
[pipe]
user = $(id -un)
[maildir]
mbox_template = $PWD/boxes/{user}
create = yes
END
  to() { store --context "{\"envelop\":{\"rcpt\":[{\"address\":\"joe+x@here.test\",\"transfer_method\":$1}]}}" spool working joe+x@here.test; }
  to '"Mbox"'
  to "{\"File\":\"$PWD/boxes/archive\"}"
  to "{\"Pipe\":\"cat >$PWD/got\"}"
  to '{"Program":"lists"}'
  to '{"Lmtp":"[127.0.0.1]:1"}'
  VSMTP_CONFIG=vsmtp.ini run -0 queue_run
  [[ "$(head -n 1 boxes/joe)" == "From sender@example.net "* ]]
  grep -q '^Delivered-To: joe+x@here.test' boxes/joe
  [ "$(grep -c '^From ' boxes/archive)" = 1 ]
  grep -q '^Delivered-To: joe+x@here.test' got
  [ "$(cat out/calls)" = "lists: here.test to joe+x@here.test" ]
  [[ $output == *"status=deferred recipient=joe+x@here.test transport=lmtp destination=[127.0.0.1]:1"* ]]
  [ "$(find spool/deferred -type f | wc -l)" = 1 ]
  [ -z "$(find spool/dead -type f)" ]
}

@test "queue-run: an alias is a mailbox, a command and a file at once" {
  mkdir boxes mail
  cat >>vsmtp.ini <<END
[pipe]
user = $(id -un)
[maildir]
template = $PWD/mail/{user}
create = yes
[aliases]
files = $PWD/aliases
END
  sed -i "s|^local_transport.*|local_transport = deliver-maildir|" vsmtp.ini
  printf 'joe: \\joe, "|cat >%s/got", %s/boxes/all, %s/boxes/dir/\n' "$PWD" "$PWD" "$PWD" >aliases
  make_maildir boxes/dir
  export VSMTP_CONFIG=vsmtp.ini
  printf 'Subject: hello\r\n\r\nhi\r\n' | "$TOP/build/tests/call" --from me@x.test --to joe@here.test -- address-map -- queue-inject
  queue_run
  grep -q '^Delivered-To: joe@here.test' mail/joe/new/* got boxes/all boxes/dir/new/*
  [ "$(grep -l '^Subject: hello' mail/joe/new/* got boxes/all boxes/dir/new/* | wc -l)" = 4 ]
  [ -z "$(find spool/working spool/deferred spool/dead -type f)" ]
}
