# The sentences of address-map(8).
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  printf 'Subject: hello\r\n\r\nhi\r\n' >mail.eml
  cat >aliases <<END
# local names
postmaster: root
root: ann
team: ann, bob@far.test
list: carl@far.test, :include:$PWD/members
owner-list: ann
cmd: "|cat >$PWD/got"
END
  printf 'dora@far.test\n' >members
  printf 'info@virtual.test ann@here.test, sam@far.test\n@old.test @here.test\n' >virtual
  cat >vsmtp.ini <<END
[delivery]
local_domains = here.test
[aliases]
files = $PWD/aliases
virtual = $PWD/virtual
virtual_domains = virtual.test
[queue]
spool = $PWD/spool
END
  export VSMTP_CONFIG=$PWD/vsmtp.ini
  mkdir -p spool/{working,deliver,deferred,delegated,hold,dead,quarantine,progress,tmp,log,lock}
}

call() { "$TOP/build/tests/call" --from me@x.test "$@" <mail.eml; }
# stored: sender and recipients of each message of the spool, a line each
stored() { local item; for item in spool/working/*; do sed -n '/^sender\|^recipient/s/.*<\(.*\)>/\1/p' "$item" | tr '\n' ' '; echo; done | sort; }

@test "address-map: --query prints what addresses become, and exits 1 for those that no map has" {
  run -0 address-map --query postmaster@here.test
  [ "$output" = ann@here.test ]
  run -0 address-map --query info+x@virtual.test list@here.test cmd
  [ "$output" = "ann+x@here.test
sam+x@far.test
carl@far.test (from owner-list@here.test)
dora@far.test (from owner-list@here.test)
|cat >$PWD/got" ]
  run -1 address-map --query nobody@here.test
  [ -z "$output" ]
}

@test "address-map: mistakes name file and line, and the mail waits" {
  printf 'broken\n' >>aliases
  run -78 address-map --check
  [[ $output == *"$PWD/aliases:$(wc -l <aliases): expected: name: address, ..."* ]]
  run -1 call --to ann@here.test -- address-map -- queue-inject
  [[ $output == *"reply: 451 4.3.5 "* ]]
  rm aliases
  run -1 call --to ann@here.test -- address-map -- queue-inject
  [[ $output == *temporary* ]]
  [ -z "$(ls spool/working)" ]
}

@test "address-map: --compile writes FILE.cdb, which other programs for cdb read, and which finds the same" {
  address-map --compile aliases aliases
  address-map --compile virtual virtual
  [ "$(cdb -q aliases.cdb root)" = '@ann' ]
  sed -i 's/aliases$/aliases.cdb/; s/virtual$/virtual.cdb/' vsmtp.ini
  rm aliases virtual
  run -0 address-map --query postmaster@here.test info@virtual.test x@old.test
  [ "$output" = "ann@here.test
ann@here.test
sam@far.test
x@here.test" ]
  sed -i 's/virtual.cdb/aliases.cdb/' vsmtp.ini
  run -78 address-map --check
  [[ $output == *"not a compiled map of the format virtual"* ]]
}

@test "address-map: a file with mistakes is not compiled, and the one before stays" {
  address-map --compile aliases aliases
  printf 'broken\n' >>aliases
  run -78 address-map --compile aliases aliases
  [ "$(cdb -q aliases.cdb root)" = '@ann' ]
  [ -z "$(find . -name '*.new.*')" ]
}

@test "address-map: as a filter it replaces recipients, and hands on what no map has" {
  run -0 call --to team@here.test --to bob@far.test --to x@old.test -- address-map -- queue-inject
  run -0 call --to nobody@here.test -- address-map -- queue-inject
  [ "$(stored)" = "me@x.test ann@here.test bob@far.test x@here.test 
me@x.test nobody@here.test " ]
}

@test "address-map: a list with an owner gets a message of its own, from the owner" {
  run -0 call --to list@here.test --to eve@far.test -- address-map -- queue-inject
  [ "$(stored)" = "me@x.test eve@far.test 
owner-list@here.test carl@far.test dora@far.test " ]
}

@test "address-map: resident, it is a filter and a policy, and reads maps again when they have changed" {
  start map address-map --resident map.sock
  wait_for test -S map.sock
  run -0 call --to list@here.test --to eve@far.test -- "unix:$PWD/map.sock" -- queue-inject
  [ "$(stored | wc -l)" = 2 ]
  ask() { printf 'request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=%s\n\n' "$1" | socat -t 5 - "UNIX-CONNECT:map.sock" | head -n 1; }
  [ "$(ask info@virtual.test)" = action=DUNNO ]
  [ "$(ask new@virtual.test)" = "action=550 5.1.1 <new@virtual.test>: no such user here" ]
  printf 'new@virtual.test ann@here.test\n' >>virtual
  [ "$(ask new@virtual.test)" = action=DUNNO ]
  printf 'new@virtual.test\n' >>virtual
  [[ "$(ask new@virtual.test)" == "action=451 4.3.5 "* ]]
  grep -q "virtual:4: 'new@virtual.test' leads nowhere" map.log
}

@test "address-map: --policy refuses recipients of local domains that neither maps nor the list of mailboxes have" {
  printf 'ann\ncarl OK\n' >mailboxes
  printf '[aliases]\nrecipients = %s\n' "$PWD/mailboxes" >>vsmtp.ini
  {
    for recipient in ann@here.test Carl+x@here.test team@here.test postmaster@here.test nobody@here.test nobody@far.test; do
      printf 'request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=%s\n\n' "$recipient"
    done
  } >questions
  [ "$(address-map --policy <questions | grep action)" = "action=DUNNO
action=DUNNO
action=DUNNO
action=DUNNO
action=550 5.1.1 <nobody@here.test>: no such user here
action=DUNNO" ]
}

@test "address-map: smtpd refuses unknown users before the queue, and aliases are delivered" {
  printf 'ann\n' >mailboxes
  port=$(free_port)
  cat >>vsmtp.ini <<END
[aliases]
recipients = $PWD/mailboxes
[maildir]
template = $PWD/mail/{local}
create = yes
END
  mkdir mail
  start smtpd smtpd --listen "127.0.0.1:$port" --policy 'rcpt=address-map --policy' -- address-map -- queue-inject
  wait_for_port "$port"
  run ! swaks --server "127.0.0.1:$port" --from me@x.test --to nobody@here.test --silent 2
  [[ $output == *"550 5.1.1 <nobody@here.test>: no such user here"* ]]
  run -0 swaks --server "127.0.0.1:$port" --from me@x.test --to postmaster@here.test --silent 2
  queue-run --drain
  grep -q '^Delivered-To: ann@here.test' mail/ann/new/*
}

@test "address-map: ORCPT and NOTIFY of RFC 3461 go on through an alias" {
  run -0 call --to team@here.test --context '{"envelop":{"rcpt":[{"address":"team@here.test","notify":"FAILURE"}]}}' -- address-map -- queue-inject
  grep -q '"orcpt":"rfc822;team@here.test"' spool/working/*
  [ "$(grep -o '"notify":"FAILURE"' spool/working/* | wc -l)" = 2 ]
}

@test "address-map: a wrong command line exits 64" {
  run -64 address-map
  run -64 address-map --query
  run -64 address-map --query --policy x
  run -64 address-map --compile nonsense file
  [[ $output == *"expected: aliases, virtual or recipients"* ]]
  run -64 address-map --policy -- queue-inject
}

@test "address-map: bin/vsmtp up runs it where vsmtp.ini has [aliases]" {
  port=$(free_port)
  mkdir up
  sed -e "s|^spool.*|spool = $PWD/up/spool\nlocal_transport = unix:$PWD/up/run/maildir\nremote_transport = unix:$PWD/up/run/remote|" vsmtp.ini >up/vsmtp.ini
  printf '[maildir]\ntemplate = %s/up/mail/{local}\ncreate = yes\n' "$PWD" >>up/vsmtp.ini
  mkdir up/mail
  unset VSMTP_CONFIG
  start up vsmtp up --dir up --port "$port"
  wait_for_port "$port"
  run ! swaks --server "127.0.0.1:$port" --from me@x.test --to nobody@virtual.test --silent 2
  [[ $output == *"550 5.1.1 <nobody@virtual.test>: no such user here"* ]]
  run -0 swaks --server "127.0.0.1:$port" --from me@x.test --to postmaster@here.test --silent 2
  is_there() { grep -qs '^Delivered-To: ann@here.test' up/mail/ann/new/*; }
  wait_for is_there
}
