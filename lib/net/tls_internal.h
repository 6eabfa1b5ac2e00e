// mbedTLS behind lib/net/tls.h: owners of its structures, and where its versions 2.28 and 3 differ.
#pragma once

#include <mbedtls/error.h>
#include <mbedtls/gcm.h>
#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#define VSMTP_MBEDTLS(member) MBEDTLS_PRIVATE(member)
#else
#define VSMTP_MBEDTLS(member) member
#endif

#include <array>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lib/net/tls.h"

namespace net::tls {

// Octets of the kernel: no state that threads share or that fork(2) would copy.
int random_octets(void*, unsigned char* out, std::size_t length);

[[nodiscard]] std::string text_of(int error);
[[nodiscard]] inline std::unexpected<base::Error> fail_tls(base::Fault fault, std::string what, int error) {
  return base::fail(fault, std::move(what) + ": " + text_of(error));
}

// What mbedTLS finds wrong with a chain, in one line; not that its name is another one, which it was never told.
[[nodiscard]] std::string problem_text(std::uint32_t result);

// A cipher suite of mbedTLS as IANA writes it: '_' for '-', and TLS_ for those of TLS 1.3 too.
[[nodiscard]] std::string iana_name(std::string_view suite);

// An mbedTLS structure with its init and free.
template <class T, void (*kInit)(T*), void (*kFree)(T*)>
struct Owned {
  T value;
  Owned() { kInit(&value); }
  ~Owned() { kFree(&value); }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  T* get() { return &value; }
};
using Certificates = Owned<mbedtls_x509_crt, mbedtls_x509_crt_init, mbedtls_x509_crt_free>;
using Key = Owned<mbedtls_pk_context, mbedtls_pk_init, mbedtls_pk_free>;

// The functions that use them take pointers to what they do not change.
struct Credentials {
  mutable Certificates certificates;
  mutable Key key;
  std::string end_point;           // RFC 5929 section 4.1: the hash of the first certificate
  std::vector<std::string> names;  // DNS names of the first certificate, lower case, wildcards as they stand

  static base::Result<std::shared_ptr<const Credentials>> load(const CredentialFiles& files);
};

std::string fingerprint_of(const mbedtls_x509_crt& certificate);
std::string key_fingerprint_of(const mbedtls_x509_crt& certificate);
// RFC 5929 section 4.1: the hash of the certificate, by that of its signature, or SHA-256 where that is MD5 or SHA-1.
std::string end_point_of(const mbedtls_x509_crt& certificate);
// DNS names, e-mail addresses and IP addresses: RFC 5280 section 4.2.1.6.
enum class NameKind : std::uint8_t { Mail = 1, Dns = 2, Ip = 7 };
std::vector<std::string> names_of(const mbedtls_x509_crt& certificate, std::initializer_list<NameKind> kinds);

class Context {
 public:
  using CredentialList = std::vector<std::shared_ptr<const Credentials>>;

  Owned<mbedtls_ssl_config, mbedtls_ssl_config_init, mbedtls_ssl_config_free> config;
  CredentialList standard;
  struct Named {
    std::string domain;  // of the section
    CredentialList list;
  };
  std::map<std::string, Named, std::less<>> by_name;
  Certificates authorities;
  std::shared_ptr<const Credentials> own;  // of a client
  // mbedTLS 2 keeps tables in the keys that it checks with: one session at a time asks the authorities.
  mutable std::mutex asking_authorities;
  bool is_client = false, has_authorities = false;
  std::vector<int> suites;  // with a 0 behind the last one, as mbedTLS wants it
  std::shared_ptr<TicketKeys> ticket_keys;

  // nullptr: the standard ones.
  [[nodiscard]] const Named* find(std::string_view name) const;
};

// What server and client have in common: versions, curves, cipher suites, random numbers. `end`: MBEDTLS_SSL_IS_SERVER or _CLIENT.
[[nodiscard]] base::Result<std::shared_ptr<Context>> make_context(int end, const std::vector<std::string>& cipher_suites);

// What a handshake learns beside what mbedTLS keeps of it.
struct Asker {
  std::string server_name, virtual_domain;
};
// The one that was given to mbedtls_ssl_set_bio().
inline Asker& asker_of(mbedtls_ssl_context* ssl) {
#if MBEDTLS_VERSION_MAJOR >= 3
  return *static_cast<Asker*>(::mbedtls_ssl_get_user_data_p(ssl));
#else
  return *static_cast<Asker*>(ssl->p_bio);
#endif
}

class TicketKeys {
 public:
  explicit TicketKeys(std::uint64_t lifetime_milliseconds);
  void use_in(mbedtls_ssl_config& config);

  static constexpr std::size_t kKeyOctets = 32;
  using KeyOctets = std::array<unsigned char, kKeyOctets>;

 private:
  struct Epoch {
    std::uint32_t number;
    KeyOctets key;
  };
  static int write(void* self, const mbedtls_ssl_session* session, unsigned char* begin, const unsigned char* end, std::size_t* length, std::uint32_t* lifetime);
  static int parse(void* self, mbedtls_ssl_session* session, unsigned char* ticket, std::size_t length);
  // Of now, and of the period before.
  Epoch current();
  bool find(std::uint32_t number, KeyOctets& key);
  void advance();  // with the lock

  const std::uint64_t lifetime_milliseconds_, begun_;
  std::mutex mutex_;
  KeyOctets secret_{};         // of period number_; that of the next one is made of it
  std::uint32_t number_ = 0;
  KeyOctets key_, key_before_{};
};

}  // namespace net::tls
