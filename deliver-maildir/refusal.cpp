#include "deliver-maildir/refusal.h"

#include <cerrno>

namespace maildir {
namespace {
struct ErrnoRow {
  int number;
  Reason reason;
};
constexpr auto kByErrno = std::to_array<ErrnoRow>({
    {EDQUOT, Reason::MailboxFull},
    {ENOSPC, Reason::SystemFull},  // no blocks, or no inodes
});
}  // namespace

Refusal refusal_of(const base::Error& error) {
  for (const auto& row : kByErrno)
    if (row.number == error.error_number) return {row.reason, error.cause};
  return {Reason::Trouble, error.cause};
}

}  // namespace maildir
