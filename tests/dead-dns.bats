# No DNS at all, as when the resolver of a site is gone: it answers nothing, or that it cannot (SERVFAIL). Mail waits, and goes on when
# there is DNS again. 2,000 messages for 200 domains.
load smtpd_helpers

SINK_USER=()
[ "$(id -u)" != 0 ] || SINK_USER=(-u nobody)

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  chmod 755 .
  dns_port=$(free_port) sink_port=$(free_port)
  queue-inject --spool spool --make-spool
  for i in $(seq 10); do "$BATS_TEST_DIRNAME/tools/store-items" --count 200 spool working "u$i@d{n}.site.example.org" >/dev/null; done
  settings=(--spool spool --remote-transport "unix:$PWD/remote.sock" --retry-min 2s --retry-max 4s --destination-pause 1s --destination-pause-max 2s)
}
teardown() { stop_all; }

# It takes what comes and says nothing.
silence() { start silence socat -u "UDP4-RECV:$dns_port,bind=127.0.0.1" /dev/null; }
# server LINE...: unbound on the port
server() {
  {
    printf 'server:\n interface: 127.0.0.1@%s\n do-daemonize: no\n use-syslog: no\n chroot: ""\n username: ""\n directory: "."\n pidfile: ""\n module-config: "iterator"\n' "$dns_port"
    printf '%s\n' "$@" 'remote-control:' ' control-enable: no'
  } >unbound.conf
  start unbound unbound -d -c unbound.conf
  wait_for_port "$dns_port"
}
# Whoever asks it is asked to come again: its own servers do not answer.
servfail() { server ' do-not-query-localhost: no' 'forward-zone:' ' name: "."' ' forward-addr: 127.0.0.1@9'; }
# All of site.example.org is here.
alive() { server ' local-zone: "site.example.org." redirect' ' local-data: "site.example.org. 1 A 127.0.0.1"' ' local-data: "site.example.org. 1 MX 10 mx.site.example.org."'; }

remote() {
  start remote deliver-remote --resident "$PWD/remote.sock" --domain me.example --own-addresses '' --port "$sink_port" --dns-server "127.0.0.1@$dns_port" --dns-timeout 500ms
  wait_for serves remote.sock
}
left() { find spool/working spool/deliver spool/deferred -type f | wc -l; }
are_deferred() { [ "$(find spool/deferred -type f | wc -l)" = 2000 ] && [ "$(find spool/working spool/deliver -type f | wc -l)" = 0 ]; }
all_gone() { [ "$(left)" = 0 ]; }
kilobytes() { awk '/^VmHWM/ { print $2 }' "/proc/$(pid_of "$1")/status"; }
descriptors() { find "/proc/$(pid_of "$1")/fd" -mindepth 1 | wc -l; }

# All have been tried, none has failed, and nobody has grown.
check_round() {
  local begun=$SECONDS
  wait_for 60 are_deferred || { echo "left $(left)"; tail -n 5 run.log; false; }
  echo "first round of 2,000 in $((SECONDS - begun)) s, queue-run $(kilobytes run) KB, deliver-remote $(kilobytes remote) KB, $(descriptors run) and $(descriptors remote) descriptors" >&3
  [ $((SECONDS - begun)) -le 30 ]
  ! grep 'status=failed\|notice' run.log || false
  [ "$(find spool/dead spool/quarantine -type f | wc -l)" = 0 ]
  [ "$(kilobytes run)" -lt 100000 ] && [ "$(kilobytes remote)" -lt 100000 ]
  [ "$(descriptors run)" -lt 300 ] && [ "$(descriptors remote)" -lt 300 ]
}
check_resumes() {
  start sink smtp-sink "${SINK_USER[@]}" -c "127.0.0.1:$sink_port" 200
  wait_for_port "$sink_port"
  alive
  local begun=$SECONDS
  wait_for 60 all_gone || { echo "left $(left)"; tail -n 5 run.log; false; }
  echo "all delivered $((SECONDS - begun)) s after DNS was back" >&3
  [ "$(grep -c 'status=sent' run.log)" = 2000 ]
}

@test "dead DNS: a resolver that answers nothing: all mail is deferred with the reason, none bounces, and it goes on soon" {
  silence
  remote
  start run queue-run "${settings[@]}"
  check_round
  id=$(ls spool/deferred | head -n 1)
  qctl --spool spool why "$id" | grep -i '451 4.4.3 .*d[0-9]*.site.example.org.*no answer' || { qctl --spool spool why "$id"; false; }
  stop silence || true
  check_resumes
}

@test "dead DNS: a resolver that says SERVFAIL" {
  servfail
  remote
  start run queue-run "${settings[@]}"
  check_round
  id=$(ls spool/deferred | head -n 1)
  qctl --spool spool why "$id" | grep -i '451 4.4.3' || { qctl --spool spool why "$id"; false; }
  stop unbound || true
  check_resumes
}

@test "dead DNS: smtpd takes mail, and what its rules ask DNS for is a temporary failure" {
  silence
  make_keep
  cat >main.vsl <<'V'
#{ rcpt: [ rule "known" || switch mail_from().local_part {
    "asks" => { try { if lookup("client.example.org").len > 0 { return accept(); } return deny(); } catch { return deny("451 4.4.3 DNS is away"); } }
    "spf" => spf::check("none", "strict"),
    _ => accept(),
} ] }
V
  start rules vsl-filter --resident "$PWD/rules.sock" --dns-server "127.0.0.1@$dns_port" --dns-timeout 500ms main.vsl
  wait_for serves rules.sock
  serve --dns-server "127.0.0.1@$dns_port" --local-domains b.example --policy "unix:$PWD/rules.sock" -- "$PWD/keep" || { cat smtpd.log; false; }
  senders=()
  for i in $(seq 20); do
    who=asks
    [ $((i % 2)) = 0 ] || who=spf
    printf 'EHLO c.example\r\nMAIL FROM:<%s@example.org>\r\nRCPT TO:<b@b.example>\r\nQUIT\r\n' $who | say >asks.$i &
    senders+=($!)
  done
  # Meanwhile what asks nothing is taken, and waits for nobody.
  printf 'EHLO c.example\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\nQUIT\r\n' >plain
  begun=$SECONDS
  for i in $(seq 5); do say <plain | grep -q '^250 2.0.0 Ok: queued'; done
  [ $((SECONDS - begun)) -le 10 ]
  wait "${senders[@]}" || true
  for i in $(seq 20); do grep -q '^451 4' asks.$i || { grep "^[45]" asks.* ; grep -v Accept rules.log; false; }; done
}
