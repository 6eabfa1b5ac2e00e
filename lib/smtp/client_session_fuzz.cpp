// A server that says anything at any time: whatever it does, every recipient has one verdict in the end, nothing but whole
// commands and one well-formed message leave, and the session ends.
#include <cstdint>
#include <cstdlib>

#include "lib/smtp/client_session.h"

namespace {

using State = smtp::ClientSession::State;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Input {
  std::string_view octets;
  unsigned take() {
    if (octets.empty()) return 0;
    const auto octet = static_cast<unsigned char>(octets.front());
    octets.remove_prefix(1);
    return octet;
  }
  std::string_view take(std::size_t count) {
    const auto piece = octets.substr(0, count);
    octets.remove_prefix(piece.size());
    return piece;
  }
};

// Commands end with CRLF; between "354" and its dot the message is checked by dot_writer_test.
std::string sent_by(smtp::ClientSession& session) {
  std::string sent;
  for (auto block = session.next_output(); !block.empty(); block = session.next_output()) sent += block;
  require(sent.empty() || sent.ends_with("\r\n"));
  return sent;
}

void run(Input input) {
  const auto flags = input.take();
  smtp::ClientSession::Settings settings;
  settings.helo = "me.example";
  settings.is_lmtp = (flags & 1U) != 0;
  settings.use_pipelining = (flags & 2U) != 0;
  settings.start_tls = (flags & 16U) != 0 ? smtp::ClientSession::StartTls::IfOffered : smtp::ClientSession::StartTls::Never;
  if ((flags & 32U) != 0) settings.login.emplace("joe", "secret");
  settings.auth_in_clear = (flags & 64U) != 0;
  smtp::ClientSession session(settings);
  const std::string message(input.take(input.take()));

  int transactions = 0;
  const auto check_verdicts = [&] {
    const auto verdicts = session.take_verdicts();
    require(verdicts.size() == 3);
    for (const auto& verdict : verdicts) require(verdict.result != smtp::Verdict::Class::Undecided || session.has_failed());
  };
  bool is_open = false;
  while (!input.octets.empty() && session.state() != State::Closed) {
    session.receive(input.take(1 + input.take()));
    if (session.state() == State::Securing) (flags & 128U) != 0 ? session.on_tls_failure("TLS") : session.on_secured({{"tls-unique", "x"}});
    (void)sent_by(session);
    if (is_open && session.state() != State::Busy) {
      check_verdicts();
      is_open = false;
    }
    if (session.state() == State::Ready && ++transactions < 4) {
      smtp::ClientTransaction next;
      next.reverse_path = "a@x.example";
      next.recipients = {"b@y.example", "\xC3\xA9@y.example", "c d@y.example"};
      next.message = message;
      next.needs = smtp::scan_message(message);
      next.all_or_nothing = (flags & 4U) != 0;
      next.is_last = transactions == 3;
      session.begin(std::move(next));
      is_open = true;
      (void)sent_by(session);
    }
  }
  if (session.state() != State::Closed) (flags & 8U) != 0 ? session.on_time_limit() : session.on_connection_end("connection closed");
  require(session.state() == State::Closed && session.time_limit_milliseconds() == 0);
  if (is_open) check_verdicts();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  run({{reinterpret_cast<const char*>(data), size}});
  return 0;
}
