# examples/services: each way to run the programs, with the paths and the user changed to those of the test.
load helpers

setup() {
  [ "$(id -u)" = 0 ] || skip "the services start as root"
  cd "$BATS_TEST_TMPDIR"
  port=$(free_port)
  mkdir -p etc run mail log
  cp -R "$TOP/examples/services" services
  sed "s|0.0.0.0:25 \\[::\\]:25|127.0.0.1:$port|; s|/var/spool|$PWD|; s|/run/vsmtp|$PWD/run|; s|/srv/mail|$PWD/mail|" "$TOP/examples/vsmtp.ini" >etc/vsmtp.ini
  find services -type f ! -name '*.md' -exec sed -i "s|/etc/vsmtp/|$PWD/etc/|g; s|/run/vsmtp|$PWD/run|g; s|/var/log/vsmtp|$PWD/log|; s|/usr/local/bin|$TOP/bin|g
    s/id -\\([ug]\\) vsmtp/id -\\1 root/g; s/\\(-[a-z]*[og]\\|--re[ug]id\\|--user\\) vsmtp/\\1 root/g; s/ 0 25 / 127.0.0.1 $port /
    s/^smtp \\(.*nowait \\) vsmtp/127.0.0.1:$port \\1 root/" {} +
  queue-inject --config etc/vsmtp.ini --make-spool
}

# accepts: a message is taken, by whoever serves the port.
accepts() { swaks --silent 3 --server "127.0.0.1:$port" --helo client.example --from you@example.com --to me@example.org; }
is_delivered() { [ "$(find mail/example.org/me/Maildir/new -type f | wc -l)" = 1 ]; }
drain() { queue-run --config etc/vsmtp.ini --drain --local-transport "deliver-maildir --config $PWD/etc/vsmtp.ini"; }
none_serves() { ! serves_here; }
serves_here() { grep -q " 00010000 .* $PWD/" /proc/net/unix; }

@test "examples/services: s6" {
  start svscan s6-svscan services/s6
  wait_for accepts
  wait_for is_delivered
  s6-svscanctl -t services/s6
  wait_for none_serves
}

@test "examples/services: runit" {
  mkdir log/queue log/maildir log/remote log/run log/smtpd
  start runsvdir runsvdir services/runit
  wait_for accepts
  wait_for is_delivered
  wait_for grep -q ' info accepted ' log/smtpd/current
  stop runsvdir HUP || true  # passes TERM on to the services
  wait_for none_serves
}

@test "examples/services: tcpserver" {
  start server sh services/tcpserver/run
  wait_for accepts
  drain
  is_delivered
}

@test "examples/services: inetd" {
  start server inetd -d "$PWD/services/inetd/inetd.conf"
  wait_for accepts
  drain
  is_delivered
}

@test "examples/services: systemd's units name programs and options that there are" {
  local line
  sed -n 's/^ExecStart=//p' services/systemd/*.service >lines
  [ "$(wc -l <lines)" = 7 ]
  while read -r line; do
    # shellcheck disable=SC2086 # words of a command line
    run -0 ${line%% -- *} --help
  done <lines
  [ "$(grep -h ^Environment services/systemd/*.service | sort -u)" = "Environment=VSMTP_CONFIG=$PWD/etc/vsmtp.ini" ]
}
