// hash::, base64::, json::: what turns octets into other octets.
#include <mbedtls/md.h>

#include <algorithm>
#include <array>

#include "lib/base/utf8.h"
#include "vsl-filter/lang/json.h"
#include "vsl-filter/lang/object.h"
#include "vsl-filter/lang/std.h"

namespace vsl::standard {

namespace {

// Of a string or blob.
std::string_view octets_of(const Value& value) {
  if (value.is_string()) return value.as_text();
  const auto octets = value.as_blob().span();
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

template <mbedtls_md_type_t kType>
Result hash(Run& run, Arguments a) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const std::string_view octets = octets_of(a[0]);
  if (auto fits = charge(run, octets.size() / 16); !fits) return pass_on(fits.error());
  const mbedtls_md_info_t* info = mbedtls_md_info_from_type(kType);
  std::array<unsigned char, MBEDTLS_MD_MAX_SIZE> digest{};
  if (info == nullptr || mbedtls_md(info, reinterpret_cast<const unsigned char*>(octets.data()), octets.size(), digest.data()) != 0)
    return fail_api("this hash is not available");
  std::string text;
  for (std::size_t i = 0; i < mbedtls_md_get_size(info); ++i) (text += kHex[digest[i] >> 4]) += kHex[digest[i] & 15];
  return run.string(text);
}

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";  // RFC 4648 section 4

Result base64_encode(Run& run, Arguments a) {
  const std::string_view octets = octets_of(a[0]);
  if (auto fits = check_octets(run, (octets.size() + 2) / 3 * 4); !fits) return pass_on(fits.error());
  if (auto fits = charge(run, octets.size() / 64); !fits) return pass_on(fits.error());
  std::string text;
  text.reserve((octets.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < octets.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t j = 0; j < 3; ++j) three = three << 8 | (i + j < octets.size() ? static_cast<unsigned char>(octets[i + j]) : 0);
    for (std::size_t j = 0; j < 4; ++j) text += i + j > octets.size() ? '=' : kAlphabet[three >> (18 - 6 * j) & 63];
  }
  return run.string(text);
}

// White space is skipped, padding may be left out; anything else that is no base64 is an error.
Expected<std::string> base64_octets(Run& run, std::string_view text) {
  if (auto fits = charge(run, text.size() / 64); !fits) return pass_on(fits.error());
  std::string octets;
  std::uint32_t bits = 0;
  std::size_t digits = 0, padding = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (std::string_view(" \t\r\n").find(text[i]) != std::string_view::npos) continue;
    const auto digit = kAlphabet.find(text[i]);
    if (text[i] == '=' && ++padding <= 2) continue;
    if (digit == std::string_view::npos || padding > 0) return fail_api("not base64: octet " + std::to_string(i) + " does not belong there");
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    if (++digits % 4 != 1) octets += static_cast<char>(bits >> (6 - 2 * ((digits - 1) % 4)));
  }
  if (digits % 4 == 1 || (padding > 0 && (digits + padding) % 4 != 0)) return fail_api("not base64: the end is missing");
  return octets;
}

Result base64_decode(Run& run, Arguments a) {
  auto octets = base64_octets(run, a[0].as_text());
  if (!octets) return pass_on(octets.error());
  if (!base::utf8::is_valid(*octets)) return fail_api("what the base64 text says is not UTF-8; base64::decode_blob() takes it");
  return string_result(run, *octets);
}

Result base64_decode_blob(Run& run, Arguments a) {
  auto octets = base64_octets(run, a[0].as_text());
  if (!octets) return pass_on(octets.error());
  return run.heap().blob({reinterpret_cast<const std::uint8_t*>(octets->data()), octets->size()});
}

Result json_parse(Run& run, Arguments a) {
  if (auto fits = charge(run, a[0].as_text().size() / 16); !fits) return pass_on(fits.error());
  auto value = json::read(run.heap(), a[0].as_text());
  if (!value && value.error().is_too_large) return fail(ErrorKind::DataTooLarge, value.error().what);
  if (!value) return fail_api(value.error().message());
  return std::move(*value);
}

Result json_stringify(Run& run, Arguments a) {
  constexpr std::int64_t kMostIndent = 16;
  const std::int64_t indent = a.size() > 1 ? std::clamp<std::int64_t>(a[1].as_int(), 0, kMostIndent) : 0;
  std::string out;
  if (!json::write(out, a[0], static_cast<std::size_t>(indent), run.heap().limits().string_octets)) return too_large("JSON text");
  if (auto fits = charge(run, out.size() / 16); !fits) return pass_on(fits.error());
  return string_result(run, out);
}

constexpr NativeRow kRows[] = {
    {"md5", "", {Type::String}, kPure, hash<MBEDTLS_MD_MD5>, "MD5 of a text in hexadecimal; not for anything secret", "hash"},
    {"md5", "", {Type::Blob}, kPure, hash<MBEDTLS_MD_MD5>, "MD5 of a blob in hexadecimal; not for anything secret", "hash"},
    {"sha1", "", {Type::String}, kPure, hash<MBEDTLS_MD_SHA1>, "SHA-1 of a text in hexadecimal", "hash"},
    {"sha1", "", {Type::Blob}, kPure, hash<MBEDTLS_MD_SHA1>, "SHA-1 of a blob in hexadecimal", "hash"},
    {"sha256", "", {Type::String}, kPure, hash<MBEDTLS_MD_SHA256>, "SHA-256 of a text in hexadecimal", "hash"},
    {"sha256", "", {Type::Blob}, kPure, hash<MBEDTLS_MD_SHA256>, "SHA-256 of a blob in hexadecimal", "hash"},
    {"sha512", "", {Type::String}, kPure, hash<MBEDTLS_MD_SHA512>, "SHA-512 of a text in hexadecimal", "hash"},
    {"sha512", "", {Type::Blob}, kPure, hash<MBEDTLS_MD_SHA512>, "SHA-512 of a blob in hexadecimal", "hash"},
    {"encode", "", {Type::String}, kPure, base64_encode, "a text in base64 (RFC 4648), in one line", "base64"},
    {"encode", "", {Type::Blob}, kPure, base64_encode, "a blob in base64 (RFC 4648), in one line", "base64"},
    {"decode", "", {Type::String}, kPure, base64_decode, "the text that is in base64; white space is skipped", "base64"},
    {"decode_blob", "", {Type::String}, kPure, base64_decode_blob, "the octets that are in base64; white space is skipped", "base64"},
    {"parse", "", {Type::String}, kPure, json_parse, "the value that a JSON text (RFC 8259) describes; null is ()", "json"},
    {"stringify", "", {Type::Any}, kPure, json_stringify, "any value as JSON, in one line", "json"},
    {"stringify", "", {Type::Any, Type::Int}, kPure, json_stringify, "any value as JSON, with so many blanks a level", "json"},
};

}  // namespace

std::span<const NativeRow> encoding_rows() { return kRows; }

}  // namespace vsl::standard
