#include "lib/net/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <string>

#include "lib/base/log.h"
#include "lib/net/internal.h"

namespace net {

// Read and write are our own calls and libuv only waits: nothing is allocated for a write that the socket takes at once,
// and an idle stream is this struct and a uv_poll_t.
struct Stream::Internal {
  Loop* loop;
  StreamUser* user;
  base::UniqueFd fd;
  std::optional<Watch> watch;
  std::string unsent;       // from sent_octets on
  std::size_t sent_octets = 0;
  int error_number = 0;     // of a write: told when the loop comes by, never from inside write()
  bool is_socket = true;
  bool is_usable = false;   // not before adopt() or connect(), not after an error
  bool connects = false;
  bool reads = false;       // the user wants octets
  bool watches_reading = false;
  bool has_ended = false;   // end of file was told
  bool shuts_down = false;
  bool* destroyed = nullptr;  // set while a callback of the user runs

  Internal(Loop& the_loop, StreamUser& the_user) : loop(&the_loop), user(&the_user) {}
  ~Internal() {
    if (destroyed != nullptr) *destroyed = true;
  }

  void watch_it() {
    is_usable = true;
    watch.emplace(*loop, fd.get(), [this](unsigned ready) { on_ready(ready); });
  }
  void update_interest();
  void on_ready(unsigned ready);
  void finish_connect();
  void read();
  void send_unsent();
  void end_writing();
  void report(int number, const char* what);
  [[nodiscard]] bool has_unsent() const { return sent_octets < unsent.size(); }
  [[nodiscard]] ssize_t send_some(std::string_view octets) const;
  void half_close() const {
    if (is_socket) ::shutdown(fd.get(), SHUT_WR);
  }
};

ssize_t Stream::Internal::send_some(std::string_view octets) const {
  for (;;) {
    const auto n = is_socket ? ::send(fd.get(), octets.data(), octets.size(), MSG_NOSIGNAL) : ::write(fd.get(), octets.data(), octets.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return 0;
    return n;
  }
}

void Stream::Internal::update_interest() {
  unsigned interest = Watch::None;
  if (connects || has_unsent()) interest |= Watch::Writable;
  if (!connects && watches_reading && !has_ended) interest |= Watch::Readable;
  if (error_number != 0) interest = Watch::Readable | Watch::Writable;  // ready at once: the error will be told
  watch->want(interest);
}

void Stream::Internal::on_ready(unsigned ready) {
  bool gone = false;
  bool* const outer = std::exchange(destroyed, &gone);
  if (connects) {
    finish_connect();
  } else if (error_number != 0) {
    end_writing();
  } else {
    if ((ready & Watch::Writable) != 0) send_unsent();
    if (!gone && (ready & Watch::Readable) != 0) read();
  }
  if (gone) {
    if (outer != nullptr) *outer = true;
    return;
  }
  destroyed = outer;
}

void Stream::Internal::finish_connect() {
  int number = 0;
  socklen_t length = sizeof number;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &number, &length) != 0) number = errno;
  connects = false;
  if (number != 0) return report(number, "connect");
  update_interest();
  user->on_connected();
}

void Stream::Internal::read() {
  if (!reads) {  // stopped, and now there is something to be stopped
    watches_reading = false;
    return update_interest();
  }
  auto& buffer = loop->internal().read_buffer;
  ssize_t n;
  do n = ::read(fd.get(), buffer.data(), buffer.size());
  while (n < 0 && errno == EINTR);
  if (n > 0) return user->on_octets({buffer.data(), static_cast<std::size_t>(n)});
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
  if (n < 0) return report(errno, "read");
  has_ended = true;
  update_interest();
  user->on_end(nullptr);
}

// A peer that refuses what it is sent says why and closes; its words are here though nothing can be written any more. They
// are read first, a piece each turn, then the error is told.
void Stream::Internal::end_writing() {
  if (reads && !has_ended) {
    auto& buffer = loop->internal().read_buffer;
    const auto n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n > 0) return user->on_octets({buffer.data(), static_cast<std::size_t>(n)});
  }
  report(std::exchange(error_number, 0), "write");
}

void Stream::Internal::send_unsent() {
  const auto n = send_some(std::string_view(unsent).substr(sent_octets));
  if (n < 0) {
    error_number = errno;
    return update_interest();
  }
  sent_octets += static_cast<std::size_t>(n);
  if (has_unsent()) return;
  unsent = std::string();  // its memory as well: most streams never need it again
  sent_octets = 0;
  update_interest();
  if (shuts_down) half_close();
  user->on_drained();
}

void Stream::Internal::report(int number, const char* what) {
  is_usable = false;
  has_ended = true;
  unsent = std::string();
  sent_octets = 0;
  update_interest();
  errno = number;
  const base::Error error = base::fail_errno(what).error();
  user->on_end(&error);
}

Stream::Stream(Loop& loop, StreamUser& user) : internal_(new Internal(loop, user)) {}

Stream::~Stream() { delete internal_; }

base::Result<void> Stream::adopt(base::UniqueFd socket) {
  struct stat status;
  if (::fstat(socket.get(), &status) != 0) return base::fail_errno("fstat");
  const bool can_be_waited_for = S_ISSOCK(status.st_mode) || S_ISFIFO(status.st_mode) || ::isatty(socket.get()) == 1;
  if (!can_be_waited_for) return base::fail(base::Fault::Usage, "not a socket, pipe or terminal");
  internal_->is_socket = S_ISSOCK(status.st_mode);
  internal_->fd = std::move(socket);
  internal_->watch_it();
  return {};
}

base::Result<void> Stream::connect(const Address& to, const Address* source) {
  base::UniqueFd socket(::socket(to.system()->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return base::fail_errno("socket");
  if (to.is_ip()) {
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  if (source != nullptr && ::bind(socket.get(), source->system(), source->length()) != 0)
    return base::fail_errno("bind " + source->text());
  if (::connect(socket.get(), to.system(), to.length()) != 0 && errno != EINPROGRESS)
    return base::fail_errno("connect to " + to.text());
  internal_->fd = std::move(socket);
  internal_->connects = true;
  internal_->watch_it();
  internal_->update_interest();
  return {};
}

void Stream::start_reading() {
  internal_->reads = true;
  if (internal_->watches_reading || !internal_->is_usable) return;
  internal_->watches_reading = true;
  internal_->update_interest();
}

// The descriptor stays watched until something comes: most peers wait for our reply, and then no system call is needed
// to stop and to start again.
void Stream::stop_reading() { internal_->reads = false; }

void Stream::write(std::string_view octets) {
  Internal& own = *internal_;
  if (octets.empty() || !own.is_usable || own.error_number != 0 || own.shuts_down) return;
  if (!own.connects && !own.has_unsent()) {
    const auto n = own.send_some(octets);
    if (n < 0) {
      own.error_number = errno;
      return own.update_interest();
    }
    octets.remove_prefix(static_cast<std::size_t>(n));
    if (octets.empty()) return;
  }
  if (own.sent_octets > own.unsent.size() / 2) {
    own.unsent.erase(0, own.sent_octets);
    own.sent_octets = 0;
  }
  own.unsent += octets;
  own.update_interest();
}

std::size_t Stream::unsent_octets() const { return internal_->unsent.size() - internal_->sent_octets; }

bool Stream::takes_more() const {
  return internal_->is_usable && internal_->error_number == 0 && !internal_->shuts_down && !internal_->has_unsent();
}

void Stream::shut_down() {
  internal_->shuts_down = true;
  if (!internal_->connects && !internal_->has_unsent()) internal_->half_close();
}

int Stream::descriptor() const { return internal_->fd.get(); }

// ---- Listener -----------------------------------------------------------------------------------------------------

struct Listener::Internal {
  static constexpr std::uint64_t kPauseMilliseconds = 100;
  static constexpr unsigned kMostAtOnce = 64;

  using OnConnection = std::function<void(base::UniqueFd)>;

  base::UniqueFd fd;
  Watch watch;
  Timer retry;
  unsigned at_once = 1;
  bool is_paused = false;
  bool* destroyed = nullptr;

  // The watch keeps `on_connection`, since it outlives a Listener that is destroyed inside it.
  Internal(Loop& loop, base::UniqueFd listening, OnConnection on_connection)
      : fd(std::move(listening)),
        watch(loop, fd.get(), [this, hand_out = std::move(on_connection)](unsigned) { accept_some(hand_out); }),
        retry(loop, [this] { if (!is_paused) watch.want(Watch::Readable); }) {
    watch.want(Watch::Readable);
  }
  ~Internal() {
    if (destroyed != nullptr) *destroyed = true;
  }
  void accept_some(const OnConnection& hand_out);
  void out_of_descriptors(int number);
};

// One accept a turn while connections come singly: a second one that finds nothing costs as much as one that does. In a
// burst twice as many each turn.
void Listener::Internal::accept_some(const OnConnection& hand_out) {
  bool gone = false;
  destroyed = &gone;
  const unsigned limit = at_once;
  at_once = std::min(at_once * 2, kMostAtOnce);
  for (unsigned i = 0; i < limit && !is_paused; ++i) {
    base::UniqueFd connected(::accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!connected.is_open()) {
      const int number = errno;
      if (number == EINTR || number == ECONNABORTED || number == EPROTO) continue;
      at_once = 1;
      if (number != EAGAIN && number != EWOULDBLOCK) out_of_descriptors(number);
      break;
    }
    hand_out(std::move(connected));
    if (gone) return;
  }
  destroyed = nullptr;
}

// EMFILE, ENFILE, ENOBUFS, ENOMEM: the connection stays in the backlog, so asking again at once would only burn time.
void Listener::Internal::out_of_descriptors(int number) {
  base::log::warning("accept failed, waiting", {{"cause", std::strerror(number)}});
  watch.want(Watch::None);
  retry.start(kPauseMilliseconds);
}

Listener::Listener(Loop& loop, base::UniqueFd listening, std::function<void(base::UniqueFd)> on_connection)
    : internal_(new Internal(loop, std::move(listening), std::move(on_connection))) {}

Listener::~Listener() { delete internal_; }

void Listener::pause() {
  internal_->is_paused = true;
  internal_->watch.want(Watch::None);
}

void Listener::resume() {
  internal_->is_paused = false;
  internal_->watch.want(Watch::Readable);
}

}  // namespace net
