// Content-Transfer-Encoding: RFC 2045 section 6. Decoders take what mail has and lose nothing they can save; checkers say
// where it is not what the RFC asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace mail {

enum class TransferEncoding : std::uint8_t { SevenBit, EightBit, Binary, QuotedPrintable, Base64, Unknown };

// The mechanism's name in any case; Unknown for any other token.
TransferEncoding transfer_encoding_of(std::string_view mechanism);
std::string_view name_of(TransferEncoding encoding);
// 7bit, 8bit, binary: what stands there is what is meant.
constexpr bool is_identity(TransferEncoding encoding) { return encoding <= TransferEncoding::Binary; }

// Appends the decoded octets. Quoted-printable: an "=" that begins nothing stands for itself, blanks at line ends go
// (section 6.7 rule 3). Base64: octets outside the alphabet are skipped, decoding stops at "=" and ends with whole octets.
void decode_quoted_printable(std::string& out, std::string_view text);
void decode_base64(std::string& out, std::string_view text);
// By encoding; what is not encoded, or in an unknown manner, is appended as it is.
void decode(std::string& out, std::string_view text, TransferEncoding encoding);

void encode_base64(std::string& out, std::string_view octets);  // without line ends
// In lines of 76 characters, each but the last one with `line_end`.
void encode_base64_lines(std::string& out, std::string_view octets, std::string_view line_end);
// Text: its line ends, CRLF and LF, become `line_end`, its lines are broken softly at 76 characters.
void encode_quoted_printable(std::string& out, std::string_view text, std::string_view line_end);

enum class EncodingFault : std::uint8_t {
  BadEscape,         // "=" without two hexadecimal digits or a line end
  LowerCaseEscape,   // "=c3": section 6.7 rule 1 wants capitals
  TrailingBlank,     // rule 3
  Unencoded8bit,     // rule 2: an octet over 126, or a control character
  LineTooLong,       // more than 76 characters (rule 5; for base64 section 6.8)
  BadCharacter,      // outside the base64 alphabet
  BadPadding,        // "=" where none belongs, or data behind it
  Truncated,         // the last quantum is not whole
};

// Calls `report` for each fault with its place in `text`, in order; stops when it returns false. One fault of a kind per line.
using EncodingReport = std::function<bool(EncodingFault, std::size_t offset)>;
void check_quoted_printable(std::string_view text, const EncodingReport& report);
void check_base64(std::string_view text, const EncodingReport& report);

}  // namespace mail
