# smtpd(8), METRICS: read by the strict parser of Prometheus' own library.
load smtpd_helpers

setup() { cd "$BATS_TEST_TMPDIR" && make_keep; }

# value NAME[{LABELS}] FILE: as the parser reads it; an error if there is anything wrong in the file.
value() {
  /usr/bin/python3 - "$1" "$2" <<'EOF'
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
text = open(sys.argv[2], newline="").read()
found = {}
for family in text_string_to_metric_families(text):
    assert family.documentation, family
    for sample in family.samples:
        labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
        found[sample.name + ("{" + labels + "}" if labels else "")] = sample.value
print(f"{found[sys.argv[1]]:g}")
EOF
}
ask() { socat -t 5 - "UNIX:metrics.sock" </dev/null >now; }
is() { ask && [ "$(value "$1" now)" = "$2" ]; }

@test "smtpd metrics: counted over all workers, sessions, refusals, times, log-ins" {
  printf secret | auth-hash ann >users
  chmod 600 users
  script policy <<'EOF'
while read -r line; do
  case $line in
    sender=bad@*) bad=yes ;;
    '') echo "action=${bad:+REJECT}${bad:-DUNNO}" | sed 's/REJECTyes/REJECT/'; echo; bad= ;;
  esac
done
EOF
  serve --workers 2 --metrics "unix:$PWD/metrics.sock" --policy 'mail=./policy' --password-file users --allow-plaintext yes --failure-delay 0 --relay-clients 192.0.2.1 \
    --local-domains b.example --shield-exempt 192.0.2.1
  wait_for is vsmtp_smtpd_workers 2
  local i
  for i in 1 2 3 4 5; do send >/dev/null; done
  { printf 'EHLO c\r\nMAIL FROM:<bad@a.example>\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<x@far.example>\r\nNONSENSE\r\nRSET\r\n'
    printf 'AUTH PLAIN %s\r\nAUTH PLAIN %s\r\nQUIT\r\n' "$(printf '\0ann\0wrong' | base64)" "$(printf '\0ann\0secret' | base64)"; } | say >/dev/null
  start idle socat -u "TCP4:127.0.0.1:$port" STDOUT
  wait_for is vsmtp_smtpd_sessions 1
  is vsmtp_smtpd_connections_total 7
  is 'vsmtp_smtpd_messages_total{outcome="accepted"}' 5
  is vsmtp_smtpd_accepted_recipients_total 5
  [ "$(value vsmtp_smtpd_accepted_octets_total now)" -gt 50 ]
  is 'vsmtp_smtpd_refusals_total{reason="policy"}' 1
  is 'vsmtp_smtpd_refusals_total{reason="relaying"}' 1
  is 'vsmtp_smtpd_log_ins_total{mechanism="PLAIN",outcome="wrong"}' 1
  is 'vsmtp_smtpd_log_ins_total{mechanism="PLAIN",outcome="right"}' 1
  is vsmtp_smtpd_policy_seconds_count 7
  is vsmtp_smtpd_chain_seconds_count 5
  is 'vsmtp_smtpd_policy_seconds_bucket{le="+Inf"}' 7
  [ "$(value vsmtp_smtpd_chain_seconds_sum now)" != 0 ]
  is 'vsmtp_smtpd_offences_total{deed="failed_log_in"}' 1

  # A restart goes on counting.
  kill -USR2 "$(pid_of smtpd)"
  wait_for grep -q 'info restarted' smtpd.log
  send >/dev/null
  wait_for is 'vsmtp_smtpd_messages_total{outcome="accepted"}' 6
  stop idle || true
  wait_for is vsmtp_smtpd_sessions 0
  wait_for is vsmtp_smtpd_workers 2
}

@test "smtpd metrics: over HTTP, to a file, and to clients that say nothing, without making mail wait" {
  local web
  web=$(free_port)
  serve --metrics "127.0.0.1:$web" --metrics "file:$PWD/smtpd.prom"
  [ "$(value vsmtp_smtpd_connections_total smtpd.prom)" = 0 ]
  for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do start "silent$i" socat -u "TCP4:127.0.0.1:$web" STDOUT; done
  send >out
  [ "$(codes <out)" = "220 250 250 250 354 250 221" ]
  wait_for curl -sSf -m 10 -D head -o now "http://127.0.0.1:$web/metrics"  # the silent ones have had their 5 seconds
  grep -qi '^Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8' head
  [ "$(value vsmtp_smtpd_connections_total now)" = 1 ]
  [ "$(value "vsmtp_smtpd_build_info{version=\"$(smtpd --version | sed 's/.* //')\"}" now)" = 1 ]
  wait_for eval '[ "$(value vsmtp_smtpd_connections_total smtpd.prom)" = 1 ]'
  [ ! -e smtpd.prom.new ]
  run -78 timeout 20 smtpd --listen 127.0.0.1:0 --metrics nonsense -- ./keep
  [[ $output == *"server.metrics"*"nonsense"*"file:PATH"* ]]
}
