#include "queue-inject/resident.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <vector>

#include "lib/base/log.h"
#include "lib/chain/resident.h"
#include "lib/net/loop.h"
#include "lib/queue/log_writer.h"
#include "queue-inject/bring_back.h"
#include "queue-inject/file_store.h"

namespace {

constexpr std::uint64_t kBatchOctets = 8 << 20;   // a commit is not larger, so that the first in it do not wait long
constexpr std::size_t kFilesAtOnce = 64;          // large messages that one thread writes together
constexpr std::size_t kFileThreads = 2;           // more only wait for the same disk
// Messages of calls that wait for their answer are in memory when they came inside a frame (64 KB).
constexpr chain::ResidentServer::Limits kServerLimits{.connections = 1000, .calls_at_once = 1000, .frame_octets = 64 << 20};

// A call whose message is on its way to the disk.
struct Waiting {
  chain::PendingCall call;
  queue::Id id;
  Queued queued;

  void answer(const Stored& stored) {
    if (stored) {
      queued.log();
      call.answer(taken(id));
    } else {
      base::log::write(base::log::Level::Error, "not queued", queued.ids().before({{"cause", stored.error().error.cause}}));
      call.answer(chain::Answer::exit(exit_code_of(stored.error().step, stored.error().error)));
    }
  }
};

class Resident {
 public:
  Resident(net::Loop& loop, queue::Spool& spool, queue::LogWriter log, const ResidentSettings& settings)
      : loop_(loop), spool_(spool), log_(std::move(log)), settings_(settings), returns_(loop, spool) {
    loop_.after_io([this] { end_turn(); });
  }

  void on_call(chain::PendingCall call) {
    auto accepted = take_in(call.invocation, settings_.rules);
    if (!accepted) {
      base::log::warning("refused", {{"code", accepted.error().answer.exit_code}, {"cause", accepted.error().cause}});
      call.answer(std::move(accepted.error().answer));
      return;
    }
    // Any user could say that he is a content filter.
    constexpr unsigned kOthersMayWrite = 02;
    if (accepted->returned && (settings_.socket_mode & kOthersMayWrite) != 0) {
      base::log::warning("refused", {{"cause", "a message comes back from a content filter, and all users may use this socket: end that chain with the program queue-inject"}});
      return call.answer(chain::Answer::as_reported(base::Fault::Permanent, "500 Delegation failed to get old context"));
    }
    if (accepted->returned) {
      const auto pending = std::make_shared<chain::PendingCall>(std::move(call));
      return returns_.bring_back(std::move(*accepted), [pending](chain::Answer answer) { pending->answer(std::move(answer)); });
    }
    Waiting waiting{std::move(call), accepted->item.id, Queued(*accepted, accepted->item.context)};
    if (fits_log(*accepted)) {
      log_calls_.push_back(std::move(waiting));
    } else {
      file_calls_.push_back(std::move(waiting));
      file_messages_.push_back(std::move(*accepted));
    }
  }

 private:
  // Adds it to the log's batch.
  bool fits_log(const Accepted& accepted) {
    if (accepted.place.state != queue::State::Working || accepted.message.size() > settings_.log_message_octets) return false;
    if (log_.batch_octets() < kBatchOctets && log_.add(accepted.item, accepted.message)) return true;
    commit();
    return log_.add(accepted.item, accepted.message);  // false: longer than a segment
  }

  // The loop waits here for the disk; calls queue up meanwhile and share the next commit.
  void commit() {
    const auto committed = log_.commit();
    Stored stored;
    if (!committed) stored = std::unexpected(StoreFailure{Step::Log, committed.error()});
    for (auto& waiting : log_calls_) waiting.answer(stored);
    log_calls_.clear();
  }

  void end_turn() {
    if (!log_calls_.empty()) commit();
    while (!file_calls_.empty() && file_threads_ < kFileThreads) start_file_thread();
  }

  // Files are written in a thread: the log's calls shall not wait for them.
  struct FileJob {
    std::vector<Waiting> calls;
    std::vector<Accepted> messages;
    std::vector<Stored> results;
  };
  void start_file_thread() {
    auto job = std::make_shared<FileJob>();
    const auto count = static_cast<std::ptrdiff_t>(std::min(file_calls_.size(), kFilesAtOnce));
    job->calls.assign(std::make_move_iterator(file_calls_.begin()), std::make_move_iterator(file_calls_.begin() + count));
    job->messages.assign(std::make_move_iterator(file_messages_.begin()), std::make_move_iterator(file_messages_.begin() + count));
    file_calls_.erase(file_calls_.begin(), file_calls_.begin() + count);
    file_messages_.erase(file_messages_.begin(), file_messages_.begin() + count);
    ++file_threads_;
    net::run_in_thread(
        loop_, [this, job] { job->results = store(spool_, job->messages); },
        [this, job] {
          --file_threads_;
          for (std::size_t i = 0; i < job->calls.size(); ++i) job->calls[i].answer(job->results[i]);
          end_turn();
        });
  }

  net::Loop& loop_;
  queue::Spool& spool_;
  queue::LogWriter log_;
  const ResidentSettings& settings_;
  Returns returns_;
  std::vector<Waiting> log_calls_;       // of this turn, in the log's batch
  std::vector<Waiting> file_calls_;      // for the next file thread, with
  std::vector<Accepted> file_messages_;  // their messages
  std::size_t file_threads_ = 0;
};

}  // namespace

int run_resident(std::string_view program, const ResidentSettings& settings) {
  auto spool = queue::Spool::open(settings.spool);
  if (!spool) return base::report(program, spool.error());
  auto log = queue::LogWriter::open(*spool, {.segment_octets = settings.segment_octets});
  if (!log) return base::report(program, log.error());

  net::Loop loop;
  Resident resident(loop, *spool, std::move(*log), settings);
  chain::ResidentServer server(loop, kServerLimits, [&](chain::PendingCall call) { resident.on_call(std::move(call)); });
  if (const auto listening = server.listen(settings.socket, settings.socket_mode); !listening) return base::report(program, listening.error());
  // The log may be making its next segment in a thread, which stays outside until it is done: it sees no mail.
  if (const auto confined = settings.confine(); !confined) return base::report(program, confined.error());
  chain::run_until_told(loop, server);
  return 0;
}
