# smtpd(8), "Rights": who serves, and what an intruder would find.
load smtpd_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || exit 1
  mkdir -p etc large spool
  queue-inject --spool spool --make-spool
}

# queue [COMMAND...]: a resident end of a chain, queue.sock.
queue() {
  start queue "$@" queue-inject --spool spool --resident "$PWD/queue.sock"
  wait_for serves queue.sock
}
status() { awk -v key="$1:" '$1 == key { $1 = ""; print substr($0, 2) }' "/proc/$(worker)/status"; }
serve_to_queue() { serve --message-directory large "$@" -- "unix:$PWD/queue.sock"; }
certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=mx.example.org" -keyout etc/new.key -out etc/new.crt 2>/dev/null
  mv etc/new.key etc/mx.key
  mv etc/new.crt etc/mx.crt
}
fingerprint_given() { printf 'QUIT\r\n' | timeout 20 openssl s_client -connect "127.0.0.1:$port" -starttls smtp -ign_eof 2>&1 | openssl x509 -noout -fingerprint; }
has_kernel() { [ "$(status Seccomp)" = 2 ]; }

@test "smtpd rights: one that starts no programs is shut in, and all that it is for works inside" {
  queue
  certificate
  printf secret | auth-hash ann >etc/users
  chmod 600 etc/users
  cat >policy.py <<'EOF'
import socketserver
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            if line == b"\n": self.wfile.write(b"action=PREPEND X-Policy: asked\n\n")
server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
print("port", server.server_address[1], flush=True)
server.serve_forever()
EOF
  start policy python3 policy.py
  wait_for grep -q '^port' policy.log
  printf '[tls]\ncertificate = %s/etc/mx.crt\nprivate_key = %s/etc/mx.key\n[auth]\npassword_file = %s/etc/users\n[smtp]\npolicy = mail=inet:127.0.0.1:%s\n[log]\ndestination = %s/log/smtpd.log\n' \
    "$PWD" "$PWD" "$PWD" "$(sed -n 's/^port //p' policy.log)" "$PWD" >etc/vsmtp.ini
  mkdir log
  export VSMTP_CONFIG=$PWD/etc/vsmtp.ini
  port=$(free_port)
  start smtpd smtpd --listen "127.0.0.1:$port" --message-directory large --message-memory-max 1k --message-memfd-max 10k --message-size-max 50m -- "unix:$PWD/queue.sock"
  wait_for_port "$port"
  [ "$(status NoNewPrivs)" = 1 ]
  has_kernel || skip "no seccomp here"

  head -c 5000000 /dev/zero | tr '\0' x | fold -w 900 >large.txt
  local body
  for body in hello @large.txt; do
    run -0 timeout 60 swaks --server "127.0.0.1:$port" --tls --auth PLAIN --auth-user ann --auth-password secret --from ann@a.example --to b@b.example --body "$body" --suppress-data
  done
  [ "$(qctl --spool spool list --json | grep -c '"id"')" = 2 ]
  qctl --spool spool show "$(qctl --spool spool list --json | sed -n '1s/.*"id":"\([^"]*\)".*/\1/p')" | grep -q .

  mv log/smtpd.log log/old
  local before
  before=$(fingerprint_given)
  certificate
  kill -HUP "$(pid_of smtpd)"
  wait_for grep -q 'configuration reloaded' log/smtpd.log
  [ "$(fingerprint_given)" != "$before" ]
  stop smtpd
  ! grep -h 'refused$' smtpd.log log/* || false  # no system call was missing
  grep -q 'info stopping' log/smtpd.log
}

@test "smtpd rights: one session shuts itself in too" {
  queue
  start smtpd bash -c "{ printf 'EHLO c\r\n'; sleep 30; } | exec smtpd --message-directory large -- unix:$PWD/queue.sock"
  wait_for grep -q ^250 smtpd.log
  [ "$(awk '/^NoNewPrivs/ { print $2 }' "/proc/$(cat /proc/"$(pid_of smtpd)"/task/*/children | awk '{ print $NF }')/status")" = 1 ]
}

@test "smtpd rights: one that starts programs is outside; --sandbox yes and no" {
  queue
  script through <<'EOF'
exec "$@"
EOF
  serve -- ./through -- "unix:$PWD/queue.sock" || true
  [ "$(status NoNewPrivs)" = 0 ]
  stop smtpd
  run -78 timeout 20 smtpd --listen 127.0.0.1:0 --sandbox yes -- "unix:$PWD/queue.sock" -- ./through
  [[ $output == *"server.sandbox = yes"*"'./through'"* ]]
  run -78 timeout 20 smtpd --listen 127.0.0.1:0 --sandbox yes --policy 'inet:127.0.0.1:1 -- ./policy' -- "unix:$PWD/queue.sock"
  [[ $output == *"'./policy'"* ]]
  run -78 timeout 20 smtpd --listen 127.0.0.1:0 --sandbox yes --check-password ./check -- "unix:$PWD/queue.sock"
  [[ $output == *"'./check'"* ]]
  serve_to_queue --sandbox no
  [ "$(status NoNewPrivs)" = 0 ]
}

@test "smtpd rights: inside, a configuration that starts programs is not taken" {
  queue
  printf '[smtp]\ngreeting = one\n' >etc/vsmtp.ini
  serve_to_queue --config etc/vsmtp.ini
  printf '[smtp]\npolicy = ./policy\n' >etc/vsmtp.ini
  kill -HUP "$(pid_of smtpd)"
  wait_for grep -q "reload failed.*'./policy' cannot be started" smtpd.log
}

@test "smtpd rights: --user is for good, and --chroot is where it lives" {
  [ "$(id -u)" = 0 ] || skip "only root can become another user"
  chmod 755 "$BATS_TEST_TMPDIR"
  mkdir -p jail/large
  chown nobody jail/large
  start queue queue-inject --spool spool --resident "$PWD/jail/queue.sock" --socket-mode 666
  wait_for serves jail/queue.sock
  serve --user nobody --chroot "$PWD/jail" --message-directory /large --message-memory-max 10 --message-memfd-max 20 -- unix:/queue.sock
  [ "$(readlink "/proc/$(worker)/root")" = "$PWD/jail" ]
  local nobody
  nobody=$(id -u nobody)
  [ "$(status Uid)" = "$nobody $nobody $nobody $nobody" ]
  [ "$(status Groups)" = "$(id -g nobody)" ]
  for set in CapPrm CapEff CapInh CapAmb; do [ "$(status $set)" = 0000000000000000 ]; done
  [ "$(send | codes)" = "220 250 250 250 354 250 221" ]
  run -78 timeout 20 smtpd --listen 127.0.0.1:0 --chroot jail -- unix:/queue.sock
  [[ $output == *"server.user"* ]]
  run -78 timeout 20 smtpd --listen 127.0.0.1:0 --user nobody --chroot not-there -- unix:/queue.sock
  [[ $output == *"not-there"* ]]
}

@test "smtpd rights: --memory-max, and descriptors for --client-count-max" {
  queue
  serve_to_queue --memory-max 64m
  grep -q '^Max data size  *67108864  *67108864 ' "/proc/$(worker)/limits"
  [ "$(send | codes)" = "220 250 250 250 354 250 221" ]
  stop smtpd
  run -78 timeout 20 bash -c "ulimit -n 500; exec smtpd --listen 127.0.0.1:0 --client-count-max 1000 -- unix:$PWD/queue.sock"
  [[ $output == *"client_count_max = 1000 needs 1064 descriptors"*"may have 500"* ]]
  ulimit -n 500
  serve_to_queue
  grep -q 'warning few descriptors' smtpd.log
}
