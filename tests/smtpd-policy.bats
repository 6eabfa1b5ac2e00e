# smtpd(8): the session question. Policies that are scripts, vsl-filter with rules, and the unchanged postgrey and policyd-spf of Debian.
load smtpd_helpers

setup() { cd "$BATS_TEST_TMPDIR" && make_keep; }

# A policy that keeps what it is asked in the file asked, and answers with the line of the file answer-STATE, or DUNNO.
make_policy() {
  script policy <<'EOF'
while read -r line; do
  echo "$line" >>asked
  case $line in protocol_state=*) state=${line#*=} ;; esac
  [ -n "$line" ] || { { cat answer-$state 2>/dev/null || echo action=DUNNO; } && echo; }
done
EOF
}
answers() { printf '%s\n' "${@:2}" >"answer-$1"; }
# reply N: the Nth reply to a small message, without lines that go on.
reply() { send "${@:2}" | tr -d '\r' | sed '/^[0-9]*-/d' | sed -n "$1p"; }
# What was asked at a stage, as name=value lines.
asked_at() { awk -v RS= -v state="protocol_state=$1" '$0 ~ "(^|\n)" state "\n"' asked; }

@test "smtpd: a policy is asked at each stage, with Postfix's attributes" {
  make_policy
  serve --policy ./policy
  [ "$(send b@b.example c@c.example | codes)" = "220 250 250 250 250 354 250 221" ]
  [ "$(grep protocol_state= asked | cut -d= -f2 | paste -sd' ')" = "CONNECT EHLO MAIL RCPT RCPT DATA" ]
  for line in request=smtpd_access_policy client_address=127.0.0.1 client_name=unknown server_address=127.0.0.1 "server_port=$port" queue_id= sasl_username= \
    encryption_protocol= state=; do
    [ "$(grep -cx "$line" asked)" = 6 ]
  done
  asked_at CONNECT | grep -qx 'helo_name='
  asked_at EHLO | grep -qx 'helo_name=client.example'
  asked_at MAIL | grep -qx 'sender=a@a.example'
  asked_at MAIL | grep -qx 'protocol_name=ESMTP'
  [ "$(asked_at RCPT | grep '^recipient=' | paste -sd' ')" = 'recipient=b@b.example recipient=c@c.example' ]
  [ "$(asked_at RCPT | grep '^recipients=' | paste -sd' ')" = 'recipients= recipients=b@b.example' ]
  [ "$(asked_at RCPT | grep '^recipient_count=' | sort -u)" = 'recipient_count=0' ]
  asked_at DATA | grep -qx 'recipient='
  asked_at DATA | grep -qx 'recipient_count=2'
  [ "$(grep '^instance=.' asked | sort -u | wc -l)" = 2 ] # before MAIL, and the transaction
  has_kept 1
}

@test "smtpd: what a policy refuses is refused, at that stage and with its words" {
  make_policy
  serve --policy ./policy
  local stage expected
  while IFS=: read -r stage expected; do
    rm -f answer-*
    answers "$stage" 'action=550 5.7.1 not so'
    [ "$(send | codes)" = "$expected" ]
    send | grep -q $'^550 5.7.1 not so\r$'
  done <<'EOF'
CONNECT:550
EHLO:220 550 503 503 503 500 500 500 500 221
MAIL:220 250 550 503 503 500 500 500 500 221
RCPT:220 250 250 550 554 500 500 500 500 221
DATA:220 250 250 250 550 500 500 500 500 221
EOF
  has_kept 0
  grep -q 'policy refuses .*client=127.0.0.1 helo=client.example from=a@a.example to=b@b.example reply="550 5.7.1 not so"' smtpd.log
}

@test "smtpd: every action of access(5)" {
  make_policy
  serve --policy ./policy
  rcpt() {
    answers RCPT "action=$1"
    reply 4
  }
  [ "$(rcpt REJECT)" = '554 5.7.1 Access denied' ]
  [ "$(rcpt 'reject go away')" = '554 5.7.1 go away' ]
  [ "$(rcpt 'DEFER 4.2.1 full')" = '450 4.2.1 full' ]
  [ "$(rcpt 'DEFER_IF_PERMIT later')" = '450 4.7.1 later' ]
  [ "$(rcpt 'DEFER_IF_REJECT later')" = '250 2.1.5 Ok' ]
  [ "$(rcpt '421 4.7.0 gone')" = '421 4.7.0 gone' ]
  [ "$(send | codes)" = "220 250 250 421" ]
  [ "$(rcpt 'OK whatever')" = '250 2.1.5 Ok' ]
  [ "$(rcpt 'INFO seen')" = '250 2.1.5 Ok' ]
  grep -q 'policy says .*policy=./policy stage=rcpt client=127.0.0.1 text=seen' smtpd.log
  [ "$(rcpt 'WARN odd')" = '250 2.1.5 Ok' ]
  grep -q 'warning policy warns .*policy=./policy stage=rcpt client=127.0.0.1 text=odd' smtpd.log
}

@test "smtpd: actions about the message reach the chain" {
  make_policy
  serve --policy ./policy
  answers RCPT 'action=PREPEND X-Seen: at rcpt'
  answers DATA 'action=HOLD have a look'
  send
  [ "$(head -n 1 kept/1.msg | tr -d '\r')" = 'X-Seen: at rcpt' ]
  sed -n 2p kept/1.msg | grep -q '^Received: '
  [ "$(jq -r '.queue + " " + .hold' kept/1.ctx)" = 'hold have a look' ]
  answers DATA 'action=FILTER smtp:[127.0.0.1]:10025'
  answers RCPT 'action=BCC archive@a.example'
  send
  [ "$(jq -c '[.envelop.rcpt[] | [.address, .transfer_method.Forward.Socket]]' kept/2.ctx)" = \
    '[["b@b.example","127.0.0.1:10025"],["archive@a.example","127.0.0.1:10025"]]' ]
  answers DATA 'action=DUNNO'
  send b@b.example c@c.example
  [ "$(grep ^T kept/3.env | paste -sd' ')" = 'Tb@b.example Tc@c.example Tarchive@a.example' ]
  answers RCPT 'action=REDIRECT only@r.example'
  send b@b.example c@c.example
  [ "$(grep ^T kept/4.env | paste -sd' ')" = 'Tonly@r.example' ]
  answers RCPT 'action=DISCARD'
  send | codes | grep -q '354 250 221$'
  has_kept 4
  grep -q 'discarded id=' smtpd.log
  # Nothing of an earlier transaction stays.
  rm answer-*
  send
  [ "$(grep ^T kept/5.env | paste -sd' ')" = 'Tb@b.example' ]
  grep -q X-Seen kept/5.msg && false
  [ "$(jq -r .queue kept/5.ctx)" = null ]
}

# greets_often NAME...: says EHLO with each, the second one after a MAIL that is given up, and sends a message then
greets_often() {
  printf 'EHLO %s\r\n' "$1"
  printf 'MAIL FROM:<gone@a.example>\r\n'
  printf 'EHLO %s\r\n' "${@:2}"
  printf 'MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nSubject: x\r\n\r\ntext\r\n.\r\nQUIT\r\n'
}

@test "smtpd: of several greetings the last one counts, for actions of policies" {
  make_policy
  serve --policy ./policy
  answers CONNECT 'action=PREPEND X-Connect: yes'
  answers EHLO 'action=PREPEND X-Helo: yes'
  answers MAIL 'action=PREPEND X-Mail: yes'
  greets_often one two three | say >out
  [ "$(codes <out)" = "220 250 250 250 250 250 250 354 250 221" ]
  [ "$(sed '/^Received/,$d' kept/1.msg | tr -d '\r' | paste -sd' ')" = 'X-Connect: yes X-Helo: yes X-Mail: yes' ]
}

@test "smtpd: of several greetings the last one counts, for rules of vsl-filter" {
  cat >main.vsl <<'EOF'
#{
  connect: [ action "c" || { append_header("X-Connect", "yes"); set_variable("names", "") } ],
  helo: [
    action "h" || { append_header("X-Helo", helo()); set_variable("names", get_variable("names") + helo()) },
    action "copy" || if helo() == "copied.example" { bcc("archive@b.example") },
    rule "aside" || if helo() == "odd.example" { quarantine("odd") } else { next() },
  ],
  mail: [ action "m" || append_header("X-Mail", get_variable("names")) ],
}
EOF
  vsl-filter --check main.vsl
  serve --policy 'vsl-filter --policy main.vsl' -- vsl-filter main.vsl -- ./keep
  greets_often copied.example other.example last.example | say >out
  [ "$(codes <out)" = "220 250 250 250 250 250 250 354 250 221" ]
  [ "$(grep '^X-' kept/1.msg | tr -d '\r' | paste -sd' ')" = 'X-Connect: yes X-Helo: last.example X-Mail: last.example' ]
  [ "$(grep ^T kept/1.env | paste -sd' ')" = 'Tb@b.example' ]
  # A status that ended the rules of the connection stays (vsl.md 2.4).
  greets_often odd.example last.example | say >out
  [ "$(codes <out)" = "220 250 250 250 250 250 354 250 221" ]
  [ "$(jq -r .quarantine kept/2.ctx)" = odd ]
  grep -q $'^X-Helo: odd.example\r$' kept/2.msg
}

@test "smtpd: a policy is asked only where it wants to be, from its answer on, in this session" {
  make_policy
  serve --policy ./policy
  answers CONNECT action=DUNNO stages=mail,rcpt,else
  send
  [ "$(grep protocol_state= asked | cut -d= -f2 | paste -sd' ')" = "CONNECT MAIL RCPT" ]
  rm asked answer-*
  # The last word counts; a name in front of the policy counts more.
  answers CONNECT action=DUNNO stages=
  send
  [ "$(grep protocol_state= asked | cut -d= -f2 | paste -sd' ')" = CONNECT ]
  rm asked
  stop smtpd
  serve --policy connect,mail=./policy
  answers CONNECT action=DUNNO stages=mail,rcpt,data
  answers MAIL action=DUNNO stages=connect
  printf 'EHLO c.example\r\nMAIL FROM:<a@a.example>\r\nRSET\r\nMAIL FROM:<a@a.example>\r\nQUIT\r\n' | say >/dev/null
  [ "$(grep protocol_state= asked | cut -d= -f2 | paste -sd' ')" = "CONNECT MAIL MAIL" ] # what is learnt from MAIL on is of the transaction
}

@test "smtpd: rules of the connection reach the message though no others are asked about it" {
  cat >main.vsl <<'EOF'
#{
  connect: [
    action "field" || append_header("X-Connect", "yes"),
    action "copy" || bcc("archive@b.example"),
  ],
  preq: [ action "tell" || append_header("X-Preq", "yes") ],
}
EOF
  start rules vsl-filter --resident "$PWD/rules.sock" main.vsl
  wait_for serves rules.sock
  serve --policy "unix:$PWD/rules.sock" -- "unix:$PWD/rules.sock" -- ./keep
  send
  grep -q $'^X-Connect: yes\r$' kept/1.msg
  grep -q $'^X-Preq: yes\r$' kept/1.msg
  [ "$(grep ^T kept/1.env | paste -sd' ')" = 'Tarchive@b.example Tb@b.example' ]
}

@test "smtpd: several policies in their order, each at its stages" {
  make_policy
  script second <<'EOF'
while read -r line; do
  case $line in protocol_state=*) echo "$line" >>asked-second ;; '') { cat answer-second && echo; } ;; esac
done
EOF
  echo action=DUNNO >answer-second
  serve --policy './policy -- mail,rcpt=./second'
  send
  [ "$(paste -sd' ' asked-second)" = 'protocol_state=MAIL protocol_state=RCPT' ]
  # Who says OK ends the asking, who is deferred may still be refused, and the other way round.
  answers RCPT action=OK
  echo 'action=REJECT no' >answer-second
  [[ "$(reply 3)" == '554 5.7.1 no'* ]]
  rm asked-second
  answers MAIL action=OK
  [ "$(send | codes)" = "220 250 250 250 354 250 221" ]
  [ ! -e asked-second ]
  rm answer-*
  echo action=DUNNO >answer-second
  answers RCPT 'action=DEFER_IF_PERMIT wait'
  [[ "$(reply 4)" == '450 4.7.1 wait'* ]]
  echo 'action=REJECT no' >answer-second
  answers MAIL action=OK
  [[ "$(reply 4)" == '554 5.7.1 no'* ]]
  answers RCPT 'action=DEFER_IF_REJECT wait'
  [[ "$(reply 4)" == '450 4.7.1 wait'* ]]
}

@test "smtpd: a policy that is dead, slow, killed or talks nonsense makes a 451, never a yes" {
  make_policy
  serve --policy "rcpt=unix:$PWD/nobody"
  [[ "$(reply 4)" == '451 4.3.5 Server configuration problem'* ]]
  grep -q 'warning policy failed .*policy=unix:.*nobody stage=rcpt client=127.0.0.1 cause=' smtpd.log
  stop smtpd
  serve --policy rcpt=./policy --policy-timeout 300ms
  local text
  for text in 'action=' 'action=WHAT' 'noaction=DUNNO' 'nonsense' 'action=FILTER lmtp:here'; do
    answers RCPT "$text"
    [[ "$(reply 4)" == '451 4.3.5 Server configuration problem'* ]]
  done
  script policy <<'EOF'
sleep 60
EOF
  stop smtpd
  serve --policy rcpt=./policy --policy-timeout 300ms
  [[ "$(reply 4)" == '451 4.3.5 '* ]]
  grep -q 'cause="no answer in time"' smtpd.log
  script policy <<'EOF'
read -r line
kill -KILL $$
EOF
  stop smtpd
  serve --policy rcpt=./policy --policy-default-action 'DEFER 4.3.2 the policy is ill'
  [[ "$(reply 4)" == '450 4.3.2 the policy is ill'* ]]
  has_kept 0
}

@test "smtpd: one session on its descriptors asks too" {
  make_policy
  answers RCPT 'action=REJECT no'
  printf 'EHLO c.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nQUIT\r\n' | smtpd --domain mx.example.org --relay-clients 0.0.0.0/0 --local-domains '*' --policy ./policy -- ./keep >out
  [ "$(codes <out)" = "220 250 250 554 221" ]
}

@test "smtpd: pipelined commands are answered in order, whatever the policy's pace" {
  script policy <<'EOF'
while read -r line; do
  case $line in recipient=slow*) sleep 0.3 ;; '') printf 'action=DUNNO\n\n' ;; esac
done
EOF
  serve --policy rcpt=./policy
  send slow@b.example quick@b.example slow2@b.example >out
  [ "$(codes <out)" = "220 250 250 250 250 250 354 250 221" ]
  has_kept 1
}

@test "smtpd: a client that leaves while its policy thinks costs nobody an answer" {
  script policy <<'EOF'
while read -r line; do
  case $line in recipient=slow*) sleep 1 ;; recipient=*) to=${line#*=} ;; '') printf 'action=REJECT %s\n\n' "$to" ;; esac
done
EOF
  serve --policy rcpt=./policy --policy-connection-max 1
  printf 'EHLO c.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<slow@b.example>\r\n' | timeout 0.3 socat - "TCP4:127.0.0.1:$port" || true
  [[ "$(reply 4 other@b.example)" == '554 5.7.1 other@b.example'* ]]
}

@test "smtpd: rules of vsl-filter decide at every stage and hand what they learnt to the message" {
  cat >main.vsl <<'EOF'
#{
  helo: [ rule "helo" || if helo() == "bad.example" { deny("550 5.7.1 not you") } else { next() } ],
  mail: [ action "learn" || set_variable("from mail", "learnt at mail") ],
  rcpt: [ rule "rcpt" || if rcpt().local_part == "nobody" { info("550 5.1.1 nobody of that name") } else { next() } ],
  preq: [ action "tell" || append_header("X-Learnt", get_variable("from mail")) ],
}
EOF
  local form
  for form in 'vsl-filter --policy main.vsl' "unix:$PWD/rules.sock"; do
    start rules vsl-filter --resident "$PWD/rules.sock" main.vsl
    wait_for serves rules.sock
    serve --policy "$form" -- vsl-filter main.vsl -- ./keep
    [ "$(send nobody@b.example b@b.example | codes)" = "220 250 250 550 250 354 250 221" ]
    grep -q $'^X-Learnt: learnt at mail\r$' kept/*.msg
    printf 'EHLO bad.example\r\n' | say >out
    [ "$(codes <out)" = "220 550" ]
    stop smtpd
    stop rules
    rm -rf kept keep.d.*
    mkdir kept
  done
}

@test "smtpd: Debian's postgrey greylists, unchanged" {
  mkdir db
  local grey
  grey=$(free_port)
  start postgrey postgrey --inet="127.0.0.1:$grey" --dbdir="$PWD/db" --user=root --group=root --delay=1
  wait_for_port "$grey"
  serve --policy "rcpt=inet:127.0.0.1:$grey"
  [[ "$(reply 4)" == '450 4.2.0 '*Greylisted* ]]
  passes() { [ "$(send | codes)" = "220 250 250 250 354 250 221" ]; }
  wait_for passes
  grep -q '^X-Greylist: delayed' kept/1.msg
}

@test "smtpd: Debian's policyd-spf checks senders, unchanged" {
  serve --policy 'rcpt=policyd-spf'
  # 127.0.0.1 is one of its own networks: it says so in a field, and asks no DNS.
  [ "$(send | codes)" = "220 250 250 250 354 250 221" ]
  grep -qi '^\(Received-SPF\|X-Comment\|Authentication-Results\)' kept/1.msg
}

# Rules that say which session they judge, in a resident vsl-filter; a sender that is slow waits a while.
make_resident_rules() {
  cat >main.vsl <<'END'
service shell cmd = #{ command: "sleep", args: ["0.3"], timeout: "5s" };
#{
  mail: [ rule "slow" || if mail_from().domain == "slow.example" { shell.run(); next() } else { next() } ],
  rcpt: [ rule "each its own" || if rcpt().local_part == mail_from().local_part { next() } else { deny("550 5.7.1 not yours, " + `${mail_from()}`) } ],
}
END
  start filter vsl-filter --resident "$PWD/rules.sock" main.vsl
  wait_for serves rules.sock
}
# A hundred sessions at once, each with one recipient that is its own and one that is not; prints the codes of each.
hundred_sessions() {
  python3 - "$port" "$@" <<'END'
import smtplib, sys, threading
port, domain = int(sys.argv[1]), sys.argv[2]
barrier, said = threading.Barrier(100, timeout=30), [None] * 100
def session(i):
    with smtplib.SMTP('127.0.0.1', port, timeout=30) as smtp:
        smtp.ehlo('client.example')
        barrier.wait()
        codes = [smtp.mail(f's{i}@{domain}')[0], smtp.rcpt(f's{i}@b.example')[0]]
        code, text = smtp.rcpt(f's{i + 1}@b.example')
        said[i] = f'{codes[0]} {codes[1]} {code}' + (' own' if f's{i}@{domain}' in text.decode() else '')
threads = [threading.Thread(target=session, args=(i,)) for i in range(100)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print('\n'.join(str(words) for words in said))
END
}

@test "smtpd: questions of a hundred sessions share a connection to a resident vsl-filter, and each gets its own answer" {
  make_resident_rules
  serve --workers 1 --policy "unix:$PWD/rules.sock"
  [ "$(hundred_sessions quick.example | sort | uniq -c | sed 's/^ *//')" = '100 250 250 550 own' ]
  # What remains is one connection for all, and those of the beginning, when smtpd did not know that it takes them so.
  local accepted
  accepted=$(grep -c "$(realpath rules.sock)$" /proc/net/unix)
  [ "$(hundred_sessions quick.example | sort | uniq -c | sed 's/^ *//')" = '100 250 250 550 own' ]
  [ "$(grep -c "$(realpath rules.sock)$" /proc/net/unix)" -le "$accepted" ]
  # Slow ones do not hold up the others on that connection.
  hundred_sessions slow.example >slow &
  local slow=$!
  [ "$(send a@b.example | codes)" = "220 250 250 250 354 250 221" ]
  wait "$slow"
  [ "$(sort slow | uniq -c | sed 's/^ *//')" = '100 250 250 550 own' ]
}

@test "smtpd: a resident vsl-filter that is killed while a hundred sessions ask makes 451, never a yes, and its successor is asked" {
  make_resident_rules
  serve --workers 1 --policy "unix:$PWD/rules.sock"
  [ "$(hundred_sessions quick.example | sort -u)" = '250 250 550 own' ]
  hundred_sessions slow.example >torn &
  local torn=$!
  wait_for pgrep -P "$(pid_of filter)" sleep
  stop filter KILL || true
  wait "$torn"
  # No session has got a yes to what the rules refuse; MAIL or RCPT fail for now.
  [ "$(wc -l <torn)" = 100 ]
  ! grep -qE ' 250$' torn
  grep -q 451 torn
  make_resident_rules
  [ "$(hundred_sessions quick.example | sort | uniq -c | sed 's/^ *//')" = '100 250 250 550 own' ]
}

@test "smtpd: a program that says it takes frames and answers nonsense is asked as Postfix would" {
  start liar python3 -c '
import socketserver, sys
class Liar(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            text = data.startswith(b"request=")
            self.request.sendall(b"action=REJECT\nframes=yes\n\n" if text else b"\0\0\0\0nonsense")
class Server(socketserver.ThreadingUnixStreamServer): daemon_threads, request_queue_size = True, 200
Server(sys.argv[1], Liar).serve_forever()' "$PWD/liar.sock"
  wait_for serves liar.sock
  serve --workers 1 --policy "rcpt=unix:$PWD/liar.sock"
  [ "$(hundred_sessions a.example | sort | uniq -c | sed 's/^ *//')" = '100 250 554 554' ]
}
