local function work(rounds)
  local keys, counts = {}, {}
  for i = 0, 499 do keys[i + 1] = "key-" .. i end
  for i = 0, rounds - 1 do
    local key = keys[i % 500 + 1]
    counts[key] = (counts[key] or 0) + 1
  end
  local point = {x = 0, y = 1, z = 2}
  for i = 0, rounds - 1 do
    point.x = point.x + point.y
    point.z = point.x - point.z
  end
  return counts["key-7"] + point.x
end
print(work(2000000))
