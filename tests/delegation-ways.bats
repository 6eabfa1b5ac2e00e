# Delegation over SMTP and LMTP: the ways to a content filter and back, on a port, on a socket, on another host.
load helpers
load delegation_helpers

# filter_at NAME PLACE: one more content filter, which keeps what it sees in the folder NAME.
filter_at() {
  mkdir "$1"
  start "$1" "$BATS_TEST_DIRNAME/tools/content_filter.py" "$2" "$receiver" "$1"
}

@test "delegation: by LMTP to a port and to a socket, by SMTP to a socket, whatever TLS other mail has to have" {
  filter_at port "$filter_port" && filter_at socket "unix:$PWD/socket.sock" && filter_at smtp "unix:$PWD/smtp.sock"
  cat >main.vsl <<V
service port smtp = #{ delegator: #{ address: "127.0.0.1:$filter_port", protocol: "lmtp" }, receiver: "127.0.0.1:$receiver" };
service socket smtp = #{ delegator: #{ address: "unix:$PWD/socket.sock", protocol: "lmtp" }, receiver: "127.0.0.1:$receiver" };
service smtp smtp = #{ delegator: #{ address: "unix:$PWD/smtp.sock" }, receiver: "127.0.0.1:$receiver" };
#{ postq: [ delegate port "1" || next(), delegate socket "2" || next() ], delivery: [ delegate smtp "3" || next() ] }
V
  printf '[remote]\ntls_level = encrypt\n' >vsmtp.ini
  start rules vsl-filter --resident "$PWD/rules.sock" main.vsl
  for socket in rules.sock socket.sock smtp.sock; do wait_for serves $socket; done
  wait_for_port "$filter_port"
  receive
  store --sender me@x.test spool working ok-1@a.test ok-2@b.test >/dev/null
  VSMTP_CONFIG=$PWD/vsmtp.ini start run queue-run "${settings[@]}"
  wait_for delivered ok-1@a.test || { cat run.log receiver.log rules.log; false; }
  wait_for delivered ok-2@b.test
  wait_for is_empty
  for name in port socket smtp; do
    [ "$(find $name -name '*.msg' | wc -l)" = 1 ]
    [ "$(tail -n +2 $name/1.env)" = "me@x.test
ok-1@a.test
ok-2@b.test" ]
  done
  [ "$(head -qn 1 port/1.env socket/1.env smtp/1.env)" = "LHLO
LHLO
EHLO" ]
  [ "$(grep -c '^X-Scanned: yes' out/ok-1@a.test/*)" = 3 ]
}

@test "delegation: an LMTP filter that is down, and one that refuses, put the message off" {
  filter_at port "$filter_port"
  cat >main.vsl <<V
service av smtp = #{ delegator: #{ address: "127.0.0.1:$filter_port", protocol: "lmtp" }, receiver: "127.0.0.1:$receiver" };
#{ postq: [ delegate av "scan" || next() ] }
V
  start rules vsl-filter --resident "$PWD/rules.sock" main.vsl
  wait_for serves rules.sock
  wait_for_port "$filter_port"
  receive
  echo refuse >port/mode
  id=$(store spool working ok-1@a.test ok-2@b.test)
  drain
  [ -e "spool/delegated/$id" ]
  grep -q 'deferred 1 .*550 5.7.1 no' "spool/progress/$id"
  grep -q 'deferred 2 .*550 5.7.1 no' "spool/progress/$id"
  stop port || true
  qctl --spool spool retry "$id"
  drain
  grep -q 'deferred 2 .*refused' "spool/progress/$id"
  rm -r port && filter_at port "$filter_port" && wait_for_port "$filter_port"
  start run queue-run "${settings[@]}"
  qctl --spool spool retry "$id"
  wait_for delivered ok-2@b.test || { cat run.log; false; }
  wait_for is_empty
}

# Two hosts with a cable between them: we are 192.0.2.1, the other one is 192.0.2.7 and, for a stranger, 192.0.2.9.
two_hosts() {
  start here unshare --user --map-root-user --net sleep 300
  in_namespaces() { [ "$(readlink "/proc/$(pid_of "$1")/ns/net")" != "$(readlink "/proc/$2/ns/net")" ]; }
  if ! wait_for 2 in_namespaces here self; then
    [ -z "${CI:-}" ] || { cat here.log; false; }
    skip 'no namespaces here'
  fi
  here=(nsenter --preserve-credentials --user --net --target "$(pid_of here)")
  start there "${here[@]}" unshare --net sleep 300
  wait_for in_namespaces there self
  wait_for in_namespaces there "$(pid_of here)"
  there=(nsenter --preserve-credentials --user --net --target "$(pid_of there)")
  "${here[@]}" ip link add cable type veth peer name cable netns "$(pid_of there)"
  "${here[@]}" ip address add 192.0.2.1/24 dev cable
  "${there[@]}" ip address add 192.0.2.7/24 dev cable
  "${there[@]}" ip address add 192.0.2.9/24 dev cable
  for end in cable lo; do
    "${here[@]}" ip link set $end up
    "${there[@]}" ip link set $end up
  done
}

@test "delegation: a filter on another host, which alone may bring messages back" {
  two_hosts
  answers() { "${there[@]}" timeout 2 bash -c "exec 3<>/dev/tcp/$1/$2"; }
  cat >main.vsl <<'V'
service av smtp = #{ delegator: #{ address: "192.0.2.7:10026" }, receiver: "192.0.2.1:10025" };
#{ postq: [ delegate av "scan" || next() ] }
V
  [ "$(vsl-filter --receivers main.vsl)" = "192.0.2.1:10025 192.0.2.7" ]
  start rules vsl-filter --resident "$PWD/rules.sock" main.vsl
  wait_for serves rules.sock
  start filter "${there[@]}" "$BATS_TEST_DIRNAME/tools/content_filter.py" 192.0.2.7:10026 192.0.2.1:10025 seen
  start receiver "${here[@]}" smtpd --listen 192.0.2.1:10025 --domain own.test --relay-clients 192.0.2.7 --policy "all=unix:$PWD/rules.sock" \
    -- "unix:$PWD/rules.sock" -- queue-inject --spool spool
  wait_for answers 192.0.2.7 10026
  wait_for answers 192.0.2.1 10025
  id=$(store spool working ok@a.test)
  start run "${here[@]}" queue-run "${settings[@]}"
  wait_for delivered ok@a.test || { cat run.log receiver.log rules.log filter.log; false; }
  wait_for is_empty
  grep -q X-Scanned out/ok@a.test/*
  # Neither another host nor this one may play the filter.
  echo keep >seen/mode
  id=$(store spool working ok-2@a.test)
  wait_for has_seen 2
  wait_for grep -q handed "spool/progress/$id"
  for host in there:192.0.2.9 here:192.0.2.1; do
    declare -n side=${host%%:*}
    run "${side[@]}" curl -sv --interface "${host#*:}" smtp://192.0.2.1:10025 --mail-from f@x.test --mail-rcpt o@y.test -T seen/2.msg
    [[ $output == *"< 554 5.7.1 Client host rejected: messages come back from content filters here"* ]] || { echo "$output"; false; }
  done
  [ -e "spool/delegated/$id" ]
  "${there[@]}" curl -s --interface 192.0.2.7 smtp://192.0.2.1:10025 --mail-from f@x.test --mail-rcpt o@y.test -T seen/2.msg
  wait_for delivered ok-2@a.test
}
