# tls-report(8) and the journal of deliver-remote(8): our own smtpd as server, unbound as DNS, a real web server, and mail by queue-inject.
load remote_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" && make_keep && make_ca
  mkdir journal web
  today=$(date -u +%F)
}
dns() {
  dns_port=$(free_port)
  {
    printf 'server:\n interface: 127.0.0.1@%s\n do-daemonize: no\n use-syslog: no\n chroot: ""\n username: ""\n directory: "."\n pidfile: ""\n' "$dns_port"
    printf ' module-config: "iterator"\n local-zone: "example." static\n'
    printf " local-data: '%s'\n" "$@"
    printf 'remote-control:\n control-enable: no\n'
  } >unbound.conf
  start unbound unbound -d -c unbound.conf
  wait_for_port "$dns_port"
}
to() { remote --dns-server "127.0.0.1@$dns_port" --port "$port" --tls-authorities ca.crt --tls-journal journal "${@:2}" "$1" a@example.net "b@$1" <mail.eml; }
report() { tls-report --tls-journal journal --dns-server "127.0.0.1@$dns_port" --domain me.example --authorities ca.crt "$@"; }
# A policy program that says the same of each domain.
enforcing() { script policy <<<'while read -r line; do [ -n "$line" ] || printf "action=enforce\nmx=mx.good.example\n\n"; done'; }

@test "deliver-remote: sessions are counted by domain, policy and what went wrong" {
  certificate mx.good.example DNS:mx.good.example
  serve_tls mx.good.example
  dns 'good.example. MX 10 mx.good.example.' 'mx.good.example. A 127.0.0.1' 'bad.example. MX 10 mx.bad.example.' 'mx.bad.example. A 127.0.0.1' '_smtp._tls.good.example. TXT "v=TLSRPTv1; rua=mailto:tls@good.example"' \
    '_smtp._tls.bad.example. TXT "v=TLSRPTv1; rua=mailto:tls@bad.example"'
  enforcing
  run -0 to good.example --mta-sts ./policy
  [ "${lines[0]:0:1}" = r ]
  run -0 to good.example --mta-sts ./policy
  run -0 to bad.example --mta-sts ./policy
  [ "${lines[0]:0:1}" = Z ]
  run -0 to bad.example
  run -0 to bad.example --tls-level none # nobody has tried
  stop smtpd
  liar 'say 220 x' 'hear EHLO' 'say 250 x' loop
  run -0 to bad.example
  [ "${lines[0]:0:1}" = r ]
  run -0 report --json "$today"
  [ "${#lines[@]}" = 2 ]
  jq -e '.policies | length == 2' <<<"${lines[0]}"
  local facts='.policies[] | [.policy["policy-type"], .policy["policy-domain"], .summary["total-successful-session-count"], .summary["total-failure-session-count"], (.["failure-details"] // [] | map(.["result-type"]) | join(","))] | join(" ")'
  jq -r "$facts" <<<"${lines[0]}"
  [ "$(jq -r "$facts" <<<"${lines[0]}" | sort | paste -sd/)" = 'no-policy-found bad.example 1 1 starttls-not-supported/sts bad.example 0 1 validation-failure' ]
  [ "$(jq -r "$facts" <<<"${lines[1]}")" = 'sts good.example 2 0 ' ]
  [ "$(jq -r '.policies[0].policy["mx-host"][0]' <<<"${lines[1]}")" = mx.good.example ]
}

@test "deliver-remote: TLS-Required: No is stronger than the policy of the destination, and weaker than the configuration and REQUIRETLS" {
  liar 'say 220 x' 'hear EHLO' 'say 250 x' loop
  dns 'good.example. MX 10 mx.good.example.' 'mx.good.example. A 127.0.0.1'
  enforcing
  run -0 to good.example --mta-sts ./policy
  [ "${lines[0]:0:1}" = Z ]
  { printf 'TLS-Required: no\r\n'; cat mail.eml; } >waived && mv waived mail.eml
  run -0 to good.example --mta-sts ./policy
  [ "${lines[0]:0:1}" = r ]
  run -0 to good.example --mta-sts ./policy --tls-level encrypt
  [ "${lines[0]:0:1}" = Z ]
  SMTPREQUIRETLS=1 run -0 to good.example --mta-sts ./policy
  [[ $output == *'550 5.7.30 REQUIRETLS'* ]]
}

@test "tls-report: reports go by mail and to web servers, once" {
  local web_port day
  web_port=$(free_port)
  certificate web DNS:reports.example
  start web python3 -u "$TOP/tests/tools/policy_server.py" "$web_port" web.pem web
  wait_for_port "$web_port"
  dns "_smtp._tls.good.example. TXT \"v=TLSRPTv1; rua=mailto:tls%2Brpt@good.example,https://reports.example:$web_port/v1\"" 'reports.example. A 127.0.0.1' 'other.example. A 127.0.0.1'
  day=$(date -u -d yesterday +%F)
  {
    echo '{"domain":"good.example","policy":"tlsa","strings":["3 1 1 aa"],"host":"mx.good.example","ip":"192.0.2.1"}'
    echo '{"domain":"good.example","policy":"tlsa","strings":["3 1 1 aa"],"host":"mx.good.example","failure":"certificate-expired"}'
    echo '{"domain":"other.example","policy":"no-policy-found"}'
    echo '{"domain":"good.exa'
  } >"journal/$day"
  : >journal/2020-01-01
  run -0 report --dry-run
  [ "$output" = "good.example 2 mailto:tls%2Brpt@good.example
good.example 2 https://reports.example:$web_port/v1" ]
  run -75 report --submission ./keep
  [[ $output == *"https://reports.example:$web_port/v1: its host has private addresses only (tlsrpt.private_hosts)"* ]]
  run ! grep -q POST web.log
  run -0 report --submission ./keep --private-hosts yes
  has_kept 1
  [ "$(cat kept/1.env)" = "$(printf 'Fpostmaster@me.example\nTtls+rpt@good.example\n\n')" ]
  grep -q "^Subject: Report Domain: good.example" kept/1.msg
  grep -q '^TLS-Required: No' kept/1.msg
  python3 - kept/1.msg web/reports.example.posted <<'PY'
import email, gzip, json, sys
message = email.message_from_binary_file(open(sys.argv[1], 'rb'))
assert message.get_content_type() == 'multipart/report' and message.get_param('report-type') == 'tlsrpt'
part = message.get_payload()[1]
assert part.get_content_type() == 'application/tlsrpt+gzip'
assert part.get_filename().startswith('me.example!good.example!') and part.get_filename().endswith('.json.gz')
report = json.loads(gzip.decompress(part.get_payload(decode=True)))
assert report == json.loads(gzip.decompress(open(sys.argv[2], 'rb').read()))
policy, = report['policies']
assert policy['summary'] == {'total-successful-session-count': 1, 'total-failure-session-count': 1}
assert policy['failure-details'][0]['result-type'] == 'certificate-expired'
assert report['date-range']['start-datetime'].endswith('T00:00:00Z')
PY
  grep -q 'POST reports.example /v1 application/tlsrpt+gzip' web.log
  [ ! -e journal/2020-01-01 ]
  run -0 report --submission ./keep
  has_kept 1
  [ "$(grep -c POST web.log)" = 1 ]
  run -64 report "$today"
  run -64 report yesterday
  run -78 tls-report
}

@test "tls-report: an address that is named twice is told once, by mail that is well-formed however long the domain" {
  local domain
  domain=$(printf '%060d.%060d.good.example' 1 2)
  dns "_smtp._tls.$domain. TXT \"v=TLSRPTv1; rua=mailto:tls@good.example,mailto:tls@good.example\""
  printf '{"domain":"%s","policy":"tlsa"}\n' "$domain" >"journal/$(date -u -d yesterday +%F)"
  run -0 report --submission ./keep
  has_kept 1
  python3 - kept/1.msg <<'PY'
import email, sys
message = email.message_from_binary_file(open(sys.argv[1], 'rb'))
assert len(message.get_boundary()) <= 70 and len(message.get_payload()) == 2
PY
}

@test "tls-report: what cannot be told now is told by the next run" {
  dns '_smtp._tls.good.example. TXT "v=TLSRPTv1; rua=mailto:tls@good.example"'
  printf '{"domain":"good.example","policy":"tlsa"}\n' >"journal/$(date -u -d yesterday +%F)"
  script refuse <<<'exit 71'
  run -75 report --submission ./refuse
  [[ $output == *'good.example: '* ]]
  run -0 report --submission ./keep
  has_kept 1
}
