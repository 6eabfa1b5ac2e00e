#include "lib/sasl/password_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "lib/base/io.h"
#include "lib/base/text.h"
#include "lib/sasl/prepare.h"

namespace sasl {
namespace {

constexpr std::size_t kMostOctets = 256 << 20;

}  // namespace

base::Result<PasswordTable> PasswordTable::parse(std::string_view text, const std::string& name) {
  PasswordTable table;
  std::string mistakes;
  std::size_t number = 0;
  const auto mistake = [&](const std::string& what) { mistakes.append(mistakes.empty() ? "" : "\n").append(name + ":" + std::to_string(number) + ": " + what); };
  for (auto line : base::text::split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (base::text::trim(line).empty() || line.starts_with('#')) continue;
    const auto [user, password] = base::text::split_once(line, ':');
    auto prepared_user = prepared(user);
    if (!prepared_user || user.size() == line.size()) {
      mistake("no user; expected: USER:PASSWORD, the password hashed");
      continue;
    }
    auto stored = StoredPassword::parse(password);
    if (!stored) {
      mistake(base::text::printable(user, 80) + ": " + stored.error().cause);
      continue;
    }
    if (!table.nobodys_) table.nobodys_ = *stored;
    if (!table.users_.emplace(std::move(*prepared_user), std::move(*stored)).second) mistake(base::text::printable(user, 80) + " is there twice");
  }
  if (!mistakes.empty()) return base::fail(base::Fault::Config, mistakes);
  return table;
}

bool PasswordTable::is_password(const std::string& user, std::string_view password) const {
  const auto found = users_.find(user);
  if (found != users_.end()) return found->second.is(password);
  if (nobodys_) (void)nobodys_->is(password);
  return false;
}

bool PasswordTable::is_digest(const std::string& user, std::string_view digest, std::string_view challenge) const {
  const auto found = users_.find(user);
  if (found != users_.end()) return found->second.is_digest(digest, challenge);
  if (nobodys_) (void)nobodys_->is_digest(digest, challenge);
  return false;
}

std::optional<ScramKeys> PasswordTable::scram_keys(const std::string& user) const {
  const auto found = users_.find(user);
  if (found != users_.end()) return found->second.scram_keys();
  if (nobodys_) (void)nobodys_->scram_keys();
  return std::nullopt;
}

base::Result<std::shared_ptr<const PasswordTable>> PasswordFile::table() {
  const std::lock_guard lock(mutex_);
  struct stat status;
  if (::stat(path_.c_str(), &status) != 0) return base::fail_errno("look at " + path_, base::Fault::Config);
  const Version now{status.st_ino, static_cast<std::uint64_t>(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
  const bool is_open_to_all = (status.st_mode & S_IRWXO) != 0;
  if (table_ != nullptr && now == version_ && !is_open_to_all) return table_;
  table_ = nullptr;
  if (is_open_to_all) return base::fail(base::Fault::Config, path_ + " holds passwords and is open to everybody on this system; expected: chmod o= " + path_);
  const auto text = base::read_file(path_, kMostOctets);
  if (!text) return std::unexpected(text.error());
  auto parsed = PasswordTable::parse(*text, path_);
  if (!parsed) return std::unexpected(parsed.error());
  table_ = std::make_shared<const PasswordTable>(std::move(*parsed));
  version_ = now;
  return table_;
}

}  // namespace sasl
