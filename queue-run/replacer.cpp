#include "queue-run/replacer.h"

#include <algorithm>

#include "lib/base/log.h"

namespace run {
namespace {

constexpr std::size_t kRequestsPerJob = 64;  // they share syncs
constexpr std::size_t kJobs = 2;             // of the four threads of libuv's pool
constexpr Milliseconds kRetryDelay = 1000;

}  // namespace

// In a thread.
struct Replacer::Job {
  std::vector<queue::Replacement> replacements;
  std::vector<Done> dones;
};

Replacer::Replacer(net::Loop& loop, queue::Spool& spool, queue::LogReader& log)
    : loop_(loop), spool_(spool), log_(log), self_(std::make_shared<Replacer*>(this)) {}

Replacer::~Replacer() { *self_ = nullptr; }

void Replacer::replace(queue::Replacement replacement, Done done) {
  requests_.push_back({std::move(replacement), std::move(done)});
  ++waiting_;
}

void Replacer::flush(Milliseconds now) {
  if (retry_at_ == kNever || now >= retry_at_) start();
}

void Replacer::start() {
  retry_at_ = kNever;
  while (!requests_.empty() && jobs_ < kJobs) {
    const auto job = std::make_shared<Job>();
    const auto count = static_cast<std::ptrdiff_t>(std::min(requests_.size(), kRequestsPerJob));
    for (auto request = requests_.begin(); request != requests_.begin() + count; ++request) {
      job->replacements.push_back(std::move(request->replacement));
      job->dones.push_back(std::move(request->done));
    }
    requests_.erase(requests_.begin(), requests_.begin() + count);
    ++jobs_;
    net::run_in_thread(
        loop_, [job, &spool = spool_] { queue::write_replacements(spool, job->replacements); },
        [job, self = self_] {
          if (*self != nullptr) (*self)->on_end(*job);
        });
  }
}

// The records that were replaced are finished for good before anybody can remove the new files.
void Replacer::end_in_log(const Job& job) {
  bool has_some = false;
  for (const auto& replacement : job.replacements) {
    if (replacement.from || !replacement.end || !log_.holds(replacement.item.id)) continue;
    log_.finish(replacement.item.id);
    has_some = true;
  }
  if (!has_some && !log_.needs_sync()) return;
  const auto synced = log_.sync_results();
  if (!synced) base::log::error("sync failed", {{"cause", synced.error().cause}});  // the line itself is tried again
}

void Replacer::on_end(Job& job) {
  --jobs_;
  end_in_log(job);
  std::vector<std::pair<Done, bool>> ends;
  std::size_t failures = 0;
  std::string cause;
  for (std::size_t i = 0; i < job.replacements.size(); ++i) {
    auto& replacement = job.replacements[i];
    const bool is_gone = !replacement.end && replacement.end.error().error_number == ENOENT && replacement.from;
    if (!replacement.end && !is_gone) {
      ++failures;
      cause = replacement.end.error().cause;
      replacement.end = {};
      requests_.push_back({std::move(replacement), std::move(job.dones[i])});
      continue;
    }
    if (replacement.end) spool_.must_sync(replacement.to);
    if (replacement.end && replacement.from && *replacement.from != replacement.to) spool_.must_sync(*replacement.from);
    ends.emplace_back(std::move(job.dones[i]), replacement.end.has_value());
  }
  if (failures > 0) {
    base::log::error("what rules have made of messages is not stored, tried again", {{"messages", failures}, {"cause", cause}});
    retry_at_ = base::monotonic_milliseconds() + kRetryDelay;
  }
  waiting_ -= ends.size();
  const auto self = self_;
  for (auto& [done, is_stored] : ends) {
    done(is_stored);
    if (*self == nullptr) return;
  }
  if (failures == 0) start();
}

}  // namespace run
