#include "lib/mail/dsn.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/base/utf8.h"

namespace mail {
namespace {

namespace text = base::text;

struct NotifyWord {
  std::string_view name;
  Notify bit;
};
constexpr auto kNotifyWords = std::to_array<NotifyWord>({{"NEVER", kNever}, {"SUCCESS", kSuccess}, {"FAILURE", kFailure}, {"DELAY", kDelay}});

constexpr bool is_hex(char c) { return text::is_digit(c) || (c >= 'A' && c <= 'F'); }
constexpr unsigned hex_value(char c) { return static_cast<unsigned>(text::is_digit(c) ? c - '0' : c - 'A' + 10); }
constexpr char hex_digit(unsigned value) { return "0123456789ABCDEF"[value & 15U]; }
constexpr bool is_graphic(char c) { return c > ' ' && c <= '~'; }
constexpr bool is_printable(char c) { return c >= ' ' && c <= '~'; }

bool has_controls(std::string_view octets) {
  return std::ranges::any_of(octets, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

// ---- utf-8 addresses: RFC 6533 section 3

// HEXPOINT of EmbeddedUnicodeChar: in the shortest way, upper case, a character that xtext or the form itself needs to
// have escaped, or one outside of ASCII.
std::optional<char32_t> parse_hexpoint(std::string_view digits) {
  if (digits.size() < 2 || digits.size() > 6 || !std::ranges::all_of(digits, is_hex)) return std::nullopt;
  char32_t point = 0;
  for (const char c : digits) point = point << 4U | hex_value(c);
  if (digits.front() == '0' && digits.size() > 2) return std::nullopt;
  if (point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return std::nullopt;
  const bool needs_escape = point >= 0x7F || point <= 0x20 || point == '+' || point == '=' || point == '\\';
  return needs_escape ? std::optional(point) : std::nullopt;
}

// EmbeddedUnicodeChar = "\x{" HEXPOINT "}" at the front of `rest`, which loses it.
std::optional<char32_t> consume_embedded(std::string_view& rest) {
  const auto end = rest.find('}');
  if (!rest.starts_with("\\x{") || end == std::string_view::npos) return std::nullopt;
  const auto point = parse_hexpoint(rest.substr(3, end - 3));
  if (point) rest.remove_prefix(end + 1);
  return point;
}

constexpr bool is_qchar(char c) { return is_graphic(c) && c != '+' && c != '=' && c != '\\'; }

// utf-8-addr-xtext, and with `unicode` utf-8-addr-unitext, as the octets they stand for. nullopt: neither.
std::optional<std::string> decode_utf8_address(std::string_view rest, bool unicode) {
  std::string address;
  while (!rest.empty()) {
    if (is_qchar(rest.front())) {
      address += rest.front();
      rest.remove_prefix(1);
    } else if (rest.front() == '\\') {
      const auto point = consume_embedded(rest);
      if (!point) return std::nullopt;
      base::utf8::append(address, *point);
    } else {
      const auto octets = base::utf8::sequence_octets(rest);
      if (!unicode || octets < 2) return std::nullopt;
      address += rest.substr(0, octets);
      rest.remove_prefix(octets);
    }
  }
  return address;
}

char32_t code_point(std::string_view sequence) {
  const auto octet = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(sequence[i])); };
  switch (sequence.size()) {
    case 1: return octet(0);
    case 2: return (octet(0) & 0x1FU) << 6U | (octet(1) & 0x3FU);
    case 3: return (octet(0) & 0x0FU) << 12U | (octet(1) & 0x3FU) << 6U | (octet(2) & 0x3FU);
    default: return (octet(0) & 0x07U) << 18U | (octet(1) & 0x3FU) << 12U | (octet(2) & 0x3FU) << 6U | (octet(3) & 0x3FU);
  }
}

void append_embedded(std::string& out, char32_t point) {
  std::string digits;
  for (char32_t rest = point; rest != 0 || digits.size() < 2; rest >>= 4U) digits.insert(digits.begin(), hex_digit(static_cast<unsigned>(rest)));
  out.append("\\x{").append(digits).append("}");
}

// `unicode`: what is not ASCII stays. An octet that is no UTF-8 is U+FFFD, as everywhere.
std::string encode_utf8_address(std::string_view rest, bool unicode) {
  std::string out;
  while (!rest.empty()) {
    const auto octets = base::utf8::sequence_octets(rest);
    const auto sequence = rest.substr(0, std::max<std::size_t>(1, octets));
    rest.remove_prefix(sequence.size());
    if (octets == 1 && is_qchar(sequence.front())) {
      out += sequence;
    } else if (octets == 0) {
      append_embedded(out, 0xFFFD);
    } else if (octets > 1 && unicode) {
      out += sequence;
    } else {
      append_embedded(out, code_point(sequence));
    }
  }
  return out;
}

bool is_utf8_type(std::string_view type) { return text::equal_ignoring_case(type, "utf-8"); }

// addr-type = atom; RFC 5322 section 3.2.3 without ";", which ends it here.
bool is_address_type(std::string_view type) {
  constexpr std::string_view kSpecials = "()<>[]:;@\\,.\"";
  return !type.empty() && std::ranges::all_of(type, [&](char c) { return is_graphic(c) && kSpecials.find(c) == std::string_view::npos; });
}

}  // namespace

// ---- NOTIFY and RET -------------------------------------------------------------------------------------------------

std::optional<std::uint8_t> parse_notify(std::string_view value) {
  std::uint8_t notify = 0;
  for (const auto name : text::split(value, ',')) {
    const auto word = std::ranges::find_if(kNotifyWords, [&](const NotifyWord& one) { return text::equal_ignoring_case(one.name, name); });
    if (word == kNotifyWords.end()) return std::nullopt;
    notify |= word->bit;
  }
  if ((notify & kNever) != 0 && notify != kNever) return std::nullopt;  // alone or not at all
  return notify;
}

std::string notify_text(std::uint8_t notify) {
  std::string words;
  for (const auto& word : kNotifyWords)
    if ((notify & word.bit) != 0) words.append(words.empty() ? "" : ",").append(word.name);
  return words;
}

std::optional<Return> parse_return(std::string_view value) {
  if (text::equal_ignoring_case(value, "FULL")) return Return::Full;
  if (text::equal_ignoring_case(value, "HDRS")) return Return::Headers;
  return std::nullopt;
}

std::string_view return_text(Return what) { return what == Return::Full ? "FULL" : what == Return::Headers ? "HDRS" : ""; }

// ---- xtext ----------------------------------------------------------------------------------------------------------

bool is_xtext(std::string_view value) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (!is_graphic(value[i]) || value[i] == '=') return false;
    if (value[i] != '+') continue;
    if (i + 2 >= value.size() || !is_hex(value[i + 1]) || !is_hex(value[i + 2])) return false;
    i += 2;
  }
  return true;
}

std::string from_xtext(std::string_view xtext) {
  if (!is_xtext(xtext)) return std::string(xtext);
  std::string octets;
  for (std::size_t i = 0; i < xtext.size(); ++i) {
    if (xtext[i] != '+') {
      octets += xtext[i];
    } else {
      octets += static_cast<char>(hex_value(xtext[i + 1]) << 4U | hex_value(xtext[i + 2]));
      i += 2;
    }
  }
  return octets;
}

std::string to_xtext(std::string_view octets) {
  std::string xtext;
  for (const char c : octets) {
    if (is_graphic(c) && c != '+' && c != '=') {
      xtext += c;
    } else {
      const auto octet = static_cast<unsigned char>(c);
      xtext += {'+', hex_digit(octet >> 4U), hex_digit(octet)};
    }
  }
  return xtext;
}

bool is_envelope_id(std::string_view value) {
  return !value.empty() && value.size() <= kMaxEnvelopeIdOctets && is_xtext(value) && std::ranges::all_of(from_xtext(value), is_printable);
}

// ---- addresses ------------------------------------------------------------------------------------------------------

bool is_original_recipient(std::string_view value, bool smtputf8) {
  const auto [type, address] = text::split_once(value, ';');
  if (value.size() > kMaxOriginalRecipientOctets || !is_address_type(type) || address.empty()) return false;
  if (!is_utf8_type(type)) return is_xtext(address) && !has_controls(from_xtext(address));
  const auto decoded = decode_utf8_address(address, smtputf8);
  return decoded && !has_controls(*decoded);
}

std::string original_recipient_in_ascii(std::string_view value) {
  const auto [type, address] = text::split_once(value, ';');
  if (!is_utf8_type(type)) return std::string(value);
  return std::string(type) + ";" + encode_utf8_address(decode_utf8_address(address, true).value_or(""), false);
}

std::string original_recipient_of(std::string_view address) {
  if (base::utf8::has_8bit(address)) return "utf-8;" + encode_utf8_address(address, true);
  return "rfc822;" + to_xtext(address);
}

std::string address_of_original_recipient(std::string_view original_recipient) {
  const auto [type, address] = text::split_once(original_recipient, ';');
  if (is_utf8_type(type)) return decode_utf8_address(address, true).value_or("");
  return text::equal_ignoring_case(type, "rfc822") ? from_xtext(address) : std::string();
}

// In a message/global-delivery-status an address is the utf-8-address itself, elsewhere utf-8-addr-xtext: section 4 says which of
// them go where. The escapes of xtext are for SMTP alone.
std::string report_address_of_parameter(std::string_view original_recipient, bool is_global) {
  const auto [type, address] = text::split_once(original_recipient, ';');
  if (!is_utf8_type(type)) return std::string(type) + "; " + from_xtext(address);
  const auto decoded = decode_utf8_address(address, true).value_or("");
  return "utf-8; " + (is_global ? decoded : encode_utf8_address(decoded, false));
}

std::string report_address(std::string_view address, bool is_global) {
  if (!base::utf8::has_8bit(address)) return "rfc822; " + std::string(address);
  return "utf-8; " + (is_global && base::utf8::is_valid(address) ? std::string(address) : encode_utf8_address(address, false));
}

const DsnRequest::Recipient& DsnRequest::of(std::size_t recipient) const {
  static const Recipient kNothing;
  return recipient < recipients.size() ? recipients[recipient] : kNothing;
}

}  // namespace mail
