#include "lib/mail/encoded_word.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "lib/mail/charset.h"
#include "lib/mail/header.h"
#include "lib/mail/lexer.h"
#include "lib/mail/transfer_encoding.h"

namespace mail {
namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// RFC 2047 section 4.2: as quoted-printable, and "_" is a blank in every charset.
std::string decode_q(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '_', ' ');
  std::string octets;
  std::size_t from = 0;
  // Quoted-printable drops blanks at the end and takes a last "=" for a soft line break; neither has a meaning here.
  const auto end = spaced.find_last_not_of(" \t=");
  const std::size_t kept = end == std::string::npos ? 0 : end + 1;
  decode_quoted_printable(octets, std::string_view(spaced).substr(from, kept));
  return octets + spaced.substr(kept);
}

// What a word decodes to must not become a new line or end a string: line ends and NUL turn into blanks.
void append_harmless(std::string& out, std::string_view text) {
  for (const char c : text) out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
}

// A run of encoded words with nothing but blanks between: octets of one charset are joined before they are converted, so
// that a character that a sender cut between two words (against section 5) is whole again.
class Run {
 public:
  // False when nobody knows the charset: then nothing was added.
  bool add(const EncodedWord& word) {
    if (!to_utf8("", word.charset)) return false;
    if (!base::text::equal_ignoring_case(charset_, word.charset)) flush();
    charset_ = word.charset;
    octets_ += word.decoded_octets();
    is_open_ = true;
    return true;
  }
  [[nodiscard]] bool is_open() const { return is_open_; }
  // Ends the run: what it decoded to.
  std::string take() {
    flush();
    is_open_ = false;
    return std::exchange(decoded_, {});
  }

 private:
  void flush() {
    if (!octets_.empty())
      if (const auto text = to_utf8(octets_, charset_)) append_harmless(decoded_, *text);
    octets_.clear();
    charset_ = {};
  }

  std::string_view charset_;
  std::string octets_, decoded_;
  bool is_open_ = false;
};

}  // namespace

std::string EncodedWord::decoded_octets() const {
  if (encoding == 'Q') return decode_q(text);
  std::string octets;
  decode_base64(octets, text);
  return octets;
}

std::optional<EncodedWord> parse_encoded_word(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  const auto charset_end = text.find('?', 2);
  if (charset_end == std::string_view::npos || charset_end == 2) return std::nullopt;
  const auto [charset, language] = base::text::split_once(text.substr(2, charset_end - 2), '*');
  if (charset.empty() || !std::ranges::all_of(charset, is_token)) return std::nullopt;
  if (charset_end + 2 >= text.size() || text[charset_end + 2] != '?') return std::nullopt;
  const char encoding = base::text::upper(text[charset_end + 1]);
  if (encoding != 'Q' && encoding != 'B') return std::nullopt;
  const auto start = charset_end + 3;
  const auto end = text.find_first_of("?\r\n", start);
  if (end == std::string_view::npos || !text.substr(end).starts_with("?=")) return std::nullopt;
  return EncodedWord{charset, language, encoding, text.substr(start, end - start), end + 2};
}

EncodedWordFault check(const EncodedWord& word) {
  EncodedWordFault fault = EncodedWordFault::None;
  const auto note = [&](EncodedWordFault found) {
    if (fault == EncodedWordFault::None) fault = found;
    return false;
  };
  if (word.text.find_first_of(" \t") != std::string_view::npos) {
    note(EncodedWordFault::Blank);
  } else if (word.encoding == 'B') {
    check_base64(word.text, [&](EncodingFault found, std::size_t) { return found == EncodingFault::LineTooLong || note(EncodedWordFault::BadBase64); });
  } else {
    std::string_view rest = word.text;
    for (auto at = rest.find('='); at != std::string_view::npos; at = rest.find('=')) {
      const auto is_hex = [&](std::size_t i) { return i < rest.size() && std::string_view("0123456789ABCDEFabcdef").contains(rest[i]); };
      if (!is_hex(at + 1) || !is_hex(at + 2)) note(EncodedWordFault::BadEscape);
      rest.remove_prefix(at + 1);
    }
  }
  if (fault == EncodedWordFault::None && base::text::equal_ignoring_case(word.charset, "utf-8") && !base::utf8::is_valid(word.decoded_octets()))
    fault = EncodedWordFault::NotUtf8;
  if (fault == EncodedWordFault::None && word.octets > kMaxEncodedWordOctets) fault = EncodedWordFault::TooLong;
  return fault;
}

std::string decode_text(std::string_view text) {
  std::string decoded;
  Run run;
  std::string blanks;  // seen since an encoded word ended: dropped if the next one follows
  const auto end_run = [&] {
    if (run.is_open()) append_harmless(decoded, run.take());
    for (const char c : std::exchange(blanks, {}))
      if (c != '\r' && c != '\n') decoded += c;  // unfolding  RFC 5322 section 2.2.3
  };
  while (!text.empty()) {
    if (const auto word = parse_encoded_word(text)) {
      const bool is_adjacent = run.is_open();
      if (!is_adjacent) end_run();
      if (run.add(*word)) {
        blanks.clear();
        text.remove_prefix(word->octets);
        continue;
      }
    }
    if (is_blank(text.front())) {
      blanks += text.front();
      text.remove_prefix(1);
      continue;
    }
    end_run();
    // A charset that nobody knows: the word stays as it is, all of it, or its "=?=" ends would be looked at again.
    const auto unknown = parse_encoded_word(text);
    const std::size_t octets = unknown ? unknown->octets : 1;
    decoded += text.substr(0, octets);
    text.remove_prefix(octets);
  }
  end_run();
  return valid_utf8(decoded);
}

std::string decode_unstructured(std::string_view body) {
  // Unfolded first: some senders fold inside of an encoded word.
  return decode_text(unfold(body));
}

bool needs_encoding(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 32 || static_cast<unsigned char>(c) > 126; }) || text.contains("=?");
}

std::string encode_words(std::string_view utf8) {
  if (!needs_encoding(utf8)) return std::string(utf8);
  constexpr std::string_view kOpen = "=?utf-8?B?", kClose = "?=";
  // Base64 makes 4 characters of 3 octets.
  constexpr std::size_t kOctetsInWord = (kMaxEncodedWordOctets - kOpen.size() - kClose.size()) / 4 * 3;
  const std::string valid = valid_utf8(utf8);
  std::string_view rest = valid;
  std::string encoded;
  while (!rest.empty()) {
    std::size_t octets = 0;
    while (octets < rest.size()) {
      const auto next = base::utf8::sequence_octets(rest.substr(octets));
      if (octets + next > kOctetsInWord) break;
      octets += next;
    }
    if (!encoded.empty()) encoded += "\r\n ";
    encoded += kOpen;
    encode_base64(encoded, rest.substr(0, octets));
    encoded += kClose;
    rest.remove_prefix(octets);
  }
  return encoded;
}

}  // namespace mail
