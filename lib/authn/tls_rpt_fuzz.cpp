// Records are a stranger's; lines of the journal have what strangers' servers said. What can be read can be written again, and no mailbox
// has what ends an address.
#include <cstdint>
#include <cstdlib>

#include "lib/authn/tls_rpt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace rpt = authn::tlsrpt;
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const auto& uri : rpt::find_rua(std::vector{text, "v=TLSRPTv1; rua=" + text}))
    if (uri.find_first_of(" \r\n,;") != std::string::npos) std::abort();
  if (const auto mailbox = rpt::mailbox_of("mailto:" + text); mailbox && mailbox->find_first_of(" \r\n<>,") != std::string::npos) std::abort();
  const auto session = rpt::parse_session(text);
  if (!session) return 0;
  const auto again = rpt::parse_session(rpt::format(*session));
  if (!again || again->strings.size() != session->strings.size()) std::abort();
  rpt::Tally tally;
  tally.add(*session);
  if (tally.report({}).empty() || tally.sessions() != 1) std::abort();
  return 0;
}
