// Any octets are checked and reported: places lie in the message, the report holds no control character but line ends.
#include <cstdint>
#include <cstdlib>

#include "lib/lint/check.h"
#include "mime-check/filter.h"
#include "mime-check/report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  mime_check::Findings findings({}, {});
  mime_check::check_message(octets, {.is_wire = size % 2 == 0, .limits = {.depth = 8, .parts = 64, .fields = 256}}, findings);
  for (const auto& finding : findings.kept())
    if (finding.offset > size || finding.line == 0 || finding.column == 0) std::abort();
  std::string report;
  mime_check::append_text(report, "x", octets, findings, {});
  for (const char c : report)
    if ((static_cast<unsigned char>(c) < 32 && c != '\n') || c == 127) std::abort();
  for (const auto& finding : findings.kept())
    for (const char c : mime_check::in_short(finding))
      if (c < 32 || c > 126) std::abort();
  (void)mime_check::mark_field("X", findings);
  return 0;
}
