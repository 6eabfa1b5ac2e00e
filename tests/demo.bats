load helpers

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }
open_folder=
teardown() {
  stop_all
  [ -z "$open_folder" ] || rm -rf "$open_folder"
}

# start_up [ARGUMENT...]: a server in ./data on $port that has said all it has to say.
start_up() {
  port=$(free_port)
  start vsmtp vsmtp up --dir data --port "$port" "$@"
  wait_for grep -q 'Stop with Ctrl-C' vsmtp.log
}
# ends_with CODE NAME [SIGNAL]: stops it and compares. Not in a $(...), which could not wait for it.
ends_with() {
  local code=0
  stop "${@:2}" || code=$?
  [ "$code" = "$1" ]
}
send() { swaks --silent 2 --server "127.0.0.1:$port" --helo client.example --from you@example.com "$@"; }
has_mail() { [ "$(find "data/mail/$1/new" -type f 2>/dev/null | wc -l)" = "$2" ]; }
# pids_of [PROGRAM]: of those that serve this folder.
pids_of() { pgrep -f -- "^${1-[a-z-]+} --config $PWD/data/" || true; }
none_left() { [ -z "$(pids_of)" ]; }

@test "vsmtp demo: everything happens, in order, and nothing is left behind" {
  mkdir tmp
  run -0 env TMPDIR="$PWD/tmp" vsmtp demo
  for words in 'X-Filtered-By: add-field.sh' '< 554 5.7.1 We do not want to hear of "lottery"' 'X-Rcpt-Args: <carol@far.example>' \
    'DEFERRED   1 message' 'Connection refused' '1 message is tried now' 'All of it happened.'; do
    [[ $output == *"$words"* ]] || { echo "missing: $words"; return 1; }
    output=${output#*"$words"}
  done
  [ -z "$(ls tmp)" ]
  [ -z "$(pgrep -f -- "--config $PWD/tmp/" || true)" ]
}

@test "vsmtp demo: a step that does not happen is an error" {
  mkdir tmp fake
  printf '#!/bin/sh\nexit 0\n' >fake/swaks
  chmod +x fake/swaks
  run -1 env TMPDIR="$PWD/tmp" PATH="$PWD/fake:$PATH" vsmtp demo
  [[ $output == *"This should have happened, and did not: it is in alice's Maildir"* ]]
  [ -z "$(ls tmp)" ]
  [ -z "$(pgrep -f -- "--config $PWD/tmp/" || true)" ]
}

@test "vsmtp demo: --keep leaves the folder" {
  mkdir tmp
  run -0 env TMPDIR="$PWD/tmp" vsmtp demo --keep
  [ -n "$(find tmp/*/mail/demo.example/alice/new -type f)" ]
}

@test "vsmtp up: mail arrives, by the way of a filter, and SIGTERM stops everything with exit code 0" {
  start_up -- "$TOP/examples/filters/add-field.sh" 'X-Hello: world'
  send --to me@example.org
  wait_for has_mail example.org/me 1
  grep -q '^X-Hello: world' data/mail/example.org/me/new/*
  run -0 qctl --config data/vsmtp.ini
  [[ $output != *"No queue-run"* ]]
  ends_with 0 vsmtp
  none_left
  run ! is_listening "$port"
}

@test "vsmtp up: SIGINT stops everything too, and what is queued waits for the next time" {
  local far
  far=$(free_port)
  start_up --relay "[127.0.0.1]:$far"
  send --to them@far.example
  is_deferred() { [ "$(qctl --config data/vsmtp.ini list deferred --json | wc -l)" = 1 ]; }
  wait_for is_deferred
  ends_with 0 vsmtp TERM
  start_up
  wait_for is_deferred
  ends_with 0 vsmtp HUP
  none_left
}

@test "vsmtp up: Ctrl-C on its terminal stops everything" {
  port=$(free_port)
  # A shell without job control starts its background jobs with SIGINT ignored, and all behind them would ignore it too.
  # exec: script(1) starts a shell of the user's choice, which Ctrl-C would end as well, with its own 130.
  { wait_for grep -q 'Stop with Ctrl-C' vsmtp.log; printf '\003'; wait_for none_left; } |
    timeout 60 env --default-signal=INT script -qec "exec vsmtp up --dir data --port $port" /dev/null >vsmtp.log
  none_left
}

@test "vsmtp up: stops everything also when nobody reads its log any more" {
  port=$(free_port)
  mkfifo log
  start reader cat log
  start vsmtp bash -c 'exec vsmtp up --dir data --port "$1" >log 2>&1' - "$port"
  wait_for grep -q 'Stop with Ctrl-C' reader.log
  stop reader || true
  kill -TERM "$(pid_of vsmtp)"
  wait_for none_left
}

@test "vsmtp up: killed by -9 it leaves nothing running" {
  start_up
  wait_for eval '! none_left'
  kill -KILL "$(pid_of vsmtp)"
  wait_for none_left
  wait_for eval '! pgrep -f "vsmtp up --dir data --port $port"'
}

@test "vsmtp up: --rules decides at each stage and on the message, and wants rules without errors" {
  cat >main.vsl <<'EOF'
#{
  helo: [ rule "helo" || if helo() == "bad.example" { deny("550 5.7.1 not you") } else { next() } ],
  rcpt: [ rule "rcpt" || if rcpt().local_part == "nobody" { info("550 5.1.1 nobody of that name") } else { next() } ],
  preq: [ action "stamp" || append_header("X-Checked", "yes") ],
}
EOF
  start_up --rules main.vsl
  run ! send --helo bad.example --to me@example.org
  [[ "$output" == *'550 5.7.1 not you'* ]]
  run ! send --to nobody@example.org
  [[ "$output" == *'550 5.1.1 nobody of that name'* ]]
  send --to me@example.org
  wait_for has_mail example.org/me 1
  grep -q '^X-Checked: yes' data/mail/example.org/me/new/*
  ends_with 0 vsmtp TERM
  none_left
  sed -i 's/next()/nxt()/' main.vsl
  run -1 vsmtp up --dir data --port "$port" --rules main.vsl
  [[ "$output" == *"main.vsl:2:"*"nxt"*"vsmtp: fatal: the rules have errors: main.vsl"* ]]
  none_left
}

@test "vsmtp up: rules that delegate get a listener where their content filter, and nobody else, brings messages back" {
  local filter_port receiver
  filter_port=$(free_port) receiver=$(free_port)
  mkdir seen
  start filter "$BATS_TEST_DIRNAME/tools/content_filter.py" "$filter_port" "$receiver" seen
  wait_for_port "$filter_port"
  cat >main.vsl <<EOF
service av smtp = #{ delegator: #{ address: "127.0.0.1:$filter_port" }, receiver: "127.0.0.1:$receiver", clients: ["127.0.0.1"] };
service unused smtp = #{ delegator: #{ address: "127.0.0.1:9" }, receiver: "127.0.0.1:9" };
#{
  rcpt: [ rule "rcpt" || if rcpt().local_part == "nobody" { info("550 5.1.1 nobody of that name") } else { next() } ],
  postq: [ delegate av "scan" || next() ],
}
EOF
  # What the server asks of its clients is nothing to the filter.
  mkdir data
  printf '[server]\ndomain = example.org\n[delivery]\nlocal_domains = example.org\n[queue]\nspool = %s/data/spool\nlocal_transport = unix:%s/data/run/maildir
remote_transport = unix:%s/data/run/remote\n[maildir]\ntemplate = %s/data/mail/{domain}/{local}\ncreate = yes\n[smtp]\nrcpt_count_max = 2\nmessage_size_max = 2000
[aliases]\nfiles = %s/aliases\n' "$PWD" "$PWD" "$PWD" "$PWD" "$PWD" >data/vsmtp.ini
  echo 'me: you' >aliases
  start_up --rules main.vsl
  grep -q "Content filters bring messages back on 127.0.0.1:$receiver\$" vsmtp.log
  head -c 1500 /dev/zero | tr '\0' x | fold -w 70 >body
  send --to me@example.org --body @body
  wait_for has_mail example.org/you 1 || { cat vsmtp.log; false; }
  grep -q '^X-Scanned: yes' data/mail/example.org/you/new/*
  grep -q 'stage=postq; directive="scan"' seen/1.msg
  run ! swaks --server "127.0.0.1:$receiver" --local-interface 127.0.0.2 --to me@example.org
  [[ $output == *'554 5.7.1 Client host rejected: messages come back from content filters here'* ]]
  run ! swaks --server "127.0.0.1:$receiver" --to me@example.org
  [[ $output == *'500 5.7.1 Delegation header not found'* ]]
  ends_with 0 vsmtp
  none_left
  run ! is_listening "$receiver"
  # Without a directive nothing is open; a port that is taken is named.
  sed -i 's/delegate av "scan"/rule "scan"/' main.vsl
  start_up --rules main.vsl
  run ! grep -q 'bring messages back' vsmtp.log
  run ! is_listening "$receiver"
  ends_with 0 vsmtp
  sed -i "s/rule \"scan\"/delegate av \"scan\"/; s/$receiver/$filter_port/" main.vsl
  run -1 vsmtp up --dir data --port "$port" --rules main.vsl
  [ "$output" = "vsmtp: fatal: port $filter_port is taken, and the rules name 127.0.0.1:$filter_port as the receiver of a content filter" ]
}

@test "vsmtp up: a configuration of a few lines serves servers and users under TLS, with rules at each stage" {
  local domain relay submission submissions
  open_folder=$(mktemp -d /tmp/vsmtp-up.XXXXXX)  # that other users may enter
  chmod 755 "$open_folder"
  cd "$open_folder"
  relay=$(free_port) submission=$(free_port) submissions=$(free_port)
  for domain in mx.example.org mx.example.net; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$domain" -keyout "$domain.key" -out "$domain.crt" 2>/dev/null
  done
  printf secret | auth-hash --scram ann@example.org >users
  chmod 600 users
  [ "$(id -u)" != 0 ] || chown nobody users  # smtpd reads it as the user it becomes
  mkdir data
  cat >data/vsmtp.ini <<EOF
[server]
domain = mx.example.org
$([ "$(id -u)" != 0 ] || echo 'user = nobody')

[smtp]
listen = 127.0.0.1:$relay
listen_submission = $submission
listen_submissions = 127.0.0.1:$submissions
relay_clients = 192.0.2.1

[tls]
certificate = $PWD/mx.example.org.crt
private_key = $PWD/mx.example.org.key

[auth]
password_file = $PWD/users

[delivery]
local_domains = example.org example.net

[virtual "mx.example.net"]
certificate = $PWD/mx.example.net.crt
private_key = $PWD/mx.example.net.key
EOF
  cat >main.vsl <<'EOF'
#{
  connect: [ rule "blocked" || if client_ip() == "127.0.0.66" { deny("554 5.7.1 not from there") } else { next() } ],
  helo: [ rule "liar" || if helo() == "mx.example.org" { deny("554 5.7.1 that is my name") } else { next() } ],
  authenticate: [ action "tell" || log("info", "somebody logs in") ],
  mail: [ rule "spam" || if mail_from().domain == "spam.example" { deny("554 5.7.1 no spam") } else { next() } ],
  rcpt: [ rule "nobody" || if rcpt().local_part == "nobody" { info("550 5.1.1 nobody of that name") } else { next() } ],
  preq: [ action "stamp" || append_header("X-Checked", "yes") ],
  postq: [ action "stamp again" || append_header("X-Off-Line", "yes") ],
}
EOF
  start vsmtp vsmtp up --dir data --rules main.vsl
  wait_for grep -q 'Stop with Ctrl-C' "$BATS_TEST_TMPDIR/vsmtp.log"
  grep -qxF "The server listens on 127.0.0.1:$relay $submission 127.0.0.1:$submissions. It is configured in $PWD/data/vsmtp.ini" "$BATS_TEST_TMPDIR/vsmtp.log"
  from() { swaks --silent 2 --helo client.example --from "$@"; }
  # Another server, in the clear and under TLS.
  from you@example.com --to me@example.org --server "127.0.0.1:$relay"
  from you@example.com --to me@example.net --server "127.0.0.1:$relay" --tls
  run ! from you@example.com --to me@elsewhere.example --server "127.0.0.1:$relay"
  [[ $output == *'550 5.7.1 Relaying denied'* ]]
  # Users: only under TLS, and only those who say who they are; then to anywhere.
  run ! from ann@example.org --to me@example.org --server "127.0.0.1:$submission" --auth-user ann@example.org --auth-password secret
  from ann@example.org --to me@example.org --server "127.0.0.1:$submission" --tls --auth LOGIN --auth-user ann@example.org --auth-password secret
  from ann@example.org --to me@example.org --server "127.0.0.1:$submissions" --tls-on-connect --auth PLAIN --auth-user ann@example.org --auth-password secret
  run ! from ann@example.org --to me@example.org --server "127.0.0.1:$submissions" --tls-on-connect --auth PLAIN --auth-user ann@example.org --auth-password wrong
  [[ $output == *'535 5.7.8'* ]]
  # Each name its certificate.
  [[ $(openssl s_client -connect "127.0.0.1:$submissions" -servername mx.example.net </dev/null 2>/dev/null) == *"subject=CN = mx.example.net"* ]]
  [[ $(openssl s_client -connect "127.0.0.1:$relay" -starttls smtp -servername mx.example.org </dev/null 2>/dev/null) == *"subject=CN = mx.example.org"* ]]
  # Rules at each stage.
  run ! from you@example.com --to me@example.org --server "127.0.0.1:$relay" --local-interface 127.0.0.66
  [[ $output == *'554 5.7.1 not from there'* ]]
  run ! swaks --silent 2 --helo mx.example.org --from you@example.com --to me@example.org --server "127.0.0.1:$relay"
  [[ $output == *'554 5.7.1 that is my name'* ]]
  run ! from you@spam.example --to me@example.org --server "127.0.0.1:$relay"
  [[ $output == *'554 5.7.1 no spam'* ]]
  run ! from you@example.com --to nobody@example.org --server "127.0.0.1:$relay"
  [[ $output == *'550 5.1.1 nobody of that name'* ]]
  grep -q 'somebody logs in' "$BATS_TEST_TMPDIR/vsmtp.log"
  wait_for has_mail example.org/me 3
  wait_for has_mail example.net/me 1
  grep -q '^X-Checked: yes' data/mail/example.net/me/new/* && grep -q '^X-Off-Line: yes' data/mail/example.net/me/new/*
  # Nothing runs as root, nothing belongs to root; and what is started again is that user too.
  if [ "$(id -u)" = 0 ]; then
    kill -KILL "$(pids_of deliver-remote)"
    wait_for grep -qx 'vsmtp: deliver-remote ended with exit code 137; starting it again' "$BATS_TEST_TMPDIR/vsmtp.log"
    wait_for pgrep -f -- "^deliver-remote --config $PWD/data/"
    [ "$(ps -o user= -p "$(pids_of | paste -sd,)" | sort -u)" = nobody ]
    [ -z "$(find data/spool data/mail -user root)" ]
  fi
  ends_with 0 vsmtp TERM
  none_left
}

@test "vsmtp up: needs no privileges, and takes no user from the environment" {
  mkdir fake
  printf '#!/bin/sh\necho 1000\n' >fake/id
  chmod +x fake/id
  port=$(free_port)
  start vsmtp env user=daemon as_user=false PATH="$PWD/fake:$PATH" vsmtp up --dir data --port "$port"
  wait_for grep -q 'Stop with Ctrl-C' vsmtp.log
  run ! grep -q 'runs as root' vsmtp.log
  send --to me@example.org
  wait_for has_mail example.org/me 1
  ends_with 0 vsmtp
}

@test "vsmtp up: what root has served belongs to the user that is named afterwards" {
  [ "$(id -u)" = 0 ] || skip 'root starts programs as others only'
  open_folder=$(mktemp -d /tmp/vsmtp-up.XXXXXX)
  chmod 755 "$open_folder"
  cd "$open_folder"
  port=$(free_port)
  start vsmtp vsmtp up --dir data --port "$port"
  wait_for grep -q 'Stop with Ctrl-C' "$BATS_TEST_TMPDIR/vsmtp.log"
  grep -qF "vsmtp: runs as root; better is a user of its own: 'user = NAME' under [server] in $PWD/data/vsmtp.ini" "$BATS_TEST_TMPDIR/vsmtp.log"
  send --to me@example.org
  wait_for has_mail example.org/me 1
  ends_with 0 vsmtp
  sed -i 's/^\[server\]$/&\nuser = nobody/' data/vsmtp.ini
  start vsmtp vsmtp up --dir data --port "$port"
  wait_for grep -q 'Stop with Ctrl-C' "$BATS_TEST_TMPDIR/vsmtp.log"
  send --to me@example.org
  wait_for has_mail example.org/me 2
  [ -z "$(find data/spool data/mail data/run -not -user nobody)" ]
  ends_with 0 vsmtp
}

@test "vsmtp up: a program that dies is started again" {
  start_up
  local program pid
  for program in queue-inject deliver-maildir deliver-remote queue-run smtpd; do
    pid=$(pids_of $program | head -n 1)  # of smtpd the parent
    kill -KILL "$pid"
    another() { [ -n "$(pids_of $program)" ] && ! pids_of $program | grep -qx "$pid"; }
    wait_for another
    grep -q "vsmtp: $program ended with exit code 137; starting it again" vsmtp.log
  done
  wait_for_port "$port"
  wait_for send --to me@example.org
  wait_for has_mail example.org/me 1
}

@test "vsmtp up: a port that is taken is named" {
  start_up
  run -1 vsmtp up --dir other --port "$port"
  [ "$output" = "vsmtp: fatal: port $port is taken; choose another one with --port" ]
}

@test "vsmtp up: a folder in which a server runs is left alone" {
  start_up
  run -1 vsmtp up --dir data --port "$(free_port)"
  [ "$output" = "vsmtp: fatal: a server runs in $PWD/data already; stop it, or choose another folder with --dir" ]
  send --to me@example.org
  wait_for has_mail example.org/me 1
}

@test "vsmtp up: what is not looked at because the folder has a configuration, it says" {
  start_up
  ends_with 0 vsmtp
  start_up --domain example.net --relay '[127.0.0.1]:9'
  grep -qxF "vsmtp: not looked at: --domain --relay; $PWD/data/vsmtp.ini is there already and says it" vsmtp.log
  grep -q 'swaks .* --to me@example.org$' vsmtp.log
}

@test "vsmtp: a wrong command line exits 64" {
  run -64 vsmtp
  run -64 vsmtp down
  run -64 vsmtp up --color
  run -64 vsmtp up --port
  local port
  for port in smtp 0 65536 999999; do
    run -64 vsmtp up --port $port
    [ "$output" = "vsmtp: fatal: --port: '$port'; expected: a number from 1 to 65535 (see --help)" ]
  done
  run -64 vsmtp up --dir 'with blanks'
  run -64 vsmtp up -- mime-check -- no-such-filter
  [ "$output" = "vsmtp: fatal: no program 'no-such-filter' for the chain (see --help)" ]
  run -64 vsmtp demo fast
  run -0 vsmtp --help
  mandoc -Tlint -Wwarning "$TOP/bin/vsmtp.1"
}
