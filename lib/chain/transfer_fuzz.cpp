// A target that was taken can be written and means the same when it is read again.
#include <cstdint>
#include <cstdlib>

#include "lib/chain/transfer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto target = chain::ForwardTarget::parse({reinterpret_cast<const char*>(data), size});
  if (!target) return 0;
  const auto again = chain::ForwardTarget::parse(target->text());
  if (!again || *again != *target) std::abort();
  const auto shown = chain::ForwardTarget::parse(target->public_text());
  if (!shown || !shown->password.empty()) std::abort();
  for (const char c : target->text() + target->delivery_host())
    if (static_cast<unsigned char>(c) <= ' ' || c == 127) std::abort();
  return 0;
}
