// Headers of the PROXY protocol, whole and in pieces: both come to the same.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lib/net/proxy_header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  net::ProxyHeader whole;
  std::string_view rest = octets;
  const auto status = whole.read(rest);
  for (std::size_t length = 0; length <= size; ++length) {
    net::ProxyHeader header;
    std::string_view piece = octets.substr(0, length);
    const auto early = header.read(piece);
    if (early == net::ProxyHeader::Status::NeedMore) continue;
    // What is decided early stays so, and nothing behind it is eaten.
    if (early != status) std::abort();
    if (early == net::ProxyHeader::Status::Read && (header.client.text() != whole.client.text() || length - piece.size() != size - rest.size())) std::abort();
    return 0;
  }
  if (status != net::ProxyHeader::Status::NeedMore) std::abort();
  return 0;
}
