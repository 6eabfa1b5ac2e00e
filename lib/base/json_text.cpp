#include "lib/base/json_text.h"

#include <array>

#include "lib/base/utf8.h"

namespace base::json {
namespace {

// Needs neither escape nor check.
constexpr auto kIsPlain = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) table[c] = c != '"' && c != '\\';
  return table;
}();
constexpr bool is_plain(char c) { return kIsPlain[static_cast<unsigned char>(c)]; }

void append_escape(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default:
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[c & 15];
  }
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    std::size_t taken = 0;
    while (taken < text.size() && is_plain(text[taken])) ++taken;
    if (taken > 0) {
      out += text.substr(0, taken);
    } else if (static_cast<unsigned char>(text.front()) < 0x80) {
      append_escape(out, text.front());
      taken = 1;
    } else if ((taken = utf8::sequence_octets(text)) > 0) {
      out += text.substr(0, taken);
    } else {
      out += "\xEF\xBF\xBD";
      taken = 1;
    }
    text.remove_prefix(taken);
  }
  out += '"';
}

void append_name(std::string& out, std::string_view name) {
  if (!out.empty() && out.back() != '{' && out.back() != '[') out += ',';
  append_string(out, name);
  out += ':';
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  append_name(out, name);
  append_string(out, text);
}

void append_member(std::string& out, std::string_view name, long long number) {
  append_name(out, name);
  out += std::to_string(number);
}

}  // namespace base::json
