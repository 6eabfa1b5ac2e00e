#include "queue-run/notifier.h"

#include <algorithm>

#include "lib/base/durable.h"
#include "lib/base/log.h"
#include "lib/chain/log_ids.h"
#include "queue-run/notices.h"

namespace run {
namespace {

constexpr std::size_t kRequestsPerJob = 64;  // they share syncs
constexpr std::size_t kDraftsAtOnce = 256;   // each is an open file
constexpr std::size_t kJobs = 2;             // of the four threads of libuv's pool
constexpr Milliseconds kRetryDelay = 1000;
const queue::Place kPlace{queue::State::Working, {}};

}  // namespace

struct Notifier::Request {
  Subject subject;
  std::vector<Notice> notices;
  Done done;
};

// In a thread.
struct Notifier::Job {
  std::vector<std::shared_ptr<Request>> requests;
  base::Result<void> end;

  // Progress of all of them, durable.
  base::Result<void> record(const queue::Spool& spool, const std::function<std::vector<queue::Event>(const Request&)>& events) const {
    std::vector<base::UniqueFd> files;
    for (const auto& request : requests) {
      auto file = spool.write_progress(request->subject.id, events(*request));
      if (!file) return std::unexpected(file.error());
      files.push_back(std::move(*file));
    }
    for (const auto& file : files)
      if (const auto synced = base::sync_data(file.get(), "progress of a message"); !synced) return synced;
    return base::sync_directory(spool.path() + "/progress");
  }

  static base::Result<void> finish(const queue::Spool& spool, std::vector<queue::Draft>& drafts) {
    for (auto& draft : drafts)
      if (const auto synced = draft.sync(); !synced) return synced;
    for (auto& draft : drafts) {
      const auto published = draft.publish(spool, kPlace);
      if (!published && published.error().error_number != EEXIST) return published;  // EEXIST: by an earlier try
    }
    drafts.clear();
    return {};
  }

  base::Result<void> store(const queue::Spool& spool, const NoticeSettings& settings) const {
    std::vector<queue::Draft> drafts;
    for (const auto& request : requests) {
      for (const auto& notice : request->notices) {
        const auto message = compose(notice, request->subject, settings, base::wall_now());
        if (!message) return std::unexpected(message.error());
        auto draft = queue::Draft::begin(spool, notice.id);
        if (!draft) return std::unexpected(draft.error());
        if (const auto written = draft->write(message->item, message->octets); !written) return written;
        draft->start_writing();
        drafts.push_back(std::move(*draft));
        if (drafts.size() < kDraftsAtOnce) continue;
        if (const auto finished = finish(spool, drafts); !finished) return finished;
      }
    }
    if (const auto finished = finish(spool, drafts); !finished) return finished;
    return spool.sync_folder(kPlace);
  }

  base::Result<void> run(const queue::Spool& spool, const NoticeSettings& settings) const {
    const auto announced = record(spool, [](const Request& request) {
      std::vector<queue::Event> events;
      for (const auto& notice : request.notices)
        for (auto& event : events_before(notice, request.subject)) events.push_back(std::move(event));
      return events;
    });
    if (!announced) return announced;
    if (const auto stored = store(spool, settings); !stored) return stored;
    return record(spool, [](const Request& request) {
      std::vector<queue::Event> events;
      for (const auto& notice : request.notices) events.push_back(event_after(notice.id));
      return events;
    });
  }
};

Notifier::Notifier(net::Loop& loop, queue::Spool& spool, const NoticeSettings& settings)
    : loop_(loop), spool_(spool), settings_(settings), self_(std::make_shared<Notifier*>(this)) {}

Notifier::~Notifier() { *self_ = nullptr; }

void Notifier::store(Subject subject, std::vector<Notice> notices, Done done) {
  for (auto& notice : notices) notice.id = queue::Id::make();
  requests_.push_back(std::make_shared<Request>(Request{std::move(subject), std::move(notices), std::move(done)}));
  ++waiting_;
}

void Notifier::flush(Milliseconds now) {
  if (retry_at_ == kNever || now >= retry_at_) start();
}

void Notifier::start() {
  retry_at_ = kNever;
  while (!requests_.empty() && jobs_ < kJobs) {
    const auto job = std::make_shared<Job>();
    for (std::size_t i = 0; i < kRequestsPerJob && !requests_.empty(); ++i) {
      job->requests.push_back(std::move(requests_.front()));
      requests_.pop_front();
    }
    ++jobs_;
    net::run_in_thread(
        loop_, [job, &spool = spool_, &settings = settings_] { job->end = job->run(spool, settings); },
        [job, self = self_] {
          if (*self != nullptr) (*self)->on_end(*job);
        });
  }
}

void Notifier::on_end(Job& job) {
  --jobs_;
  if (!job.end) {
    base::log::error("notifications are not stored, tried again", {{"messages", job.requests.size()}, {"cause", job.end.error().cause}});
    for (auto& request : job.requests) requests_.push_back(std::move(request));
    retry_at_ = base::monotonic_milliseconds() + kRetryDelay;
    return;
  }
  for (const auto& request : job.requests) {
    for (const auto& notice : request->notices)
      base::log::write(base::log::Level::Info, "notice",
                       chain::LogIds{request->subject.id.string(), request->subject.transaction}.before(
                           {{"notice", notice.id.text()}, {"kind", name_of(notice.kind)},
                            {"to", notice.is_double ? settings_.postmaster : notice.to.empty() ? request->subject.reverse_path : notice.to}, {"recipients", notice.told.size()}}));
    --waiting_;
    request->done(request->notices);
  }
  start();
}

base::Result<void> acknowledge(queue::Spool& spool, const queue::Place& place, const queue::Id& notice, const queue::Id& of) {
  const auto events = spool.read_progress(of);
  if (!events) return std::unexpected(events.error());
  const auto is_of_notice = [&](const queue::Event& event) { return event.destination == notice.text(); };
  bool is_announced = false, is_stored = false;
  for (const auto& event : *events) {
    is_announced = is_announced || (event.kind == queue::EventKind::Notice && is_of_notice(event));
    is_stored = is_stored || (event.kind == queue::EventKind::Noticed && is_of_notice(event));
  }
  if (!is_announced || is_stored) return {};
  // It is seen as soon as it has its name, which a power cut may take still: then nobody would be told.
  if (const auto synced = spool.sync_folder(place); !synced) return synced;
  const auto after = event_after(notice);
  return spool.append_progress(of, std::span(&after, 1));
}

}  // namespace run
