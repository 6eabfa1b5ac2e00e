#include "lib/lint/check.h"

#include <algorithm>

namespace lint {
namespace {

void check_limits(const Subject& subject) {
  using Limit = mail::Message::Limit;
  struct Reached {
    Limit limit;
    std::string_view what;
  };
  constexpr Reached kReached[] = {{Limit::Depth, "parts inside of parts"}, {Limit::Parts, "parts"}, {Limit::Fields, "header fields"}};
  for (const auto& [limit, what] : kReached)
    if (subject.message.limit() == limit) subject.findings.add(Id::LimitReached, subject.message.limit_offset(), 1, std::string(what));
}

}  // namespace

mail::Message::Limits limits_of(const base::Settings& settings) {
  const auto at_most = [&](std::string_view name, std::uint64_t most) { return std::min<std::uint64_t>(settings.count(name), most); };
  return {static_cast<std::uint16_t>(at_most("mime.depth_max", 1000)), static_cast<std::uint32_t>(at_most("mime.parts_max", 10'000'000)),
          static_cast<std::uint32_t>(at_most("mime.fields_max", 10'000'000))};
}

void check_message(std::string_view octets, const Rules& rules, Findings& findings) {
  const auto message = mail::Message::index(octets, rules.limits);
  const Subject subject{message, rules, findings};
  check_lines(subject);
  check_header(subject);
  check_parts(subject);
  check_limits(subject);
  findings.finish(octets);
}

}  // namespace lint
