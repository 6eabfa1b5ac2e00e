#include "mime-check/check.h"

namespace mime_check {
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

void check_message(std::string_view octets, const Rules& rules, Findings& findings) {
  const auto message = mail::Message::index(octets, rules.limits);
  const Subject subject{message, rules, findings};
  check_lines(subject);
  check_header(subject);
  check_parts(subject);
  check_limits(subject);
  findings.finish(octets);
}

}  // namespace mime_check
