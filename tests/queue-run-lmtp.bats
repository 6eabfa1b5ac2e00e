# LMTP as a transport of queue-run: Debian's Dovecot on a Unix socket, with a reply for each recipient.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  mkdir -p spool/{working,deliver,deferred,delegated,hold,dead,quarantine,progress,tmp,log,lock}
  # The socket's path must be short.
  run_dir=$(mktemp -d /tmp/vsmtp-lmtp.XXXXXX)
}

teardown() {
  stop_all
  rm -rf "$run_dir"
}

# dovecot USER...: with these mailboxes, in mail/USER
dovecot() {
  local user me group owner
  me=$(id -un) group=$(id -gn) owner=$(id -u)
  mail=$run_dir/mail
  mkdir "$mail"
  chmod 755 "$run_dir"
  if [ "$owner" = 0 ]; then  # which Dovecot refuses to write mail as
    owner=65534
    chown $owner "$mail"
  fi
  for user; do echo "$user@here.test:{PLAIN}x:$owner:$owner::$mail/$user::" >>users; done
  chmod 755 . && chmod 644 users
  cat >dovecot.conf <<END
base_dir = $run_dir/base
state_dir = $run_dir/state
log_path = $PWD/dovecot-mail.log
protocols = lmtp
default_internal_user = $me
default_login_user = $me
default_internal_group = $group
first_valid_uid = 0
first_valid_gid = 0
ssl = no
disable_plaintext_auth = no
mail_location = maildir:%h
auth_username_format = %Lu
passdb {
  driver = passwd-file
  args = $PWD/users
}
userdb {
  driver = passwd-file
  args = $PWD/users
}
protocol lmtp {
  postmaster_address = postmaster@here.test
}
service lmtp {
  chroot =
  user = $me
  unix_listener $run_dir/lmtp {
    mode = 0666
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
END
  start dovecot /usr/sbin/dovecot -F -c "$PWD/dovecot.conf"
  wait_for serves "$run_dir/lmtp"
}

@test "queue-run: Dovecot's LMTP is a transport by two lines, and each recipient has its own reply" {
  [ "$(id -u)" = 0 ] || skip 'dovecot wants to be started by root'
  dovecot ann bob
  cat >vsmtp.ini <<END
[delivery]
local_domains = here.test
[queue]
spool = spool
bounce = no
[relay "here.test"]
transport = lmtp
host = unix:$run_dir/lmtp
END
  id=$("$BATS_TEST_DIRNAME/tools/store-items" spool working ann@here.test nobody@here.test bob@here.test)
  VSMTP_CONFIG=vsmtp.ini run -0 queue-run --drain
  grep -q '^Subject: ' "$mail"/ann/new/*
  grep -q '^Subject: ' "$mail"/bob/new/*
  [[ $output == *"status=sent recipient=ann@here.test transport=lmtp destination=unix:$run_dir/lmtp"*"250 2.0.0 <ann@here.test>"* ]]
  [[ $output == *"status=sent recipient=bob@here.test transport=lmtp"*"250 2.0.0 <bob@here.test>"* ]]
  [[ $output == *"status=failed recipient=nobody@here.test transport=lmtp"*"550 5.1.1"* ]]
  [ -e "spool/dead/$id" ]
}

@test "queue-run: an LMTP server that is not there defers" {
  printf '[queue]\nspool = spool\nbounce = no\n[relay "here.test"]\ntransport = lmtp\nhost = unix:%s/lmtp\n' "$run_dir" >vsmtp.ini
  "$BATS_TEST_DIRNAME/tools/store-items" spool working ann@here.test
  VSMTP_CONFIG=vsmtp.ini queue-run --drain
  [ "$(find spool/deferred -type f | wc -l)" = 1 ]
}
