#include "lib/net/dns_shared.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <future>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/unique_fd.h"
#include "lib/net/dns_cache.h"

namespace net::dns {

struct SharedResolver::Internal {
  struct Question {
    std::string name;
    Type type;
    std::promise<Answer> answer;
  };

  void start();
  void serve();
  void wake() const;
  void forget_old_servers();

  Settings settings;
  AnswerCache cache;
  std::atomic<std::uint64_t> looked_at{0};  // when resolv.conf was
  std::atomic<std::int64_t> servers_changed{-1};
  std::mutex mutex;  // of what follows
  std::vector<std::shared_ptr<Question>> waiting;
  bool ends = false;
  base::UniqueFd bell;  // eventfd(2)
  std::thread thread;
};

void SharedResolver::Internal::wake() const {
  const std::uint64_t one = 1;
  (void)!::write(bell.get(), &one, sizeof one);
}

// Other servers may know other names: a laptop has moved. One look a second is enough.
void SharedResolver::Internal::forget_old_servers() {
  constexpr std::uint64_t kMilliseconds = 1000;
  const auto now = base::monotonic_milliseconds();
  if (!settings.servers.empty() || now < looked_at.load() + kMilliseconds) return;
  looked_at = now;
  struct stat status {};
  if (::stat(settings.resolv_conf.c_str(), &status) != 0) return;
  const auto changed = static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec;
  if (const auto before = servers_changed.exchange(changed); before != -1 && before != changed) cache.clear();
}

void SharedResolver::Internal::start() {
  if (thread.joinable()) return;
  bell.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!bell.is_open()) return;
  sigset_t all, before;  // signals are for the threads that wait for them
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  thread = std::thread([this] { serve(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void SharedResolver::Internal::serve() {
  Loop loop;
  Resolver resolver(loop, settings);
  const auto take = [&](unsigned) {
    std::uint64_t rings;
    (void)!::read(bell.get(), &rings, sizeof rings);
    std::unique_lock lock(mutex);
    const auto questions = std::exchange(waiting, {});
    if (ends) return loop.stop();
    lock.unlock();
    for (const auto& question : questions)
      resolver.resolve(question->name, question->type, [question](const Answer& answer) { question->answer.set_value(answer); });
  };
  Watch watch(loop, bell.get(), take);
  watch.want(Watch::Readable);
  loop.run();
}

SharedResolver::SharedResolver(Settings settings) : internal_(std::make_unique<Internal>()) { internal_->settings = std::move(settings); }

SharedResolver::~SharedResolver() {
  if (!internal_->thread.joinable()) return;
  {
    const std::scoped_lock lock(internal_->mutex);
    internal_->ends = true;
  }
  internal_->wake();
  internal_->thread.join();
}

Answer SharedResolver::resolve(const std::string& name, Type type) {
  internal_->forget_old_servers();
  if (auto known = internal_->cache.find(name, type, base::monotonic_milliseconds())) return *std::move(known);
  const auto question = std::make_shared<Internal::Question>(name, type);
  auto answer = question->answer.get_future();
  {
    const std::scoped_lock lock(internal_->mutex);
    internal_->start();
    if (!internal_->bell.is_open()) {
      Answer refusal;
      refusal.problem = "out of descriptors";
      return refusal;
    }
    internal_->waiting.push_back(question);
  }
  internal_->wake();
  auto told = answer.get();
  internal_->cache.put(name, type, told, base::monotonic_milliseconds());
  return told;
}

}  // namespace net::dns
