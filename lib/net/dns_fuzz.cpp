// Records are what a stranger's server says. However they are made, what comes out can be shown and asked for again.
#include <cstdint>
#include <cstdlib>

#include "lib/net/dns.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  net::dns::Answer answer;
  answer.records.emplace_back(reinterpret_cast<const char*>(data), size);
  for (const auto& mx : answer.mx())
    for (const char c : mx.host)
      if (c <= ' ' || c > 'z') std::abort();
  for (const auto& text : answer.texts())
    if (text.size() > size) std::abort();
  if (!answer.addresses().empty() && size != 4 && size != 16) std::abort();
  return 0;
}
