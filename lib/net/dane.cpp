#include "lib/net/dane.h"

#include <algorithm>
#include <array>
#include <memory>

#include "lib/net/tls_internal.h"

namespace net::dane {
namespace {

using tls::Certificates;

struct MatchingRow {
  Matching matching;
  mbedtls_md_type_t hash;
  std::size_t octets;
};
constexpr auto kDigests = std::to_array<MatchingRow>({
    {Matching::Sha256, MBEDTLS_MD_SHA256, 32},
    {Matching::Sha512, MBEDTLS_MD_SHA512, 64},
});

// nullptr: Full.
const MatchingRow* digest_row(Matching matching) {
  const auto found = std::ranges::find(kDigests, matching, &MatchingRow::matching);
  return found == kDigests.end() ? nullptr : &*found;
}

// RFC 6698 section 2.1.3.
std::string association_data(Matching matching, const mbedtls_x509_buf& octets) {
  const auto* const row = digest_row(matching);
  if (row == nullptr) return {reinterpret_cast<const char*>(octets.p), octets.len};
  std::string digest(row->octets, '\0');
  if (::mbedtls_md(::mbedtls_md_info_from_type(row->hash), octets.p, octets.len, reinterpret_cast<unsigned char*>(digest.data())) != 0) digest.clear();
  return digest;
}

bool fits(const Record& record, const mbedtls_x509_crt& certificate) {
  return association_data(record.matching, record.selector == Selector::Key ? certificate.pk_raw : certificate.raw) == record.data;
}

bool parse_der(Certificates& certificates, std::string_view der) {
  return ::mbedtls_x509_crt_parse_der(certificates.get(), reinterpret_cast<const unsigned char*>(der.data()), der.size()) == 0;
}

// "" when the chain leads to `anchor`.
std::string objection_to(Certificates& chain, std::string_view anchor) {
  Certificates trusted;
  if (!parse_der(trusted, anchor)) return "the trust anchor of TLSA is no certificate";
  std::uint32_t wrong = 0;
  const int result = ::mbedtls_x509_crt_verify_with_profile(chain.get(), trusted.get(), nullptr, &::mbedtls_x509_crt_profile_default, nullptr, &wrong, nullptr, nullptr);
  if (result == 0) return {};
  return "the certificate does not lead to the trust anchor of TLSA: " + (wrong != 0 ? tls::problem_text(wrong) : tls::text_of(result));
}

std::string_view octets_of(const mbedtls_x509_crt& certificate) { return {reinterpret_cast<const char*>(certificate.raw.p), certificate.raw.len}; }

// What of the chain, or beside it, the record says is the anchor.
std::vector<std::string_view> anchors_of(const Record& record, const mbedtls_x509_crt& chain) {
  std::vector<std::string_view> anchors;
  for (const auto* certificate = &chain; certificate != nullptr; certificate = certificate->next)
    if (fits(record, *certificate)) anchors.push_back(octets_of(*certificate));
  const bool is_whole = record.selector == Selector::Certificate && record.matching == Matching::Full;
  if (anchors.empty() && is_whole) anchors.push_back(record.data);
  return anchors;
}

}  // namespace

std::string_view name_of(Usage usage) { return usage == Usage::EndEntity ? "DANE-EE" : "DANE-TA"; }

std::string Record::text() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string line;
  for (const auto number : {static_cast<unsigned>(usage), static_cast<unsigned>(selector), static_cast<unsigned>(matching)}) line += std::to_string(number) + ' ';
  for (const char c : data) {
    const auto octet = static_cast<unsigned char>(c);
    (line += kDigits[octet >> 4U]) += kDigits[octet & 15U];
  }
  return line;
}

std::optional<Record> parse(std::string_view rdata) {
  if (rdata.size() < 4) return std::nullopt;
  const auto usage = static_cast<Usage>(rdata[0]);
  const auto selector = static_cast<Selector>(rdata[1]);
  const auto matching = static_cast<Matching>(rdata[2]);
  if (usage != Usage::TrustAnchor && usage != Usage::EndEntity) return std::nullopt;
  if (selector != Selector::Certificate && selector != Selector::Key) return std::nullopt;
  const auto data = rdata.substr(3);
  const auto* const row = digest_row(matching);
  if (row == nullptr ? matching != Matching::Full : data.size() != row->octets) return std::nullopt;
  return Record{usage, selector, matching, std::string(data)};
}

std::vector<Record> usable(std::span<const std::string> rdata) {
  std::vector<Record> records;
  for (const auto& octets : rdata)
    if (auto record = parse(octets)) records.push_back(std::move(*record));
  const auto is_outdone = [&](const Record& record, const std::vector<Record>& all) {
    const auto outdoes = [&](const Record& other) { return other.usage == record.usage && other.selector == record.selector && other.matching > record.matching; };
    return record.matching != Matching::Full && std::ranges::any_of(all, outdoes);
  };
  std::vector<Record> kept;
  for (const auto& record : records)
    if (!is_outdone(record, records)) kept.push_back(record);
  return kept;
}

Match match(std::span<const std::string> chain, std::span<const Record> records) {
  if (chain.empty()) return {std::nullopt, "the host shows no certificate"};
  Certificates parsed;
  for (const auto& der : chain)
    if (!parse_der(parsed, der)) return {std::nullopt, "the certificate cannot be read"};
  const auto is_end_entity = [&](const Record& record) { return record.usage == Usage::EndEntity && fits(record, *parsed.get()); };
  if (std::ranges::any_of(records, is_end_entity)) return {Usage::EndEntity, {}};
  std::string problem;
  for (const auto& record : records) {
    if (record.usage != Usage::TrustAnchor) continue;
    for (const auto anchor : anchors_of(record, *parsed.get())) {
      problem = objection_to(parsed, anchor);
      if (problem.empty()) return {Usage::TrustAnchor, {}};
    }
  }
  return {std::nullopt, problem.empty() ? "no TLSA record fits the certificate" : problem};
}

}  // namespace net::dane
