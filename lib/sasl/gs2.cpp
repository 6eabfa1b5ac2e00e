#include "lib/sasl/gs2.h"

#include "lib/base/text.h"

namespace sasl {
namespace {

// What stands before the next comma, which is eaten too.
std::optional<std::string_view> consume_field(std::string_view& message) {
  const auto comma = message.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto field = message.substr(0, comma);
  message.remove_prefix(comma + 1);
  return field;
}

bool is_binding_name(std::string_view name) {
  for (const char c : name)
    if (!base::text::is_alpha(c) && !base::text::is_digit(c) && c != '.' && c != '-') return false;
  return !name.empty();
}

}  // namespace

std::optional<Gs2Header> consume_gs2_header(std::string_view& message) {
  Gs2Header header;
  auto flag = consume_field(message);
  if (!flag || flag->empty()) return std::nullopt;
  header.flag = flag->front();
  if (base::text::consume(*flag, "p=")) {
    if (!is_binding_name(*flag)) return std::nullopt;
    header.binding_name = *flag;
  } else if (*flag != "n" && *flag != "y") {
    return std::nullopt;
  }
  auto authorization = consume_field(message);
  if (!authorization) return std::nullopt;
  if (authorization->empty()) return header;
  if (!base::text::consume(*authorization, "a=")) return std::nullopt;
  auto name = from_saslname(*authorization);
  if (!name) return std::nullopt;
  header.authorization = std::move(*name);
  return header;
}

std::optional<std::string> from_saslname(std::string_view name) {
  std::string text;
  while (!name.empty()) {
    const char c = name.front();
    if (base::text::consume(name, "=2C")) {
      text += ',';
    } else if (base::text::consume(name, "=3D")) {
      text += '=';
    } else if (c == '=' || c == ',' || c == '\0') {
      return std::nullopt;
    } else {
      text += c;
      name.remove_prefix(1);
    }
  }
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

}  // namespace sasl
