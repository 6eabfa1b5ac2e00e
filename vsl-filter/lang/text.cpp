#include "vsl-filter/lang/text.h"

#include <charconv>
#include <cmath>

#include "lib/base/utf8.h"
#include "vsl-filter/lang/host_class.h"

namespace vsl {

namespace {

// More than any string may have. An array of one array twice, forty times over, is small, and its text has 2^40 elements.
constexpr std::size_t kMostOctets = 32 << 20;
constexpr int kDeepest = 256;  // values nested deeper show as "..."

// How much of a value is shown.
struct Extent {
  int depth = 0;  // how deep the value lies
  std::size_t most_octets = kMostOctets;

  [[nodiscard]] Extent within() const { return {depth + 1, most_octets}; }
};

void append_int(std::string& out, std::int64_t number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void append_escaped(std::string& out, std::string_view text, char quote) {
  out += quote;
  for (const char c : text) {
    switch (c) {
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\\': out += "\\\\"; break;
      default:
        if (c == quote) out += '\\';
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
          constexpr std::string_view kHex = "0123456789abcdef";
          out += "\\x";
          out += kHex[static_cast<unsigned char>(c) >> 4];
          out += kHex[c & 15];
        } else {
          out += c;
        }
    }
  }
  out += quote;
}

void append_nested(std::string& out, const Value& value, Extent extent);

void append_array(std::string& out, const Array& array, Extent extent) {
  out += '[';
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (i > 0) out += ", ";
    append_nested(out, array[i], extent);
    if (out.size() > extent.most_octets) break;
  }
  out += ']';
}

void append_map(std::string& out, const Map& map, Extent extent) {
  out += "#{";
  bool is_first = true;
  for (const auto& [key, value] : map.entries()) {
    if (!is_first) out += ", ";
    is_first = false;
    append_escaped(out, key.as_text(), '"');
    out += ": ";
    append_nested(out, value, extent);
    if (out.size() > extent.most_octets) break;
  }
  out += '}';
}

void append_range(std::string& out, const Range& range) {
  append_int(out, range.first);
  out += range.is_inclusive ? "..=" : "..";
  append_int(out, range.last);
}

void append_blob(std::string& out, const Blob& blob) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '[';
  for (const std::uint8_t byte : blob.span()) {
    if (out.back() != '[') out += ' ';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  out += ']';
}

void append_host(std::string& out, const HostObject& host, bool is_debug) {
  const HostClass& host_class = *host.host_class;
  if (is_debug && host_class.debug != nullptr) return host_class.debug(host, out);
  if (host_class.text != nullptr) return host_class.text(host, out);
  out += host_class.name;
}

// Objects and numbers have one form for both.
void append_common(std::string& out, const Value& value, Extent extent, bool is_debug) {
  switch (value.tag()) {
    case Tag::Bool: out += value.as_bool() ? "true" : "false"; break;
    case Tag::Int: append_int(out, value.as_int()); break;
    case Tag::Float: append_float(out, value.as_float()); break;
    case Tag::Timestamp: out += "<timestamp>"; break;
    case Tag::Array: append_array(out, value.as_array(), extent); break;
    case Tag::Blob: append_blob(out, value.as_blob()); break;
    case Tag::Map: append_map(out, value.as_map(), extent); break;
    case Tag::Range: append_range(out, value.as_range()); break;
    case Tag::Function: (out += "Fn(") += value.as_function().name.as_text(), out += ')'; break;
    case Tag::Host: append_host(out, value.as_host(), is_debug); break;
    default: break;
  }
}

void append_nested(std::string& out, const Value& value, Extent extent) {
  if (extent.depth >= kDeepest || out.size() > extent.most_octets) {
    out += "...";
    return;
  }
  switch (value.tag()) {
    case Tag::Unit: out += "()"; break;
    case Tag::Char: {
      std::string text;
      base::utf8::append(text, value.as_char());
      append_escaped(out, text, '\'');
      break;
    }
    case Tag::Short:
    case Tag::String: append_escaped(out, value.as_text().substr(0, extent.most_octets), '"'); break;
    default: append_common(out, value, extent.within(), true);
  }
}

}  // namespace

void append_text(std::string& out, const Value& value) {
  switch (value.tag()) {
    case Tag::Char: base::utf8::append(out, value.as_char()); break;
    case Tag::Short:
    case Tag::String: out += value.as_text(); break;
    default: append_common(out, value, {}, false);
  }
}

std::string text_of(const Value& value) {
  std::string out;
  append_text(out, value);
  return out;
}

void append_debug(std::string& out, const Value& value) { append_nested(out, value, {}); }

std::string debug_of(const Value& value) {
  std::string out;
  append_debug(out, value);
  return out;
}

std::string shortened_debug_of(const Value& value, std::size_t octets) {
  std::string out;
  append_nested(out, value, {0, octets});
  if (out.size() <= octets) return out;
  while (octets > 0 && (static_cast<unsigned char>(out[octets]) & 0xC0) == 0x80) --octets;
  out.resize(octets);
  return out += "...";
}

void append_float(std::string& out, double number) {
  if (std::isnan(number)) {
    out += "NaN";
    return;
  }
  if (std::isinf(number)) {
    out += number < 0 ? "-inf" : "inf";
    return;
  }
  const double size = std::fabs(number);
  const bool is_plain = size == 0 || (size >= 1e-5 && size < 1e16);
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, is_plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string_view text(digits, static_cast<std::size_t>(end.ptr - digits));
  if (is_plain) {
    out += text;
    if (text.find('.') == std::string_view::npos) out += ".0";
    return;
  }
  // to_chars writes 1e+20 and 1e-07.
  const auto exponent = text.find('e');
  out += text.substr(0, exponent + 1);
  text.remove_prefix(exponent + 1);
  if (text.front() == '-') out += '-';
  text.remove_prefix(1);
  out += text.substr(std::min(text.find_first_not_of('0'), text.size() - 1));
}

std::string_view type_name(const Value& value) {
  switch (value.tag()) {
    case Tag::Bool: return "bool";
    case Tag::Int: return "i64";
    case Tag::Float: return "f64";
    case Tag::Char: return "char";
    case Tag::Short:
    case Tag::String: return "string";
    case Tag::Timestamp: return "timestamp";
    case Tag::Array: return "array";
    case Tag::Blob: return "blob";
    case Tag::Map: return "map";
    case Tag::Range: return value.as_range().is_inclusive ? "range=" : "range";
    case Tag::Function: return "Fn";
    case Tag::Host: return value.as_host().host_class->name;
    case Tag::Cell: return type_name(value.as_cell().value);
    case Tag::Unit:
    case Tag::Absent: break;
  }
  return "()";
}

}  // namespace vsl
