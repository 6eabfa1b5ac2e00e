# The interfaces of vsmtp-chain(7), executed: `call` makes message calls, `filter` is a program with both lives.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  PATH="$TOP/build/tests:$TOP/examples/filters:$PATH"
  printf 'From: me@example.org\r\nSubject: hello\r\n\r\nbody\000\377\r\n' >message
}

# A filter as an administrator writes it.
script() {
  { printf '#!/bin/sh\n'; cat; } >"$1"
  chmod +x "$1"
}
make_call() { call --from me@example.org --to you@example.net "$@" <message; }
serve() { start resident filter --resident "$BATS_TEST_TMPDIR/socket" "$@"; wait_for grep -q ready resident.log; }
# The chain ends in a temporary failure, has a cause to log, and its second program was not called.
ends_temporary() {
  run -1 make_call --timeout 500ms -- "$@" -- sh -c 'touch reached'
  [[ ${lines[0]} == temporary ]]
  [[ $output == *"cause: "* ]]
  [ ! -e reached ]
}

@test "chain: a message passes through filters to the end with nothing changed" {
  run make_call --context '{"state":"x"}' -- filter pass -- filter pass -- sh -c '
    cmp - message && printf "Fme@example.org\0Tyou@example.net\0\0" | cmp - /dev/fd/1 && [ "$(cat <&3)" = "{\"state\":\"x\"}" ] && printf K250 >&6'
  [ "$output" = $'taken\nreply: 250' ]
}

@test "chain: a message on a pipe reaches each program whole, small and large" {
  local size
  for size in 100 100000 5000000; do
    head -c $size /dev/urandom >message
    # shellcheck disable=SC2002 # a pipe is what is tested
    [ "$(cat message | call --to you@example.net -- filter pass -- filter pass -- sh -c 'cmp - message && printf K250 >&6')" = $'taken\nreply: 250' ]
  done
}

@test "chain: a changed message, envelope and context are what the next program finds" {
  run -1 make_call -- filter add 'X-One: 1' -- filter sender other@example.org -- filter context '{"n":1}' -- filter show
  [[ $output == *'message=X-One: 1\x0d\x0aFrom: me'* ]]
  [[ $output == *'envelope=Fother@example.org\x00Tyou@example.net\x00\x00'* ]]
  [[ $output == *'context={"n":1}'* ]]
}

@test "chain: a filter that read the message and the envelope leaves them at their start for the next one" {
  script reader <<<'cat >/dev/null; cat <&1 >/dev/null; shift; exec "$@"'
  run -1 make_call -- ./reader -- filter pass -- filter show
  [[ $output == *'message=From: me'* && $output == *'envelope=Fme@'* ]]
  # A program that does not rewind by itself, behind one of ours: the position is the start.
  run make_call -- ./reader -- filter pass -- sh -c 'cmp - message && printf K250 >&6'
  [ "$output" = $'taken\nreply: 250' ]
}

@test "chain: without descriptors 3 and 6 the exit code alone answers" {
  serve
  printf 'Fme@example.org\0Tyou@example.net\0\0' >envelope
  run -31 sh -c 'filter refuse "554 no" <message 1<envelope 3<&- 6>&-'
  run -71 sh -c 'filter defer "450 later" <message 1<envelope 3<&- 6>&-'
  run -31 sh -c 'filter pass -- unix:socket refuse "554 no" <message 1<envelope 3<&- 6>&-'
  run -0 sh -c 'filter pass -- filter take fine <message 1<envelope 3<&- 6>&-'
  sh -c 'exec filter refuse "554 no" <message 1<envelope 6>report' || [ $? = 82 ]
  [ "$(cat report)" = 'D554 no' ]
}

@test "chain: envelope and context may be pipes" {
  mkfifo envelope context
  printf 'Fme@example.org\0Tyou@example.net\0\0' >envelope &
  printf '{"state":"x"}' >context &
  sh -c 'exec filter pass -- filter show <message 1<envelope 3<context 6>report' || [ $? = 82 ]
  [[ $(cat report) == *'envelope=Fme@example.org\x00Tyou@example.net\x00\x00 context={"state":"x"}'* ]]
}

@test "chain: a closed message or envelope exits 54" {
  printf 'F\0\0' >envelope
  run -54 sh -c 'filter pass -- true <&- 1<envelope'
  [[ $output == 'filter: fatal: message: descriptor 0 is closed' ]]
  run -54 sh -c 'filter pass -- true <message 1>&-'
}

@test "chain: to pass without a next program exits 55" {
  run -1 make_call -- filter pass
  [[ $output == *'cause: filter: exit code 55'* ]]
  run -1 make_call -- filter pass -- /nowhere/program
  [[ $output == *'cause: filter: exit code 55'* ]]
}

@test "chain: a filter that crashes makes a temporary failure and nothing goes further" {
  ends_temporary sh -c 'kill -SEGV $$' sh
  [[ $output == *'killed by signal 11'* ]]
  ends_temporary filter crash
  [[ $output == *'killed by signal 6'* ]]
}

@test "chain: a filter that hangs, with a child that holds the report, meets the time limit and all of it is killed" {
  script hang <<<'echo $$ >hang.pid; sleep 300 & echo $! >child.pid; wait'
  ends_temporary ./hang
  [[ $output == *'no end within 500 ms, killed'* ]]
  wait_for has_ended "$(cat hang.pid)"
  wait_for has_ended "$(cat child.pid)"
}

@test "chain: a child that holds the report does not hold up a filter that has ended" {
  script leave <<<'sleep 300 2>/dev/null & echo $! >child.pid; printf D554 >&6; exit 82'
  run -1 make_call --timeout 20s -- ./leave
  [ "$output" = $'permanent\nreply: 554' ]
  kill "$(cat child.pid)"
}

@test "chain: a filter that closes its descriptors, or writes garbage as its report, makes a temporary failure" {
  script closes <<<'exec <&- 1<&- 3<&- 6>&-; exit 82'
  script nul <<<'printf "D554\0no" >&6; exit 82'
  script letter <<<'printf "554 no" >&6; exit 82'
  script long <<<'{ printf D; head -c 10000000 /dev/zero | tr "\0" x; } >&6; exit 82'
  script fine <<<'printf "K250 fine" >&6; exit 82'
  script refuses <<<'printf "D554 no" >&6; exit 0'
  local filter
  for filter in closes nul letter long fine refuses; do ends_temporary ./$filter; done
}

@test "chain: the exit codes of qmail-queue(8) end a call as it says, all others temporarily" {
  local code
  for code in 11 31 40; do
    run -1 make_call -- filter exit $code -- sh -c 'touch reached'
    [ "${lines[0]}" = permanent ]
  done
  for code in 1 10 41 51 53 54 55 61 71 81 91 99 111 255; do
    ends_temporary filter exit $code
  done
  [ ! -e reached ]
}

@test "chain: resident programs and others make one chain, from a caller and from a program" {
  serve
  run -1 make_call -- unix:socket add 'X-One: 1' -- filter sender other@example.org -- unix:socket context '{"n":1}' -- filter show
  [[ $output == *'message=X-One: 1\x0d\x0aFrom: me'*'envelope=Fother@example.org'*'context={"n":1}'* ]]
  run make_call -- filter pass -- unix:socket take '250 from the resident'
  [ "$output" = $'taken\nreply: 250 from the resident' ]
}

@test "chain: what a resident program at the end of an exec'd one says is handed on, also when it is garbage" {
  serve
  run -1 --separate-stderr make_call -- filter pass -- unix:socket refuse '554 5.7.1 no'
  [ "$output" = $'permanent\nreply: 554 5.7.1 no' ]
  run -1 --separate-stderr make_call -- filter pass -- unix:socket exit 31
  [ "${lines[0]}" = permanent ]
  run -1 --separate-stderr make_call -- filter pass -- unix:socket exit 82
  [ "${lines[0]}" = temporary ]
  run -1 --separate-stderr make_call -- filter pass -- unix:nowhere
  [ "${lines[0]}" = temporary ]
  [[ $stderr == *'filter: fatal: unix:nowhere: connect: No such file or directory'* ]]
}

@test "chain: only the environment of the interface goes to a resident program" {
  serve
  TCPREMOTEIP=192.0.2.1 FOREIGN=1 run -1 make_call -- unix:socket show
  [[ $output == *' TCPREMOTEIP=192.0.2.1'* && $output != *FOREIGN* ]]
}

@test "chain: a resident program that dies makes its calls temporary, and the next call finds its successor" {
  serve
  run -1 make_call -- unix:socket crash
  [ "$output" = $'temporary\ncause: unix:socket: ended the connection without an answer' ]
  rm resident.pid
  serve
  run make_call -- unix:socket take 250
  [ "${lines[0]}" = taken ]
}

@test "chain: a resident program that is told to end answers what it has begun" {
  serve --threads 4
  make_call -- unix:socket sleep 700 -- filter take 250 >answer &
  local caller=$!
  sleep 0.3
  stop resident
  wait $caller
  [ "$(cat answer)" = $'taken\nreply: 250' ]
}

# While a program is replaced its socket may be missing for a moment; but what it was sent it answers.
@test "chain: a resident program that is replaced under load answers every call that it was sent" {
  serve
  make_call --repeat 100000 --at-once 20 -- unix:socket take 250 >answers &
  local caller=$!
  for _ in 1 2 3; do
    sleep 0.1
    stop resident
    serve
  done
  wait $caller
  cat answers
  run ! grep -q 'without an answer' answers
  [ "$(awk '/times taken/ { taken = $1 } / times / { all += $1 } END { print (taken > 1000 && all == 100000) }' answers)" = 1 ]
}

@test "chain: a resident program serves the socket that a supervisor holds, and calls wait while it is restarted" {
  cat >supervise.py <<'END'
import os, socket, sys
listening = socket.socket(socket.AF_UNIX)
listening.bind("socket")
listening.listen(100)
os.set_inheritable(listening.fileno(), True)
for _ in range(2):
    child = os.fork()
    if child == 0:
        if listening.fileno() != 3:
            os.dup2(listening.fileno(), 3)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
        os.execvp("filter", ["filter", "--resident", "socket"])
    open("child.pid", "w").write(str(child))
    os.waitpid(child, 0)
END
  start supervisor python3 supervise.py
  wait_for grep -q ready supervisor.log
  make_call --repeat 100000 --at-once 20 -- unix:socket take 250 >answers &
  local caller=$!
  sleep 0.1
  kill "$(cat child.pid)"
  wait $caller
  [ "$(head -n 1 answers)" = '100000 times taken' ]
  [ "$(grep -c ready supervisor.log)" = 2 ]
  kill "$(cat child.pid)"
}

@test "chain: a program that is not resident can be called many times at once, within its limit" {
  script filter <<<'echo + >>count; sleep 0.1; echo - >>count'
  run make_call --repeat 8 --at-once 8 --processes 3 -- ./filter
  [ "${lines[0]}" = '8 times taken' ]
  [ "$(awk '/\+/ { if (++n > most) most = n } /-/ { n-- } END { print most }' count)" = 3 ]
}

@test "chain: --resident with arguments or a next program is a wrong command line" {
  run -64 filter --resident socket take 250
  run -64 filter --resident socket -- filter pass
}

@test "chain: a socket that is served already is left to its server" {
  serve
  run -78 filter --resident socket
  [[ $output == *'another process serves this socket'* ]]
}

@test "examples: refuse-subject refuses by a Subject that is folded or in capitals, and hands others on" {
  printf 'From: me\r\nSUBJECT: you won\r\n a lottery\r\n\r\nSubject: not this\r\n' >message
  run -1 make_call -- refuse-subject.sh 'won a lottery' -- filter take 250
  [ "$output" = $'permanent\nreply: 554 5.7.1 We do not want to hear of "won a lottery"' ]
  run make_call -- refuse-subject.sh 'not this' -- sh -c 'cmp - message && printf K250 >&6'
  [ "$output" = $'taken\nreply: 250' ]
  cat message | call --to you@example.net -- refuse-subject.sh 'not this' -- sh -c 'cmp - message'
}

@test "examples: add-field puts its field in front with the line end of the message and leaves every octet as it was" {
  { printf 'X-Seen: yes\r\n'; cat message; } >expected
  make_call -- add-field.sh 'X-Seen: yes' -- sh -c 'cmp - expected'
  head -c 300000 /dev/urandom >body
  { printf 'Subject: x\n\n'; cat body; } >message
  { printf 'X-Seen: yes\n'; cat message; } >expected
  make_call -- add-field.sh 'X-Seen: yes' -- sh -c 'cmp - expected'
  cat message | call --to you@example.net -- add-field.sh 'X-Seen: yes' -- sh -c 'cmp - expected'
}

@test "examples: swallow takes the message and calls nobody" {
  run make_call -- swallow.sh -- sh -c 'touch reached'
  [ "${lines[0]}" = taken ]
  [ ! -e reached ]
}

@test "examples: change-envelope rewrites a recipient, or adds one" {
  run -1 make_call --to second@example.net -- change-envelope.sh you@example.net new@example.net -- filter show
  [[ $output == *'envelope=Fme@example.org\x00Tnew@example.net\x00Tsecond@example.net\x00\x00'* ]]
  run -1 make_call -- change-envelope.sh '' copy@example.net -- filter show
  [[ $output == *'envelope=Fme@example.org\x00Tyou@example.net\x00Tcopy@example.net\x00\x00'* ]]
}

@test "examples: filters leave no temporary files behind" {
  mkdir tmp
  TMPDIR=$PWD/tmp make_call -- add-field.sh 'X: 1' -- change-envelope.sh '' copy@example.net -- filter take 250
  [ -z "$(ls tmp)" ]
}

@test "vsmtp-chain(7): the page is sound, and names every exit code and variable" {
  page=$TOP/lib/chain/vsmtp-chain.7
  run mandoc -Tlint -W error "$page"
  [ -z "$output" ]
  local name
  for name in $(sed -n '/kVariables/,/});/s/[^"]*"\([A-Z_]*\)"/\1 /gp' "$TOP/lib/chain/environment.h"); do
    [[ $name == [A-Z]* ]] || continue
    grep -q "\\b$name\\b" "$page" || { echo "$name is missing"; return 1; }
  done
}
