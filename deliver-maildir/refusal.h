// Why a recipient does not get a message now: one row a reason, with the words of RFC 5321 section 4.2 and RFC 3463.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace maildir {

enum class Reason : std::uint8_t {
  BadSender,
  BadRecipient,
  NoSuchMailbox,
  NoMailboxYet,
  NotLocal,
  MailboxFull,
  MailboxLocked,
  SystemFull,
  Trouble,
};

struct ReasonRow {
  Reason reason;
  base::Fault fault;
  std::string_view reply;  // code, enhanced status, text
};

inline constexpr auto kReasons = std::to_array<ReasonRow>({
    {Reason::BadSender,     base::Fault::Permanent, "553 5.1.7 sender address cannot be stored"},
    {Reason::BadRecipient,  base::Fault::Permanent, "553 5.1.3 no mailbox can have this name"},
    {Reason::NoSuchMailbox, base::Fault::Permanent, "550 5.1.1 no such mailbox"},
    {Reason::NoMailboxYet,  base::Fault::Temporary, "450 4.1.1 no such mailbox yet"},
    {Reason::NotLocal,      base::Fault::Permanent, "550 5.7.1 not a mailbox of this host"},
    {Reason::MailboxFull,   base::Fault::Temporary, "452 4.2.2 mailbox full"},
    {Reason::MailboxLocked, base::Fault::Temporary, "450 4.2.0 mailbox is in use"},
    {Reason::SystemFull,    base::Fault::Temporary, "452 4.3.1 mail system full"},
    {Reason::Trouble,       base::Fault::Temporary, "451 4.3.0 mailbox not available now"},
});

struct Refusal {
  Reason reason = Reason::Trouble;
  std::string cause;  // for log and operator; never goes on the wire

  [[nodiscard]] base::Fault fault() const { return kReasons[static_cast<std::size_t>(reason)].fault; }
  [[nodiscard]] std::string_view reply() const { return kReasons[static_cast<std::size_t>(reason)].reply; }
};

template <class T>
using Accepted = std::expected<T, Refusal>;

[[nodiscard]] inline std::unexpected<Refusal> refuse(Reason reason, std::string cause) {
  return std::unexpected(Refusal{reason, std::move(cause)});
}

// What a failed call on a file means for the recipient, by its errno.
[[nodiscard]] Refusal refusal_of(const base::Error& error);

consteval bool rows_are_in_order() {
  for (std::size_t i = 0; i < kReasons.size(); ++i)
    if (static_cast<std::size_t>(kReasons[i].reason) != i) return false;
  return true;
}
static_assert(rows_are_in_order());

}  // namespace maildir
