#include "lib/net/dns.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unbound.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "lib/base/clock.h"
#include "lib/base/clock_jumps.h"
#include "lib/base/io.h"
#include "lib/base/text.h"

namespace net::dns {
namespace {

struct TypeRow {
  Type type;
  std::string_view name;
};
constexpr auto kTypes = std::to_array<TypeRow>({
    {Type::A, "A"},
    {Type::Cname, "CNAME"},
    {Type::Ptr, "PTR"},
    {Type::Mx, "MX"},
    {Type::Txt, "TXT"},
    {Type::Aaaa, "AAAA"},
    {Type::Tlsa, "TLSA"},
});

struct RcodeRow {
  int rcode;
  std::string_view name;
};
constexpr auto kRcodes = std::to_array<RcodeRow>({
    {1, "FORMERR"},
    {2, "SERVFAIL"},
    {4, "NOTIMP"},
    {5, "REFUSED"},
});

std::string rcode_name(int rcode) {
  for (const auto& row : kRcodes)
    if (row.rcode == rcode) return std::string(row.name);
  return "RCODE " + std::to_string(rcode);
}

// A domain name of RFC 1035 section 3.1, not compressed, as text without its last dot. Octets that no host name has are
// written \DDD, so that a label cannot pass for two.
std::optional<std::string> read_name(std::string_view rdata) {
  std::string name;
  while (!rdata.empty()) {
    const auto length = static_cast<unsigned char>(rdata.front());
    rdata.remove_prefix(1);
    if (length == 0) return rdata.empty() ? std::optional(name) : std::nullopt;
    if (length > 63 || length > rdata.size()) return std::nullopt;
    if (!name.empty()) name += '.';
    for (const char c : rdata.substr(0, length)) {
      if (base::text::is_alpha(c) || base::text::is_digit(c) || c == '-' || c == '_') {
        name += c;
      } else {
        const auto octet = static_cast<unsigned char>(c);
        name += '\\';
        for (const int digit : {octet / 100, octet / 10 % 10, octet % 10}) name += static_cast<char>('0' + digit);
      }
    }
    rdata.remove_prefix(length);
  }
  return std::nullopt;
}

Answer read_result(const ub_result& result) {
  Answer answer;
  answer.is_secure = result.secure != 0;
  answer.ttl_seconds = result.ttl > 0 ? static_cast<std::uint32_t>(result.ttl) : 0;
  if (result.canonname != nullptr) answer.canonical_name = result.canonname;
  if (answer.canonical_name.ends_with('.')) answer.canonical_name.pop_back();
  if (result.bogus != 0) {
    answer.status = Status::Bogus;
    answer.problem = result.why_bogus != nullptr ? result.why_bogus : "DNSSEC validation failed";
  } else if (result.havedata != 0) {
    answer.status = Status::Found;
    for (int i = 0; result.data[i] != nullptr; ++i) answer.records.emplace_back(result.data[i], static_cast<std::size_t>(result.len[i]));
  } else if (result.nxdomain != 0) {
    answer.status = Status::NoName;
  } else if (result.rcode == 0) {
    answer.status = Status::NoData;
  } else {
    answer.problem = rcode_name(result.rcode);
  }
  return answer;
}

std::string known_by(std::string_view name, Type type) { return base::text::to_lower(name) + " " + std::to_string(static_cast<unsigned>(type)); }

Answer read_failure(int code) {
  Answer answer;
  if (code == UB_SYNTAX) answer.status = Status::NoName;  // what DNS cannot write cannot exist there
  answer.problem = ::ub_strerror(code);
  return answer;
}

}  // namespace

std::string_view type_name(Type type) {
  for (const auto& row : kTypes)
    if (row.type == type) return row.name;
  return "?";
}

std::vector<Mx> Answer::mx() const {
  std::vector<Mx> found;
  for (const std::string_view record : records) {
    if (record.size() < 3) continue;
    const auto octet = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(record[i])); };
    if (auto host = read_name(record.substr(2))) found.push_back({static_cast<std::uint16_t>(octet(0) << 8 | octet(1)), std::move(*host)});
  }
  return found;
}

std::vector<std::string> Answer::addresses() const {
  std::vector<std::string> found;
  for (const auto& record : records) {
    if (record.size() != 4 && record.size() != 16) continue;
    char text[INET6_ADDRSTRLEN];
    if (::inet_ntop(record.size() == 4 ? AF_INET : AF_INET6, record.data(), text, sizeof text) != nullptr) found.emplace_back(text);
  }
  return found;
}

std::vector<std::string> Answer::names() const {
  std::vector<std::string> found;
  for (const std::string_view record : records)
    if (auto name = read_name(record)) found.push_back(std::move(*name));
  return found;
}

std::vector<std::string> Answer::texts() const {
  std::vector<std::string> found;
  for (std::string_view record : records) {
    std::string text;
    while (!record.empty()) {
      const auto length = static_cast<unsigned char>(record.front());
      text += record.substr(1, length);
      record.remove_prefix(std::min<std::size_t>(record.size(), 1U + length));
    }
    found.push_back(std::move(text));
  }
  return found;
}

// ---- libunbound ---------------------------------------------------------------------------------------------------

namespace {
struct ContextDeleter {
  void operator()(ub_ctx* context) const { ::ub_ctx_delete(context); }
};
using Context = std::unique_ptr<ub_ctx, ContextDeleter>;

// "" when it went well, else what was tried and what libunbound says.
std::string failure(int code, std::string what) { return code == 0 ? std::string() : std::move(what) + ": " + ::ub_strerror(code); }

std::string configure(ub_ctx* context, const Settings& settings) {
  ::ub_ctx_debugout(context, nullptr);  // what goes wrong comes back in answers; standard error is not its place
  std::string problem;
  const auto attempt = [&](int code, std::string what) {
    if (problem.empty()) problem = failure(code, std::move(what));
  };
  const bool from_root = settings.servers.size() == 1 && settings.servers[0] == "none";
  if (!from_root) {
    // A resolver on this host is what many resolv.conf files name; libunbound refuses to ask it unless told.
    attempt(::ub_ctx_set_option(context, "do-not-query-localhost:", "no"), "do-not-query-localhost");
    // Names of private addresses (RFC 1918, RFC 6303) are known to the servers of the site, if to anybody.
    attempt(::ub_ctx_set_option(context, "unblock-lan-zones:", "yes"), "unblock-lan-zones");
    for (const auto& server : settings.servers) attempt(::ub_ctx_set_fwd(context, server.c_str()), "DNS server '" + server + "'");
    if (settings.servers.empty()) attempt(::ub_ctx_resolvconf(context, settings.resolv_conf.c_str()), "read " + settings.resolv_conf);
  }
  for (const auto& stub : settings.stubs) {
    const auto [zone, server] = base::text::split_once(stub, '=');
    attempt(::ub_ctx_set_stub(context, std::string(zone).c_str(), std::string(server).c_str(), 0), "DNS stub '" + stub + "'");
  }
  if (!settings.trust_anchor.empty()) {
    if (const auto readable = base::open_file(settings.trust_anchor, O_RDONLY); !readable) return readable.error().cause;
    attempt(::ub_ctx_add_ta_file(context, settings.trust_anchor.c_str()), "trust anchor " + settings.trust_anchor);
  }
  attempt(::ub_ctx_async(context, 1), "thread for DNS");
  return problem;
}

}  // namespace

struct Resolver::Internal {
  struct Question {
    Internal* resolver;
    std::uint64_t handle;
    std::string name;
    Type type;
    std::uint64_t deadline_milliseconds;
    Done done;
    int id = 0;  // libunbound's
  };

  explicit Internal(Settings chosen, Loop* own_loop) : settings(std::move(chosen)), loop(own_loop) {}

  std::string start();
  [[nodiscard]] timespec resolv_conf_changed() const;
  void forget_old_servers();
  std::uint64_t ask(const std::string& name, Type type, Done done);
  void remember(const Question& question, const Answer& answer);
  void answer(std::uint64_t handle, Answer answer);
  void cancel(std::uint64_t handle);
  void process();
  void on_time();
  void update_timer();
  static void on_result(void* question, int code, ub_result* result) noexcept;

  Settings settings;
  Loop* loop;
  Context context;
  std::optional<Watch> watch;
  std::optional<Timer> timer;
  // By handle, and so by deadline: the time limit is the same for all.
  std::map<std::uint64_t, Question> questions;
  // Questions whose answer is known, to be given as soon as that is allowed.
  std::vector<std::pair<std::uint64_t, Answer>> ready;
  // A question to libunbound goes to its thread and back even when it has the answer; the same few names are asked for
  // over and over.
  struct Known {
    Answer answer;
    std::uint64_t end_milliseconds;
  };
  std::unordered_map<std::string, Known> known;  // by name and type
  std::uint64_t last_handle = 0;
  timespec resolv_conf_read = {};  // its last change when it was read
  base::ClockJumps clock;
  bool was_set_back = false;  // since libunbound was started
  bool is_processing = false;
};

timespec Resolver::Internal::resolv_conf_changed() const {
  struct stat status;
  const bool is_used = settings.servers.empty() && ::stat(settings.resolv_conf.c_str(), &status) == 0;
  return is_used ? status.st_mtim : timespec{};
}

// A laptop moves, a lease ends: a resident program asks the servers that resolv.conf names now. And a clock is set back: libunbound
// would take its answers, and servers for dead, until it has come to where it was. Not while libunbound has questions or is on the stack.
void Resolver::Internal::forget_old_servers() {
  was_set_back = clock.look().count() < 0 || was_set_back;
  if (!context || is_processing || questions.size() > 1) return;
  const auto now = resolv_conf_changed();
  const bool is_same = now.tv_sec == resolv_conf_read.tv_sec && now.tv_nsec == resolv_conf_read.tv_nsec;
  if (is_same && !was_set_back) return;
  watch.reset();
  context.reset();
  known.clear();
}

void Resolver::Internal::process() {
  is_processing = true;
  ::ub_process(context.get());
  is_processing = false;
}

std::string Resolver::Internal::start() {
  forget_old_servers();
  if (context) return {};
  resolv_conf_read = resolv_conf_changed();
  was_set_back = false;
  Context fresh(::ub_ctx_create());
  if (!fresh) return "libunbound cannot start";  // out of memory, descriptors or entropy
  if (auto problem = configure(fresh.get(), settings); !problem.empty()) return problem;
  context = std::move(fresh);
  if (loop == nullptr) return {};
  watch.emplace(*loop, ::ub_fd(context.get()), [this](unsigned) { process(); });
  watch->want(Watch::Readable);
  return {};
}

std::uint64_t Resolver::Internal::ask(const std::string& name, Type type, Done done) {
  const auto now = base::monotonic_milliseconds();
  const auto deadline = now + settings.timeout_milliseconds;
  const auto handle = ++last_handle;
  auto& question = questions.try_emplace(handle, Question{this, handle, name, type, deadline, std::move(done)}).first->second;
  Answer refusal;
  refusal.problem = start();
  if (const auto found = known.find(known_by(name, type)); found != known.end() && found->second.end_milliseconds > now) {
    ready.emplace_back(handle, found->second.answer);
    return handle;
  }
  if (refusal.problem.empty()) {
    const int code = ::ub_resolve_async(context.get(), name.c_str(), static_cast<int>(type), 1, &question, &Internal::on_result, &question.id);
    if (code == 0) return handle;
    refusal = read_failure(code);
    if (code == UB_INITFAIL && !settings.trust_anchor.empty()) refusal.problem += " with trust anchor " + settings.trust_anchor;
  }
  ready.emplace_back(handle, std::move(refusal));
  return handle;
}

void Resolver::Internal::remember(const Question& question, const Answer& answer) {
  constexpr std::size_t kMostKnown = 4096;
  constexpr std::uint64_t kLongestSeconds = 3600;
  if (answer.status == Status::Temporary || answer.status == Status::Bogus || answer.ttl_seconds == 0) return;
  if (known.size() >= kMostKnown) known.clear();  // libunbound still knows them
  const auto seconds = std::min<std::uint64_t>(answer.ttl_seconds, kLongestSeconds);
  known[known_by(question.name, question.type)] = {answer, base::monotonic_milliseconds() + seconds * 1000};
}

void Resolver::Internal::answer(std::uint64_t handle, Answer answer) {
  const auto found = questions.find(handle);
  if (found == questions.end()) return;
  const auto question = std::move(found->second);
  questions.erase(found);
  if (!answer.problem.empty()) {
    std::string what(type_name(question.type));
    answer.problem.insert(0, what.append(" ").append(base::text::printable(question.name)).append(": "));
  }
  update_timer();
  question.done(answer);
}

void Resolver::Internal::cancel(std::uint64_t handle) {
  const auto found = questions.find(handle);
  if (found == questions.end()) return;
  if (found->second.id != 0) ::ub_cancel(context.get(), found->second.id);
  questions.erase(found);
  update_timer();
}

void Resolver::Internal::on_result(void* question, int code, ub_result* result) noexcept {
  const auto& asked = *static_cast<Question*>(question);
  Answer answer;
  if (code == 0) {
    answer = read_result(*result);
    ::ub_resolve_free(result);
  } else {
    answer = read_failure(code);
  }
  asked.resolver->remember(asked, answer);
  asked.resolver->answer(asked.handle, std::move(answer));
}

void Resolver::Internal::on_time() {
  for (auto& [handle, known_answer] : std::exchange(ready, {})) answer(handle, std::move(known_answer));
  const auto now = base::monotonic_milliseconds();
  while (!questions.empty() && questions.begin()->second.deadline_milliseconds <= now) {
    const auto& question = questions.begin()->second;
    ::ub_cancel(context.get(), question.id);
    Answer late;
    late.problem = "no answer within " + std::to_string((settings.timeout_milliseconds + 999) / 1000) + " s";
    answer(question.handle, std::move(late));
  }
  update_timer();
}

void Resolver::Internal::update_timer() {
  if (loop == nullptr) return;
  if (watch) watch->hold_loop(!questions.empty());
  if (!timer) timer.emplace(*loop, [this] { on_time(); });
  if (questions.empty()) return timer->stop();
  const auto now = base::monotonic_milliseconds();
  const auto deadline = ready.empty() ? questions.begin()->second.deadline_milliseconds : now;
  timer->start(deadline > now ? deadline - now : 0);
}

Resolver::Resolver(Settings settings) : internal_(std::make_unique<Internal>(std::move(settings), nullptr)) {}
Resolver::Resolver(Loop& loop, Settings settings) : internal_(std::make_unique<Internal>(std::move(settings), &loop)) {}

Resolver::~Resolver() {
  internal_->watch.reset();  // before its descriptor is closed
}

std::uint64_t Resolver::resolve(const std::string& name, Type type, Done done) {
  const auto handle = internal_->ask(name, type, std::move(done));
  internal_->update_timer();
  return handle;
}

void Resolver::cancel(std::uint64_t handle) { internal_->cancel(handle); }

Answer Resolver::resolve_now(const std::string& name, Type type) {
  assert(internal_->loop == nullptr);
  std::optional<Answer> answer;
  const auto handle = internal_->ask(name, type, [&](const Answer& result) { answer = result; });
  while (!answer) {
    const auto now = base::monotonic_milliseconds();
    const auto deadline = internal_->questions.at(handle).deadline_milliseconds;
    if (!internal_->ready.empty() || deadline <= now) {
      internal_->on_time();
      continue;
    }
    pollfd ready{::ub_fd(internal_->context.get()), POLLIN, 0};
    (void)::poll(&ready, 1, static_cast<int>(std::min<std::uint64_t>(deadline - now, 1000)));
    internal_->process();
  }
  return *answer;
}

}  // namespace net::dns
