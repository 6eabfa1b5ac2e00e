// Log lines hold what strangers said: any line is parsed or none, and the page made of it has no mark-up of theirs.
#include <cstdint>
#include <cstdlib>

#include "qctl/page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view octets(reinterpret_cast<const char*>(data), size);
  qctl::MailHistory history;
  while (!octets.empty()) {
    const auto line = octets.substr(0, octets.find('\n'));
    history.add(line);
    octets.remove_prefix(std::min(line.size() + 1, octets.size()));
  }
  const auto page = qctl::page_of({"Mail", "spool", base::WallTime(), true}, history, {});
  if (page.size() > 300'000 + 40 * size) std::abort();
  for (const char* mark : {"<script", "<img", "nan\"", "inf\""})
    if (page.contains(mark)) std::abort();  // quotes of theirs are &quot;
  for (const char c : page)
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') std::abort();
  return 0;
}
