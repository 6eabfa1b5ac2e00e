# For the tests of deliver-remote under TLS: certificates of an own authority, and a report that can be read.
load smtpd_helpers

# ca.crt and ca.key, and mail.eml
make_ca() {
  printf 'From: a@example.net\r\nSubject: test\r\n\r\nhello\r\n' >mail.eml
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=Test CA' -keyout ca.key -out ca.crt 2>/dev/null
}
# certificate NAME SUBJECT-ALT-NAME: NAME.pem, certificate and key, signed by ca.crt.
certificate() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile <(echo "subjectAltName=$2") -out "$1.crt" 2>/dev/null
  cat "$1.crt" "$1.key" >"$1.pem"
}
serve_tls() { serve --certificate "$1.pem" "${@:2}"; }
liar() {
  port=$(free_port)
  start liar python3 "$TOP/tests/tools/liar.py" "$port" "$@"
  wait_for_port "$port"
}
# remote [OPTION...] HOST SENDER RECIPIENT... <message: the report, a line for each NUL; the log is in remote.log.
remote() { deliver-remote --domain me.example --log-level debug "$@" 2>>remote.log | tr '\0' '\n'; }
