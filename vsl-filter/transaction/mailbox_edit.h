// Address lists of header fields with one mailbox more, less, or another one in its place. Everything else of the body stays as
// it is written: display names, comments, groups, folding.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rules {

struct MailboxEdit {
  std::string body;
  std::size_t changes = 0;  // mailboxes that were removed or replaced
  bool is_empty = false;    // nobody and no group is left
};

// `body` is all behind the colon. Addresses are the caller's to check.
MailboxEdit remove_mailbox(std::string_view body, std::string_view address);
MailboxEdit replace_mailbox(std::string_view body, std::string_view old_address, std::string_view new_address);
// `octets_before` of the body on its first line; a line that would become longer than 78 is folded with `line_end`.
std::string append_mailbox(std::string_view body, std::string_view address, std::size_t octets_before, std::string_view line_end);

}  // namespace rules
