#include "smtpd/one_session.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <thread>
#include <utility>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/chain/caller.h"
#include "lib/chain/policy_client.h"
#include "lib/net/loop.h"
#include "lib/net/proxy_header.h"
#include "smtpd/conversation.h"
#include "smtpd/list_look_up.h"
#include "smtpd/resources.h"

namespace smtpd {
namespace {

constexpr int kInput = 0, kOutput = 1;
constexpr int kClosingMilliseconds = 5000;

// Whether descriptor 0 can only be ours: a file or terminal. A pipe or a socket without address may have the Internet behind it.
bool is_local_user() {
  struct stat status;
  return ::isatty(kInput) == 1 || (::fstat(kInput, &status) == 0 && S_ISREG(status.st_mode));
}

void limit_writes(std::uint64_t milliseconds) {
  const timeval limit = {static_cast<time_t>(milliseconds / 1000), static_cast<suseconds_t>(milliseconds % 1000 * 1000)};
  (void)::setsockopt(kOutput, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);  // not a socket: its reader is local
}

enum class Waited { Readable, TimedOut };

Waited wait_until(std::uint64_t deadline) {
  for (;;) {
    const auto now = base::monotonic_milliseconds();
    if (now >= deadline) return Waited::TimedOut;
    pollfd input = {kInput, POLLIN, 0};
    const int ready = ::poll(&input, 1, static_cast<int>(std::min<std::uint64_t>(deadline - now, 60'000)));
    if (ready > 0) return Waited::Readable;
    if (ready < 0 && errno != EINTR) return Waited::Readable;  // read(2) will tell
  }
}

// As in Client::end(): a client that has more to say must still be able to read our last reply.
void close_gently() {
  if (::shutdown(kOutput, SHUT_WR) != 0) return;
  const auto deadline = base::monotonic_milliseconds() + kClosingMilliseconds;
  std::array<char, 16384> unread;
  while (wait_until(deadline) == Waited::Readable)
    if (::read(kInput, unread.data(), unread.size()) <= 0) return;
}

// A terminal gives LF for the return key; who types means the end of a line.
std::string with_line_ends(std::string_view typed) {
  std::string lines;
  for (const char octet : typed) lines += octet == '\n' ? std::string_view("\r\n") : std::string_view(&octet, 1);
  return lines;
}

class OneSession {
 public:
  OneSession(std::shared_ptr<const Configuration> configuration, Service service, Peer peer)
      : conversation_(std::move(configuration), service, std::move(peer), base::monotonic_milliseconds()) {}

  void run() {
    if (conversation_.begins_with_proxy_header() && !hear_proxy()) return;
    if (!is_let_in()) return;
    look_up();
    if (conversation_.begins_with_tls() ? !shake_hands(std::exchange(text_, {})) : !is_silent()) return;
    std::string_view input = text_;
    while (talk(input)) {
      if (wait_until(conversation_.deadline()) == Waited::TimedOut) return time_out();
      const auto octets = read();
      if (!octets) return conversation_.note_end(octets.error().cause);
      input = *octets;
      if (is_terminal_) input = text_ = with_line_ends(input);
      if (!tls_) continue;
      if (const auto heard = hear(input); !heard) return conversation_.note_end(heard.error().cause);
      input = text_;
    }
  }

 private:
  base::Result<std::string_view> read() {
    ssize_t got;
    do got = ::read(kInput, buffer_.data(), buffer_.size());
    while (got < 0 && errno == EINTR);
    if (got <= 0) return base::fail(base::Fault::Temporary, got == 0 ? "the client closed the connection" : std::strerror(errno));
    return std::string_view(buffer_.data(), static_cast<std::size_t>(got));
  }

  // What the client said under TLS is in text_ then; what TLS itself has to say is sent.
  base::Result<void> hear(std::string_view octets) {
    std::string reply;
    text_.clear();
    const auto received = tls_->receive(octets, text_, reply);
    const auto written = base::write_all(kOutput, reply);
    if (!received) return std::unexpected(received.error());
    return written;
  }

  // What comes behind the header stays in text_.
  bool hear_proxy() {
    const auto deadline = base::monotonic_milliseconds() + conversation_.configuration().time.handshake;
    const auto failed = [this](std::string_view cause) {
      base::log::info("no header of the PROXY protocol", {{"id", conversation_.id()}, {"client", conversation_.peer().client_ip}, {"cause", cause}});
      return false;
    };
    for (;;) {
      if (wait_until(deadline) == Waited::TimedOut) return failed("timeout");
      const auto octets = read();
      if (!octets) return failed(octets.error().cause);
      text_ += *octets;
      std::string_view rest = text_;
      net::ProxyHeader header;
      const auto status = header.read(rest);
      if (status == net::ProxyHeader::Status::Malformed) return failed("not of its form");
      if (status == net::ProxyHeader::Status::NeedMore) continue;
      conversation_.take(header);
      text_.erase(0, text_.size() - rest.size());
      return true;
    }
  }

  // Connections are counted by who has started us. What the shield knows of the client, others with the same file have seen too; what
  // memory is left is that of the control group.
  bool is_let_in() {
    const auto& configuration = conversation_.configuration();
    const auto client = conversation_.peer().client();
    auto reply = smtp::ReplyId::TooManyConnections;
    std::string why = configuration.shield && client.is_ip() ? configuration.shield->turns_away(client) : std::string();
    if (why.empty() && !conversation_.is_trusted() && is_short_of_memory(configuration.resources)) {
      reply = smtp::ReplyId::TooBusy;
      why = "little memory is left";
    }
    if (why.empty()) return true;
    base::log::info("turned away", {{"id", conversation_.id()}, {"client", client.ip()}, {"cause", why}});
    conversation_.close(reply, output_);
    if (!conversation_.begins_with_tls() && flush()) close_gently();
    return false;
  }

  // Until it is time to greet.
  bool is_silent() {
    const auto delay = conversation_.greeting_delay();
    const auto end = base::monotonic_milliseconds() + delay;
    if (delay == 0 || (text_.empty() && wait_until(end) == Waited::TimedOut)) return true;
    if (conversation_.talked_first(output_)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(end - std::min(end, base::monotonic_milliseconds())));
      return true;
    }
    if (flush()) close_gently();
    return false;
  }

  // `octets` of it have come already.
  bool shake_hands(std::string_view octets = {}) {
    tls_ = std::make_unique<net::tls::Session>(conversation_.tls_context());
    const auto deadline = base::monotonic_milliseconds() + conversation_.handshake_time();
    const auto failed = [this](std::string_view cause) {
      base::log::info("TLS handshake failed", {{"id", conversation_.id()}, {"client", conversation_.peer().client_ip}, {"cause", cause}});
      return false;
    };
    if (const auto heard = hear(octets); !heard) return failed(heard.error().cause);
    while (!tls_->is_open()) {
      if (wait_until(deadline) == Waited::TimedOut) return failed("timeout");
      const auto more = read();
      if (!more) return failed(more.error().cause);
      if (const auto heard = hear(*more); !heard) return failed(heard.error().cause);
    }
    conversation_.tls_started(tls_->facts());
    return true;
  }

  // Until all input is eaten. False: the session is over.
  bool talk(std::string_view input) {
    for (;;) {
      const auto next = conversation_.advance(input, output_, base::monotonic_milliseconds());
      if (next == Conversation::Next::Delay) std::this_thread::sleep_for(std::chrono::milliseconds(conversation_.delay()));
      if (!flush()) return false;
      switch (next) {
        case Conversation::Next::Read: return true;
        case Conversation::Next::Delay: break;
        case Conversation::Next::Ask: ask(); break;
        case Conversation::Next::Look: look_up(); wait_for_lists(); break;
        case Conversation::Next::StartTls:
          if (!shake_hands()) return false;
          input = text_;  // what came behind STARTTLS in clear is gone
          break;
        case Conversation::Next::Check:
          conversation_.answer_check(smtpd::check(*conversation_.configuration().authentication, conversation_.credentials()), output_);
          break;
        case Conversation::Next::Call:
          conversation_.answer(chain::call_and_wait(conversation_.call_words(), conversation_.take_call(), conversation_.configuration().caller), output_);
          break;
        case Conversation::Next::Close:
          say_goodbye();
          return false;
      }
    }
  }

  // Made for the first question, and kept: policies remember a session by its connection, and lists answer when they can.
  struct Asking {
    explicit Asking(const Configuration& configuration) : policies(loop, configuration.policy.limits) {}
    net::Loop loop;
    chain::PolicyClient policies;
    std::unique_ptr<ListLookUp> lists;  // of the last look-up
  };

  Asking& asking() {
    if (!asking_) asking_ = std::make_unique<Asking>(conversation_.configuration());
    return *asking_;
  }

  // libunbound has a thread of its own: lists answer while the client is waited for.
  void look_up() {
    const auto client = conversation_.client_to_look_up();
    if (!client) return;
    auto& lists = asking().lists;
    lists = std::make_unique<ListLookUp>(asking_->loop, conversation_.lists_dns());  // who was asked before is not waited for
    look_up_ = lists->look_up(conversation_.configuration().lists, *client, [this](const DnsListFindings& findings) {
      look_up_ = 0;
      conversation_.take_lists(findings);
      asking_->loop.stop();
    });
  }
  void wait_for_lists() {
    while (look_up_ != 0) asking().loop.run();
  }

  void ask() {
    bool is_answered = false;
    asking().policies.ask(conversation_.policy(), conversation_.question(), [&](const base::Result<chain::PolicyAttributes>& answer) {
      conversation_.answer_question(answer);
      is_answered = true;
      asking_->loop.stop();
    });
    while (!is_answered) asking_->loop.run();  // lists that answer stop it too
  }

  bool flush() {
    if (tls_) output_ = sealed(output_);
    const auto written = base::write_all(kOutput, output_);
    output_.clear();
    if (!written) conversation_.note_end(written.error().cause);
    return written.has_value();
  }

  std::string sealed(std::string_view plaintext) {
    std::string octets;
    if (!plaintext.empty()) tls_->send(plaintext, octets);
    return octets;
  }

  void say_goodbye() {
    if (tls_ && tls_->is_open()) {
      std::string octets;
      tls_->close(octets);
      (void)base::write_all(kOutput, octets);
    }
    if (!conversation_.has_quit()) close_gently();
  }

  void time_out() {
    conversation_.note_timeout();
    conversation_.close(smtp::ReplyId::Timeout, output_);
    if (flush()) close_gently();
  }

  Conversation conversation_;
  std::uint64_t look_up_ = 0;  // 0: none is under way
  std::unique_ptr<Asking> asking_;
  std::unique_ptr<net::tls::Session> tls_;  // nullptr: in clear
  std::string output_, text_;               // text_: what the client said, where that is not buffer_
  bool is_terminal_ = ::isatty(kInput) == 1;
  std::array<char, 65536> buffer_;
};

}  // namespace

int serve_one_session(std::shared_ptr<const Configuration> configuration, Service service) {
  ::signal(SIGPIPE, SIG_IGN);
  limit_writes(configuration->time.helo);
  Peer peer = Peer::of_environment(kInput);
  if (peer.client_ip.empty() ? is_local_user() : configuration->relay.is_relay_client(peer.client())) peer.is_relay_client = true;
  const auto session = std::make_unique<OneSession>(std::move(configuration), service, std::move(peer));
  session->run();
  return 0;
}

}  // namespace smtpd
