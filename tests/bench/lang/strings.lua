local function build(rounds)
  local total = 0
  for i = 0, rounds - 1 do
    local line = "header-" .. i .. ": " .. (i * 7) .. ";"
    total = total + #line
  end
  local pieces = {}  -- as Lua programmers do: text = text .. "piece " is quadratic
  for i = 1, rounds do pieces[#pieces + 1] = "piece " end
  return total + #table.concat(pieces)
end
print(build(1000000))
