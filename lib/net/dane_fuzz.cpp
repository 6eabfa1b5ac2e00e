// TLSA records are what a stranger's zone says, certificates what his server does. What is usable is what it was read from, and nothing that
// was not made for a record fits it.
#include <cstdint>
#include <cstdlib>

#include "lib/net/dane.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string octets(reinterpret_cast<const char*>(data), size);
  const auto record = net::dane::parse(octets);
  if (record && record->text().size() != 6 + 2 * (size - 3)) std::abort();
  const auto records = net::dane::usable(std::vector{octets, octets});
  if (records.size() != (record ? 2 : 0)) std::abort();
  // The record's own data as the certificate: fits only as a whole one that is one.
  const std::string der = size > 3 ? octets.substr(3) : octets;
  const auto match = net::dane::match(std::vector{der}, records);
  if (match.usage && record->matching != net::dane::Matching::Full) std::abort();
  if (match.usage.has_value() != match.problem.empty()) std::abort();
  return 0;
}
