#include "deliver-remote/profile.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "lib/base/io.h"
#include "lib/base/text.h"
#include "lib/sasl/crypto.h"

namespace remote {
namespace {

namespace text = base::text;

struct LevelRow {
  std::string_view name;
  TlsLevel level;
};
constexpr auto kLevels = std::to_array<LevelRow>({
    {"none", TlsLevel::None},
    {"may", TlsLevel::May},
    {"dane", TlsLevel::Dane},
    {"encrypt", TlsLevel::Encrypt},
    {"dane-only", TlsLevel::DaneOnly},
    {"fingerprint", TlsLevel::Fingerprint},
    {"verify", TlsLevel::Verify},
    {"secure", TlsLevel::Secure},
});

// A key as the section has it, else as [remote] does.
class Keys {
 public:
  Keys(const base::Settings& settings, std::string_view section) : settings_(settings), section_(section) {}
  [[nodiscard]] std::string name(std::string_view key) const {
    auto own = section_ + "." + std::string(key);
    return section_ == "remote" || settings_.is_given(own) ? own : "remote." + std::string(key);
  }
  [[nodiscard]] const std::string& text(std::string_view key) const { return settings_.text(name(key)); }
  [[nodiscard]] bool flag(std::string_view key) const { return settings_.flag(name(key)); }
  [[nodiscard]] std::vector<std::string> words(std::string_view key) const { return settings_.words(name(key)); }

 private:
  const base::Settings& settings_;
  std::string section_;
};

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) line += word + " ";
  return line;
}

constexpr std::size_t kMaxPasswordFileOctets = 4096;

base::Result<std::string> first_line_of(const std::string& path) {
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file.is_open()) return base::fail_errno("open " + path, base::Fault::Config);
  struct stat status;
  if (::fstat(file.get(), &status) != 0) return base::fail_errno("fstat " + path, base::Fault::Config);
  if (!S_ISREG(status.st_mode)) return base::fail(base::Fault::Config, path + ": not a file");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) return base::fail(base::Fault::Config, path + ": others than its owner may use it; expected: mode 600 or 400");
  std::string octets(kMaxPasswordFileOctets, '\0');
  const auto got = ::read(file.get(), octets.data(), octets.size());
  if (got < 0) return base::fail_errno("read " + path, base::Fault::Config);
  octets.resize(static_cast<std::size_t>(got));
  std::string line(octets.substr(0, octets.find('\n')));
  sasl::wipe(octets);
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) return base::fail(base::Fault::Config, path + ": empty; expected: the password in the first line");
  return line;
}

}  // namespace

std::string_view name_of(TlsLevel level) { return std::ranges::find(kLevels, level, &LevelRow::level)->name; }

void Profile::forget_login() {
  user.clear();
  password_file.clear();
  login.reset();
  set_identity();
}

void Profile::set_identity() {
  std::string addresses;
  for (const auto& source : sources) addresses += source.ip() + " ";
  std::string whole;  // every part has its place, so that no two profiles share a text by chance
  for (const auto& part : {std::string(name_of(tls_level)), std::string(tls_wrapper ? "wrapper" : ""), joined(tls_names), joined(tls_fingerprints), tls.authorities, tls.credentials.certificate,
                           tls.credentials.key, joined(tls.cipher_suites), std::string(tls.newest_only ? "1.3" : ""), user, password_file, login ? login->user : std::string(),
                           login ? sasl::to_hex(sasl::sha256(login->password)) : std::string(), joined(auth_mechanisms), addresses, std::string(auth_in_clear ? "clear" : ""), std::to_string(command_milliseconds)})
    whole += part + "|";
  identity = sasl::to_hex(sasl::sha256(whole));
}

base::Result<std::optional<sasl::Login>> Profile::read_login() const {
  if (login) return login;
  if (user.empty()) return std::nullopt;
  auto password = first_line_of(password_file);
  if (!password) return std::unexpected(std::move(password.error()));
  std::optional<sasl::Login> read(std::in_place, user, *password);
  sasl::wipe(*password);
  return read;
}

base::Result<Profile> read_profile(const base::Settings& settings, std::string_view section) {
  const Keys keys(settings, section);
  const auto bad = [&](std::string_view key, std::string what) { return base::fail(base::Fault::Config, settings.place_of(keys.name(key)) + keys.name(key) + ": " + what); };
  Profile profile;
  profile.tls_level = std::ranges::find(kLevels, std::string_view(keys.text("tls_level")), &LevelRow::name)->level;
  profile.tls_wrapper = keys.flag("tls_wrapper");
  profile.tls_names = keys.words("tls_names");
  for (auto fingerprint : keys.words("tls_fingerprints")) {
    std::erase(fingerprint, ':');
    fingerprint = text::to_lower(fingerprint);
    if (fingerprint.size() != 64 || fingerprint.find_first_not_of("0123456789abcdef") != std::string::npos)
      return bad("tls_fingerprints", "'" + fingerprint + "'; expected: a SHA-256 in 64 hexadecimal digits, of a certificate or its public key");
    profile.tls_fingerprints.push_back(std::move(fingerprint));
  }
  if (profile.tls_level == TlsLevel::Fingerprint && profile.tls_fingerprints.empty()) return bad("tls_level", "fingerprint needs tls_fingerprints");
  if (profile.tls_level == TlsLevel::DaneOnly && settings.text("dns.trust_anchor").empty()) return bad("tls_level", "dane-only needs dns.trust_anchor");
  profile.tls.authorities = keys.text("tls_authorities");
  profile.tls.credentials = {keys.text("tls_certificate"), keys.text("tls_private_key")};
  profile.tls.cipher_suites = keys.words("tls_cipher_suite");
  const auto known = net::tls::known_cipher_suites();
  for (const auto& suite : profile.tls.cipher_suites)
    if (std::ranges::find(known, suite) == known.end()) return bad("tls_cipher_suite", "unknown cipher suite '" + text::printable(suite) + "'");
  profile.tls.newest_only = keys.text("tls_version_min") == "1.3";
  for (const auto& source : keys.words("source")) {
    const auto address = net::Address::from_ip(source, 0);
    if (!address) return bad("source", "'" + text::printable(source) + "'; expected: an IPv4 or IPv6 address");
    profile.sources.push_back(*address);
  }
  profile.user = keys.text("user");
  profile.password_file = keys.text("password_file");
  if (!profile.user.empty() && profile.password_file.empty()) return bad("user", "needs password_file");
  profile.auth_mechanisms = keys.words("auth_mechanisms");
  for (const auto& name : profile.auth_mechanisms)
    if (std::ranges::none_of(sasl::client_mechanisms(), [&](const auto& row) { return text::equal_ignoring_case(row.name, name); }))
      return bad("auth_mechanisms", "unknown mechanism '" + text::printable(name) + "'; expected some of: SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN");
  profile.auth_in_clear = keys.flag("auth_in_clear");
  profile.set_identity();
  return profile;
}

}  // namespace remote
