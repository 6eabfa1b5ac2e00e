# For tests that kill queue-run: `kills` and `settings` are theirs, run.log is its log.

has_started() { [ "$(grep -c ' started ' run.log)" = "$1" ]; }
# Runs queue-run and kills it, so often, at random moments of its first tenth of a second.
kill_again_and_again() {
  local i pid
  for ((i = 0; i < kills; i++)); do
    queue-run "${settings[@]}" 3>&- 2>>run.log &
    pid=$!
    wait_for has_started $((i + 1))
    sleep "0.0$((RANDOM % 80 + 10))"
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null || true
  done
}
