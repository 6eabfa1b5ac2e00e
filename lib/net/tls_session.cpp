#include <mbedtls/oid.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <mutex>

#include "lib/base/text.h"
#include "lib/net/tls_internal.h"

namespace net::tls {

struct Session::Internal : Asker {
  std::shared_ptr<const Context> context;
  Owned<mbedtls_ssl_context, mbedtls_ssl_init, mbedtls_ssl_free> ssl;
  std::string_view input;         // of the receive() that runs
  std::string* output = nullptr;  // of the call that runs
  int failure = 0;                // of setting it up; told by the first receive()
  Status status = Status::Handshaking;
  bool is_full = false;  // the handshake: the server has shown its certificate

  static Internal& of(void* self) { return static_cast<Internal&>(*static_cast<Asker*>(self)); }
  // mbedTLS takes what it needs next, header or body of a record; with no more to take it comes back when there is.
  static int take(void* self, unsigned char* out, std::size_t wanted) {
    auto& input = of(self).input;
    if (input.empty()) return MBEDTLS_ERR_SSL_WANT_READ;
    const auto octets = std::min(wanted, input.size());
    std::memcpy(out, input.data(), octets);
    input.remove_prefix(octets);
    return static_cast<int>(octets);
  }
  static int put(void* self, const unsigned char* octets, std::size_t count) {
    of(self).output->append(reinterpret_cast<const char*>(octets), count);
    return static_cast<int>(count);
  }

  [[nodiscard]] std::string unique() const;
  [[nodiscard]] std::string end_point(std::string_view cipher) const;
  int call(const Called& called);
  int shake_hands();
  int read(std::string& plaintext);
};

Session::Session(std::shared_ptr<const Context> context, const Called& called) : internal_(std::make_unique<Internal>()) {
  internal_->context = std::move(context);
  auto* const ssl = internal_->ssl.get();
  // Not changed by sessions, though mbedTLS does not say so.
  internal_->failure = ::mbedtls_ssl_setup(ssl, const_cast<mbedtls_ssl_config*>(&internal_->context->config.value));
  Asker* const asker = internal_.get();
  ::mbedtls_ssl_set_bio(ssl, asker, Internal::put, Internal::take, nullptr);
#if MBEDTLS_VERSION_MAJOR >= 3
  ::mbedtls_ssl_set_user_data_p(ssl, asker);
#endif
  if (internal_->context->is_client && internal_->failure == 0) internal_->failure = internal_->call(called);
}

Session::~Session() = default;

using SavedSession = Owned<mbedtls_ssl_session, mbedtls_ssl_session_init, mbedtls_ssl_session_free>;

int Session::Internal::call(const Called& called) {
  server_name = called.server_name;
  if (const int wrong = ::mbedtls_ssl_set_hostname(ssl.get(), server_name.empty() ? nullptr : server_name.c_str()); wrong != 0) return wrong;
  if (called.resumption.empty()) return 0;
  SavedSession saved;
  // One that an earlier version of the library has saved is none: then the handshake is a full one.
  const auto* const octets = reinterpret_cast<const unsigned char*>(called.resumption.data());
  if (::mbedtls_ssl_session_load(saved.get(), octets, called.resumption.size()) != 0) return 0;
  return ::mbedtls_ssl_set_session(ssl.get(), saved.get());
}

std::string Session::resumption() const {
  SavedSession saved;
  if (!is_open() || ::mbedtls_ssl_get_session(internal_->ssl.get(), saved.get()) != 0) return {};
  std::size_t octets = 0;
  (void)::mbedtls_ssl_session_save(saved.get(), nullptr, 0, &octets);
  std::string text(octets, '\0');
  if (octets == 0 || ::mbedtls_ssl_session_save(saved.get(), reinterpret_cast<unsigned char*>(text.data()), text.size(), &octets) != 0) return {};
  return text;
}

int Session::Internal::shake_hands() {
  while (ssl.value.VSMTP_MBEDTLS(state) != MBEDTLS_SSL_HANDSHAKE_OVER) {
    const auto state = ssl.value.VSMTP_MBEDTLS(state);
    if (state == MBEDTLS_SSL_SERVER_CERTIFICATE) is_full = true;
    std::unique_lock lock(context->asking_authorities, std::defer_lock);
    if (context->has_authorities && (state == MBEDTLS_SSL_SERVER_CERTIFICATE || state == MBEDTLS_SSL_CLIENT_CERTIFICATE)) lock.lock();
    if (const int result = ::mbedtls_ssl_handshake_step(ssl.get()); result != 0) return result;
  }
  status = Status::Open;
  return 0;
}

int Session::Internal::read(std::string& plaintext) {
  std::array<unsigned char, 4096> piece;
  for (;;) {
    [[maybe_unused]] const auto state = ssl.value.VSMTP_MBEDTLS(state);
    const int got = ::mbedtls_ssl_read(ssl.get(), piece.data(), piece.size());
#if MBEDTLS_VERSION_MAJOR >= 3
    // A ticket of TLS 1.3 takes two calls: the first one finds it, wants more and has another state, the second one takes it.
    if (got == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET || (got == MBEDTLS_ERR_SSL_WANT_READ && ssl.value.VSMTP_MBEDTLS(state) != state)) continue;
#endif
    if (got <= 0) return got;
    plaintext.append(reinterpret_cast<const char*>(piece.data()), static_cast<std::size_t>(got));
  }
}

base::Result<Session::Status> Session::receive(std::string_view octets, std::string& plaintext, std::string& output) {
  Internal& own = *internal_;
  own.input = octets;
  own.output = &output;
  int result = own.failure;
  if (result == 0 && own.status == Status::Handshaking) result = own.shake_hands();
  if (result == 0 && own.status == Status::Open) result = own.read(plaintext);
  own.input = {};
  own.output = nullptr;
  switch (result) {
    case 0:  // end of the octets without a word: the driver sees it
    case MBEDTLS_ERR_SSL_WANT_READ: return own.status;
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY: return own.status = Status::Ended;
    default: own.failure = result; return fail_tls(base::Fault::Permanent, own.status == Status::Handshaking ? "TLS handshake" : "TLS", result);
  }
}

void Session::send(std::string_view plaintext, std::string& output) {
  Internal& own = *internal_;
  assert(is_open());
  own.output = &output;
  while (!plaintext.empty()) {
    const int taken = ::mbedtls_ssl_write(own.ssl.get(), reinterpret_cast<const unsigned char*>(plaintext.data()), plaintext.size());
    if (taken <= 0) break;  // out of memory or of numbers for records: receive() and the peer will find out
    plaintext.remove_prefix(static_cast<std::size_t>(taken));
  }
  own.output = nullptr;
}

void Session::close(std::string& output) {
  internal_->output = &output;
  (void)::mbedtls_ssl_close_notify(internal_->ssl.get());
  internal_->output = nullptr;
}

bool Session::is_open() const { return internal_->status != Status::Handshaking && internal_->failure == 0; }

std::string problem_text(std::uint32_t result) {
  std::array<char, 1024> text{};
  const int length = ::mbedtls_x509_crt_verify_info(text.data(), text.size(), "", result);
  std::string problem(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  while (problem.ends_with('\n')) problem.pop_back();
  std::ranges::replace(problem, '\n', ';');
  return problem;
}

namespace {

unsigned bits_of(std::string_view cipher) {
  if (cipher.contains("AES_128")) return 128;
  return 256;  // AES-256 and ChaCha20
}

std::string name_text(const mbedtls_x509_name& name) {
  std::array<char, 1024> text{};
  const int length = ::mbedtls_x509_dn_gets(text.data(), text.size(), &name);
  return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : std::string();
}

std::string common_name_of(const mbedtls_x509_crt& certificate) {
  std::string name;
  for (const auto* row = &certificate.subject; row != nullptr; row = row->next)
    if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &row->oid) == 0 && row->val.p != nullptr) name.assign(reinterpret_cast<const char*>(row->val.p), row->val.len);
  return name;
}

// The names are compared by who knows the one that is wanted. `is_asked`: authorities were; without them mbedTLS finds no fault with any
// certificate.
std::unique_ptr<PeerCertificate> peer_certificate(const mbedtls_x509_crt& certificate, std::uint32_t result, bool is_asked) {
  const auto trouble = result & ~static_cast<std::uint32_t>(MBEDTLS_X509_BADCERT_CN_MISMATCH);
  return std::make_unique<PeerCertificate>(PeerCertificate{.subject = name_text(certificate.subject),
                                                           .issuer = name_text(certificate.issuer),
                                                           .common_name = common_name_of(certificate),
                                                           .fingerprint = fingerprint_of(certificate),
                                                           .key_fingerprint = key_fingerprint_of(certificate),
                                                           .names = names_of(certificate, {NameKind::Mail, NameKind::Dns}),
                                                           .addresses = names_of(certificate, {NameKind::Ip}),
                                                           .is_verified = is_asked && trouble == 0,
                                                           .problem = !is_asked ? "nobody was asked who signs certificates" : trouble == 0 ? std::string() : problem_text(trouble)});
}

}  // namespace

// The first message of the handshake that is encrypted: that of the client.
std::string Session::Internal::unique() const {
#if defined(MBEDTLS_SSL_RENEGOTIATION)
  if (!is_full || std::string_view(::mbedtls_ssl_get_version(&ssl.value)) != "TLSv1.2") return {};
  const char* const data = context->is_client ? ssl.value.VSMTP_MBEDTLS(own_verify_data) : ssl.value.VSMTP_MBEDTLS(peer_verify_data);
  return std::string(data, ssl.value.VSMTP_MBEDTLS(verify_data_len));
#else
  return {};
#endif
}

// Of the certificate that was shown. Where there are several the cipher suite tells which; those of TLS 1.3 do not.
std::string Session::Internal::end_point(std::string_view cipher) const {
  if (context->is_client) {
    const auto* const shown = ::mbedtls_ssl_get_peer_cert(&ssl.value);
    return shown != nullptr ? end_point_of(*shown) : std::string();
  }
  const auto* const named = context->find(server_name);
  const auto& list = named != nullptr && !named->list.empty() ? named->list : context->standard;
  if (!is_full || list.empty()) return {};
  if (list.size() == 1) return list.front()->end_point;
  const bool is_elliptic = cipher.contains("_ECDSA_");
  if (!is_elliptic && !cipher.contains("_RSA_")) return {};
  for (const auto& credentials : list)
    if ((::mbedtls_pk_get_type(credentials->key.get()) == MBEDTLS_PK_RSA) != is_elliptic) return credentials->end_point;
  return {};
}

std::vector<std::string> Session::peer_chain() const {
  std::vector<std::string> chain;
  for (const auto* shown = ::mbedtls_ssl_get_peer_cert(internal_->ssl.get()); shown != nullptr; shown = shown->next)
    chain.emplace_back(reinterpret_cast<const char*>(shown->raw.p), shown->raw.len);
  return chain;
}

namespace {

// RFC 9266 section 4.2. Under TLS 1.2 it would be worth something with the extended master secret only; there is tls-unique.
std::string exporter_of([[maybe_unused]] mbedtls_ssl_context* ssl, std::string_view protocol) {
  if (protocol != "TLSv1.3") return {};
#if defined(MBEDTLS_SSL_KEYING_MATERIAL_EXPORT)
  constexpr std::string_view kLabel = "EXPORTER-Channel-Binding";
  constexpr std::size_t kOctets = 32;
  constexpr int kUsesContext = 1;  // an empty one
  std::string octets(kOctets, '\0');
  if (::mbedtls_ssl_export_keying_material(ssl, reinterpret_cast<unsigned char*>(octets.data()), octets.size(), kLabel.data(), kLabel.size(), nullptr, 0, kUsesContext) == 0) return octets;
#endif
  return {};
}

}  // namespace

Facts Session::facts() const {
  auto* const ssl = internal_->ssl.get();
  Facts facts;
  facts.protocol = ::mbedtls_ssl_get_version(ssl);
  facts.cipher = iana_name(::mbedtls_ssl_get_ciphersuite(ssl));
  facts.key_bits = bits_of(facts.cipher);
  facts.server_name = internal_->server_name;
  facts.is_resumed = !internal_->is_full;
  facts.unique = internal_->unique();
  facts.exporter = exporter_of(ssl, facts.protocol);
  facts.server_end_point = internal_->end_point(facts.cipher);
  facts.virtual_domain = internal_->virtual_domain;
  if (const auto* certificate = ::mbedtls_ssl_get_peer_cert(ssl); certificate != nullptr) facts.peer = peer_certificate(*certificate, ::mbedtls_ssl_get_verify_result(ssl), internal_->context->has_authorities);
  return facts;
}

}  // namespace net::tls
