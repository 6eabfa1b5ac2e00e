#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "lib/chain/policy_action.h"
#include "lib/chain/transfer.h"

// A refusal is a reply that can be sent: three digits, and nothing that was not in the text. A filter can be gone to.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto action = chain::parse_action({reinterpret_cast<const char*>(data), size});
  if (!action) return 0;
  using Kind = chain::PolicyAction::Kind;
  const bool is_refusal = action->kind == Kind::Refuse || action->kind == Kind::DeferIfPermit || action->kind == Kind::DeferIfReject;
  if (is_refusal && (action->text.size() < 10 || (action->text[0] != '4' && action->text[0] != '5') || action->text[3] != ' ')) std::abort();
  if (action->kind == Kind::Filter && !chain::ForwardTarget::parse(action->text)) std::abort();
  return 0;
}
