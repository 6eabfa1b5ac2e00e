#include <cstdint>
#include <cstdlib>

#include "lib/chain/policy.h"

// Whatever the pieces, the same texts come out, and what was composed is read back.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto cut = [&](std::size_t piece) {
    chain::PolicySplitter splitter;
    std::vector<std::string> texts;
    for (std::size_t at = 0; at < input.size(); at += piece) {
      splitter.add(input.substr(at, piece));
      std::string_view text;
      while (splitter.next(text) == chain::PolicySplitter::Status::Text) texts.emplace_back(text);
    }
    return texts;
  };
  const auto whole = cut(input.size() + 1);
  if (cut(1) != whole) std::abort();
  for (const auto& text : whole) {
    const auto attributes = chain::parse_policy(text);
    if (!attributes) continue;
    std::string again;
    for (const auto& [name, value] : *attributes) chain::append_policy(again, name, value);
    const auto parsed = chain::parse_policy(again);
    if (!parsed || parsed->size() != attributes->size()) std::abort();
  }
  return 0;
}
