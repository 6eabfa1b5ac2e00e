#include "lib/base/account.h"

#include <grp.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/text.h"

namespace base {
namespace {

constexpr std::size_t kMaxFileOctets = 64 << 20;

// The fields of the line for which `is_it` is true; passwd(5) and group(5) separate them by colons.
template <class Predicate>
Result<std::vector<std::string>> find_line(const std::string& path, Predicate is_it) {
  const auto file = read_file(path, kMaxFileOctets);
  if (!file) return std::unexpected(file.error());
  for (const auto line : text::split(*file, '\n')) {
    const auto fields = text::split(line, ':');
    if (fields.size() >= 4 && is_it(fields)) return std::vector<std::string>(fields.begin(), fields.end());
  }
  return std::vector<std::string>();
}

Result<gid_t> find_group(std::string_view name, const std::string& groups) {
  if (const auto number = text::parse_number<gid_t>(name)) return *number;
  const auto line = find_line(groups, [&](const auto& fields) { return fields[0] == name; });
  if (!line) return std::unexpected(line.error());
  const auto number = line->empty() ? std::nullopt : text::parse_number<gid_t>((*line)[2]);
  if (!number) return fail(Fault::Usage, "no group '" + text::printable(name) + "' in " + groups);
  return *number;
}

}  // namespace

Result<Account> find_account(std::string_view user, std::optional<std::string_view> group, const std::string& passwd, const std::string& groups) {
  Account account;
  const auto number = text::parse_number<uid_t>(user);
  if (number) account.user = *number;
  if (!number || !group) {
    const auto line = find_line(passwd, [&](const auto& fields) { return number ? fields[2] == user : fields[0] == user; });
    if (!line) return std::unexpected(line.error());
    const auto user_of_line = line->empty() ? std::nullopt : text::parse_number<uid_t>((*line)[2]);
    const auto group_of_line = line->empty() ? std::nullopt : text::parse_number<gid_t>((*line)[3]);
    if (!user_of_line || !group_of_line)
      return fail(Fault::Usage, "no user '" + text::printable(user) + "' in " + passwd + (number ? ": a group must be named" : ""));
    account.user = *user_of_line;
    account.group = *group_of_line;
  }
  if (!group) return account;
  const auto found = find_group(*group, groups);
  if (!found) return std::unexpected(found.error());
  account.group = *found;
  return account;
}

Result<void> become(const Account& account) {
  // The user last: without root's rights the groups cannot be changed.
  if (::setgroups(1, &account.group) != 0) return fail_errno("setgroups", Fault::Config);
  if (::setresgid(account.group, account.group, account.group) != 0)
    return fail_errno("setresgid " + std::to_string(account.group), Fault::Config);
  if (::setresuid(account.user, account.user, account.user) != 0)
    return fail_errno("setresuid " + std::to_string(account.user), Fault::Config);
  if (account.user != 0 && ::setuid(0) == 0) return fail(Fault::Bug, "root's rights can be had back");
  return {};
}

}  // namespace base
