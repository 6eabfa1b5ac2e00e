// Session tickets: RFC 5077 section 4, with AES-256-GCM.
#include <algorithm>
#include <cstring>

#include "lib/base/clock.h"
#include "lib/net/tls_internal.h"

namespace net::tls {
namespace {

// A ticket: number of the period, nonce, the session encrypted, tag.
constexpr std::size_t kNumberOctets = 4, kNonceOctets = 12, kTagOctets = 16;
constexpr std::size_t kFrontOctets = kNumberOctets + kNonceOctets;

using Gcm = Owned<mbedtls_gcm_context, mbedtls_gcm_init, mbedtls_gcm_free>;

TicketKeys::KeyOctets derive(const TicketKeys::KeyOctets& secret, std::string_view purpose) {
  TicketKeys::KeyOctets derived{};
  ::mbedtls_md_hmac(::mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), secret.data(), secret.size(), reinterpret_cast<const unsigned char*>(purpose.data()), purpose.size(), derived.data());
  return derived;
}

int set_key(Gcm& gcm, const TicketKeys::KeyOctets& key) { return ::mbedtls_gcm_setkey(gcm.get(), MBEDTLS_CIPHER_ID_AES, key.data(), TicketKeys::kKeyOctets * 8); }

}  // namespace

TicketKeys::TicketKeys(std::uint64_t lifetime_milliseconds)
    : lifetime_milliseconds_(std::max<std::uint64_t>(lifetime_milliseconds, 1000)), begun_(base::monotonic_milliseconds()) {
  random_octets(nullptr, secret_.data(), secret_.size());
  key_ = derive(secret_, "ticket");
}

void TicketKeys::use_in(mbedtls_ssl_config& config) { ::mbedtls_ssl_conf_session_tickets_cb(&config, write, parse, this); }

void TicketKeys::advance() {
  const auto now = static_cast<std::uint32_t>((base::monotonic_milliseconds() - begun_) / lifetime_milliseconds_);
  for (; number_ < now; ++number_) {
    key_before_ = key_;
    secret_ = derive(secret_, "next");
    key_ = derive(secret_, "ticket");
  }
}

TicketKeys::Epoch TicketKeys::current() {
  const std::lock_guard lock(mutex_);
  advance();
  return {number_, key_};
}

bool TicketKeys::find(std::uint32_t number, KeyOctets& key) {
  const std::lock_guard lock(mutex_);
  advance();
  if (number != number_ && number + 1 != number_) return false;
  key = number == number_ ? key_ : key_before_;
  return true;
}

int TicketKeys::write(void* self, const mbedtls_ssl_session* session, unsigned char* begin, const unsigned char* end, std::size_t* length, std::uint32_t* lifetime) {
  auto& keys = *static_cast<TicketKeys*>(self);
  const auto room = static_cast<std::size_t>(end - begin);
  if (room < kFrontOctets + kTagOctets) return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
  const Epoch epoch = keys.current();
  std::memcpy(begin, &epoch.number, kNumberOctets);
  if (const int wrong = random_octets(nullptr, begin + kNumberOctets, kNonceOctets); wrong != 0) return wrong;
  unsigned char* const text = begin + kFrontOctets;
  std::size_t octets = 0;
  if (const int wrong = ::mbedtls_ssl_session_save(session, text, room - kFrontOctets - kTagOctets, &octets); wrong != 0) return wrong;
  Gcm gcm;
  if (const int wrong = set_key(gcm, epoch.key); wrong != 0) return wrong;
  const int wrong = ::mbedtls_gcm_crypt_and_tag(gcm.get(), MBEDTLS_GCM_ENCRYPT, octets, begin + kNumberOctets, kNonceOctets, begin, kNumberOctets, text, text, kTagOctets, text + octets);
  if (wrong != 0) return wrong;
  *length = kFrontOctets + octets + kTagOctets;
  *lifetime = static_cast<std::uint32_t>(keys.lifetime_milliseconds_ / 1000);
  return 0;
}

int TicketKeys::parse(void* self, mbedtls_ssl_session* session, unsigned char* ticket, std::size_t length) {
  if (length < kFrontOctets + kTagOctets) return MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
  std::uint32_t number = 0;
  std::memcpy(&number, ticket, kNumberOctets);
  KeyOctets key{};
  if (!static_cast<TicketKeys*>(self)->find(number, key)) return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
  Gcm gcm;
  if (const int wrong = set_key(gcm, key); wrong != 0) return wrong;
  unsigned char* const text = ticket + kFrontOctets;
  const std::size_t octets = length - kFrontOctets - kTagOctets;
  if (::mbedtls_gcm_auth_decrypt(gcm.get(), octets, ticket + kNumberOctets, kNonceOctets, ticket, kNumberOctets, text + octets, kTagOctets, text, text) != 0) return MBEDTLS_ERR_SSL_INVALID_MAC;
  return ::mbedtls_ssl_session_load(session, text, octets);
}

std::shared_ptr<TicketKeys> make_ticket_keys(std::uint64_t lifetime_milliseconds) { return std::make_shared<TicketKeys>(lifetime_milliseconds); }

}  // namespace net::tls
