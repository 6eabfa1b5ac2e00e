// handshakes CERTIFICATE KEY [COUNT]: what a full handshake costs a server of lib/net/tls.h, in processor time of the server's side alone:
// almost all of it is mbedTLS. The client is mbedTLS too, in the same process; no sockets.
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "lib/net/tls_test_client.h"

namespace {

double processor_milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double shake_hands(const std::shared_ptr<const net::tls::Context>& context) {
  net::tls::test::Client client;
  client.begin();
  net::tls::Session server(context);
  std::string plaintext;
  double spent = 0;
  while (!server.is_open()) {
    client.shake_hands();
    const std::string octets = std::exchange(client.output, {});
    const double began = processor_milliseconds();
    if (!server.receive(octets, plaintext, client.input)) std::exit(1);
    spent += processor_milliseconds() - began;
  }
  return spent;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 64;
  net::tls::ServerOptions options;
  options.standard = {{argv[1], argv[2]}};
  const auto context = net::tls::server(options);
  if (!context) {
    std::fprintf(stderr, "%s\n", context.error().cause.c_str());
    return 1;
  }
  const int count = argc > 3 ? std::atoi(argv[3]) : 300;
  double spent = 0;
  for (int i = 0; i < count; ++i) spent += shake_hands(*context);
  std::printf("%.3f\n", spent / count);
}
