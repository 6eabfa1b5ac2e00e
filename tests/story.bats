# One id leads through the logs of all programs (smtpd(8), DIAGNOSTICS).
load smtpd_helpers

setup() { cd "$BATS_TEST_TMPDIR"; }

# lines PROGRAM: the events of its log that one word finds, in their order.
events() { grep -F -- "$2" "$1.log" | awk '{ print $4 }' | paste -sd' '; }
# id_of EVENT LOG: the id of its Nth line.
id_of() { grep " $1 " "$2.log" | sed -n "${3:-1}s/.* id=\([^ ]*\).*/\1/p"; }

@test "story: the session's id finds all from the connection to the Maildir, the transaction's one message of several" {
  cat >main.vsl <<'END'
#{
  connect: [ rule "met" || { log_info("met"); next() } ],
  rcpt: [ rule "known" || { log("info", "known"); accept() } ],
  preq: [ rule "seen" || { print("seen"); accept() } ],
}
END
  queue-inject --make-spool --spool spool
  mkdir mail
  start vsl-filter vsl-filter --resident "$PWD/rules.sock" main.vsl
  start queue-inject queue-inject --spool spool --resident "$PWD/queue.sock"
  start deliver-maildir deliver-maildir --template "$PWD/mail/{user}" --create yes --resident "$PWD/maildir.sock"
  for socket in rules queue maildir; do wait_for serves $socket.sock; done
  start queue-run queue-run --spool spool --local-domains b.example --local-transport "unix:$PWD/maildir.sock"
  serve --policy "unix:$PWD/rules.sock" --relay-domains b.example -- "unix:$PWD/rules.sock" -- "unix:$PWD/queue.sock"
  { printf 'EHLO client.example\r\n'
    for n in 1 2; do printf 'MAIL FROM:<a@a.example>\r\nRCPT TO:<joe%s@b.example>\r\nDATA\r\nSubject: x\r\n\r\nhello\r\n.\r\n' $n; done
    printf 'QUIT\r\n'; } | say >said
  [ "$(codes <said)" = "220 250 250 250 354 250 250 250 354 250 221" ]
  wait_for grep -q delivery.*joe1@ queue-run.log
  wait_for grep -q delivery.*joe2@ queue-run.log

  session=$(id_of connect smtpd)
  [[ $session =~ ^[0-9A-Z]{18}$ ]]
  [ "$(events smtpd "$session")" = "connect mail rcpt accepted mail rcpt accepted" ]
  grep -q " rule id=$session text=met\$" vsl-filter.log
  for n in 1 2; do
    transaction=$session-$n
    [ "$(events smtpd "$transaction")" = "mail rcpt accepted" ]
    [ "$(events vsl-filter "$transaction" | tr ' ' '\n' | sort | uniq -c | tr -s ' \n' ' ')" = " 2 rule 2 rules " ]
    grep -q " rules id=$transaction stage=rcpt .*directive=known" vsl-filter.log
    grep -q " rules id=$transaction stage=preq .*directive=seen" vsl-filter.log
    for said in known seen; do grep -q " rule id=$transaction text=$said\$" vsl-filter.log; done
    [ "$(events queue-inject "$transaction")" = "queued" ]
    [ "$(events deliver-maildir "$transaction")" = "delivered" ]
    [ "$(events queue-run "$transaction")" = "delivery" ]
    # The queue's name for it is the same everywhere, and leads back.
    id=$(id_of queued queue-inject $n)
    [[ $id =~ ^[0-9A-Z]{18}$ && $id != "$session" ]]
    grep -q " accepted id=$transaction .*queued as $id" smtpd.log
    grep -q " delivered id=$id transaction=$transaction .*to=joe$n@b.example" deliver-maildir.log
    grep -q " delivery id=$id transaction=$transaction status=sent recipient=joe$n@b.example" queue-run.log
    [ "$(grep -cF "$transaction" mail/joe$n/new/*)" = 1 ]  # Received
  done
}

@test "story: relayed, refused by the next host, and told to the sender, with one id" {
  script far <<'END'
while read -r line; do [ -n "$line" ] || printf 'action=550 5.1.1 nobody\n\n'; done
END
  serve --policy 'rcpt=./far'
  next=$port
  mv smtpd.pid next.pid
  mv smtpd.log next.log
  queue-inject --make-spool --spool spool
  start deliver-remote deliver-remote --resident "$PWD/remote.sock"
  wait_for serves remote.sock
  serve -- queue-inject --spool "$PWD/spool"
  send joe@far.example >said
  grep -q '^250 2.0.0 Ok: queued as' said
  queue-run --spool spool --drain --log-destination queue-run.log --remote-transport "unix:$PWD/remote.sock" --relay-host "[127.0.0.1]:$next" --bounce yes 2>/dev/null
  transaction=$(id_of accepted smtpd)
  [[ $transaction == *-1 ]]
  [ "$(events smtpd "$transaction")" = "mail rcpt queued accepted" ]  # the last program of the chain writes to the same place
  grep -q " refused id=[0-9A-Z]* transaction=$transaction .*to=joe@far.example" deliver-remote.log
  grep -q " delivery id=[0-9A-Z]* transaction=$transaction status=failed" queue-run.log
  grep -q " notice id=[0-9A-Z]* transaction=$transaction notice=" queue-run.log
}

@test "story: given to a command, with one id" {
  cat >vsmtp.ini <<END
[queue]
spool = spool
[pipe]
user = $(id -un)
[transport "keep"]
program = deliver-pipe { /usr/bin/tee $PWD/{user} }
[relay "b.example"]
transport = keep
END
  export VSMTP_CONFIG=vsmtp.ini
  queue-inject --make-spool
  serve --relay-domains b.example -- queue-inject
  send joe@b.example >said
  grep -q '^250 2.0.0 Ok: queued as' said
  queue-run --drain 2>queue-run.log  # who is started for a delivery writes to the same place
  transaction=$(id_of accepted smtpd)
  [[ $transaction == *-1 ]]
  id=$(id_of queued smtpd)
  grep -q " deliver-pipe\[.* delivered id=$id transaction=$transaction from=a@a.example to=joe@b.example command=/usr/bin/tee" queue-run.log
  [ "$(events queue-run "$transaction")" = "delivered delivery" ]
  grep -qF "$transaction" joe
}

@test "story: two messages that a filter makes of one have one transaction and two ids" {
  script twice <<'END'
cat >"$0.msg"; cat <&1 >"$0.env"; cat <&3 >"$0.ctx"
for n in 1 2; do queue-inject --spool "$SPOOL" <"$0.msg" 1<"$0.env" 3<"$0.ctx" || exit; done
END
  queue-inject --make-spool --spool spool
  export SPOOL=$PWD/spool
  serve -- ./twice
  [ "$(send | codes)" = "220 250 250 250 354 250 221" ]
  transaction=$(id_of accepted smtpd)
  [ "$(grep -c " queued id=[0-9A-Z]* transaction=$transaction " smtpd.log)" = 2 ]
  [ "$(sed -n 's/.* queued id=\([^ ]*\).*/\1/p' smtpd.log | sort -u | wc -l)" = 2 ]
  [ "$(find spool/working -type f | wc -l)" = 2 ]
}

@test "story: what is injected by hand has the queue's id alone, and a terminal sees none" {
  queue-inject --make-spool --spool spool
  run queue-inject --spool spool -f a@a.example b@b.example <<<hello
  [ -z "$output" ]
  queue-inject --spool spool --log-destination log -f a@a.example b@b.example <<<hello
  grep -q ' queued id=[0-9A-Z]* from=a@a.example recipients=1 size=' log
  ! grep -q transaction log
}
