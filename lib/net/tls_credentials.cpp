// Certificates and keys out of PEM files.
#include <arpa/inet.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>

#include "lib/base/text.h"
#include "lib/net/tls_internal.h"

namespace net::tls {
namespace {

int parse_key(mbedtls_pk_context* key, const std::string& path) {
#if MBEDTLS_VERSION_MAJOR >= 3
  return ::mbedtls_pk_parse_keyfile(key, path.c_str(), nullptr, random_octets, nullptr);
#else
  return ::mbedtls_pk_parse_keyfile(key, path.c_str(), nullptr);
#endif
}

int check_pair(mbedtls_pk_context& certificate, mbedtls_pk_context& key) {
#if MBEDTLS_VERSION_MAJOR >= 3
  return ::mbedtls_pk_check_pair(&certificate, &key, random_octets, nullptr);
#else
  return ::mbedtls_pk_check_pair(&certificate, &key);
#endif
}

// mbedTLS 2 makes the table of multiples of a curve's base point with the first signature, and keeps it in the key: made now,
// before threads share the key.
int sign_once(mbedtls_pk_context* key) {
  const std::array<unsigned char, 32> hash{};
  std::array<unsigned char, MBEDTLS_PK_SIGNATURE_MAX_SIZE> signature;
  std::size_t length = 0;
#if MBEDTLS_VERSION_MAJOR >= 3
  return ::mbedtls_pk_sign(key, MBEDTLS_MD_SHA256, hash.data(), hash.size(), signature.data(), signature.size(), &length, random_octets, nullptr);
#else
  return ::mbedtls_pk_sign(key, MBEDTLS_MD_SHA256, hash.data(), hash.size(), signature.data(), &length, random_octets, nullptr);
#endif
}

base::Result<void> check_readable(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (!file) return base::fail_errno("open " + path, base::Fault::Config);
  return {};
}

}  // namespace

int random_octets(void*, unsigned char* out, std::size_t length) {
  while (length > 0) {
    const auto got = ::getrandom(out, length, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return MBEDTLS_ERR_SSL_HW_ACCEL_FAILED;
    out += got;
    length -= static_cast<std::size_t>(got);
  }
  return 0;
}

std::string text_of(int error) {
  std::array<char, 160> text{};
  ::mbedtls_strerror(error, text.data(), text.size());
  return text.data();
}

std::string end_point_of(const mbedtls_x509_crt& certificate) {
  auto kind = certificate.VSMTP_MBEDTLS(sig_md);
  if (kind != MBEDTLS_MD_SHA384 && kind != MBEDTLS_MD_SHA512 && kind != MBEDTLS_MD_SHA224) kind = MBEDTLS_MD_SHA256;
  const auto* const info = ::mbedtls_md_info_from_type(kind);
  std::string hash(::mbedtls_md_get_size(info), '\0');
  if (::mbedtls_md(info, certificate.raw.p, certificate.raw.len, reinterpret_cast<unsigned char*>(hash.data())) != 0) hash.clear();
  return hash;
}

base::Result<std::shared_ptr<const Credentials>> Credentials::load(const CredentialFiles& files) {
  const std::string& key_file = files.key.empty() ? files.certificate : files.key;
  for (const auto& path : {files.certificate, key_file})
    if (auto readable = check_readable(path); !readable) return std::unexpected(readable.error());
  auto credentials = std::make_shared<Credentials>();
  auto* const certificates = credentials->certificates.get();
  auto* const key = credentials->key.get();
  if (const int wrong = ::mbedtls_x509_crt_parse_file(certificates, files.certificate.c_str()); wrong < 0)
    return fail_tls(base::Fault::Config, files.certificate + ": no certificate in PEM form", wrong);
  else if (wrong > 0)
    return base::fail(base::Fault::Config, files.certificate + ": " + std::to_string(wrong) + " of its certificates cannot be read");
  if (const int wrong = parse_key(key, key_file); wrong != 0) return fail_tls(base::Fault::Config, key_file + ": no private key in PEM form, without a password", wrong);
  if (check_pair(certificates->pk, *key) != 0)
    return base::fail(base::Fault::Config, "the certificate of " + files.certificate + " and the key of " + key_file + " do not belong together; expected: the key of the first certificate in the file");
  if (const int wrong = sign_once(key); wrong != 0) return fail_tls(base::Fault::Config, key_file + ": cannot sign", wrong);
  credentials->end_point = end_point_of(*certificates);
  credentials->names = names_of(*certificates, {NameKind::Dns});
  return credentials;
}

namespace {

std::string sha256_text(const mbedtls_x509_buf& octets) {
  std::array<unsigned char, 32> hash{};
  ::mbedtls_md(::mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), octets.p, octets.len, hash.data());
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned octet : hash) (text += kDigits[octet >> 4]) += kDigits[octet & 15];
  return text;
}

std::string ip_text(const mbedtls_x509_buf& octets) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = octets.len == 4 ? AF_INET : AF_INET6;
  if (octets.len != 4 && octets.len != 16) return {};
  return ::inet_ntop(family, octets.p, text.data(), text.size()) != nullptr ? text.data() : std::string();
}

}  // namespace

std::string fingerprint_of(const mbedtls_x509_crt& certificate) { return sha256_text(certificate.raw); }
std::string key_fingerprint_of(const mbedtls_x509_crt& certificate) { return sha256_text(certificate.pk_raw); }

std::vector<std::string> names_of(const mbedtls_x509_crt& certificate, std::initializer_list<NameKind> kinds) {
  std::vector<std::string> names;
  for (const auto* row = &certificate.subject_alt_names; row != nullptr; row = row->next) {
    const auto kind = static_cast<NameKind>(row->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK);
    if (row->buf.p == nullptr || std::ranges::find(kinds, kind) == kinds.end()) continue;
    names.push_back(kind == NameKind::Ip ? ip_text(row->buf) : base::text::to_lower({reinterpret_cast<const char*>(row->buf.p), row->buf.len}));
  }
  return names;
}

}  // namespace net::tls
