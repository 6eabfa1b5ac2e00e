#include "lib/chain/resident.h"

#include <sys/socket.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <optional>
#include <unordered_map>
#include <vector>

#include "lib/base/log.h"
#include "lib/base/service.h"
#include "lib/chain/frame_socket.h"
#include "lib/chain/policy.h"
#include "lib/net/watchdog.h"
#include "lib/net/socket.h"
#include "lib/net/stream.h"
#include "lib/net/workers.h"

namespace chain {
namespace {

constexpr std::size_t kReadOctets = 131072;
constexpr int kReadsAtOnce = 4;              // then others have their turn
constexpr std::size_t kInlineOctets = 65536;  // messages of answers
// Answers of one turn leave together, but those of calls that take longer go on their way meanwhile: who waits for them works then,
// while this program makes the next calls.
constexpr auto kHoldBack = std::chrono::microseconds(50);
using Clock = std::chrono::steady_clock;

struct Connection {
  FrameSocket socket;
  std::size_t open_calls = 0;
  bool has_ended = false;   // no more calls come
  bool is_dead = false;     // nobody is there to read answers
  bool is_dirty = false;    // in the list of those that have answers to send
  bool is_full = false;     // the socket takes no answers just now
  bool has_kept = false;    // frames that wait for fewer open calls
  bool is_known = false;    // frames, or questions if `policy` is there
  std::optional<PolicySplitter> policy;
  bool asks_for_frames = false;  // policy.h: kTakesFrames
  std::optional<net::Watch> watch;

  Connection(base::UniqueFd fd, std::size_t frame_limit) : socket(std::move(fd), frame_limit) {}
  [[nodiscard]] bool is_over() const { return is_dead || (has_ended && !has_kept && open_calls == 0 && !socket.has_unsent()); }
};
using ConnectionPtr = std::shared_ptr<Connection>;

}  // namespace

// Open calls hold it weakly: they may outlive the server, and their answers go nowhere then.
struct ResidentServer::Internal : std::enable_shared_from_this<Internal> {
  net::Loop& loop;
  Limits limits;
  std::function<void(PendingCall)> on_call;
  std::unordered_map<Connection*, ConnectionPtr> connections;
  std::vector<ConnectionPtr> dirty;  // something is to be done with them at the end of this turn
  std::size_t open_calls = 0;
  bool is_paused = false;            // too many open calls
  std::optional<net::Listener> listener;
  bool drains = false;
  std::function<void()> on_idle;
  std::vector<char> buffer = std::vector<char>(kReadOctets);
  Clock::time_point held_back_since;

  Internal(net::Loop& the_loop, const Limits& the_limits, std::function<void(PendingCall)> handler)
      : loop(the_loop), limits(the_limits), on_call(std::move(handler)) {}

  void accept(base::UniqueFd fd);
  void on_ready(const ConnectionPtr& connection, unsigned ready);
  void read(const ConnectionPtr& connection);
  [[nodiscard]] base::Result<void> take_frames(const ConnectionPtr& connection);
  [[nodiscard]] base::Result<void> take(const ConnectionPtr& connection, std::string_view body);
  [[nodiscard]] base::Result<void> take_question(const ConnectionPtr& connection);
  void open_call(const ConnectionPtr& connection, std::uint64_t id, Invocation invocation);
  bool is_full_up(const ConnectionPtr& connection);
  void drop(const ConnectionPtr& connection, const base::Error& error);
  void answer(const ConnectionPtr& connection, std::uint64_t id, const Answer& answer);  // nullptr: it has gone
  void send_early(const ConnectionPtr& connection);
  void mark(const ConnectionPtr& connection);
  void end_turn();
  void resume();
  void flush(const ConnectionPtr& connection);
  void update_interest(Connection& connection) const;
};

struct PendingCall::Origin {
  std::weak_ptr<ResidentServer::Internal> server;
  std::weak_ptr<Connection> connection;
  std::uint64_t id;
};

PendingCall::PendingCall(Invocation the_invocation, std::unique_ptr<Origin> origin)
    : invocation(std::move(the_invocation)), origin_(std::move(origin)) {}
PendingCall::PendingCall(PendingCall&&) noexcept = default;
PendingCall& PendingCall::operator=(PendingCall&& other) noexcept {
  std::swap(invocation, other.invocation);
  std::swap(origin_, other.origin_);
  return *this;
}
PendingCall::~PendingCall() {
  if (origin_) answer(Answer::exit(base::exit_row(base::Fault::Bug).in_chain));
}

void PendingCall::answer(Answer answer) {
  const auto origin = std::move(origin_);
  if (!origin) return;
  if (const auto server = origin->server.lock()) server->answer(origin->connection.lock(), origin->id, answer);
}

// ---- connections --------------------------------------------------------------------------------------------------

void ResidentServer::Internal::accept(base::UniqueFd fd) {
  const auto connection = std::make_shared<Connection>(std::move(fd), limits.frame_octets);
  connections.emplace(connection.get(), connection);
  connection->watch.emplace(loop, connection->socket.descriptor(), [this, raw = connection.get()](unsigned ready) {
    const auto self = shared_from_this();  // on_call() may end the server
    if (const auto found = connections.find(raw); found != connections.end()) on_ready(ConnectionPtr(found->second), ready);
  });
  update_interest(*connection);
  if (connections.size() >= limits.connections) listener->pause();
}

// Answers that cannot leave hold back new calls.
void ResidentServer::Internal::update_interest(Connection& connection) const {
  const bool reads = !connection.has_ended && !is_paused && !connection.is_full && !connection.has_kept;
  connection.watch->want((reads ? net::Watch::Readable : 0U) | (connection.is_full ? net::Watch::Writable : 0U));
}

void ResidentServer::Internal::on_ready(const ConnectionPtr& connection, unsigned ready) {
  if ((ready & net::Watch::Writable) != 0) mark(connection);
  if ((ready & net::Watch::Readable) != 0) read(connection);
}

void ResidentServer::Internal::read(const ConnectionPtr& connection) {
  held_back_since = Clock::now();
  for (int i = 0; i < kReadsAtOnce && !is_paused; ++i) {
    const auto received = connection->socket.receive(buffer);
    if (!received) return drop(connection, received.error());
    if (*received == FrameSocket::Received::Nothing) return;
    if (*received == FrameSocket::Received::End) {
      connection->has_ended = true;
      update_interest(*connection);
      return mark(connection);
    }
    if (!std::exchange(connection->is_known, true) && limits.takes_questions && PolicySplitter::is_start(connection->socket.input().front()))
      connection->policy.emplace();
    const auto sound = connection->policy ? take_question(connection) : take_frames(connection);
    if (!sound) return drop(connection, sound.error());
    if (!connection->socket.filled_buffer()) return;
  }
}

// Too many calls are open: what this connection has sent must wait.
bool ResidentServer::Internal::is_full_up(const ConnectionPtr& connection) {
  if (open_calls < limits.calls_at_once) return false;
  connection->has_kept = true;
  is_paused = true;
  for (const auto& [raw, other] : connections) update_interest(*other);
  return true;
}

// The next question of a policy client, when the one before it has its reply.
base::Result<void> ResidentServer::Internal::take_question(const ConnectionPtr& connection) {
  connection->policy->add(connection->socket.take_input());
  if (connection->open_calls > 0 || is_full_up(connection)) return {};
  std::string_view text;
  switch (connection->policy->next(text)) {
    case PolicySplitter::Status::NeedMore: return {};
    case PolicySplitter::Status::TooLong: return base::fail(base::Fault::Temporary, "a question of more than 64 KB");
    case PolicySplitter::Status::Text: break;
  }
  Invocation invocation;
  invocation.call.kind = Kind::Policy;
  invocation.call.envelope = text;
  connection->asks_for_frames = text.ends_with(kTakesFrames);
  open_call(connection, 0, std::move(invocation));
  return {};
}

base::Result<void> ResidentServer::Internal::take_frames(const ConnectionPtr& connection) {
  for (;;) {
    if (is_full_up(connection)) {
      connection->socket.keep_rest();
      return {};
    }
    std::string_view body;
    switch (connection->socket.next_frame(body)) {
      case FrameSplitter::Status::NeedMore:
        if (!connection->socket.has_sound_descriptors()) return base::fail(base::Fault::Temporary, "descriptors that belong to nothing");
        return {};
      case FrameSplitter::Status::TooLong: return base::fail(base::Fault::Temporary, "bad frame: impossible length");
      case FrameSplitter::Status::Frame: break;
    }
    if (const auto sound = take(connection, body); !sound) return sound;
    send_early(connection);
  }
}

void ResidentServer::Internal::send_early(const ConnectionPtr& connection) {
  if (!connection->socket.has_unsent() || connection->is_full) return;
  const auto now = Clock::now();
  if (now - held_back_since < kHoldBack) return;
  held_back_since = now;
  flush(connection);
}

base::Result<void> ResidentServer::Internal::take(const ConnectionPtr& connection, std::string_view body) {
  auto frame = parse_call(body);
  if (!frame) return std::unexpected(frame.error());
  auto message = connection->socket.message_of(frame->message);
  if (!message) return std::unexpected(message.error());
  frame->invocation.call.message = std::move(*message);
  open_call(connection, frame->id, std::move(frame->invocation));
  return {};
}

void ResidentServer::Internal::open_call(const ConnectionPtr& connection, std::uint64_t id, Invocation invocation) {
  ++open_calls;
  ++connection->open_calls;
  auto origin = std::make_unique<PendingCall::Origin>(PendingCall::Origin{weak_from_this(), connection, id});
  on_call(PendingCall(std::move(invocation), std::move(origin)));
}

// The caller sees its connection end, and ends all its open calls.
void ResidentServer::Internal::drop(const ConnectionPtr& connection, const base::Error& error) {
  base::log::warning("caller dropped", {{"cause", error.cause}});
  connection->is_dead = true;
  mark(connection);
}

// ---- answers ------------------------------------------------------------------------------------------------------

void ResidentServer::Internal::answer(const ConnectionPtr& connection, std::uint64_t id, const Answer& answer) {
  --open_calls;
  if (!connection || connection->is_dead) return;
  --connection->open_calls;
  mark(connection);
  if (connection->policy) {
    // No reply is better than a wrong one: the client has a rule for a policy service that ends the connection.
    if (answer.exit_code != 0 || answer.report.empty()) return drop(connection, {base::Fault::Temporary, "a question without a reply"});
    connection->socket.put_text(answer.report);
    if (connection->asks_for_frames) connection->socket.put_text(kTakesFrames);
    return connection->socket.put_text("\n");
  }
  if (!answer.passes || !answer.message) {
    connection->socket.put_answer(id, answer);
    return;
  }
  Answer travelling = answer;
  if (auto message = for_travel(*answer.message, kInlineOctets)) {
    travelling.message = std::move(*message);
  } else {
    base::log::error("changed message lost", {{"cause", message.error().cause}});
    travelling = Answer::exit(base::exit_row(base::Fault::Temporary).in_chain);
  }
  connection->socket.put_answer(id, travelling);
}

void ResidentServer::Internal::mark(const ConnectionPtr& connection) {
  if (std::exchange(connection->is_dirty, true)) return;
  dirty.push_back(connection);
}

void ResidentServer::Internal::end_turn() {
  if (is_paused && open_calls < limits.calls_at_once) resume();
  for (std::size_t i = 0; i < dirty.size(); ++i) {  // by index: nothing is removed, but more may come
    const ConnectionPtr connection = dirty[i];
    connection->is_dirty = false;
    flush(connection);
    if (connection->policy && !connection->is_dead && connection->open_calls == 0)
      if (const auto sound = take_question(connection); !sound) drop(connection, sound.error());
    if (!connection->is_over()) continue;
    connection->watch.reset();
    connections.erase(connection.get());
    if (listener && connections.size() + 1 == limits.connections) listener->resume();
  }
  dirty.clear();
  if (drains && connections.empty() && on_idle) std::exchange(on_idle, nullptr)();
}

void ResidentServer::Internal::resume() {
  is_paused = false;
  std::vector<ConnectionPtr> waiting;
  for (const auto& [raw, connection] : connections)
    if (connection->has_kept) waiting.push_back(connection);
  for (const auto& connection : waiting) {
    if (is_paused) return;
    connection->has_kept = false;
    if (const auto sound = connection->policy ? take_question(connection) : take_frames(connection); !sound) drop(connection, sound.error());
    mark(connection);
  }
  for (const auto& [raw, connection] : connections) update_interest(*connection);
}

void ResidentServer::Internal::flush(const ConnectionPtr& connection) {
  if (connection->is_dead) return;
  if (!connection->socket.send()) {
    connection->is_dead = true;  // the caller has gone, and with it whoever would read the answers
    return;
  }
  connection->is_full = connection->socket.has_unsent();
  update_interest(*connection);
}

// ---- what others see ----------------------------------------------------------------------------------------------

ResidentServer::ResidentServer(net::Loop& loop, const Limits& limits, std::function<void(PendingCall)> on_call)
    : internal_(std::make_shared<Internal>(loop, limits, std::move(on_call))) {
  loop.after_io([weak = std::weak_ptr<Internal>(internal_)] {
    if (const auto internal = weak.lock(); internal && !(internal->dirty.empty() && !internal->is_paused && !internal->drains)) internal->end_turn();
  });
}

ResidentServer::~ResidentServer() = default;

namespace {

base::Result<base::UniqueFd> listener_of(const net::Address& address, unsigned mode) {
  constexpr int kBacklog = 4096;
  for (auto& inherited : net::inherited_listeners())
    if (net::Address::of_local(inherited.fd.get()).text() == address.text()) return std::move(inherited.fd);
  return net::listen_on(address, kBacklog, mode);
}

}  // namespace

base::Result<void> ResidentServer::listen(const std::string& path, unsigned mode) {
  const auto address = net::Address::parse("unix:" + path);
  if (!address) return std::unexpected(address.error());
  auto socket = listener_of(*address, mode);
  if (!socket) return std::unexpected(socket.error());
  internal_->listener.emplace(internal_->loop, std::move(*socket), [raw = internal_.get()](base::UniqueFd fd) { raw->accept(std::move(fd)); });
  base::raise_descriptor_limit();  // each connection and each large message is one
  base::log::info("ready", {{"socket", path}});
  base::service::ready();
  return {};
}

void ResidentServer::drain(std::function<void()> on_idle) {
  Internal& own = *internal_;
  own.drains = true;
  own.on_idle = std::move(on_idle);
  own.listener.reset();
  // What callers have sent is still read and answered; from now on they cannot send, and know that what they could not send
  // was not taken.
  for (const auto& [raw, connection] : own.connections) ::shutdown(connection->socket.descriptor(), SHUT_RD);
}

namespace {

// The answer goes out in the loop's thread.
void answer_in_thread(net::Workers& workers, const Handler& handler, PendingCall call) {
  struct Work {
    PendingCall call;
    Answer answer;
  };
  const auto work = std::make_shared<Work>(Work{std::move(call), {}});
  workers.give([work, &handler] { work->answer = handler(work->call.invocation); },
               [work] { work->call.answer(std::move(work->answer)); });
}

}  // namespace

namespace {

// Of the loop, with calls that wait for nothing: while one takes long all others wait for it, and other processors may be idle. Then
// what comes in the next second goes to threads. An average, since the system may let a short call wait as well.
class Patience {
 public:
  [[nodiscard]] bool has_some(const net::Loop& loop) const { return loop.now_milliseconds() >= lost_until_; }
  Answer timed(const net::Loop& loop, const std::function<Answer()>& make) {
    const auto begin = Clock::now();
    Answer answer = make();
    average_ += (Clock::now() - begin - average_) / kCalls;
    if (average_ > kLong) {
      average_ = {};
      lost_until_ = loop.now_milliseconds() + kLostMilliseconds;
    }
    return answer;
  }

 private:
  static constexpr Clock::duration kLong = std::chrono::microseconds(500);
  static constexpr int kCalls = 64;
  static constexpr std::uint64_t kLostMilliseconds = 1000;
  Clock::duration average_{};
  std::uint64_t lost_until_ = 0;
};

}  // namespace

base::Result<unsigned> parse_socket_mode(std::string_view text) {
  unsigned mode = 0600;
  if (text.empty()) return mode;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (read.ptr != text.data() + text.size() || read.ec != std::errc() || mode > 0777)
    return base::fail(base::Fault::Usage, "--socket-mode " + std::string(text) + ": expected: octal digits, such as 660");
  return mode;
}

namespace {

// What is to be done on SIGHUP, in a thread of the pool, so that calls are served meanwhile; once more if it is asked for meanwhile.
class Reloader {
 public:
  Reloader(net::Loop& loop, std::function<void()> reload) : loop_(loop), reload_(std::move(reload)) {}
  void ask() {
    if (!reload_) return;
    is_wanted_ = true;
    if (is_running_) return;
    is_running_ = true;
    is_wanted_ = false;
    net::run_in_thread(loop_, [reload = reload_] { reload(); }, [this] {  // the thread may end after us
      is_running_ = false;
      if (is_wanted_) ask();
    });
  }

 private:
  net::Loop& loop_;
  std::function<void()> reload_;
  bool is_running_ = false, is_wanted_ = false;
};

}  // namespace

void run_until_told(net::Loop& loop, ResidentServer& server, std::function<void()> reload) {
  const auto end = [&] {
    base::service::stopping();
    server.drain([&] { loop.stop(); });
  };
  const net::Watchdog watchdog(loop);
  const net::SignalWatch on_term(loop, SIGTERM, end);
  const net::SignalWatch on_int(loop, SIGINT, end);
  const net::SignalWatch on_hup(loop, SIGHUP, [&] {
    base::service::reloading();
    base::log::reopen();
    if (reload) reload();
    base::service::ready();
  });
  loop.run();
  base::log::info("ended");
}

int serve_resident(std::string_view program, const std::string& socket_path, const ResidentWork& work, const ResidentServer::Limits& limits,
                   unsigned socket_mode) {
  net::Loop loop;
  std::optional<net::Workers> workers;
  Patience patience;
  ResidentServer server(loop, limits, [&](PendingCall call) {
    if (!workers) return call.answer(work.handler(call.invocation));
    if (!work.waits_for_nothing || !work.waits_for_nothing(call.invocation) || !patience.has_some(loop)) return answer_in_thread(*workers, work.handler, std::move(call));
    call.answer(patience.timed(loop, [&] { return work.handler(call.invocation); }));
  });
  if (const auto listens = server.listen(socket_path, socket_mode); !listens) return base::report(program, listens.error());
  if (work.confine)
    if (const auto confined = work.confine(); !confined) return base::report(program, confined.error());
  if (work.threads > 0) workers.emplace(loop, work.threads);
  Reloader reloader(loop, work.reload);
  run_until_told(loop, server, [&] { reloader.ask(); });
  return 0;
}

}  // namespace chain
