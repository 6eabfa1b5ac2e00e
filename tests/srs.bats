# Mail that is forwarded to another host and its way back, with smtpd, queue-inject and queue-run: delivery.srs_domain.
load helpers
load smtpd_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export OUT=$BATS_TEST_TMPDIR/out
  mkdir out
  queue-inject --spool spool --make-spool
  (umask 077 && printf '# first of two\nthe-secret-of-this-test\nan-older-secret-than-it\n' >secret)
  transport=$BATS_TEST_DIRNAME/data/transport
  srs=(--srs-domain srs.here.test --srs-secret-file "$PWD/secret")
  run=(queue-run --spool spool --local-domains here.test "${srs[@]}" --local-transport "$transport" --remote-transport "$transport" --log-level warning --drain)
}
inject() { printf 'Subject: x\r\n\r\nhello\r\n' | queue-inject --spool spool -f "$@" 3>&-; }
senders() { cut -d' ' -f2 out/calls; }

@test "srs: mail of others that goes to others has a way back; own mail, local mail and relayed mail keep theirs" {
  inject me@far.test ok-a@other.test ok-b@here.test ok-c@relayed.test
  inject own@here.test ok-d@other.test
  inject me@far.test ok-e@here.test
  inject '<>' ok-f@other.test
  "${run[@]}" --relay-domains relayed.test
  sort out/calls | sed 's/SRS0=[^=]*=[^=]*=/SRS0=H=T=/' >calls
  diff - calls <<'END'
here.test me@far.test ok-b@here.test
here.test me@far.test ok-e@here.test
other.test  ok-f@other.test
other.test SRS0=H=T=far.test=me@srs.here.test ok-a@other.test
other.test own@here.test ok-d@other.test
relayed.test me@far.test ok-c@relayed.test
END
}

@test "srs: a bounce comes back by SMTP, and goes on to who has sent first" {
  inject me@far.test ok-a@other.test
  "${run[@]}"
  way_back=$(senders)
  [[ $way_back == SRS0=*=far.test=me@srs.here.test ]]
  serve --relay-clients '' "${srs[@]}" -- queue-inject --spool "$PWD/spool"
  { printf 'EHLO next.test\r\nMAIL FROM:<>\r\nRCPT TO:<%s>\r\nRCPT TO:<%s>\r\nRCPT TO:<%s>\r\nRCPT TO:<%s>\r\n' \
      "$way_back" "${way_back/=me@/=you@}" "SRS0=AAAA=${way_back#*=*=}" "SRS2=x@srs.here.test"
    printf 'DATA\r\nSubject: bounce\r\n\r\nhello\r\n.\r\nQUIT\r\n'; } | say >said
  [ "$(codes <said)" = '220 250 250 250 550 550 550 354 250 221' ]
  [ "$(grep -c '^550 5.1.1 No way back' said)" = 2 ]
  grep -q '^550 5.7.1 ' said
  grep -q 'not a way back to a sender.*cause="not made here"' smtpd.log
  : >out/calls
  "${run[@]}"
  grep -q "^far.test  me@far.test$" out/calls
}

@test "srs: what was not made here, or is too old, fails in the queue too; an older secret is known" {
  inject me@far.test ok-a@other.test
  (umask 077 && echo an-older-secret-than-it >older)
  "${run[@]}" --srs-secret-file "$PWD/older"
  way_back=$(senders)
  : >out/calls
  inject '<>' "$way_back"
  inject '<>' SRS0=AAAA=AA=far.test=me@srs.here.test
  run -0 "${run[@]}"
  [[ $output == *'550 5.1.1 no way back to a sender: not made here'* ]]
  [ "$(cat out/calls)" = 'far.test  me@far.test' ]
  (umask 077 && echo one-that-nobody-has-used >other)
  : >out/calls
  inject '<>' "$way_back"
  run -0 "${run[@]}" --srs-secret-file "$PWD/other"
  [ ! -s out/calls ]
}

@test "srs: a failure behind us is told to the sender himself" {
  inject ok-me@far.test bad-x@other.test
  "${run[@]}"
  grep -q '^other.test SRS0=.*=far.test=ok-me@srs.here.test bad-x@other.test$' out/calls
  grep -q '^far.test  ok-me@far.test$' out/calls
  grep -q '^To: <ok-me@far.test>' out/ok-me@far.test/*
}

@test "srs: the file of secrets must be there, for its owner alone, and hold secrets" {
  for make in 'rm secret' ': >secret' 'echo short >secret' 'chmod 644 secret'; do
    (umask 077 && echo the-secret-of-this-test >secret)
    eval "$make"
    run -78 "${run[@]}"
    [[ $output == *srs_secret_file* ]]
    run -78 smtpd --listen 127.0.0.1:0 "${srs[@]}"
  done
  rm -f secret
  run -78 queue-run --spool spool --srs-domain srs.here.test
}

@test "srs: deliver-maildir --direct hands bounces of forwarded mail on" {
  make_maildir mail/SRS0=x
  printf 'F\0TSRS0=x=y=z=me@here.test\0\0' >envelope
  echo hello >message
  cat >taken <<'END'
#!/bin/sh
echo handed on >>handed
END
  chmod +x taken
  deliver-maildir --direct --template "$PWD/mail/{local}" --local-domains here.test --srs-domain here.test -- ./taken <message 1<envelope
  [ "$(cat handed)" = 'handed on' ]
}
