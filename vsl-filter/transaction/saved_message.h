// What a saved message tells of how it came: for rules that run on it as if it came again (vsl-filter RULES MESSAGE).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "vsl-filter/transaction/header_list.h"

namespace rules {

struct SavedFacts {
  // Return-Path, else the mbox separator, else the first mailbox of Sender or From; nothing: none of these.
  std::optional<std::string> reverse_path;
  // Delivered-To, X-Original-To, Envelope-To; else all mailboxes of To, Cc and Bcc.
  std::vector<std::string> recipients;
  // Of the uppermost Received field that names a client by its address: "from HELO (NAME [IP])".
  std::string helo, client_ip;
  std::optional<base::WallTime> time;  // of that field
};

// The line "From SENDER ..." in front of the message (RFC 4155); "" if there is none.
std::string_view mbox_separator(std::string_view file);
// Of the message behind that.
SavedFacts facts_of(const HeaderList& header, std::string_view separator);
// Of the whole.
SavedFacts facts_of(std::string_view file);

}  // namespace rules
