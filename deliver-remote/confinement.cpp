#include "deliver-remote/confinement.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "lib/base/blob.h"
#include "lib/chain/message_call.h"
#include "lib/net/dns.h"

namespace remote {
namespace {

namespace fs = std::filesystem;

// A file, or a folder of files, most of which are symbolic links to somewhere else (/etc/ssl/certs).
void add_authorities(base::Sandbox& sandbox, const std::string& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return base::add_folder_of(sandbox.readable, path);
  sandbox.readable.push_back(path);
  for (const auto& entry : fs::directory_iterator(path, ignored)) {
    if (!entry.is_symlink(ignored)) continue;
    const auto folder = fs::canonical(entry.path(), ignored).parent_path().string();
    if (!folder.empty() && std::ranges::find(sandbox.readable, folder) == sandbox.readable.end()) sandbox.readable.push_back(folder);
  }
}

constexpr auto kFiles = std::to_array<std::string_view>({"tls_authorities", "tls_certificate", "tls_private_key", "password_file"});

void add_file(base::Sandbox& sandbox, std::string_view key, const std::string& path) {
  if (key == "tls_authorities") return add_authorities(sandbox, path);
  base::add_folder_of(sandbox.readable, path);
}

}  // namespace

base::Sandbox sandbox_of(const base::Settings& settings) {
  base::Sandbox sandbox;
  for (const auto key : kFiles) {
    add_file(sandbox, key, settings.text("remote." + std::string(key)));
    for (const auto& domain : settings.names("relay")) {
      const auto own = base::Settings::named("relay", domain, key);
      if (settings.is_given(own)) add_file(sandbox, key, settings.text(own));
    }
  }
  sandbox.writable.push_back(base::BlobWriter::Limits{}.directory);  // of messages that are converted
  if (const auto& journal = settings.text("remote.tls_journal"); !journal.empty()) sandbox.writable.push_back(journal);
  net::dns::add_needs(sandbox, settings);
  sandbox.limits_tcp = false;  // the port is the caller's
  sandbox.names_interfaces = true;
  return sandbox;
}

base::Obstacle obstacle_to_sandbox(const base::Settings& settings) {
  const auto program = settings.words("remote.mta_sts");
  return program.empty() || chain::is_resident(program.front()) ? base::Obstacle() : "it starts '" + program.front() + "'";
}

}  // namespace remote
