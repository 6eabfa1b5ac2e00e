// tls_load PORT PROCESSES COUNT OCTETS full|resumed: COUNT connections to 127.0.0.1 from that many processes; each says EHLO and STARTTLS,
// shakes hands, sends one message and QUIT. "resumed": each process shakes hands in full once and resumes that session from then on.
// The client's TLS is OpenSSL's, TLS 1.2, without looking at certificates. Built by tests/bench/run; exits with 1 at the first wrong reply.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace {

template <auto kFree>
struct Freed {
  void operator()(auto* it) const { kFree(it); }
};
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using Secured = std::unique_ptr<SSL, Freed<SSL_free>>;
using Ticket = std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION_free>>;

struct Load {
  std::uint16_t port;
  int processes, count;
  bool resumes;
  std::string message;
};

[[noreturn]] void give_up(const char* what, std::string_view said) {
  std::fprintf(stderr, "tls_load: %s: '%.*s'\n", what, static_cast<int>(said.size()), said.data());
  std::exit(1);
}

// Some octets of a connection, in clear or not.
class Connection {
 public:
  explicit Connection(std::uint16_t port) {
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) give_up("connect", "");
  }
  ~Connection() {
    if (tls_) ::SSL_shutdown(tls_.get());  // OpenSSL resumes no session that ended otherwise
    ::close(fd_);
  }
  Connection(const Connection&) = delete;

  void expect(const char* code, std::string_view said = {}) {
    const int sent = said.empty() ? 1 : tls_ ? ::SSL_write(tls_.get(), said.data(), static_cast<int>(said.size())) : static_cast<int>(::write(fd_, said.data(), said.size()));
    std::string reply;
    while (sent > 0 && !is_complete(reply)) {
      char piece[4096];
      const auto got = tls_ ? ::SSL_read(tls_.get(), piece, sizeof piece) : ::read(fd_, piece, sizeof piece);
      if (got <= 0) break;
      reply.append(piece, static_cast<std::size_t>(got));
    }
    if (!reply.starts_with(code)) give_up(code, reply);
  }
  void start_tls(SSL_CTX* context, SSL_SESSION* session) {
    tls_.reset(::SSL_new(context));
    ::SSL_set_fd(tls_.get(), fd_);
    if (session != nullptr) ::SSL_set_session(tls_.get(), session);
    if (::SSL_connect(tls_.get()) != 1) give_up("handshake", "");
  }
  [[nodiscard]] SSL* tls() const { return tls_.get(); }

 private:
  // The last line has a blank behind its code.
  static bool is_complete(std::string_view reply) {
    if (!reply.ends_with("\r\n")) return false;
    const auto line = reply.substr(reply.rfind('\n', reply.size() - 2) + 1);
    return line.size() > 3 && line[3] == ' ';
  }
  int fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
  Secured tls_;
};

void send_some(const Load& load, int first) {
  const Context context(::SSL_CTX_new(::TLS_client_method()));
  ::SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  ::SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  if (!load.resumes) ::SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
  Ticket ticket;
  for (int i = first; i < load.count; i += load.processes) {
    Connection connection(load.port);
    connection.expect("220");
    connection.expect("250", "EHLO client.invalid\r\n");
    connection.expect("220", "STARTTLS\r\n");
    connection.start_tls(context.get(), ticket.get());
    if (ticket && ::SSL_session_reused(connection.tls()) == 0) give_up("not resumed", "");
    if (load.resumes && !ticket) ticket.reset(::SSL_get1_session(connection.tls()));
    connection.expect("250", "EHLO client.invalid\r\n");
    connection.expect("250", "MAIL FROM:<s@sender.invalid>\r\n");
    connection.expect("250", "RCPT TO:<u@bench.invalid>\r\n");
    connection.expect("354", "DATA\r\n");
    connection.expect("250", load.message);
    connection.expect("221", "QUIT\r\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 64;
  Load load{static_cast<std::uint16_t>(std::atoi(argv[1])), std::atoi(argv[2]), std::atoi(argv[3]), std::string_view(argv[5]) == "resumed", "Subject: tls\r\n\r\n"};
  while (load.message.size() < static_cast<std::size_t>(std::atoi(argv[4]))) load.message += std::string(76, 'x') + "\r\n";
  load.message += ".\r\n";
  for (int i = 0; i < load.processes; ++i) {
    if (::fork() != 0) continue;
    send_some(load, i);
    std::exit(0);
  }
  int status = 0, bad = 0;
  while (::wait(&status) > 0) bad |= status;
  return bad != 0;
}
