# Every program exec'd: a queue-inject for each message, then queue-run, which execs a transport for each delivery. Some mail is
# deferred at first, some fails for good and its senders are told; a message is held and released by hand.
inject() { queue-inject --spool "$SPOOL" <"letters/$1" 1<"letters/$1.envelope" 6>"$1.reply"; }
run() { queue-run --spool "$SPOOL" $SETTINGS --local-transport "$TRANSPORT" "$@"; }

inject 0
run --drain
inject 1 & inject 2 & inject 3 & wait
run --drain
inject 4
inject 5
run --drain
LATER_IS_NOW=yes run --drain --now
queue-inject --spool "$SPOOL" --queue hold <letters/6 1<letters/6.envelope 6>6.reply
qctl --spool "$SPOOL" release "$(sed 's/.*queued as //' 6.reply)"
run --drain
