#include "vsl-filter/stages/stage_result.h"

#include <array>
#include <algorithm>

namespace rules {
namespace {

// Appendix D of vsl.md, as far as statuses name them.
struct Standard {
  std::string_view name, reply;
};
constexpr auto kStandard = std::to_array<Standard>({
    {"Denied", "554 permanent problems with the remote server"},
    {"Failure", "451 Requested action aborted: local error in processing"},
    {"TooManyRecipients", "452 Requested action not taken: too many recipients"},
});

}  // namespace

std::optional<Reply> reply_of(const Skip& status) {
  if (!status.reply.empty()) return Reply::parse(status.reply);
  if (status.kind != Skip::Kind::Deny) return std::nullopt;
  const auto row = std::ranges::find(kStandard, status.code, &Standard::name);
  return Reply::parse(row == kStandard.end() ? kStandard.front().reply : row->reply);
}

}  // namespace rules
