// Any octets as a signature, a key record and a signed message; a body is hashed alike in one piece and without haste.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lib/authn/dkim.h"
#include "lib/authn/testing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  namespace dkim = authn::dkim;
  for (const auto kind : {dkim::Kind::Dkim, dkim::Kind::ArcMessage}) {
    const auto signature = dkim::parse(text, kind);
    if (signature && !dkim::is_domain(signature->domain)) std::abort();
  }
  const auto key = dkim::parse_key(text);
  if (key) (void)authn::PublicKey::parse(key->type, key->octets);
  if (dkim::without_signature(text).size() > text.size()) std::abort();

  authn::testing::Zone zone;
  zone.add_text("s._domainkey.example.org", "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
  const std::string start = "DKIM-Signature: v=1; a=ed25519-sha256; d=example.org; s=s; h=from:to; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA; ";
  for (const auto& octets : {text, start + text}) (void)dkim::verify(mail::Message::index(octets), zone.look_up());

  // As much as there is, asked for in one pass and by its length, is one digest.
  authn::BodyHash whole{.how = authn::Canonicalization::Relaxed};
  authn::hash_body(text, {&whole, 1});
  authn::BodyHash cut{.how = authn::Canonicalization::Relaxed, .length = whole.canonical_octets};
  authn::hash_body(text, {&cut, 1});
  if (whole.digest != cut.digest) std::abort();
  return 0;
}
