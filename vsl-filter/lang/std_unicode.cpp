// Case and white space of all of Unicode. The tables are libunistring's, which internationalised domain names need anyway.
#include <unicase.h>

#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "vsl-filter/lang/std.h"

namespace vsl::standard {

namespace {

// Octets that are not UTF-8 stay what they are.
template <class Ascii, class Other>
std::string mapped(std::string_view text, const Ascii& ascii, const Other& other) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (static_cast<unsigned char>(text.front()) < 0x80) {
      out += ascii(text.front());
      text.remove_prefix(1);
      continue;
    }
    const std::size_t octets = base::utf8::sequence_octets(text);
    std::size_t taken = 0;
    if (octets == 0)
      out += text.front();
    else
      base::utf8::append(out, other(front_code_point(text.substr(0, octets), taken)));
    text.remove_prefix(octets == 0 ? 1 : octets);
  }
  return out;
}

}  // namespace

char32_t upper(char32_t c) { return c < 0x80 ? static_cast<char32_t>(base::text::upper(static_cast<char>(c))) : uc_toupper(c); }
char32_t lower(char32_t c) { return c < 0x80 ? static_cast<char32_t>(base::text::lower(static_cast<char>(c))) : uc_tolower(c); }
std::string upper(std::string_view text) {
  return mapped(text, base::text::upper, [](char32_t c) { return upper(c); });
}
std::string lower(std::string_view text) {
  return mapped(text, base::text::lower, [](char32_t c) { return lower(c); });
}

// Property White_Space: it has not changed since Unicode 6.3.
bool is_white(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::string_view trimmed(std::string_view text) {
  std::size_t octets = 0;
  while (!text.empty() && is_white(front_code_point(text, octets))) text.remove_prefix(octets);
  while (!text.empty()) {
    std::size_t last = text.size() - 1;
    while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xC0) == 0x80) --last;
    if (!is_white(front_code_point(text.substr(last), octets))) break;
    text = text.substr(0, last);
  }
  return text;
}

}  // namespace vsl::standard
