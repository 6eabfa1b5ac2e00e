# Every program resident: queue-inject with its log, deliver-maildir with its batches, queue-run between them. Some mail is
# deferred and leaves the log for files, some is too large for it, some fails and its senders are told. All ends and begins again.
start() {
  queue-inject --spool "$SPOOL" --resident "$PWD/queue.sock" --segment-size 64k --log-message-limit 8k &
  inject=$!
  deliver-maildir --resident "$PWD/maildir.sock" --template "$MAIL/{user}" --create yes --local-domains d.test &
  deliver=$!
  queue-run --spool "$SPOOL" $SETTINGS --local-transport "unix:$PWD/maildir.sock" 2>run.log &
  run=$!
  until [ -S queue.sock ] && [ -S maildir.sock ] && [ -S "$SPOOL/queue-run.sock" ]; do sleep 0.01; done
}
stop() {
  kill -TERM $inject $run
  wait $inject $run
  kill -TERM $deliver
  wait $deliver
  rm -f queue.sock maildir.sock
}
# send NUMBER...: all at once
send() {
  senders=
  for number; do
    call $(cat "letters/$number.options") -- "unix:$PWD/queue.sock" <"letters/$number" >"$number.answer" &
    senders="$senders $!"
  done
  wait $senders
}

start
send 0 1 2 3
send 4 5 6 7
sleep 0.3
send 8 9 10 11 12 13 14 15
stop
start
send 16 17 18 19
sleep 0.2
stop
LATER_IS_NOW=yes queue-run --spool "$SPOOL" $SETTINGS --local-transport "$TRANSPORT" --drain --now
