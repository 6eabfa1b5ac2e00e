// Encoded words: RFC 2047, with the language tag of RFC 2231 section 5. Other charsets become UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mail {

inline constexpr std::size_t kMaxEncodedWordOctets = 75;  // RFC 2047 section 2

struct EncodedWord {
  std::string_view charset;   // without the language
  std::string_view language;  // "" when not given
  char encoding = 'Q';        // 'Q' or 'B'
  std::string_view text;      // still encoded
  std::size_t octets = 0;     // of all of it, "=?" to "?="

  [[nodiscard]] std::string decoded_octets() const;  // still in its charset
};

// The encoded word that begins `text`: "=?" charset "?" encoding "?" encoded-text "?=". Its length is not limited here, and
// encoded-text may hold blanks, which senders put there; line ends it may not. nullopt: it is ordinary text.
std::optional<EncodedWord> parse_encoded_word(std::string_view text);

// A fault of what parse_encoded_word() took, or of what looked like an encoded word and is none.
enum class EncodedWordFault : std::uint8_t {
  None,
  TooLong,        // more than 75 octets
  BadBase64,      // encoding B with octets outside of its alphabet, or cut
  BadEscape,      // encoding Q with "=" and no two hexadecimal digits
  Blank,          // a blank inside
  NotUtf8,        // charset UTF-8 and octets that are none: also a character cut between two words
};
EncodedWordFault check(const EncodedWord& word);

// The value of an unstructured field as UTF-8: unfolded, encoded words decoded, the blanks between adjacent ones dropped.
// Line ends and NUL that an encoded word smuggles in become blanks: the value stays one line.
std::string decode_unstructured(std::string_view body);

// The same for the words of a phrase or comment, which is what an encoded word inside of `text` means there.
std::string decode_text(std::string_view text);

// Whether a display name or subject can stand as it is: ASCII without controls.
bool needs_encoding(std::string_view text);
// UTF-8 text as encoded words of at most 75 octets each, separated by CRLF SP; no character is cut. Text that needs no encoding
// comes back as it is.
std::string encode_words(std::string_view utf8);

}  // namespace mail
