#!/usr/bin/env bats
# Every command in EXAMPLES of qctl(8), as it stands there, does what the manual says of it.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  spool=$PWD/spool
  export VSMTP_CONFIG=$PWD/vsmtp.ini
  printf '[queue]\nspool = %s\n' "$spool" >vsmtp.ini
  queue-inject --make-spool
  mkdir there && printf '[queue]\nspool = %s/there/spool\n' "$PWD" >there/vsmtp.ini && queue-inject --config there/vsmtp.ini --make-spool
  # What the examples need beside: another host, and programs that want a terminal.
  mkdir shims log node
  printf '#!/bin/sh\n[ "$1" = other ] && shift && VSMTP_CONFIG=%s/there/vsmtp.ini exec "$@"\n' "$PWD" >shims/ssh
  printf '#!/bin/sh\n[ "$1" = -f ] && exec cat "$2"\n' >shims/mutt
  printf '#!/bin/sh\nexec cat\n' >shims/less
  chmod +x shims/*
  PATH=$PWD/shims:$PATH
}

# examples: those of the manual, a line each, without a prompt or the five fields of crontab(5).
examples() {
  sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$TOP/qctl/qctl.8" | sed -n 's/^\.Dl //; s/^\$ //; s/^\(0 4\|\* \*\) \* \* \* //; /^\(qctl\|ssh\) /p'
}

# example TEXT: runs the one that is or begins so, on a terminal where "y" is typed. What it names that every site has elsewhere is put in.
example() {
  local line
  line=$(examples | grep -Fx -m 1 -- "$1" || examples | grep -F -m 1 -- "$1")
  [[ $line == "$1"* ]]
  line=${line//\/var\/log\/vsmtp/log}
  line=${line//\/var\/lib\/node/node}
  line=${line//0H8ZK4TQ2N7/${id-}}
  TERM=xterm script -qefc "bash -o pipefail -c $(printf '%q' "$line")" /dev/null <<<y | tr -d '\r'
}

put() { "$TOP/tests/tools/store-items" "$@"; }
count() { find "spool/$1" -maxdepth 1 -type f | wc -l; }

@test "qctl(8): each example does what it says" {
  local id far flood
  put --age 7200 --due 3600 --sender bulk@lists.test spool deferred reader@one.test >bulk
  far=$(put --due 3600 spool deferred you@example.org)
  flood=$(put --due 3600 --sender flood@example.com spool deferred you@two.test)
  [[ $(example 'qctl status deferred --by reason') == *'DEFERRED   3 messages'*'(none yet)'* ]]
  printf '%s queue-run[1] info delivery id=%s status=sent recipient=a@b.test transport=remote destination=b.test delay=0.1 reply="250 ok"\n' 2026-11-21T10:00:00.000000Z "$far" >log/mail.1
  example 'qctl report --html yesterday.html'
  grep -q '<svg' yesterday.html
  example 'qctl metrics'
  grep -q '^vsmtp_spool_messages{queue="deferred"} 3$' node/v.prom
  [[ $(example "qctl list --sender 'bulk@*' --older 1h") == *"$(cat bulk)"* ]]
  example 'qctl retry --domain example.org'
  [ "$(stat -c %Y "spool/deferred/$far")" -le "$(date +%s)" ]

  example 'qctl hold --sender flood@example.com'
  [ "$(count hold)" = 1 ]
  [[ $(example 'qctl list hold') == *"$flood"* ]]
  id=${flood:0:16}
  [[ $(example 'qctl cat 0H8ZK4TQ2N7') == *END* ]]
  example 'qctl remove --queue hold --sender flood@example.com'
  [ "$(count hold)" = 0 ]
  put spool hold you@three.test
  example 'qctl release --all'
  [ "$(count hold)$(count working)" = 01 ]

  example 'qctl hold --domain example.org'
  example 'qctl export --queue hold --domain example.org'
  example 'ssh other qctl import --queue deferred'
  example 'qctl remove --queue hold --domain example.org'
  [ "$(count hold)" = 0 ]
  [ -f "there/spool/deferred/$far" ]
}

@test "qctl(8): each example of quarantines, and the others" {
  local id
  mkdir -p spool/quarantine/virus
  id=$(put --context '{"quarantine":{"name":"virus","rule":"scan attachments","reason":"Eicar","stage":"postq","time":"2026-11-21T10:00:00.000000Z"}}' spool quarantine/virus you@one.test)
  example 'qctl export --format mbox --quarantine virus'
  grep -q '^X-Vsmtp-' virus.mbox
  [[ $(example "qctl quarantine list --rule 'scan attachments'") == *"$id"* ]]
  example 'qctl quarantine forward postmaster@example.org'
  grep -q '^recipient <postmaster@example.org>' spool/deliver/*
  example "qctl quarantine release --rule 'scan attachments'"
  [ -f "spool/deliver/$id" ]
  put --age 3456000 --due -3456000 spool quarantine/virus old@one.test
  example 'qctl quarantine expire --older 30d'
  [ "$(count quarantine/virus)" = 0 ]

  printf 'Subject: saved\r\n\r\nhello\r\n' >saved.eml
  example 'qctl import --from me@example.org --to you@example.com saved.eml'
  grep -q '^sender <me@example.org>' spool/working/*
  example 'qctl check'
  echo hello >spool/working/README
  example 'qctl repair --dry-run' || true
  [ -e spool/working/README ]
  example 'qctl repair'
  [ -e spool/foreign/working/README ]
  put spool dead you@one.test
  example 'qctl release --queue dead --newer 1d'
  [ "$(count dead)" = 0 ]
  [[ $(example 'qctl list --json') == *$'\t'* ]]
}

@test "qctl(8): the tests above know all of the examples" {
  grep -o "^ *\(\[\[ \$(\)\?example ['\"][^'\"]*" "$BATS_TEST_FILENAME" | sed "s/.*example ['\"]//" >known
  local line
  examples | while read -r line; do
    while read -r known; do [[ $line != "$known"* ]] || continue 2; done <known
    echo "not tested: $line"
    exit 1
  done
  [ "$(examples | wc -l)" = 25 ]
}
