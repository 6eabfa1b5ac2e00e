# smtpd looked at by programs that look for holes: nmap's scripts, testssl.sh. The whole of testssl.sh takes minutes: VSMTP_LONG=1.
load smtpd_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  make_keep
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=mx.example.org -addext subjectAltName=DNS:mx.example.org \
    -keyout mx.key -out mx.crt 2>/dev/null
  printf 'ann:{PLAIN}secret\n' >users
  chmod 600 users
}
needs() { command -v "$1" >/dev/null || skip "no $1 here"; }
serve_world() {
  serve --certificate mx.crt --private-key mx.key --password-file users --local-domains b.example --relay-clients 192.0.2.1 --shield-exempt 127.0.0.1 "$@"
}
# nmap_says NAME...: what nmap's scripts say of the port, whatever it is.
nmap_says() { timeout 60 nmap -Pn -n -p "$port" "${@/#/--script=+smtp-}" 127.0.0.1; }

@test "smtpd scanners: nmap finds the commands, and no open relay, users to enumerate or holes of others" {
  needs nmap
  serve_world
  run -0 nmap_says commands open-relay enum-users vuln-cve2010-4344 vuln-cve2011-1720 vuln-cve2011-1764 ntlm-info
  [[ $output == *"smtp-commands: mx.example.org, PIPELINING, SIZE"*STARTTLS* ]]
  [[ $output == *"Server doesn't seem to be an open relay, all tests failed"* ]]
  [[ $output != *VULNERABLE:* && $output != *smtp-ntlm-info:* ]]
  ! grep 'smtp-enum-users' <<<"$output" | grep -q root
  has_kept 0
}

# Rows of testssl.sh's CSV: id, place, port, severity, finding.
found() { awk -F'","' 'NR > 1 { print $4 " " $1 ": " $5 }' "$1"; }

@test "smtpd scanners: testssl.sh finds nothing worse than a note" {
  needs testssl
  serve_world
  local checks=(-p -R)
  [ -z "$VSMTP_LONG" ] || checks=()
  timeout "$([ -n "$VSMTP_LONG" ] && echo 1200 || echo 120)" testssl --quiet --color 0 --warnings off --csvfile found.csv "${checks[@]}" --starttls smtp "127.0.0.1:$port" >said 2>&1 3>&- || true
  found found.csv | grep -q 'TLS1_2: offered'
  for version in SSLv2 SSLv3 TLS1 TLS1_1; do found found.csv | grep -q " \"*$version: not offered"; done
  # The certificate is signed by itself, which only the long form looks at.
  run found found.csv
  [ -z "$(grep -E '^(MEDIUM|HIGH|CRITICAL)' <<<"$output" | grep -vE 'cert|chain|OCSP|DNS_CAA|trust')" ] || { echo "$output"; false; }
}
