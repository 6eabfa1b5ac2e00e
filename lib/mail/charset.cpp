#include "lib/mail/charset.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "lib/base/text.h"
#include "lib/base/utf8.h"

namespace mail {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

std::string from_ascii(std::string_view octets) {
  std::string text;
  for (const char c : octets) base::utf8::append(text, static_cast<unsigned char>(c) < 0x80 ? static_cast<char32_t>(c) : kReplacement);
  return text;
}

std::string from_latin1(std::string_view octets) {
  std::string text;
  for (const char c : octets) base::utf8::append(text, static_cast<unsigned char>(c));
  return text;
}

std::optional<std::string> same_utf8(std::string_view utf8) {
  if (!base::utf8::is_valid(utf8)) return std::nullopt;
  return std::string(utf8);
}

std::optional<std::string> to_ascii(std::string_view utf8) {
  if (base::utf8::has_8bit(utf8)) return std::nullopt;
  return std::string(utf8);
}

std::optional<std::string> to_latin1(std::string_view utf8) {
  std::string octets;
  while (!utf8.empty()) {
    const auto length = base::utf8::sequence_octets(utf8);
    const auto first = static_cast<unsigned char>(utf8.front());
    if (length == 0 || length > 2 || first > 0xC3) return std::nullopt;  // C3 BF is U+00FF
    octets += length == 1 ? utf8[0] : static_cast<char>(first << 6 | (static_cast<unsigned char>(utf8[1]) & 0x3FU));
    utf8.remove_prefix(length);
  }
  return octets;
}

struct Known {
  std::string_view name;
  std::string (*decode)(std::string_view);
  std::optional<std::string> (*encode)(std::string_view);
};
constexpr auto kKnown = std::to_array<Known>({
    {"utf-8", valid_utf8, same_utf8},
    {"utf8", valid_utf8, same_utf8},
    {"us-ascii", from_ascii, to_ascii},
    {"ascii", from_ascii, to_ascii},
    {"iso-8859-1", from_latin1, to_latin1},
    {"latin1", from_latin1, to_latin1},
});

// Names that mail has and iconv lacks. A suffix such as //TRANSLIT means something to iconv: never from a message.
constexpr auto kAliases = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"iso-8859-8-i", "iso-8859-8"},  // RFC 1556: the same characters, in logical order
    {"iso-8859-6-i", "iso-8859-6"},
    {"ks_c_5601-1987", "cp949"},  // what senders mean by it
    {"gb2312", "gbk"},            // a superset, likewise
    {"shift_jis", "cp932"},
    {"x-sjis", "cp932"},
});

class Converter {
 public:
  Converter(const std::string& to, const std::string& from) : handle_(::iconv_open(to.c_str(), from.c_str())) {}
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  ~Converter() {
    if (is_open()) ::iconv_close(handle_);
  }
  [[nodiscard]] bool is_open() const { return handle_ != reinterpret_cast<iconv_t>(-1); }

  // What cannot be converted becomes U+FFFD, which only UTF-8 has.
  std::string convert_to_utf8(std::string_view octets) {
    std::string text;
    std::string input(octets);  // iconv wants it writable
    char* from = input.data();
    std::size_t left = input.size();
    while (left > 0) {
      const bool is_done = step(&from, &left, text);
      if (is_done) break;
      if (errno == E2BIG) continue;
      base::utf8::append(text, kReplacement);  // EILSEQ, or EINVAL: cut at the end
      ++from;
      --left;
    }
    (void)step(nullptr, nullptr, text);  // what a shift state still owes
    return text;
  }

  // nullopt: something cannot be converted.
  std::optional<std::string> convert(std::string_view octets) {
    std::string text;
    std::string input(octets);
    char* from = input.data();
    std::size_t left = input.size();
    while (left > 0 && !step(&from, &left, text))
      if (errno != E2BIG) return std::nullopt;
    (void)step(nullptr, nullptr, text);
    return text;
  }

 private:
  bool step(char** from, std::size_t* left, std::string& text) {
    std::array<char, 1024> buffer;
    char* to = buffer.data();
    std::size_t room = buffer.size();
    const auto converted = ::iconv(handle_, from, left, &to, &room);
    const int error = errno;
    text.append(buffer.data(), buffer.size() - room);
    errno = error;
    return converted != static_cast<std::size_t>(-1);
  }

  iconv_t handle_;
};

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const auto octets = base::utf8::sequence_octets(text);
    if (octets == 0) {
      base::utf8::append(valid, kReplacement);
    } else {
      valid += text.substr(0, octets);
    }
    text.remove_prefix(std::max<std::size_t>(octets, 1));
  }
  return valid;
}

namespace {

// A charset as iconv knows it; "": never to be asked for.
std::string iconv_name(std::string_view name) {
  const bool is_plain = std::ranges::all_of(name, [](char c) { return base::text::is_alpha(c) || base::text::is_digit(c) || std::string_view("-_.:+").contains(c); });
  if (!is_plain || name.size() > 40) return {};
  for (const auto& [alias, meant] : kAliases)
    if (name == alias) return std::string(meant);
  return std::string(name);
}

const Known* find_known(std::string_view name) {
  const auto found = std::ranges::find(kKnown, name, &Known::name);
  return found == kKnown.end() ? nullptr : &*found;
}

}  // namespace

std::optional<std::string> to_utf8(std::string_view octets, std::string_view charset) {
  const auto name = base::text::to_lower(charset);
  if (const auto* known = find_known(name)) return known->decode(octets);
  const auto foreign = iconv_name(name);
  if (foreign.empty()) return std::nullopt;
  Converter converter("UTF-8", foreign);
  if (!converter.is_open()) return std::nullopt;
  return converter.convert_to_utf8(octets);
}

std::optional<std::string> from_utf8(std::string_view utf8, std::string_view charset) {
  const auto name = base::text::to_lower(charset);
  if (const auto* known = find_known(name)) return known->encode(utf8);
  const auto foreign = iconv_name(name);
  if (foreign.empty()) return std::nullopt;
  Converter converter(foreign, "UTF-8");
  if (!converter.is_open()) return std::nullopt;
  return converter.convert(utf8);
}

}  // namespace mail
