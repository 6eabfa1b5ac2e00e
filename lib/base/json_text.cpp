#include "lib/base/json_text.h"

#include "lib/base/utf8.h"

namespace base::json {

void append_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const auto octet = static_cast<unsigned char>(text.front());
    if (octet >= 0x80) {
      const auto length = utf8::sequence_octets(text);
      if (length == 0) {
        out += "\xEF\xBF\xBD";
        text.remove_prefix(1);
      } else {
        out += text.substr(0, length);
        text.remove_prefix(length);
      }
      continue;
    }
    if (octet == '"' || octet == '\\') {
      out += '\\';
      out += static_cast<char>(octet);
    } else if (octet == '\n') {
      out += "\\n";
    } else if (octet == '\r') {
      out += "\\r";
    } else if (octet == '\t') {
      out += "\\t";
    } else if (octet < 0x20 || octet == 0x7f) {
      out += "\\u00";
      out += kHex[octet >> 4];
      out += kHex[octet & 15];
    } else {
      out += static_cast<char>(octet);
    }
    text.remove_prefix(1);
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
