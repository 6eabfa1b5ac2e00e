// The field Received-SPF, RFC 7208 section 9.1.
#include "lib/authn/spf.h"
#include "lib/base/text.h"

namespace authn::spf {

namespace {

// dot-atom / quoted-string
std::string value_text(std::string_view value) {
  constexpr std::string_view kAtom = "!#$%&'*+-/=?^_`{|}~.";
  const auto is_atom = [&](char c) { return base::text::is_alpha(c) || base::text::is_digit(c) || kAtom.find(c) != std::string_view::npos; };
  bool is_plain = !value.empty() && value.front() != '.' && value.back() != '.' && value.find("..") == std::string_view::npos;
  for (const char c : value) is_plain = is_plain && is_atom(c);
  if (is_plain) return std::string(value);
  std::string quoted = "\"";
  for (const char c : value) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') continue;  // what no field may hold
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::string received_spf(const Query& query, const Outcome& outcome) {
  std::string field(word(outcome.result));
  const auto add = [&](std::string_view key, std::string_view value) {
    if (value.empty()) return;
    field += field.find('=') == std::string::npos ? " " : "; ";
    field.append(key).append("=").append(value_text(value));
  };
  add("receiver", query.receiver);
  add("client-ip", query.client.ip());
  add("envelope-from", query.sender);
  add("helo", query.helo);
  add("identity", query.identity == Identity::Helo || query.sender.empty() ? "helo" : "mailfrom");
  add("mechanism", outcome.mechanism);
  add("problem", outcome.problem);
  return field;
}

}  // namespace authn::spf
