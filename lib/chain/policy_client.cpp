#include "lib/chain/policy_client.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <deque>
#include <list>
#include <map>
#include <optional>

#include "lib/chain/policy_link.h"
#include "lib/chain/spawn.h"
#include "lib/net/socket.h"
#include "lib/net/stream.h"

namespace chain {
namespace {

constexpr std::string_view kUnix = "unix:", kInet = "inet:";
constexpr std::uint64_t kLongestSweep = 1000, kShortestSweep = 10;  // milliseconds between two looks at the limits
constexpr int kQuestions = 0, kAnswers = 1;

bool is_address(const Words& policy) { return policy.front().starts_with(kUnix) || policy.front().starts_with(kInet); }

base::Result<net::Address> address_of(const Words& policy) {
  const std::string_view name = policy.front();
  return net::Address::parse(name.starts_with(kInet) ? name.substr(kInet.size()) : name);
}

base::Error lost(std::string cause) { return {base::Fault::Temporary, std::move(cause)}; }

using Question = PolicyQuestion;

// With the line that asks for frames in front of the empty one.
std::string with_offer(std::string_view question) {
  std::string text(question.substr(0, question.size() - 1));
  return text.append(kTakesFrames).append("\n");
}

// A program that was started, until it is reaped. It ends when its input does.
class Program {
 public:
  Program(net::Loop& loop, pid_t pid, base::UniqueFd handle, std::function<void(Program&)> on_end)
      : pid_(pid), handle_(std::move(handle)), on_end_(std::move(on_end)), watch_(loop, handle_.get(), [this](unsigned) { reap(); }) {
    watch_.want(net::Watch::Readable);
    watch_.hold_loop(false);
  }
  void kill() const { ::kill(-pid_, SIGKILL); }  // until it is reaped its number belongs to nobody else

 private:
  void reap() {
    if (::waitpid(pid_, nullptr, WNOHANG) == 0) return;
    watch_.want(net::Watch::None);
    const auto on_end = std::move(on_end_);
    on_end(*this);
  }
  pid_t pid_;
  base::UniqueFd handle_;
  std::function<void(Program&)> on_end_;
  net::Watch watch_;
};

}  // namespace

struct PolicyClient::Internal final : PolicyLink::User {
  struct Pool;

  struct Connection final : net::StreamUser {
    Connection(Internal& the_client, Pool& the_pool) : client(the_client), pool(the_pool), stream(the_client.loop, *this) {}
    Internal& client;
    Pool& pool;
    net::Stream stream;
    PolicySplitter splitter;
    std::optional<Question> question;  // none: idle
    Program* program = nullptr;
    std::uint64_t idle_since = 0;
    bool has_answered = false;  // once at least
    bool is_connected = false;

    void send() {
      if (is_connected) stream.write(pool.may_offer ? with_offer(question->text) : question->text);
    }
    void on_connected() override {
      is_connected = true;
      stream.start_reading();
      if (question) send();
    }
    void on_octets(std::string_view octets) override;
    void on_end(const base::Error* error) override {
      client.on_gone(*this, error != nullptr ? error->cause : question ? "the connection was closed without an answer" : "");
    }
  };

  struct Pool {
    Words policy;
    std::list<std::unique_ptr<Connection>> connections;
    std::deque<Question> waiting;
    std::unique_ptr<PolicyLink> link;
    bool may_offer = false;     // a Unix socket, of which we know nothing bad
    bool takes_frames = false;  // it has said so
  };

  Internal(net::Loop& the_loop, const Limits& the_limits)
      : loop(the_loop), limits(the_limits), sweep_timer(loop, [this] { sweep(); }), failure_timer(loop, [this] { tell_failures(); }) {
    loop.after_io([weak = std::weak_ptr<Internal*>(self)] {
      if (const auto alive = weak.lock()) (*alive)->flush();
    });
  }

  net::Loop& loop;
  const Limits limits;
  std::map<Words, Pool> pools;
  std::list<std::unique_ptr<Program>> programs;
  std::deque<std::pair<Question, base::Error>> failures;  // to be told from the loop
  std::uint64_t last_handle = 0;
  bool sweeps = false;
  net::Timer sweep_timer, failure_timer;
  std::shared_ptr<Internal*> self = std::make_shared<Internal*>(this);  // for what the loop keeps longer than us

  void serve(Pool& pool);
  [[nodiscard]] base::Result<void> open(Connection& connection);
  [[nodiscard]] base::Result<base::UniqueFd> start_program(Connection& connection);
  void on_answer(Connection& connection, base::Result<PolicyAttributes> answer);
  void on_gone(Connection& connection, const std::string& cause);
  std::unique_ptr<Connection> taken_out(Connection& connection);
  std::optional<Question> remove(Connection& connection);
  void fail(Question question, base::Error error);
  void tell_failures();
  void sweep();
  void start_sweeping();
  void drop(std::uint64_t handle);

  [[nodiscard]] bool makes_link(Pool& pool);
  void on_answer(PolicyLink& link, Question question, base::Result<PolicyAttributes> answer) override;
  void on_end(PolicyLink& link, const std::string& cause) override;
  void end_link(Pool& pool, const std::string& cause);
  void sweep_link(Pool& pool);
  Pool& pool_of(const PolicyLink& link);
  void flush();
};

void PolicyClient::Internal::Connection::on_octets(std::string_view octets) {
  splitter.add(octets);
  std::string_view text;
  switch (splitter.next(text)) {
    case PolicySplitter::Status::NeedMore: return;
    case PolicySplitter::Status::TooLong: return client.on_gone(*this, "an answer of more than 64 KB");
    case PolicySplitter::Status::Text: break;
  }
  if (!question) return client.on_gone(*this, "");  // it says something that nobody asked
  pool.takes_frames |= pool.may_offer && text.ends_with(kTakesFrames);
  auto answer = parse_policy(text);
  if (answer && splitter.has_part()) answer = std::unexpected(lost("more than one answer to a question"));
  client.on_answer(*this, std::move(answer));
}

// Each question gets its place on the link, or a connection that is free, or a new one, or waits.
void PolicyClient::Internal::serve(Pool& pool) {
  while (!pool.waiting.empty()) {
    if (pool.link) {
      if (pool.link->open_count() >= limits.connections) return;
      pool.link->ask(std::move(pool.waiting.front()));
      pool.waiting.pop_front();
      continue;
    }
    if (makes_link(pool)) continue;
    const auto is_idle = [](const auto& connection) { return !connection->question; };
    auto found = std::ranges::find_if(pool.connections, is_idle);
    const bool is_new = found == pool.connections.end();
    if (is_new && pool.connections.size() >= limits.connections) return;
    Question question = std::move(pool.waiting.front());
    pool.waiting.pop_front();
    if (is_new) {
      pool.connections.push_front(std::make_unique<Connection>(*this, pool));
      found = pool.connections.begin();
      if (const auto opened = open(**found); !opened) {
        pool.connections.erase(found);
        fail(std::move(question), opened.error());
        continue;
      }
    }
    (*found)->question = std::move(question);
    (*found)->send();
  }
}

base::Result<void> PolicyClient::Internal::open(Connection& connection) {
  const Words& policy = connection.pool.policy;
  if (is_address(policy)) {
    const auto address = address_of(policy);
    if (!address) return std::unexpected(address.error());
    return connection.stream.connect(*address);
  }
  auto socket = start_program(connection);
  if (!socket) return std::unexpected(socket.error());
  connection.is_connected = true;
  auto adopted = connection.stream.adopt(std::move(*socket));
  if (adopted) connection.stream.start_reading();
  return adopted;
}

base::Result<base::UniqueFd> PolicyClient::Internal::start_program(Connection& connection) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return base::fail_errno("socketpair");
  base::UniqueFd ours(ends[0]);
  auto theirs = above_interface(base::UniqueFd(ends[1]));
  if (!theirs) return theirs;
  base::UniqueFd answers(::fcntl(theirs->get(), F_DUPFD_CLOEXEC, kAboveInterface));
  if (!answers.is_open()) return base::fail_errno("dup");
  Descriptors descriptors;
  descriptors.put(std::move(*theirs), kQuestions);
  descriptors.put(std::move(answers), kAnswers);
  const auto pid = spawn(connection.pool.policy, {}, descriptors);
  if (!pid) return std::unexpected(pid.error());
  auto handle = handle_of(*pid);
  if (!handle.is_open()) {  // out of descriptors: a program that cannot be watched must not go on
    const auto error = base::fail_errno("pidfd_open");
    ::kill(-*pid, SIGKILL);
    ::waitpid(*pid, nullptr, 0);
    return error;
  }
  programs.push_front(std::make_unique<Program>(loop, *pid, std::move(handle), [this](Program& ended) {
    for (auto& [name, pool] : pools)
      for (auto& one : pool.connections)
        if (one->program == &ended) one->program = nullptr;
    programs.remove_if([&](const auto& one) { return one.get() == &ended; });
  }));
  connection.program = programs.front().get();
  return ours;
}

void PolicyClient::Internal::on_answer(Connection& connection, base::Result<PolicyAttributes> answer) {
  const auto question = std::exchange(connection.question, std::nullopt);
  Pool& pool = connection.pool;
  connection.has_answered = true;
  connection.idle_since = loop.now_milliseconds();
  // Who speaks nonsense is not asked again over this connection, and who takes frames by one of its own. The answer is in the buffer of this one.
  std::unique_ptr<Connection> over;
  if (!answer || pool.takes_frames || pool.link) over = taken_out(connection);
  serve(pool);
  question->done(std::move(answer));  // may ask and cancel
}

void PolicyClient::Internal::on_gone(Connection& connection, const std::string& cause) {
  const bool was_kept = connection.has_answered && !connection.splitter.has_part();
  Pool& pool = connection.pool;
  auto question = remove(connection);
  if (question && was_kept && !question->is_asked_again) {
    question->is_asked_again = true;
    pool.waiting.push_front(std::move(*question));
  } else if (question) {
    fail(std::move(*question), lost(cause));
  }
  serve(pool);
}

std::unique_ptr<PolicyClient::Internal::Connection> PolicyClient::Internal::taken_out(Connection& connection) {
  auto& all = connection.pool.connections;
  const auto found = std::ranges::find(all, &connection, &std::unique_ptr<Connection>::get);
  auto taken = std::move(*found);
  all.erase(found);
  return taken;
}

std::optional<Question> PolicyClient::Internal::remove(Connection& connection) { return std::move(taken_out(connection)->question); }

void PolicyClient::Internal::fail(Question question, base::Error error) {
  failures.emplace_back(std::move(question), std::move(error));
  failure_timer.start(0);
}

void PolicyClient::Internal::tell_failures() {
  // One by one: what is told may cancel another one. What comes meanwhile has its own turn.
  for (auto left = failures.size(); left > 0 && !failures.empty(); --left) {
    const auto [question, error] = std::move(failures.front());
    failures.pop_front();
    question.done(std::unexpected(error));
  }
  if (!failures.empty()) failure_timer.start(0);
}

// ---- over one connection --------------------------------------------------------------------------------------------

bool PolicyClient::Internal::makes_link(Pool& pool) {
  if (!std::exchange(pool.takes_frames, false)) return false;
  auto link = PolicyLink::connect(loop, pool.policy.front(), *this);
  if (!link) return false;
  pool.link = std::move(*link);
  pool.connections.remove_if([](const auto& connection) { return !connection->question; });  // who has them open may be gone when they are wanted again
  return true;
}

PolicyClient::Internal::Pool& PolicyClient::Internal::pool_of(const PolicyLink& link) {
  return std::ranges::find_if(pools, [&](const auto& row) { return row.second.link.get() == &link; })->second;
}

void PolicyClient::Internal::on_answer(PolicyLink& link, Question question, base::Result<PolicyAttributes> answer) {
  serve(pool_of(link));
  question.done(std::move(answer));  // may ask and cancel
}

void PolicyClient::Internal::on_end(PolicyLink& link, const std::string& cause) { end_link(pool_of(link), cause); }

// The program may have been started anew meanwhile. One that never answered a frame is not asked for them again: it does not mean what
// it says.
void PolicyClient::Internal::end_link(Pool& pool, const std::string& cause) {
  const auto link = std::exchange(pool.link, nullptr);
  pool.may_offer &= link->has_answered();
  pool.takes_frames = false;
  auto questions = link->take_all();
  for (auto question = questions.rbegin(); question != questions.rend(); ++question) {
    if (std::exchange(question->is_asked_again, true)) {
      fail(std::move(*question), lost(cause));
    } else {
      pool.waiting.push_front(std::move(*question));
    }
  }
  serve(pool);
}

void PolicyClient::Internal::sweep_link(Pool& pool) {
  const auto now = loop.now_milliseconds();
  bool hangs = false;
  for (auto& question : pool.link->take_late(now)) {
    hangs |= question.asked_at > pool.link->last_answer();
    fail(std::move(question), lost("no answer in time"));
  }
  if (hangs) return end_link(pool, "no answer in time");  // others may have taken its place at the socket
  if (pool.link->open_count() == 0 && pool.link->last_answer() + limits.idle_milliseconds <= now) pool.link.reset();
}

void PolicyClient::Internal::flush() {
  for (auto& [name, pool] : pools)
    if (pool.link && pool.link->wants_flush()) pool.link->flush();
}

// ---------------------------------------------------------------------------------------------------------------------

void PolicyClient::Internal::start_sweeping() {
  if (std::exchange(sweeps, true)) return;
  const auto every = std::clamp(std::min(limits.timeout_milliseconds, limits.idle_milliseconds) / 4, kShortestSweep, kLongestSweep);
  sweep_timer.start(every, every);
}

void PolicyClient::Internal::sweep() {
  const auto now = loop.now_milliseconds();
  const auto timed_out = [&](const Question& question) { return question.deadline <= now; };
  bool has_any = false;
  for (auto& [name, pool] : pools) {
    while (!pool.waiting.empty() && timed_out(pool.waiting.front())) {
      fail(std::move(pool.waiting.front()), lost("no connection was free in time"));
      pool.waiting.pop_front();
    }
    std::vector<Connection*> over;
    for (auto& connection : pool.connections) {
      const bool is_over = connection->question ? timed_out(*connection->question) : connection->idle_since + limits.idle_milliseconds <= now;
      if (is_over) over.push_back(connection.get());
    }
    for (Connection* connection : over) {
      if (connection->program != nullptr && connection->question) connection->program->kill();
      if (auto question = remove(*connection)) fail(std::move(*question), lost("no answer in time"));
    }
    if (pool.link) sweep_link(pool);
    serve(pool);
    has_any |= pool.link != nullptr || !pool.connections.empty() || !pool.waiting.empty();
  }
  if (has_any) return;
  sweeps = false;
  sweep_timer.stop();
}

void PolicyClient::Internal::drop(std::uint64_t handle) {
  const auto is_it = [&](const Question& question) { return question.handle == handle; };
  std::erase_if(failures, [&](const auto& failure) { return is_it(failure.first); });
  for (auto& [name, pool] : pools) {
    if (std::erase_if(pool.waiting, is_it) > 0) return;
    if (pool.link && pool.link->give_up(handle)) return;
    const auto found = std::ranges::find_if(pool.connections, [&](const auto& one) { return one->question && is_it(*one->question); });
    if (found == pool.connections.end()) continue;
    // It keeps its connection until it is answered or out of time: clients that come and go cannot have more programs started than
    // the limit allows.
    (*found)->question->done = [](const auto&) {};
    (*found)->question->is_asked_again = true;  // but not over again
    return;
  }
}

PolicyClient::PolicyClient(net::Loop& loop, const Limits& limits) : internal_(std::make_unique<Internal>(loop, limits)) {}
PolicyClient::~PolicyClient() = default;

std::uint64_t PolicyClient::ask(const Words& policy, std::string question, Done done) {
  auto& internal = *internal_;
  auto& pool = internal.pools[policy];
  if (pool.policy.empty()) {
    pool.policy = policy;
    pool.may_offer = policy.front().starts_with(kUnix);
  }
  const auto handle = ++internal.last_handle;
  const auto now = internal.loop.now_milliseconds();
  pool.waiting.push_back({handle, std::move(question), std::move(done), now, now + internal.limits.timeout_milliseconds, false});
  internal.start_sweeping();
  internal.serve(pool);
  return handle;
}

void PolicyClient::cancel(std::uint64_t handle) { internal_->drop(handle); }

base::Result<void> check_policy(const Words& policy) {
  if (policy.empty()) return base::fail(base::Fault::Config, "a policy without a name");
  if (!is_address(policy)) return {};
  if (policy.size() > 1) return base::fail(base::Fault::Config, "'" + policy[1] + "' behind '" + policy[0] + "'; expected: -- between two policies");
  const auto address = address_of(policy);
  if (!address) return base::fail(base::Fault::Config, "'" + policy[0] + "': " + address.error().cause);
  return {};
}

}  // namespace chain
