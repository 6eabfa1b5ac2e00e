// mta-sts: finds, keeps and renews the MTA-STS policies of other domains. See mta-sts(8).
#include <curl/curl.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

#include "lib/base/clock.h"
#include "lib/base/command_line.h"
#include "lib/base/confinement.h"
#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/service.h"
#include "lib/base/text.h"
#include "lib/chain/policy.h"
#include "lib/chain/resident.h"
#include "lib/chain/serve.h"
#include "lib/net/dns_shared.h"
#include "lib/net/domain_name.h"
#include "mta-sts/answers.h"
#include "mta-sts/fetch.h"

namespace {

using base::Fault;
using mta_sts::Finder;

constexpr std::string_view kProgram = "mta-sts";
constexpr int kExitNone = 1;
constexpr std::size_t kThreads = 128;  // more than Limits::questions: what is known is answered whatever hangs
constexpr std::size_t kRenewals = 8;   // at once: a server that hangs must not stop those of all others

constexpr auto kOptions = std::to_array<base::OptionRow>({
    {"json", "", "print JSON, an object a line"},
    {"policy", "", "answer questions on standard input"},
    chain::kResidentOption,
    base::service::kNotifyOption,
    chain::kSocketModeOption,
});
constexpr auto kSettings = std::to_array<std::string_view>({
    "sts.cache", "sts.authorities", "sts.port", "sts.fetch_timeout", "sts.policy_size_max", "sts.refresh", "sts.retry", "dns.server", "dns.resolv_conf", "dns.stub", "dns.trust_anchor", "dns.timeout",
    "server.sandbox", "server.sandbox_folders",
});
const base::Manual kManual{
    .program = kProgram,
    .section = "8",
    .usage = "[OPTION...] DOMAIN...\n"
             "[OPTION...] --policy\n"
             "[OPTION...] --resident SOCKET",
    .purpose = "Finds, keeps and renews the policies (MTA-STS, RFC 8461) by which other domains want to be sent mail.",
    .examples = "mta-sts example.org\n"
                "mta-sts --resident /run/vsmtp/mta-sts.sock\n"
                "deliver-remote --mta-sts unix:/run/vsmtp/mta-sts.sock --resident /run/vsmtp/remote.sock",
    .options = kOptions,
    .settings = kSettings,
};

std::uint64_t now_seconds() { return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(base::wall_now().time_since_epoch()).count()); }

base::Result<mta_sts::FetchOptions> fetch_options(const base::Settings& settings) {
  mta_sts::FetchOptions options{settings.text("sts.authorities"), 443, settings.milliseconds("sts.fetch_timeout"), settings.octets("sts.policy_size_max")};
  const auto port = settings.count("sts.port");
  if (port < 1 || port > 65535) return base::fail(Fault::Config, settings.place_of("sts.port") + "sts.port: " + std::to_string(port) + "; expected: 1 to 65535");
  options.port = static_cast<std::uint16_t>(port);
  return options;
}

// Renews in threads of its own what was asked for: nobody waits for it.
class Renewal {
 public:
  explicit Renewal(Finder& finder) : finder_(finder) {
    for (auto& thread : threads_) thread = std::thread([this] { work(); });
  }
  ~Renewal() {
    {
      const std::scoped_lock lock(mutex_);
      ends_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
  }
  Renewal(const Renewal&) = delete;
  Renewal& operator=(const Renewal&) = delete;

  void look_at(const std::string& domain) {
    constexpr std::size_t kMost = 10'000;
    constexpr std::uint64_t kPauseMilliseconds = 60'000;
    const auto now = base::monotonic_milliseconds();
    const std::scoped_lock lock(mutex_);
    if (looked_at_.size() >= kMost) looked_at_.clear();
    const auto [found, is_new] = looked_at_.try_emplace(domain, now);
    if ((!is_new && now < found->second + kPauseMilliseconds) || waiting_.size() >= kMost) return;
    found->second = now;
    waiting_.push_back(domain);
    wake_.notify_one();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return ends_ || !waiting_.empty(); });
      if (ends_) return;
      const auto domain = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      finder_.refresh(domain);
      lock.lock();
    }
  }

  Finder& finder_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::string> waiting_;
  std::unordered_map<std::string, std::uint64_t> looked_at_;
  bool ends_ = false;
  std::array<std::thread, kRenewals> threads_;
};

std::optional<std::string> domain_of(std::string_view text) {
  const auto domain = net::to_a_labels(text.ends_with('.') ? text.substr(0, text.size() - 1) : text);
  if (!domain || domain->empty() || domain->size() > 253 || domain->find_first_of("/ ") != std::string::npos || domain->starts_with('.')) return std::nullopt;
  return base::text::to_lower(*domain);
}

class Service {
 public:
  explicit Service(Finder& finder) : finder_(finder) {}
  // Behind this, what is found is renewed beside it, else before.
  void renew_beside() { renewal_.emplace(finder_); }

  mta_sts::Found find(const std::string& domain) {
    auto found = finder_.find(domain);
    if (!found.kept) return found;
    if (renewal_) {
      renewal_->look_at(domain);
    } else if (finder_.refresh(domain)) {
      found = finder_.find(domain);
    }
    return found;
  }

  chain::Answer operator()(chain::Invocation& invocation) {
    if (invocation.call.kind != chain::Kind::Policy) return chain::Answer::exit(base::exit_row(Fault::Usage).in_chain);
    const auto question = chain::parse_policy(invocation.call.envelope);
    const auto* const named = question ? chain::find(*question, "domain") : nullptr;
    const auto domain = named != nullptr ? domain_of(*named) : std::nullopt;
    chain::Answer answer;
    answer.report = domain ? mta_sts::attributes_of(find(*domain)) : mta_sts::attributes_of({});
    return answer;
  }

 private:
  Finder& finder_;
  std::optional<Renewal> renewal_;
};

int print(const base::CommandLine& line, Service& service) {
  int code = 0;
  for (const auto& argument : line.arguments) {
    const auto domain = domain_of(argument);
    if (!domain) return base::report(kProgram, {Fault::Usage, "'" + base::text::printable(argument) + "'; expected: a domain"});
    const auto found = service.find(*domain);
    if (!found.kept) code = kExitNone;
    if (const auto written = base::write_all(STDOUT_FILENO, line.has("json") ? mta_sts::json_of(*domain, found) : mta_sts::lines_of(*domain, found)); !written)
      return base::report(kProgram, written.error());
  }
  return code;
}

base::Sandbox sandbox_of(const base::Settings& settings) {
  base::Sandbox sandbox;
  sandbox.writable.push_back(settings.text("sts.cache"));
  base::add_folder_of(sandbox.readable, settings.text("sts.authorities"));
  sandbox.readable.emplace_back("/etc/ssl");  // what OpenSSL is told of itself
  net::dns::add_needs(sandbox, settings);
  sandbox.ports.push_back(static_cast<std::uint16_t>(settings.count("sts.port")));
  return sandbox;
}

int serve_resident(const base::CommandLine& line, Service& service) {
  const auto mode = chain::parse_socket_mode(line.text("socket-mode"));
  if (!mode) return base::report(kProgram, mode.error());
  chain::ResidentWork work;
  work.handler = [&](chain::Invocation& invocation) { return service(invocation); };
  work.threads = kThreads;
  work.confine = [&]() -> base::Result<void> {
    auto confined = base::confine(line.settings, sandbox_of(line.settings));
    if (confined) service.renew_beside();
    return confined;
  };
  chain::ResidentServer::Limits limits;
  limits.takes_questions = true;
  return chain::serve_resident(kProgram, line.text("resident"), work, limits, *mode);
}

base::Result<void> check_usage(const base::CommandLine& line) {
  if (line.has_chain) return base::fail(Fault::Usage, "no program is expected behind --");
  if (line.has("policy") + line.has("resident") + !line.arguments.empty() != 1) return base::fail(Fault::Usage, "expected: DOMAIN..., or --policy, or --resident SOCKET (see --help)");
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = base::CommandLine::parse(kManual, argc, argv);
  if (!line) return base::report(kProgram, line.error());
  if (line->should_exit()) return 0;
  if (const auto usage = check_usage(*line); !usage) return base::report(kProgram, usage.error());
  const auto options = fetch_options(line->settings);
  if (!options) return base::report(kProgram, options.error());
  const mta_sts::Store store(line->settings.text("sts.cache"));
  const auto opened = store.open(now_seconds());
  if (!opened && line->arguments.empty()) return base::report(kProgram, opened.error());  // a person may look without a place to keep things
  if (::curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return base::report(kProgram, {Fault::Temporary, "libcurl cannot start"});

  net::dns::SharedResolver resolver(net::dns::settings_of(line->settings));
  const auto fetch = [&](const std::string& domain) {
    std::vector<std::string> addresses;
    for (const auto type : {net::dns::Type::Aaaa, net::dns::Type::A})
      for (auto& address : resolver.resolve("mta-sts." + domain, type).addresses()) addresses.push_back(std::move(address));
    return mta_sts::fetch_policy(domain, addresses, *options);
  };
  const mta_sts::Times times{line->settings.milliseconds("sts.refresh") / 1000, line->settings.milliseconds("sts.retry") / 1000};
  Finder finder(store, [&](const std::string& name, net::dns::Type type) { return resolver.resolve(name, type); }, fetch, times, now_seconds);
  Service service(finder);
  if (line->has("resident")) return serve_resident(*line, service);
  if (line->has("policy")) return chain::serve_policy(kProgram, [&](chain::Invocation& invocation) { return service(invocation); });
  return print(*line, service);
}
