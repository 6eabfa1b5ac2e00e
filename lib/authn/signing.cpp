#include "lib/authn/signing.h"

#include <sys/stat.h>

#include "lib/base/text.h"

namespace authn {

namespace {

std::optional<Canonicalization> form_of(std::string_view word) {
  if (word == "relaxed") return Canonicalization::Relaxed;
  if (word == "simple") return Canonicalization::Simple;
  return std::nullopt;
}

// `selectors`, `files`: names of settings.
base::Result<std::vector<Signer::Key>> keys_of(const base::Settings& settings, const std::string& selectors, const std::string& files) {
  const auto names = settings.words(selectors), paths = settings.words(files);
  if (names.size() != paths.size())
    return base::fail(base::Fault::Config, settings.place_of(files) + files + " names " + std::to_string(paths.size()) + " files, " + selectors + " " +
                                               std::to_string(names.size()) + " selectors; expected: a selector for each key");
  std::vector<Signer::Key> keys;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!dkim::is_domain(names[i])) return base::fail(base::Fault::Config, settings.place_of(selectors) + selectors + ": '" + base::text::printable(names[i]) + "' is no selector");
    keys.push_back({names[i], paths[i]});
  }
  return keys;
}

// The section of the domain, or of the nearest one above it; "" when no section has keys.
std::string section_for(const base::Settings& settings, std::string_view domain) {
  const auto sections = settings.names("virtual");
  for (; !domain.empty(); domain = base::text::split_once(domain, '.').second)
    for (const auto& name : sections)
      if (base::text::equal_ignoring_case(name, domain) && settings.is_given(base::Settings::named("virtual", name, "dkim_private_key"))) return name;
  return {};
}

}  // namespace

bool read_canonicalization(std::string_view text, dkim::SignOptions& options) {
  const auto [header, body] = base::text::split_once(text, '/');
  const auto header_form = form_of(header), body_form = form_of(body.empty() ? "simple" : body);
  if (!header_form || !body_form) return false;
  options.header_form = *header_form;
  options.body_form = *body_form;
  return true;
}

base::Result<std::shared_ptr<const PrivateKey>> KeyRing::get(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return base::fail_errno("open " + file, base::Fault::Config);
  const std::scoped_lock lock(mutex_);
  auto& held = held_[file];
  const Held now{nullptr, status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ino};
  if (held.key != nullptr && held.seconds == now.seconds && held.nanoseconds == now.nanoseconds && held.inode == now.inode) return held.key;
  auto key = PrivateKey::read(file);
  if (!key) return std::unexpected(key.error());
  held = now;
  held.key = std::make_shared<const PrivateKey>(std::move(*key));
  return held.key;
}

dkim::SignOptions sign_options_of(const base::Settings& settings) {
  dkim::SignOptions options;
  options.headers = settings.words("dkim.headers");
  options.oversigned = settings.words("dkim.oversign");
  options.lifetime_seconds = settings.milliseconds("dkim.lifetime") / 1000;
  (void)read_canonicalization(settings.text("dkim.canonicalization"), options);
  return options;
}

base::Result<std::optional<Signer>> signer_for(const base::Settings& settings, std::string_view author_domain) {
  const auto section = section_for(settings, author_domain);
  const bool is_own = !section.empty();
  auto keys = is_own ? keys_of(settings, base::Settings::named("virtual", section, "dkim_selector"), base::Settings::named("virtual", section, "dkim_private_key"))
                     : keys_of(settings, "dkim.selector", "dkim.private_key");
  if (!keys) return std::unexpected(keys.error());
  if (keys->empty()) return std::nullopt;
  Signer signer{std::move(*keys), sign_options_of(settings)};
  signer.options.domain = is_own ? section : settings.text("dkim.domain").empty() ? settings.text("server.domain") : settings.text("dkim.domain");
  return signer;
}

std::vector<std::string> key_files(const base::Settings& settings) {
  auto files = settings.words("dkim.private_key");
  for (const auto& name : settings.names("virtual"))
    for (auto& file : settings.words(base::Settings::named("virtual", name, "dkim_private_key"))) files.push_back(std::move(file));
  return files;
}

}  // namespace authn
