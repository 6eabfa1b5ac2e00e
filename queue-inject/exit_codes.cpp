#include "queue-inject/exit_codes.h"

namespace {

struct SystemRow {
  int error_number;
  int code;
};
constexpr auto kSystem = std::to_array<SystemRow>({
    {ENOMEM, 51},
    {ETIMEDOUT, 52},
    {ENOSPC, 53},
    {EDQUOT, 53},
    {EIO, 53},
    {EROFS, 53},
    {EFBIG, 53},
});

}  // namespace

int exit_code_of(Step step, const base::Error& error) {
  for (const auto& row : kSystem)
    if (row.error_number == error.error_number) return row.code;
  for (const auto& row : kExitCodes)
    if (row.step == step) return row.code;
  return 81;
}
