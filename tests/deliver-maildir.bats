# deliver-maildir(8): by hand, as a delivery call, as a member of a chain, resident; read back by Dovecot. What happens when
# disks are full, fail, or the program is killed is in deliver-maildir-faults.bats.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  PATH="$TOP/build/tests:$PATH"
  mkdir mail
  printf 'From: me@example.com\r\nSubject: hello\r\n\r\nbody\r\n' >message
  printf 'From: me@example.com\nSubject: hello\n\nbody\n' >message.lf
}

TEMPLATE='mail/{domain}/{user}'
# A mailbox of the template: mailbox joe@example.org
mailbox() { make_maildir "mail/${1#*@}/${1%@*}"; }
deliver() { deliver-maildir --template "$TEMPLATE" --log-destination log "$@" <message; }
# The report of a delivery call, NULs as line ends.
report() { deliver "$@" | tr '\0' '\n'; }
files() { find "${1:-mail}" -path '*/new/*' -type f | sort; }
count() { files "$@" | wc -l; }
nothing_in_tmp() { [ -z "$(find "${1:-mail}" -path '*/tmp/*')" ]; }

@test "deliver-maildir: by hand, a message is stored as it is, with LF, for its owner only" {
  make_maildir md
  run -0 deliver-maildir --maildir md <message
  [ -z "$output" ]
  [ "$(count md)" = 1 ]
  cmp md/new/* message.lf
  [ "$(stat -c %a md/new/*)" = 600 ]
  nothing_in_tmp md
  deliver-maildir --maildir md <message.lf
  [ "$(count md)" = 2 ]
  [ "$(sort -u <(md5sum <message.lf) <(for file in md/new/*; do md5sum <"$file"; done) | wc -l)" = 1 ]
}

@test "deliver-maildir: the name of a file tells time, host and both sizes" {
  make_maildir md
  deliver-maildir --maildir md --domain mx.example.org <message
  [[ $(ls md/new) =~ ^[0-9]+\.M[0-9]+P[0-9]+Q1\.mx\.example\.org,S=$(stat -c %s message.lf),W=$(stat -c %s message)$ ]]
  rm md/new/*
  deliver-maildir --maildir md --domain 'a/b:c' --size-in-name no <message
  [[ $(ls md/new) =~ ^[0-9]+\.M[0-9]+P[0-9]+Q1\.a\\057b\\072c$ ]]
}

@test "deliver-maildir: line_end crlf stores CR LF" {
  make_maildir md
  deliver-maildir --maildir md --line-end crlf <message.lf
  cmp md/new/* message
}

@test "deliver-maildir: -f puts a Return-Path in front and removes older ones" {
  make_maildir md
  { printf 'Return-Path: <old@example.com>\r\nX: 1\r\nreturn-path:\r\n <older@example.com>\r\n'; cat message; } >bounced
  deliver-maildir --maildir md -f me@example.com <bounced
  { printf 'Return-Path: <me@example.com>\nX: 1\n'; cat message.lf; } | cmp - md/new/*
  rm md/new/*
  deliver-maildir --maildir md -f '' <message
  { printf 'Return-Path: <>\n'; cat message.lf; } | cmp - md/new/*
  rm md/new/*
  deliver-maildir --maildir md <bounced
  tr -d '\r' <bounced | cmp - md/new/*
}

@test "deliver-maildir: a message comes by file or by pipe, empty, with NULs, of 30 MB, in bounded memory" {
  make_maildir md
  : >empty
  printf 'a\0b\n\0' >nuls
  yes "$(printf '%076d' 0)" | head -c 30000000 >large
  for message in empty nuls large; do
    (ulimit -d 16000 && deliver-maildir --maildir md <$message)
    cmp md/new/* $message && rm md/new/*
    # shellcheck disable=SC2002 # a pipe is what is tested
    (ulimit -d 16000 && cat $message | deliver-maildir --maildir md)
    cmp md/new/* $message && rm md/new/*
  done
}

@test "deliver-maildir: a missing Maildir exits 75, so that the message is kept" {
  run -75 deliver-maildir --maildir nowhere <message
  [[ $output == "deliver-maildir: fatal: open nowhere/tmp: No such file or directory" ]]
  mkdir nowhere
  run -75 deliver-maildir --maildir nowhere <message
  deliver-maildir --maildir nowhere --create yes <message
  [ "$(count nowhere)" = 1 ]
}

@test "deliver-maildir: a delivery call reports each recipient and ends with 0" {
  mailbox joe@example.org
  mailbox jane@example.org
  run -0 report example.org me@example.com joe@example.org nobody@example.org ../joe@example.org JANE@Example.org
  [ "${lines[0]}" = 'r250 2.0.0 delivered' ]
  [ "${lines[1]}" = 'h550 5.1.1 no such mailbox' ]
  [ "${lines[2]}" = 'h553 5.1.3 no mailbox can have this name' ]
  [ "${lines[3]}" = 'r250 2.0.0 delivered' ]
  [ "${lines[4]}" = 'Kdelivered' ]
  { printf 'Return-Path: <me@example.com>\nDelivered-To: joe@example.org\n'; cat message.lf; } | cmp - mail/example.org/joe/new/*
  { printf 'Return-Path: <me@example.com>\nDelivered-To: JANE@Example.org\n'; cat message.lf; } | cmp - mail/example.org/jane/new/*
  grep -q 'info delivered from=me@example.com to=joe@example.org file=mail/example.org/joe/new/' log
  grep -q 'warning refused .*to=nobody@example.org reply="550 5.1.1 no such mailbox" cause="open mail/example.org/nobody/tmp: No such file' log
}

@test "deliver-maildir: a report in which nobody got the message ends with D or Z" {
  run -0 report example.org '' nobody@example.org a/b@example.org
  [[ ${lines[2]} == D* ]]
  run -0 report --unknown temporary example.org '' nobody@example.org
  [ "${lines[0]}" = 's450 4.1.1 no such mailbox yet' ]
  [[ ${lines[1]} == Z* ]]
}

@test "deliver-maildir: HOST is the domain of recipients without one" {
  mailbox joe@example.net
  mailbox postmaster@mx.example.org
  [[ $(report example.net '' joe) == r* ]]
  [[ $(report --domain mx.example.org '' '' Postmaster) == r* ]]
  [ "$(count)" = 2 ]
}

@test "deliver-maildir: create makes the Maildir and what is above it, but not what stands before the first part" {
  [[ $(report --create yes example.org '' joe+x@example.org) == r* ]]
  [ "$(stat -c %a mail/example.org mail/example.org/joe mail/example.org/joe/{tmp,new,cur} | sort -u)" = 700 ]
  rm -r mail
  [[ $(report --create yes example.org '' joe@example.org) == "s451 4.3.0 "* ]]
  [[ $(report example.org '' joe@example.org) == "s451 4.3.0 "* ]]
  [ ! -e mail ]
  grep -q 'cause="mail: not there; is it mounted?"' log
}

@test "deliver-maildir: a mailbox that is there but is no Maildir is trouble, not an unknown recipient" {
  mkdir -p mail/example.org/joe/cur
  [[ $(report example.org '' joe@example.org) == "s451 4.3.0 "* ]]
  rm -r mail/example.org/joe
  touch mail/example.org/joe
  [[ $(report example.org '' joe@example.org) == "s451 4.3.0 "* ]]
}

@test "deliver-maildir: no recipient leads out of the template's place" {
  make_maildir escape
  make_maildir mail/example.org
  local recipient
  for recipient in '../../escape@example.org' '"../../escape"@example.org' '../escape@.' 'x@../..' '.@example.org' '..@example.org' '"."@example.org' \
    '@example.org' 'joe@' '/tmp@example.org' $'joe\nx@example.org' $'"joe\x7f"@example.org' $'\xff@example.org' '+x@example.org' \
    "$(printf '%065d' 0)@example.org" "joe@$(printf '%0256d' 0)" .joe@example.org joe@.example.org joe@a/b; do
    run -0 report --create yes '' '' "$recipient"
    [[ ${lines[0]} == "h553 5.1.3 "* ]] || { echo "$recipient: $output"; return 1; }
  done
  [ "$(count .)" = 0 ]
  [ "$(find mail | wc -l)" = 5 ]
}

@test "deliver-maildir: fold_case, extension_delimiter and parts of the template" {
  TEMPLATE='mail/{local}'
  [[ $(report --create yes --fold-case no h '' Joe+X@example.org) == r* ]]
  [ "$(count mail/Joe+X)" = 1 ]
  TEMPLATE='mail/{user}/.{extension}'
  [[ $(report --create yes --extension-delimiter - h '' joe-a.b@example.org joe@example.org) == r*r*K* ]]
  [ "$(count mail/joe/.a.b)" = 1 ]
  [ "$(ls mail/joe/new | wc -l)" = 1 ]
}

@test "deliver-maildir: a sender cannot write header fields" {
  mailbox joe@example.org
  [[ $(report h $'me@example.com>\nX-Evil: 1' joe@example.org) == "h553 5.1.7 "* ]]
  run -65 deliver-maildir --maildir mail/example.org/joe -f $'a\rb' <message
  [ "$(count)" = 0 ]
}

@test "deliver-maildir: a wrong command line or setting exits 64 or 78 and delivers nothing" {
  make_maildir md
  run -64 deliver-maildir <message
  [[ $output == *"expected one of --maildir, --direct, --resident, or HOST SENDER RECIPIENT..."* ]]
  run -64 deliver-maildir --maildir md h s r <message
  run -64 deliver-maildir --maildir md --direct <message
  run -64 deliver-maildir --maildir md -- queue-inject <message
  run -64 deliver-maildir -f x h s r <message
  run -64 deliver-maildir --line-end cr --maildir md <message
  run -78 deliver-maildir --template 'mail/{name}' h s r <message
  [[ $output == *"maildir.template: '{name}': expected {local}, {user}, {extension} or {domain}" ]]
  printf '[maildir]\nline_end = cr\n' >vsmtp.ini
  run -78 deliver-maildir --config vsmtp.ini --maildir md <message
  [[ $output == *"vsmtp.ini:2: bad value 'cr' for maildir.line_end; expected: one of: lf crlf" ]]
  [ "$(count md)" = 0 ]
}

# ---- member of a chain

# direct CALL-OPTION... NEXT: a message call to the chain of deliver-maildir and NEXT
direct() { call --from me@example.com "${@:1:$(($# - 1))}" -- deliver-maildir --direct "${DIRECT[@]}" -- "${@: -1}" <message; }
DIRECT=(--template "$TEMPLATE" --local-domains example.org --log-destination log)
# The next program: shows that it was called, and with what.
next() {
  cat >next <<'END'
#!/bin/sh
exec 4<&1
cat >next.message
tr '\0' '\n' <&4 >next.envelope
{ cat <&3 >next.context; } 2>/dev/null
printf K250 >&6
END
  chmod +x next
}

@test "deliver-maildir: --direct delivers local mail before the answer and calls nobody" {
  mailbox joe@example.org
  mailbox jane@example.org
  next
  run -0 direct --to joe@example.org --to jane@example.org ./next
  [ "$output" = $'taken\nreply: delivered' ]
  [ "$(count)" = 2 ]
  [ ! -e next.message ]
  { printf 'Return-Path: <me@example.com>\nDelivered-To: jane@example.org\n'; cat message.lf; } | cmp - mail/example.org/jane/new/*
}

@test "deliver-maildir: --direct hands on as it came what is not for local mailboxes alone" {
  mailbox joe@example.org
  next
  run -0 direct --context '{"state":"x"}' --to joe@example.org --to you@example.com ./next
  [ "$output" = $'taken\nreply: 250' ]
  cmp next.message message
  [ "$(cat next.envelope)" = $'Fme@example.com\nTjoe@example.org\nTyou@example.com' ]
  [ "$(cat next.context)" = '{"state":"x"}' ]
  [ "$(count)" = 0 ]
}

@test "deliver-maildir: --direct hands on what rules have quarantined or given another transport" {
  mailbox joe@example.org
  next
  local context
  for context in '{"metadata":{"skipped":{"Quarantine":"spam"}}}' '{"envelop":{"rcpt":[{"address":"joe@example.org","transfer_method":"None"}]}}'; do
    rm -f next.message
    direct --context "$context" --to joe@example.org ./next
    [ -e next.message ]
  done
  [ "$(count)" = 0 ]
}

@test "deliver-maildir: --direct refuses at once what is unknown, but leaves mixed and temporary ends to the queue" {
  mailbox joe@example.org
  next
  run -1 direct --to nobody@example.org ./next
  [ "${lines[0]}" = permanent ]
  [ "${lines[1]}" = 'reply: 550 5.1.1 no such mailbox' ]
  [ ! -e next.message ]
  direct --to joe@example.org --to nobody@example.org ./next
  [ "$(cat next.envelope)" = $'Fme@example.com\nTjoe@example.org\nTnobody@example.org' ]
  [ "$(count)" = 0 ]
  rm -r mail
  rm next.message
  direct --to joe@example.org ./next
  [ -e next.message ]
}

@test "deliver-maildir: --direct at the end of a chain refuses what it cannot deliver" {
  mailbox joe@example.org
  at_end() { call --from me@example.com "$@" -- deliver-maildir --direct "${DIRECT[@]}" <message; }
  [ "$(at_end --to joe@example.org)" = $'taken\nreply: delivered' ]
  run -1 at_end --to joe@example.org --to you@example.com
  [[ $output == $'permanent\nreply: 550 5.7.1 not a mailbox of this host'* ]]
  run -1 at_end --to joe@example.org --to nobody@example.org
  [[ $output == $'permanent\nreply: 550 5.1.1 no such mailbox'* ]]
  rm -r mail
  run -1 at_end --to joe@example.org
  [[ $output == $'temporary\nreply: 451 4.3.0 mailbox not available now'* ]]
}

@test "deliver-maildir: direct_recipients_max is the most that --direct delivers itself" {
  next
  local to=() i
  for i in 1 2 3; do mailbox "u$i@example.org"; to+=(--to "u$i@example.org"); done
  direct_max() { call "${to[@]}" -- deliver-maildir --direct "${DIRECT[@]}" --direct-recipients-max "$1" -- ./next <message; }
  direct_max 3
  [ ! -e next.message ]
  [ "$(count)" = 3 ]
  direct_max 2
  [ -e next.message ]
  [ "$(count)" = 3 ]
}

@test "deliver-maildir: a chain ends in the Maildir or in the queue" {
  mailbox joe@example.org
  queue-inject --make-spool --spool spool </dev/null
  chain() { call --from me@example.com --to "$1" -- deliver-maildir --direct "${DIRECT[@]}" -- queue-inject --spool spool <message; }
  [ "$(chain joe@example.org | head -1)" = taken ]
  [ -z "$(grep -rl me@example.com spool)" ]
  [ "$(chain you@example.com | head -1)" = taken ]
  grep -rq you@example.com spool
  [ "$(count)" = 1 ]
}

# ---- resident

serve() {
  start resident deliver-maildir --resident "$BATS_TEST_TMPDIR/socket" --template "$TEMPLATE" --local-domains example.org "$@"
  wait_for grep -q ' info ready ' resident.log
}
SOCKET() { echo "unix:$BATS_TEST_TMPDIR/socket"; }

@test "deliver-maildir: resident, it delivers, refuses and hands on as the one-shot program does" {
  mailbox joe@example.org
  next
  serve
  resident() { call --from me@example.com "$@" <message; }
  run -0 resident --to joe@example.org -- "$(SOCKET)" -- ./next
  [ "$output" = $'taken\nreply: delivered' ]
  { printf 'Return-Path: <me@example.com>\nDelivered-To: joe@example.org\n'; cat message.lf; } | cmp - mail/example.org/joe/new/*
  run -1 resident --to nobody@example.org -- "$(SOCKET)" -- ./next
  [[ $output == $'permanent\nreply: 550 5.1.1 no such mailbox'* ]]
  [ ! -e next.message ]
  run -0 resident --to you@example.com -- "$(SOCKET)" -- ./next
  cmp next.message message
  run -1 resident --to you@example.com -- "$(SOCKET)"
  [[ $output == $'permanent\nreply: 550 5.7.1 not a mailbox of this host'* ]]
}

@test "deliver-maildir: resident, deliveries that come together share their syncs" {
  mailbox joe@example.org
  start resident strace -D -f -e trace=syncfs,fsync -o syncs deliver-maildir --resident "$BATS_TEST_TMPDIR/socket" --template "$TEMPLATE" --local-domains example.org
  wait_for grep -q ' info ready ' resident.log
  run -0 call --to joe@example.org --repeat 400 --at-once 40 -- "$(SOCKET)" <message
  [[ ${lines[0]} == '400 times taken' ]]
  [ "$(count)" = 400 ]
  local syncs
  syncs=$(grep -cE '(syncfs|fsync)\(' syncs)
  ((syncs >= 2 && syncs <= 100))
  nothing_in_tmp
}

@test "deliver-maildir: resident, thousands of deliveries at once to many Maildirs are all there, once and whole" {
  local i pids=()
  for i in 0 1 2 3 4 5 6 7 8 9; do mailbox "u$i@example.org"; done
  serve --open-max 3 --batch-files 16
  for i in 0 1 2 3 4 5 6 7 8 9; do
    call --to "u$i@example.org" --repeat 200 --at-once 20 -- "$(SOCKET)" <message >"ends.$i" & pids+=($!)
  done
  wait "${pids[@]}"
  [ "$(cat ends.* | grep -c '^200 times taken$')" = 10 ]
  for i in 0 1 2 3 4 5 6 7 8 9; do
    [ "$(count "mail/example.org/u$i")" = 200 ]
    [ "$(find "mail/example.org/u$i/new" -type f -exec tail -n +3 {} \; | md5sum)" = "$(for ((n = 0; n < 200; n++)); do cat message.lf; done | md5sum)" ]
  done
  nothing_in_tmp
}

@test "deliver-maildir: resident, SIGTERM ends it when all calls are answered" {
  mailbox joe@example.org
  serve
  call --to joe@example.org --repeat 20000 --at-once 50 -- "$(SOCKET)" <message >ends &
  local caller=$!
  wait_for eval '[ "$(ls mail/example.org/joe/new | wc -l)" -gt 100 ]'
  stop resident
  wait "$caller"
  [ "$(sed -n 's/ times taken//p' ends)" = "$(count)" ]
}

@test "deliver-maildir: resident, a Maildir that is moved away gets nothing more, and a new one in its place does" {
  mailbox joe@example.org
  serve
  call --to joe@example.org -- "$(SOCKET)" <message
  mv mail/example.org/joe mail/example.org/gone
  run -1 call --to joe@example.org -- "$(SOCKET)" <message
  mailbox joe@example.org
  call --to joe@example.org -- "$(SOCKET)" <message
  [ "$(count mail/example.org/joe)" = 1 ]
  [ "$(count mail/example.org/gone)" = 1 ]
}

@test "deliver-maildir: resident, SIGHUP opens the log file anew" {
  mailbox joe@example.org
  start resident deliver-maildir --resident "$BATS_TEST_TMPDIR/socket" --template "$TEMPLATE" --local-domains example.org --log-destination log
  wait_for serves socket
  wait_for grep -q ready log
  mv log log.1
  kill -HUP "$(pid_of resident)"
  wait_for test -e log
  call --to joe@example.org -- "$(SOCKET)" <message
  grep -q delivered log
}

# ---- other programs read what we write

@test "deliver-maildir: Dovecot reads the message, its sizes and its flags" {
  [[ $(report --create yes h me@example.com joe@example.org) == r* ]]
  mkdir run home
  local user=$(id -u) as_user=()
  if [ "$user" = 0 ]; then  # which Dovecot refuses to read mail as; the rights are for the way to here
    user=65534
    chown -R $user mail run home
    as_user=(setpriv --reuid=$user --regid=$user --clear-groups --inh-caps=+dac_override --ambient-caps=+dac_override)
  fi
  cat >dovecot.conf <<END
base_dir = $PWD/run
log_path = /dev/stderr
mail_location = maildir:$PWD/mail/example.org/joe
mail_uid = $user
mail_gid = $user
first_valid_uid = 0
first_valid_gid = 0
ssl = no
END
  USER=joe HOME=$PWD/home "${as_user[@]}" doveadm -c "$PWD/dovecot.conf" -f tab fetch \
    'flags size.physical size.virtual hdr.subject hdr.return-path hdr.delivered-to body' mailbox INBOX >fetched
  local octets
  octets=$(find mail/example.org/joe/new mail/example.org/joe/cur -type f -printf %s)
  grep -q "^.Recent"$'\t'"$octets"$'\t'"$((octets + 6))"$'\thello\t<me@example.com>\tjoe@example.org\tbody' fetched || { cat fetched; return 1; }
}

@test "deliver-maildir: Python's Maildir reads the message" {
  mailbox joe@example.org
  deliver h me@example.com joe@example.org >/dev/null
  run -0 python3 -c 'import mailbox; box = mailbox.Maildir("mail/example.org/joe", create=False); (message,) = box; print(message["Delivered-To"], message["Subject"], message.get_subdir(), message.get_payload())'
  [ "${lines[0]}" = 'joe@example.org hello new body' ]
}

@test "deliver-maildir: its manual has no mistakes and names every setting" {
  run -0 mandoc -T lint -W error "$TOP/deliver-maildir/deliver-maildir.8"
  local key
  for key in template create unknown line_end fold_case extension_delimiter size_in_name open_max batch_files direct_recipients_max local_domains mbox_template mbox_locks mbox_lock_timeout missing_folder catch_all; do
    deliver-maildir --help | grep -q -- "--${key//_/-} "
    grep -q "Cm $key\$" "$TOP/deliver-maildir/deliver-maildir.8"
  done
}

# ---- folders and catch-all

@test "deliver-maildir: a folder that is missing is refused, is the inbox, or is made, as missing_folder says" {
  make_maildir mail/joe
  local template='mail/{user}/.{extension}'
  [[ $(deliver --template "$template" h me@x joe+lists@example.org | tr '\0' '\n') == h550\ 5.1.1* ]]
  [[ $(deliver --template "$template" --missing-folder inbox h me@x joe+lists@example.org | tr '\0' '\n') == r* ]]
  [ "$(count mail/joe)" = 1 ]
  [[ $(deliver --template "$template" --missing-folder create h me@x joe+lists@example.org | tr '\0' '\n') == r* ]]
  [ "$(count mail/joe/.lists)" = 1 ]
  [ -e mail/joe/.lists/maildirfolder ]
  [ ! -e mail/joe/maildirfolder ]
  # Who has no Maildir gets no folder.
  [[ $(deliver --template "$template" --missing-folder create h me@x ann+lists@example.org | tr '\0' '\n') == h550\ 5.1.1* ]]
  [ ! -e mail/ann ]
}

@test "deliver-maildir: catch_all has what is for nobody" {
  mailbox joe@example.org
  make_maildir mail/example.org/others
  [[ $(report --catch-all 'mail/{domain}/others' h me@x nobody@example.org joe@example.org) == r*$'\n'r* ]]
  [ "$(count mail/example.org/others)" = 1 ]
  grep -q '^Delivered-To: nobody@example.org' mail/example.org/others/new/*
  [ "$(count mail/example.org/joe)" = 1 ]
  [[ $(report --catch-all 'mail/{domain}/none' h me@x nobody@example.org) == s451* ]]
}

# ---- mbox files

@test "deliver-maildir: a template that begins with mbox: has a file for each recipient, messages one behind the other" {
  mkdir boxes
  run -0 deliver-maildir --template "mbox:$PWD/boxes/{user}" --create yes h me@example.com joe@example.org Ann+x@example.org <message
  deliver-maildir --template "mbox:$PWD/boxes/{user}" h '' joe@example.org <message
  [ "$(grep -c '^From me@example.com ' boxes/joe)" = 1 ]
  [ "$(grep -c '^From MAILER-DAEMON ' boxes/joe)" = 1 ]
  grep -q '^Delivered-To: Ann+x@example.org' boxes/ann
  [ -z "$(tail -n 1 boxes/joe)" ]
  run -0 deliver-maildir --template "mbox:$PWD/boxes/{user}" h me@example.com nobody@example.org <message
  [[ $output == *"550 5.1.1 no such mailbox"* ]]
  [ ! -e boxes/nobody ]
}

@test "deliver-maildir: a HOST that begins with a slash is the mailbox itself, a Maildir if it ends with one" {
  run -0 deliver-maildir "$PWD/all" me@example.com joe@example.org <message
  run -0 deliver-maildir --create yes "$PWD/folder/" me@example.com joe@example.org <message
  grep -q '^Delivered-To: joe@example.org' all folder/new/*
  run -0 deliver-maildir /dev/null me@example.com joe@example.org <message
  [[ $output == *"250 2.0.0 delivered"* ]]
}

@test "deliver-maildir: an mbox is locked as other programs lock it" {
  : >all
  : >all.lock
  run -0 deliver-maildir --mbox-lock-timeout 100ms "$PWD/all" me@example.com joe@example.org <message
  [[ $output == *"450 4.2.0 mailbox is in use"* ]]
  run -0 deliver-maildir --mbox-lock-timeout 100ms --mbox-locks fcntl "$PWD/all" me@example.com joe@example.org <message
  [[ $output == *"250 2.0.0 delivered"* ]]
  rm all.lock
  # Many at once, and none is lost or in another.
  for i in 1 2 3 4 5 6 7 8; do deliver-maildir "$PWD/all" "me$i@example.com" joe@example.org <message >/dev/null & done
  wait
  [ "$(grep -c '^From me[1-8]@example.com ' all)" = 8 ]
  [ "$(grep -c '^Delivered-To: ' all)" = 9 ]
}

@test "deliver-maildir: an mbox on a full disk stays as it was" {
  printf 'From a b\n\nold\n\n' >all
  cp all before
  (ulimit -f 1; head -c 3000 /dev/zero | tr '\0' x | deliver-maildir "$PWD/all" me@example.com joe@example.org >out)
  tr '\0' '\n' <out | grep -q '^s45'
  cmp all before
}

@test "deliver-maildir: --direct does not go with mbox files" {
  run -78 deliver-maildir --template "mbox:$PWD/{user}" --direct <message
  [[ $output == *"--direct gives all recipients a message or none"* ]]
}
