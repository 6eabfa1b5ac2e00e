#include "lib/mail/srs.h"

#include <fcntl.h>
#include <mbedtls/md.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "lib/base/base64.h"
#include "lib/base/io.h"
#include "lib/base/text.h"
#include "lib/mail/address.h"

namespace mail {
namespace {

namespace text = base::text;

constexpr std::size_t kMostPathOctets = 254;  // without the angle brackets
constexpr std::string_view kFirst = "SRS0", kFurther = "SRS1";
constexpr std::string_view kSeparators = "=+-";  // behind SRS0 and SRS1; elsewhere it is always '='
constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr unsigned kDays = 1024;

// In lower case, since there are hosts on the way that fold.
std::string hash_of(std::string_view secret, std::string_view octets) {
  const std::string folded = text::to_lower(octets);
  std::string digest(20, '\0');
  const int failed = ::mbedtls_md_hmac(::mbedtls_md_info_from_type(MBEDTLS_MD_SHA1), reinterpret_cast<const unsigned char*>(secret.data()), secret.size(),
                                       reinterpret_cast<const unsigned char*>(folded.data()), folded.size(), reinterpret_cast<unsigned char*>(digest.data()));
  if (failed != 0) std::abort();  // only without memory: nothing can be signed then
  return base::to_base64(digest);
}

unsigned day_of(base::WallTime time) {
  return static_cast<unsigned>(std::chrono::floor<std::chrono::days>(time).time_since_epoch().count() % kDays);
}

std::string stamp_of(unsigned day) { return {kDigits[day / 32], kDigits[day % 32]}; }

std::optional<unsigned> day_of_stamp(std::string_view stamp) {
  if (stamp.size() != 2) return std::nullopt;
  const auto high = kDigits.find(text::upper(stamp[0])), low = kDigits.find(text::upper(stamp[1]));
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  return static_cast<unsigned>(high * 32 + low);
}

// "SRS0=" of the form that `kind` names, with any of the separators.
bool is_of_form(std::string_view local_part, std::string_view kind) {
  return text::starts_with_ignoring_case(local_part, kind) && local_part.size() > kind.size() && kSeparators.contains(local_part[kind.size()]);
}

// Up to the next '='; nothing when there is none, or nothing before it.
std::optional<std::string_view> eat_field(std::string_view& octets) {
  const auto end = octets.find('=');
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  const auto field = octets.substr(0, end);
  octets.remove_prefix(end + 1);
  return field;
}

std::string address_of(std::string_view local_part, std::string_view domain) { return quote_local_part(local_part) + "@" + std::string(domain); }

struct Parts {
  std::string hash, host, rest;  // of SRS1: the host that made the SRS0, and what stood behind its "SRS0"
};

// What stands behind "SRS1=" in an address of a forwarder.
std::optional<Parts> parse_further(std::string_view octets) {
  const auto hash = eat_field(octets), host = hash ? eat_field(octets) : std::nullopt;
  if (!host || octets.empty()) return std::nullopt;
  return Parts{std::string(*hash), std::string(*host), std::string(octets)};
}

base::Result<std::vector<std::string>> read_secrets(const std::string& path) {
  constexpr std::size_t kMostOctets = 65536;
  const auto file = base::open_file(path, O_RDONLY);
  if (!file) return base::fail(base::Fault::Config, file.error().cause);
  struct stat status;
  if (::fstat(file->get(), &status) != 0) return base::fail_errno("fstat " + path, base::Fault::Config);
  if ((status.st_mode & S_IROTH) != 0) return base::fail(base::Fault::Config, path + ": everybody can read it; expected: mode 0600 or 0640");
  const auto octets = base::read_all(file->get(), kMostOctets);
  if (!octets) return base::fail(base::Fault::Config, path + ": " + octets.error().cause);
  std::vector<std::string> secrets;
  for (const auto line : text::split(*octets, '\n')) {
    const auto secret = text::trim(line);
    if (secret.empty() || secret.starts_with('#')) continue;
    if (secret.size() < Srs::kLeastSecretOctets)
      return base::fail(base::Fault::Config, path + ": a secret of " + std::to_string(secret.size()) + " octets; expected: at least " + std::to_string(Srs::kLeastSecretOctets));
    secrets.emplace_back(secret);
  }
  if (secrets.empty()) return base::fail(base::Fault::Config, path + ": no secret in it; expected: one a line");
  return secrets;
}

}  // namespace

base::Result<std::optional<Srs>> Srs::from(const base::Settings& settings) {
  const auto& domain = settings.text("delivery.srs_domain");
  if (domain.empty()) return std::optional<Srs>();
  if (!check_domain(domain)) return base::fail(base::Fault::Config, "delivery.srs_domain: '" + text::printable(domain, 100) + "'; expected: a domain");
  if (settings.text("delivery.srs_secret_file").empty()) return base::fail(base::Fault::Config, "delivery.srs_domain needs delivery.srs_secret_file");
  auto srs = of_no_domain(settings);
  if (!srs) return std::unexpected(srs.error());
  return srs->at(domain);
}

base::Result<Srs> Srs::of_no_domain(const base::Settings& settings) {
  Rules rules;
  rules.hash_length = settings.count("delivery.srs_hash_length");
  if (rules.hash_length < kLeastHash || rules.hash_length > kMostHash)
    return base::fail(base::Fault::Config, "delivery.srs_hash_length: " + std::to_string(rules.hash_length) + "; expected: " + std::to_string(kLeastHash) + " to " + std::to_string(kMostHash));
  constexpr std::uint64_t kDayMilliseconds = 86'400'000;
  const auto age = settings.milliseconds("delivery.srs_max_age");
  if (age < kDayMilliseconds || age > kMostDays * kDayMilliseconds)
    return base::fail(base::Fault::Config, "delivery.srs_max_age; expected: 1d to " + std::to_string(kMostDays) + "d");
  rules.max_age_days = static_cast<unsigned>(age / kDayMilliseconds);
  const auto& path = settings.text("delivery.srs_secret_file");
  if (path.empty()) return base::fail(base::Fault::Config, "delivery.srs_secret_file is not set");
  auto secrets = read_secrets(path);
  if (!secrets) return base::fail_within("delivery.srs_secret_file", secrets.error());
  rules.secrets = std::move(*secrets);
  return Srs(std::move(rules));
}

base::Result<Srs> Srs::at(std::string domain) const {
  if (!check_domain(domain)) return base::fail(base::Fault::Config, "'" + text::printable(domain, 100) + "' is no domain that bounces could come back to");
  Srs other = *this;
  other.rules_.domain = std::move(domain);
  return other;
}

std::string_view describe(Srs::Fault fault) {
  switch (fault) {
    case Srs::Fault::Malformed: return "malformed";
    case Srs::Fault::Forged: return "not made here";
    case Srs::Fault::TooOld: return "too old";
  }
  return "";
}

std::string Srs::forward(std::string_view sender, base::WallTime now) const {
  const auto [local_part, domain] = split_address(sender);
  const bool is_host = check_domain(domain, {.smtputf8 = true}) || check_address_literal(domain);
  if (!is_host || text::equal_ignoring_case(domain, rules_.domain)) return std::string(sender);
  const std::string user = unquote_local_part(local_part);
  if (user.empty()) return std::string(sender);
  // The host that made the SRS0, and all behind it: of one that has been forwarded before, and again.
  std::optional<Parts> further;
  if (is_of_form(user, kFirst)) further = Parts{"", std::string(domain), user.substr(kFirst.size())};
  if (is_of_form(user, kFurther)) further = parse_further(std::string_view(user).substr(kFurther.size() + 1));

  std::string rewritten;
  const auto sign = [&](std::string_view octets) { return hash_of(rules_.secrets.front(), octets).substr(0, rules_.hash_length); };
  if (further) {
    rewritten.append(kFurther).append("=").append(sign(further->host + further->rest)).append("=").append(further->host).append("=").append(further->rest);
  } else {
    const std::string stamp = stamp_of(day_of(now));
    rewritten.append(kFirst).append("=").append(sign(stamp + std::string(domain) + user)).append("=").append(stamp).append("=").append(domain).append("=").append(user);
  }
  auto address = address_of(rewritten, rules_.domain);
  return address.size() <= kMostPathOctets ? address : std::string(sender);
}

bool Srs::has_form(std::string_view recipient) {
  const std::string user = unquote_local_part(split_address(recipient).first);
  return is_of_form(user, kFirst) || is_of_form(user, kFurther);
}

bool Srs::has_form_of(std::string_view recipient, std::string_view domain) {
  const auto host = split_address(recipient).second;
  return !host.empty() && text::equal_ignoring_case(host, domain) && has_form(recipient);
}

bool Srs::is_signed(std::string_view hash, std::string_view octets) const {
  if (hash.size() < rules_.hash_length || hash.size() > kMostHash) return false;
  return std::ranges::any_of(rules_.secrets, [&](const std::string& secret) { return text::equal_ignoring_case(hash_of(secret, octets).substr(0, hash.size()), hash); });
}

std::expected<std::string, Srs::Fault> Srs::reverse(std::string_view recipient, base::WallTime now) const {
  const std::string user = unquote_local_part(split_address(recipient).first);
  std::string_view octets = std::string_view(user).substr(std::min(user.size(), kFirst.size() + 1));
  if (is_of_form(user, kFurther)) {
    const auto parts = parse_further(octets);
    if (!parts) return std::unexpected(Fault::Malformed);
    if (!is_signed(parts->hash, parts->host + parts->rest)) return std::unexpected(Fault::Forged);
    return address_of(std::string(kFirst) + parts->rest, parts->host);  // that forwarder knows who is meant
  }
  const auto hash = eat_field(octets), stamp = hash ? eat_field(octets) : std::nullopt, domain = stamp ? eat_field(octets) : std::nullopt;
  if (!domain || octets.empty()) return std::unexpected(Fault::Malformed);
  if (!is_signed(*hash, std::string(*stamp) + std::string(*domain) + std::string(octets))) return std::unexpected(Fault::Forged);
  const auto day = day_of_stamp(*stamp);
  if (!day) return std::unexpected(Fault::Malformed);
  if ((day_of(now) + kDays - *day) % kDays > rules_.max_age_days) return std::unexpected(Fault::TooOld);
  return address_of(octets, *domain);
}

}  // namespace mail
