#include "lib/mail/transfer_encoding.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"

namespace mail {
namespace {

struct Mechanism {
  TransferEncoding encoding;
  std::string_view name;
};
constexpr auto kMechanisms = std::to_array<Mechanism>({
    {TransferEncoding::SevenBit, "7bit"},
    {TransferEncoding::EightBit, "8bit"},
    {TransferEncoding::Binary, "binary"},
    {TransferEncoding::QuotedPrintable, "quoted-printable"},
    {TransferEncoding::Base64, "base64"},
});

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kSkip = 64, kLineEnd = 65, kPad = 66;  // in kBase64, above the values
constexpr std::size_t kMaxEncodedLine = 76;

constexpr auto kBase64 = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(kSkip);
  for (std::size_t value = 0; value < kAlphabet.size(); ++value) table[static_cast<unsigned char>(kAlphabet[value])] = static_cast<std::uint8_t>(value);
  table['='] = kPad;
  table['\r'] = table['\n'] = kLineEnd;
  return table;
}();
constexpr std::uint8_t base64_class(char c) { return kBase64[static_cast<unsigned char>(c)]; }

constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::string_view without_trailing_blanks(std::string_view line) {
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  return line;
}

struct Line {
  std::string_view text;  // without its line end
  std::string_view end;   // CRLF, LF, or nothing at the end of the octets
};
Line next_line(std::string_view& rest) {
  const auto feed = rest.find('\n');
  if (feed == std::string_view::npos) return {std::exchange(rest, {}), {}};
  const std::size_t text = feed > 0 && rest[feed - 1] == '\r' ? feed - 1 : feed;
  const Line line{rest.substr(0, text), rest.substr(text, feed + 1 - text)};
  rest.remove_prefix(feed + 1);
  return line;
}

// One line of quoted-printable, blanks at its end already gone. True when it ends in a soft line break.
bool decode_line(std::string& out, std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '=') {
      out += line[i];
      continue;
    }
    if (i + 1 == line.size()) return true;
    const int high = hex_value(line[i + 1]);
    const int low = i + 2 < line.size() ? hex_value(line[i + 2]) : -1;
    if (high < 0 || low < 0) {
      out += '=';
      continue;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return false;
}

}  // namespace

TransferEncoding transfer_encoding_of(std::string_view mechanism) {
  for (const auto& row : kMechanisms)
    if (base::text::equal_ignoring_case(row.name, mechanism)) return row.encoding;
  return TransferEncoding::Unknown;
}

std::string_view name_of(TransferEncoding encoding) {
  for (const auto& row : kMechanisms)
    if (row.encoding == encoding) return row.name;
  return "unknown";
}

void decode_quoted_printable(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto line = next_line(text);
    if (!decode_line(out, without_trailing_blanks(line.text))) out += line.end;
  }
}

void decode_base64(std::string& out, std::string_view text) {
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto value = base64_class(c);
    if (value == kPad) break;
    if (value > 63) continue;
    bits = bits << 6 | value;
    if (++count < 4) continue;
    out += static_cast<char>(bits >> 16 & 0xFF);
    out += static_cast<char>(bits >> 8 & 0xFF);
    out += static_cast<char>(bits & 0xFF);
    bits = 0;
    count = 0;
  }
  if (count >= 2) out += static_cast<char>((count == 2 ? bits >> 4 : bits >> 10) & 0xFF);
  if (count == 3) out += static_cast<char>(bits >> 2 & 0xFF);
}

void decode(std::string& out, std::string_view text, TransferEncoding encoding) {
  switch (encoding) {
    case TransferEncoding::QuotedPrintable: return decode_quoted_printable(out, text);
    case TransferEncoding::Base64: return decode_base64(out, text);
    case TransferEncoding::SevenBit:
    case TransferEncoding::EightBit:
    case TransferEncoding::Binary:
    case TransferEncoding::Unknown: out += text;
  }
}

void encode_base64(std::string& out, std::string_view octets) {
  for (std::size_t i = 0; i < octets.size(); i += 3) {
    const auto octet = [&](std::size_t k) { return i + k < octets.size() ? static_cast<unsigned char>(octets[i + k]) : 0U; };
    const std::uint32_t bits = octet(0) << 16 | octet(1) << 8 | octet(2);
    out += kAlphabet[bits >> 18];
    out += kAlphabet[bits >> 12 & 63];
    out += i + 1 < octets.size() ? kAlphabet[bits >> 6 & 63] : '=';
    out += i + 2 < octets.size() ? kAlphabet[bits & 63] : '=';
  }
}

void encode_base64_lines(std::string& out, std::string_view octets, std::string_view line_end) {
  constexpr std::size_t kOctets = kMaxEncodedLine / 4 * 3;
  out.reserve(out.size() + octets.size() / 3 * 4 + octets.size() / kOctets * line_end.size() + 4);
  for (bool is_first = true; !octets.empty(); is_first = false) {
    if (!is_first) out += line_end;
    const auto line = octets.substr(0, kOctets);
    encode_base64(out, line);
    octets.remove_prefix(line.size());
  }
}

namespace {

// The octets of a line of quoted-printable that may stand for themselves: section 6.7 rules 2 and 3.
constexpr auto kQuotedPrintableLiteral = [] {
  std::array<bool, 256> table{};
  for (std::size_t octet = 32; octet < 127; ++octet) table[octet] = octet != '=';
  table['\t'] = true;
  return table;
}();

void encode_quoted_printable_line(std::string& out, std::string_view line, std::string_view line_end) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::size_t column = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto octet = static_cast<unsigned char>(line[i]);
    const bool is_last = i + 1 == line.size();
    const bool is_blank_at_end = is_last && (octet == ' ' || octet == '\t');
    const bool is_literal = kQuotedPrintableLiteral[octet] && !is_blank_at_end;
    const std::size_t width = is_literal ? 1 : 3;
    if (column + width > kMaxEncodedLine - (is_last ? 0 : 1)) {
      out.append("=").append(line_end);
      column = 0;
    }
    column += width;
    if (is_literal) {
      out += line[i];
    } else {
      out.append("=").append(1, kHex[octet >> 4]).append(1, kHex[octet & 15]);
    }
  }
}

bool check_quoted_printable_line(std::string_view line, std::size_t offset, const EncodingReport& report) {
  const auto content = without_trailing_blanks(line);
  if (content.size() < line.size() && !report(EncodingFault::TrailingBlank, offset + content.size())) return false;
  if (line.size() > kMaxEncodedLine && !report(EncodingFault::LineTooLong, offset + kMaxEncodedLine)) return false;
  bool has_bad_escape = false, has_lower = false, has_8bit = false;
  const auto is_literal = [&](std::size_t i) { return kQuotedPrintableLiteral[static_cast<unsigned char>(content[i])]; };
  for (std::size_t i = 0; i < content.size(); ++i) {
    while (i + 4 <= content.size() && is_literal(i) && is_literal(i + 1) && is_literal(i + 2) && is_literal(i + 3)) i += 4;
    if (i == content.size()) break;
    const char c = content[i];
    if (is_literal(i)) continue;
    if (c != '=') {
      if (!std::exchange(has_8bit, true) && !report(EncodingFault::Unencoded8bit, offset + i)) return false;
      continue;
    }
    if (i + 1 == content.size()) break;  // soft line break
    if (i + 2 >= content.size() || hex_value(content[i + 1]) < 0 || hex_value(content[i + 2]) < 0) {
      if (!std::exchange(has_bad_escape, true) && !report(EncodingFault::BadEscape, offset + i)) return false;
      continue;
    }
    const auto is_lower = [](char digit) { return digit >= 'a'; };
    if ((is_lower(content[i + 1]) || is_lower(content[i + 2])) && !std::exchange(has_lower, true) && !report(EncodingFault::LowerCaseEscape, offset + i)) return false;
    i += 2;
  }
  return true;
}

// How many octets at the front are digits, eight at a time: attachments are most of what mail is.
std::size_t leading_digits(std::string_view line) {
  std::size_t i = 0;
  for (; i + 8 <= line.size(); i += 8) {
    unsigned seen = 0;
    for (std::size_t k = 0; k < 8; ++k) seen |= base64_class(line[i + k]);
    if (seen > 63) break;
  }
  while (i < line.size() && base64_class(line[i]) <= 63) ++i;
  return i;
}

}  // namespace

void encode_quoted_printable(std::string& out, std::string_view text, std::string_view line_end) {
  while (!text.empty()) {
    const auto line = next_line(text);
    encode_quoted_printable_line(out, line.text, line_end);
    if (!line.end.empty()) out += line_end;
  }
}

void check_quoted_printable(std::string_view text, const EncodingReport& report) {
  const char* const start = text.data();
  while (!text.empty()) {
    const auto line = next_line(text);
    if (!check_quoted_printable_line(line.text, static_cast<std::size_t>(line.text.data() - start), report)) return;
  }
}

void check_base64(std::string_view text, const EncodingReport& report) {
  const char* const start = text.data();
  std::size_t digits = 0, pads = 0, last_digit = 0;
  while (!text.empty()) {
    const auto line = next_line(text);
    const auto offset = static_cast<std::size_t>(line.text.data() - start);
    if (line.text.size() > kMaxEncodedLine && !report(EncodingFault::LineTooLong, offset + kMaxEncodedLine)) return;
    bool has_bad_character = false, has_bad_padding = false;
    const std::size_t clean = pads == 0 ? leading_digits(line.text) : 0;
    if (clean > 0) last_digit = offset + clean - 1;
    digits += clean;
    for (std::size_t i = clean; i < line.text.size(); ++i) {
      const auto value = base64_class(line.text[i]);
      if (value <= 63) {
        if (pads > 0 && !std::exchange(has_bad_padding, true) && !report(EncodingFault::BadPadding, offset + i)) return;
        ++digits;
        last_digit = offset + i;
      } else if (value == kPad) {
        // "=" stands for the third or fourth digit of the last quantum.
        const bool belongs = digits % 4 >= 2 && digits % 4 + pads < 4;
        if (!belongs && !std::exchange(has_bad_padding, true) && !report(EncodingFault::BadPadding, offset + i)) return;
        ++pads;
      } else if (value != kLineEnd && !std::exchange(has_bad_character, true) && !report(EncodingFault::BadCharacter, offset + i)) {
        return;
      }
    }
  }
  if (digits % 4 != 0 && digits % 4 + pads < 4) report(EncodingFault::Truncated, last_digit);
}

}  // namespace mail
