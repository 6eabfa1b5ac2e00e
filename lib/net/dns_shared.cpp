#include "lib/net/dns_shared.h"

#include <pthread.h>
#include <sys/eventfd.h>

#include <csignal>
#include <future>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "lib/base/unique_fd.h"

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

  Settings settings;
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
  return answer.get();
}

}  // namespace net::dns
