-- The three rules for rspamd: what adds the field is the program that asks it; here it answers with the symbol.
local rspamd_regexp = require "rspamd_regexp"

local marked = rspamd_regexp.create("/\\[list-[0-9]+\\]/")
local listed = {}
for domain in io.lines("domains.txt") do
  listed[domain] = true
end

rspamd_config:register_symbol({
  name = "BENCH",
  score = 1.0,
  callback = function(task)
    local from = task:get_from("mime")
    return marked:match(task:get_subject() or "") and from ~= nil and listed[from[1].domain:lower()] == true
  end,
})
