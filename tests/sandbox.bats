# server.sandbox of the programs that keep running: what they are for works inside, what they are not for does not.
load smtpd_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  PATH="$TOP/build/tests:$PATH"
  printf 'Date: Sun, 22 Nov 2026 12:00:00 +0000\r\nFrom: me@a.example\r\nMessage-ID: <1@a.example>\r\nSubject: x\r\n\r\nhello\r\n' >message
  elsewhere=$(mktemp -d /var/tmp/vsmtp-sandbox.XXXXXX)  # for messages that are large all programs have /tmp
}
teardown() {
  stop_all
  rm -rf "$elsewhere"
}

# resident PROGRAM [OPTION...]: on PROGRAM.sock.
resident() {
  rm -f "$1.sock"
  start "$1" "$@" --resident "$PWD/$1.sock"
  wait_for grep -q ' ready ' "$1.log"
  wait_for serves "$1.sock"
}
locks() { awk '/^NoNewPrivs|^Seccomp:/ { printf "%s ", $2 }' "/proc/$(pid_of "$1")/status"; }
# Inside with all locks: skipped where the kernel has none of them. Threads as the first one.
is_inside() {
  [ "$(locks "$1")" != "1 0 " ] || skip "no seccomp here"
  wait_for test "$(locks "$1")" = "1 2 "
  wait_for no_thread_outside "$1"
  ! grep -q 'sandbox in part' "$1.log" || skip "no Landlock here"
}
no_thread_outside() { ! grep -h '^Seccomp:' "/proc/$(pid_of "$1")"/task/*/status | grep -qv '2$'; }
is_outside() { [[ $(locks "$1") == "0 "* ]]; }
# No call that a program needs is missing.
none_refused() { ! grep -h '^sandbox: process .* refused$' ./*.log; }
make_call() { call --from me@a.example --to joe@b.example "$@"; }
deliver() { call --delivery --from me@a.example -- "unix:$PWD/deliver-maildir.sock" b.example me@a.example "$@" <message; }

@test "sandbox: queue-inject keeps its spool, small messages and large ones, and no other folder" {
  queue-inject --make-spool --spool spool
  mkdir -p spool/quarantine
  resident queue-inject --spool spool --log-message-limit 1k
  is_inside queue-inject
  make_call -- "unix:$PWD/queue-inject.sock" <message | grep -q '^taken'
  head -c 9000000 /dev/zero | tr '\0' x | fold -w 70 | make_call -- "unix:$PWD/queue-inject.sock" | grep -q '^taken'  # its line ends are mended, on a disk
  [ "$(qctl --spool spool list --json | grep -c '"id"')" = 2 ]
  ln -s "$elsewhere" spool/quarantine/odd
  run make_call --context '{"quarantine":"odd"}' -- "unix:$PWD/queue-inject.sock" <message
  [[ $output == temporary* ]]
  grep -q 'Permission denied' queue-inject.log
  none_refused
  stop queue-inject
  resident queue-inject --spool spool --sandbox no
  is_outside queue-inject
  make_call --context '{"quarantine":"odd"}' -- "unix:$PWD/queue-inject.sock" <message | grep -q '^taken'
  stop queue-inject
  resident queue-inject --spool spool --sandbox-folders "$elsewhere"
  is_inside queue-inject
  make_call --context '{"quarantine":"odd"}' -- "unix:$PWD/queue-inject.sock" <message | grep -q '^taken'
  [ "$(find "$elsewhere" -type f | wc -l)" = 2 ]
}

@test "sandbox: a spool that is named dir:PATH is open like one that is named PATH" {
  queue-inject --make-spool --spool "dir:$elsewhere/spool"
  resident queue-inject --spool "dir:$elsewhere/spool"
  is_inside queue-inject
  make_call -- "unix:$PWD/queue-inject.sock" <message | grep -q '^taken' || { cat queue-inject.log; false; }
}

@test "sandbox: deliver-maildir keeps the Maildirs below its template, and no other folder" {
  mkdir -p mail
  make_maildir "$elsewhere/ann"
  ln -s "$elsewhere/ann" mail/ann
  resident deliver-maildir --template "$PWD/mail/{user}" --create yes
  is_inside deliver-maildir
  deliver joe@b.example
  [ "$(find mail/joe/new -type f | wc -l)" = 1 ]
  run deliver ann@b.example
  [ -z "$(find "$elsewhere" -type f)" ]
  grep -q 'Permission denied' deliver-maildir.log
  none_refused
  stop deliver-maildir
  resident deliver-maildir --template "$PWD/mail/{user}" --sandbox no
  is_outside deliver-maildir
  deliver ann@b.example
  [ "$(find "$elsewhere/ann/new" -type f | wc -l)" = 1 ]
}

@test "sandbox: deliver-maildir stays outside while the folder of its Maildirs is not there" {
  resident deliver-maildir --template "$PWD/mail/{user}" --create yes
  is_outside deliver-maildir
  mkdir mail
  deliver joe@b.example
  [ "$(find mail/joe/new -type f | wc -l)" = 1 ]
  run -78 timeout 20 deliver-maildir --template "$PWD/nowhere/{user}" --sandbox yes --resident "$PWD/other.sock"
  [[ $output == *"server.sandbox = yes"*"nowhere"* ]]
}

# remote [OPTION...]: a resident deliver-remote that asks the server on $port for a certificate of ca.crt.
remote() { resident deliver-remote --domain me.example --tls-level verify --tls-names localhost "$@"; }
send() { call --delivery --from me@a.example -- "unix:$PWD/deliver-remote.sock" "[127.0.0.1]:$port" me@a.example joe@b.example <message; }

@test "sandbox: deliver-remote keeps the network and the files of TLS and of log-ins, and no others" {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem 2>/dev/null
  printf 'secret' | auth-hash --plain pat >users
  printf 'secret\n' >"$elsewhere/password"
  chmod 600 users "$elsewhere/password"
  mkdir authorities
  cp cert.pem "$elsewhere/cert.pem"
  ln -s "$elsewhere/cert.pem" authorities/one.pem
  make_keep
  serve --certificate cert.pem --private-key key.pem --password-file users --mechanisms PLAIN
  remote --tls-authorities "$PWD/authorities" --user pat --password-file "$elsewhere/password"
  is_inside deliver-remote
  send | grep -q '^r'
  grep -q 'tls=yes' smtpd.log
  grep -q 'user=pat' smtpd.log
  none_refused
  stop deliver-remote
  mv "$elsewhere/cert.pem" cert2.pem
  remote --tls-authorities "$PWD/authorities" --user pat --password-file "$PWD/users"  # what it leads to is made later, in a folder that was not named
  is_inside deliver-remote
  mv cert2.pem "$elsewhere/cert.pem"
  ! send | grep -q '^r' || false
  stop deliver-remote
  remote --tls-authorities "$PWD/authorities" --sandbox no
  is_outside deliver-remote
}

@test "sandbox: deliver-remote knows the links of this machine from inside" {
  resident deliver-remote
  is_inside deliver-remote
  run call --delivery --from me@a.example -- "unix:$PWD/deliver-remote.sock" "[IPv6:fe80::1%lo]:9" me@a.example joe@b.example <message
  [[ $output == *'451 4.4.1 connect to'* ]]
  none_refused
}

@test "sandbox: mime-check needs nothing at all" {
  resident mime-check --mark X-Mime
  is_inside mime-check
  script keep <<'END'
cat >kept; printf 'K250 ok' >&6
END
  make_call -- "unix:$PWD/mime-check.sock" -- ./keep <message
  grep -q hello kept
  { cat message; { head -c 9000000 /dev/zero | tr '\0' x | fold -w 900; echo; } | crlf; } | make_call -- "unix:$PWD/mime-check.sock" -- ./keep
  [ "$(wc -c <kept)" -gt 9000000 ]
  none_refused
  stop mime-check
  resident mime-check --sandbox no
  is_outside mime-check
}

@test "sandbox: vsl-filter keeps the files that its rules and services name, and those that functions write" {
  mkdir -p rules data app state
  printf 'one\ntwo\n' >rules/list.txt
  printf 'a.example,known\n' >data/senders.csv
  echo secret >"$elsewhere/secret"
  cat >rules/main.vsl <<END
service senders db:csv = #{ connector: "$PWD/data/senders.csv", access: "O_RDWR" };
service seen db:sqlite = #{ path: "$PWD/data/seen.db" };
object words file:string = "list.txt";
#{
  preq: [
    action "csv" || if senders.get("a.example") != [] { append_header("X-Csv", "yes") },
    action "sqlite" || { seen.query("create table if not exists t (x)"); seen.query("insert into t values (1)"); append_header("X-Sqlite", "yes") },
    action "set" || { senders.set(["b.example", "new"]); append_header("X-Set", "yes") },
    action "write" || { write("copies"); append_header("X-Write", "yes") },
    action "rate" || if rate::count("k", 10) == 0 { append_header("X-Rate", "yes") },
    action "breach" || { try { file("$elsewhere/secret", "string"); append_header("X-Breach", "yes") } catch (e) { append_header("X-Breach", "no") } },
  ],
}
END
  script keep <<'END'
cat >kept; printf 'K250 ok' >&6
END
  settings=(--app-directory "$PWD/app" --state-directory "$PWD/state/rules")
  resident vsl-filter "${settings[@]}" rules/main.vsl
  is_inside vsl-filter
  make_call -- "unix:$PWD/vsl-filter.sock" -- ./keep <message
  for name in Csv Sqlite Set Write Rate; do grep -q "^X-$name: yes" kept || { cat kept vsl-filter.log; return 1; }; done
  grep -q '^X-Breach: no' kept
  [ "$(find app/copies -name '*.eml' | wc -l)" = 1 ]
  grep -q '^b.example,new' data/senders.csv
  # Rules are read again, from the same folders.
  sed -i 's/X-Csv/X-Again/' rules/main.vsl
  kill -HUP "$(pid_of vsl-filter)"
  wait_for grep -q 'rules loaded' vsl-filter.log
  make_call -- "unix:$PWD/vsl-filter.sock" -- ./keep <message
  grep -q '^X-Again: yes' kept
  none_refused
  # New ones that start programs could not.
  echo '#{ preq: [ action "a" || { process::run(#{args: ["true"]}); } ] }' >rules/main.vsl
  kill -HUP "$(pid_of vsl-filter)"
  wait_for grep -q 'rules are not taken.*sandbox.*expected: a restart' vsl-filter.log
  make_call -- "unix:$PWD/vsl-filter.sock" -- ./keep <message
  grep -q '^X-Again: yes' kept
  stop vsl-filter
}

@test "sandbox: vsl-filter stays outside where its rules start programs, whatever way; --sandbox yes and no" {
  echo '#{ preq: [ action "a" || { process::run(#{args: ["touch", "ran"]}); } ] }' >process.vsl
  printf 'service c cmd = #{ command: "touch", args: ["ran"] };\n#{ preq: [ action "a" || { c.run(); } ] }' >service.vsl
  for rules in process service; do
    rm -f ran
    resident vsl-filter $rules.vsl
    is_outside vsl-filter
    make_call -- "unix:$PWD/vsl-filter.sock" -- sh -c "printf 'K250 ok' >&6" <message
    [ -e ran ]
    stop vsl-filter
    run -78 timeout 20 vsl-filter --sandbox yes --resident "$PWD/yes.sock" $rules.vsl
    [[ $output == *"server.sandbox = yes"* ]]
  done
  echo '#{}' >main.vsl
  resident vsl-filter --sandbox no main.vsl
  is_outside vsl-filter
}
