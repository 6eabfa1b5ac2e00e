local function work(rounds)
  local found = 0
  for i = 0, rounds - 1 do
    local line = "Received: from mx" .. i .. ".example.org by gate.example (id=" .. i .. "-abc; Mon, 23 Nov 2026 10:00:00 +0000)"
    if line:match("id=(%d+)-%l+;") then found = found + 1 end
  end
  return found
end
print(work(200000))
