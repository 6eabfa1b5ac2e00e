#include "lib/authn/spf_macro.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "lib/base/text.h"

namespace authn::spf {

namespace text = base::text;

namespace {

constexpr std::string_view kDelimiters = ".-+,/_=";
constexpr std::size_t kMaxNameOctets = 253;
constexpr unsigned kAllParts = 0;

// macro-expand = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"
struct Macro {
  char letter = 0;  // lower case; '%', '_', '-' of the three that stand for themselves
  bool is_escaped = false;
  unsigned parts = kAllParts;  // of the right
  bool is_reversed = false;
  std::string_view delimiters;
};

// Eats a macro behind its "%".
std::optional<Macro> parse_macro(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  Macro macro;
  if (rest.front() != '{') {
    macro.letter = rest.front();
    rest.remove_prefix(1);
    if (macro.letter != '%' && macro.letter != '_' && macro.letter != '-') return std::nullopt;
    return macro;
  }
  const auto end = rest.find('}');
  if (end == std::string_view::npos || end < 2) return std::nullopt;
  std::string_view inner = rest.substr(1, end - 1);
  rest.remove_prefix(end + 1);
  macro.letter = text::lower(inner.front());
  macro.is_escaped = macro.letter != inner.front();
  inner.remove_prefix(1);
  // transformers = *DIGIT [ "r" ]
  const auto digits = inner.find_first_not_of("0123456789");
  const std::string_view number = inner.substr(0, digits);
  if (!number.empty()) {
    // A number that no name has as many labels as is all of them. Zero is an error.
    const auto parts = number.size() > 6 ? std::optional<unsigned>(kMaxNameOctets) : text::parse_number<unsigned>(number);
    if (!parts || *parts == 0) return std::nullopt;
    macro.parts = *parts;
    inner.remove_prefix(number.size());
  }
  macro.is_reversed = text::consume(inner, "r") || text::consume(inner, "R");
  macro.delimiters = inner;
  if (inner.find_first_not_of(kDelimiters) != std::string_view::npos) return std::nullopt;
  return macro;
}

bool is_letter(char letter, bool is_explanation) {
  constexpr std::string_view kAnywhere = "slodiphv%_-";
  constexpr std::string_view kInExplanations = "crt";
  return kAnywhere.find(letter) != std::string_view::npos || (is_explanation && kInExplanations.find(letter) != std::string_view::npos);
}

std::string value_of(char letter, const MacroValues& values) {
  const auto at = values.sender.rfind('@');
  switch (letter) {
    case 's': return values.sender;
    case 'l': return at == std::string::npos ? std::string() : values.sender.substr(0, at);
    case 'o': return at == std::string::npos ? values.sender : values.sender.substr(at + 1);
    case 'd': return values.domain;
    case 'i': return values.address;
    case 'p': return values.validated ? values.validated() : "unknown";
    case 'h': return values.helo;
    case 'c': return values.address_text;
    case 'r': return values.receiver;
    case 't': return values.time;
    case 'v': return values.address_kind;
    case '_': return " ";
    case '-': return "%20";
    default: return "%";
  }
}

// Section 7.3: split, turned round, the rightmost parts, joined with dots.
std::string transformed(std::string value, const Macro& macro) {
  if (macro.parts == kAllParts && !macro.is_reversed && macro.delimiters.empty()) return value;
  const std::string_view delimiters = macro.delimiters.empty() ? "." : macro.delimiters;
  std::vector<std::string_view> parts;
  std::string_view rest = value;
  for (;;) {
    const auto end = rest.find_first_of(delimiters);
    parts.push_back(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  if (macro.is_reversed) std::ranges::reverse(parts);
  const std::size_t kept = macro.parts == kAllParts ? parts.size() : std::min<std::size_t>(macro.parts, parts.size());
  std::string joined;
  for (std::size_t i = parts.size() - kept; i < parts.size(); ++i) {
    if (!joined.empty() || i > parts.size() - kept) joined += '.';
    joined += parts[i];
  }
  return joined;
}

// RFC 3986: all but unreserved characters.
std::string url_escaped(std::string_view value) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : value) {
    const auto octet = static_cast<unsigned char>(c);
    if (text::is_alpha(c) || text::is_digit(c) || std::string_view("-._~").find(c) != std::string_view::npos) {
      escaped += c;
    } else {
      escaped += '%';
      escaped += kHex[octet >> 4];
      escaped += kHex[octet & 15];
    }
  }
  return escaped;
}

// toplabel = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum )
bool is_top_label(std::string_view label) {
  if (label.empty() || label.front() == '-' || label.back() == '-') return false;
  bool is_numeric = true;
  for (const char c : label) {
    if (!text::is_alpha(c) && !text::is_digit(c) && c != '-') return false;
    is_numeric &= text::is_digit(c);
  }
  return !is_numeric;
}

}  // namespace

bool is_macro_string(std::string_view text, bool is_explanation) {
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '%') {
      const auto macro = parse_macro(text);
      if (!macro || !is_letter(macro->letter, is_explanation)) return false;
    } else if ((c < '!' || c > '~') && !(is_explanation && c == ' ')) {
      return false;
    }
  }
  return true;
}

bool is_domain_spec(std::string_view text) {
  if (text.empty() || !is_macro_string(text)) return false;
  // domain-end = ( "." toplabel [ "." ] ) / macro-expand
  if (text.ends_with('}')) {
    const auto start = text.rfind("%{");
    if (start != std::string_view::npos && text.find('}', start) == text.size() - 1) return true;
  }
  if (text.ends_with("%%") || text.ends_with("%_") || text.ends_with("%-")) return true;
  if (text.ends_with('.')) text.remove_suffix(1);
  const auto dot = text.rfind('.');
  return dot != std::string_view::npos && is_top_label(text.substr(dot + 1));
}

std::string expand(std::string_view text, const MacroValues& values) {
  std::string expanded;
  while (!text.empty()) {
    const auto percent = text.find('%');
    expanded += text.substr(0, percent);
    if (percent == std::string_view::npos) break;
    text.remove_prefix(percent + 1);
    const auto macro = parse_macro(text);
    if (!macro) break;
    const std::string value = transformed(value_of(macro->letter, values), *macro);
    expanded += macro->is_escaped ? url_escaped(value) : value;
  }
  return expanded;
}

std::string expand_domain(std::string_view text, const MacroValues& values) {
  std::string name = expand(text, values);
  if (name.ends_with('.')) name.pop_back();
  while (name.size() > kMaxNameOctets) {
    const auto dot = name.find('.');
    if (dot == std::string::npos) break;
    name.erase(0, dot + 1);
  }
  return name;
}

}  // namespace authn::spf
