# kill -9 of each program at random moments under load. What was acknowledged must arrive, whole.
load helpers

@test "kill: 3,000 messages and 200 kills of resident programs lose nothing and break nothing" {
  run "$BATS_TEST_DIRNAME/tools/chaos.py" --messages 3000 --kills 200
  echo "$output"
  [ "$status" -eq 0 ]
  [[ $output == *" 0 missing, 0 broken, "* ]]
}

@test "kill: 600 messages and 100 kills with programs exec'd for each message lose nothing and break nothing" {
  run "$BATS_TEST_DIRNAME/tools/chaos.py" --messages 600 --kills 100 --exec
  echo "$output"
  [ "$status" -eq 0 ]
  [[ $output == *" 0 missing, 0 broken, "* ]]
}
