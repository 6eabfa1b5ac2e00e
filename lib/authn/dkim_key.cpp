#include "lib/authn/dkim_key.h"

#include <algorithm>

#include "lib/authn/tag_list.h"
#include "lib/base/base64.h"
#include "lib/base/text.h"

namespace authn::dkim {

namespace text = base::text;

namespace {

bool has_any(std::string_view list, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(split_folded(list, ':'), [&](std::string_view each) {
    return std::ranges::any_of(words, [&](std::string_view word) { return text::equal_ignoring_case(each, word); });
  });
}

}  // namespace

std::expected<KeyRecord, std::string> parse_key(std::string_view text) {
  const auto tags = TagList::parse(text);
  if (!tags) return std::unexpected("it is no key record: " + tags.error());
  // v= is exactly that and comes first, when it is there.
  const auto version = tags->get("v");
  if (version && (*version != "DKIM1" || tags->tags().front().name != "v")) return std::unexpected("its v= is not DKIM1, or not first");
  if (const auto hashes = tags->get("h"); hashes && !has_any(*hashes, {"sha256"})) return std::unexpected("its h= lacks sha256");
  if (const auto services = tags->get("s"); services && !has_any(*services, {"email", "*"})) return std::unexpected("its s= is not for mail");

  KeyRecord record;
  const auto type = tags->get("k").value_or("rsa");
  if (text::equal_ignoring_case(type, "ed25519")) {
    record.type = KeyType::Ed25519;
  } else if (!text::equal_ignoring_case(type, "rsa")) {
    return std::unexpected("its k= is unknown: '" + text::printable(type, 40) + "'");
  }
  const auto key = tags->get("p");
  if (!key) return std::unexpected("it has no p=");
  const auto octets = from_folded_base64(*key);
  if (!octets) return std::unexpected("its p= is no base64");
  record.octets = *octets;
  if (const auto flags = tags->get("t")) {
    record.is_testing = has_any(*flags, {"y"});
    record.is_strict = has_any(*flags, {"s"});
  }
  return record;
}

base::Result<std::string> key_record(const PrivateKey& key) {
  const auto octets = key.public_octets();
  if (!octets) return std::unexpected(octets.error());
  return std::string("v=DKIM1; k=") + (key.type() == KeyType::Rsa ? "rsa" : "ed25519") + "; p=" + base::to_base64(*octets);
}

}  // namespace authn::dkim
