// A mailbox that is one file: messages one behind the other, each begun by a line "From " (mboxrd). Other programs write there
// too, so it is locked as they expect it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "deliver-maildir/refusal.h"
#include "lib/mail/stored_form.h"

namespace maildir {

struct MboxLocks {
  bool dot = true;    // FILE.lock
  bool fcntl = true;  // fcntl(2) on the whole file
  std::uint64_t patience_milliseconds = 10'000;
};

struct MboxMessage {
  std::string_view sender;  // of the line "From "
  std::string fields;       // in front of the message
  const mail::Segments& message;
};

// Appends the message; it is durable on return. Where that fails, the file is as it was. A file that is not there is made if
// `creates`, else Reason::NoSuchMailbox. What is no file but a device, as /dev/null, is written to and no more.
[[nodiscard]] Accepted<void> append_to_mbox(const std::string& path, const MboxMessage& message, mail::LineEnd line_end, const MboxLocks& locks, bool creates);

}  // namespace maildir
