#include "lib/mail/relay_sections.h"

#include "lib/base/text.h"

namespace mail {
namespace {

namespace text = base::text;

// status-code = class "." subject "." detail, of a failure; RFC 3463 section 2.
bool consume_status(std::string_view& words, char& status_class) {
  if (words.empty() || (words.front() != '4' && words.front() != '5')) return false;
  status_class = words.front();
  words.remove_prefix(1);
  for (int part = 0; part < 2; ++part) {
    if (!text::consume(words, ".")) return false;
    std::size_t digits = 0;
    while (digits < words.size() && text::is_digit(words[digits])) ++digits;
    if (digits == 0 || digits > 3) return false;
    words.remove_prefix(digits);
  }
  return text::consume(words, " ") && !text::trim(words).empty();
}

}  // namespace

std::string refusal_of(std::string_view error) {
  std::string_view words = error;
  char reply_class = 0, status_class = 0;
  const auto code = text::consume_digits(words, 3);
  if (code && words.starts_with(' ')) {
    reply_class = error.front();
    words.remove_prefix(1);
  } else {
    words = error;
  }
  if (!consume_status(words, status_class) || (reply_class != 0 && reply_class != status_class)) return {};
  if (error.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) return {};
  return reply_class != 0 ? std::string(error) : std::string(1, status_class) + "50 " + std::string(error);
}

base::Result<RelaySections> relay_sections(const base::Settings& settings) {
  RelaySections sections;
  for (const auto& name : settings.names("relay")) {
    const auto key = [&](std::string_view which) { return base::Settings::named("relay", name, which); };
    RelaySection section{name, settings.text(key("host")), settings.text(key("transport")), {}};
    const auto wrong = [&](std::string_view which, const std::string& what) {
      return base::fail(base::Fault::Config, settings.place_of(key(which)) + "[relay \"" + name + "\"] " + what);
    };
    if (const auto& error = settings.text(key("error")); !error.empty()) {
      section.refusal = refusal_of(error);
      if (section.refusal.empty()) return wrong("error", "error = '" + text::printable(error, 100) + "'; expected: a status code and a text, such as 5.7.1 not taken");
      if (!section.host.empty() || !section.transport.empty()) return wrong("error", "has an error and a way; expected: one of them");
    }
    if (section.host.starts_with('-') || section.host.find_first_of(" \t") != std::string::npos)
      return wrong("host", "host = '" + text::printable(section.host, 100) + "'; expected: one host, without a dash in front");
    if (!sections.add(name, std::move(section))) return base::fail(base::Fault::Config, "two sections [relay] are for the domain '" + plain_domain(name) + "'");
  }
  return sections;
}

}  // namespace mail
