// The user and group that a program goes on as when it has opened what only root may open.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace base {

struct Account {
  uid_t user = 0;
  gid_t group = 0;
};

// `user` is a name of /etc/passwd or a number, `group` of /etc/group or a number; without it, the group that the user's
// line of /etc/passwd names. Nothing but these files is asked, so that this works in a static program. Fault::Usage.
[[nodiscard]] Result<Account> find_account(std::string_view user, std::optional<std::string_view> group = std::nullopt,
                                           const std::string& passwd = "/etc/passwd", const std::string& groups = "/etc/group");

// For good: real, effective and saved ids, no supplementary groups. On an error the process must end.
[[nodiscard]] Result<void> become(const Account& account);

}  // namespace base
