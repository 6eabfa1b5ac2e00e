// Writes down what became of recipients and messages, so that a crash at any moment loses nothing and repeats nothing
// that was recorded. A message in the log costs one line of its journal when one call delivers it, one file when it stays.
//
//   all recipients have it        log: "finished"                       file: removed
//   some are settled, some open   log: a line each                      file: a line each in progress/ID, synced once a turn of the loop
//   deferred, dead, held          log: spilled to a file, with others   file: renamed (or only touched)
//
// What cannot be written (disk full) is kept and tried again; meanwhile no delivery starts that could not be recorded.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "lib/net/loop.h"
#include "lib/queue/log_reader.h"
#include "lib/queue/spool.h"
#include "queue-run/message.h"
#include "queue-run/progress_writer.h"

namespace run {

class Recorder {
 public:
  // `on_concluded`: the message is where its conclusion says; it may be destroyed.
  Recorder(net::Loop& loop, queue::Spool& spool, queue::LogReader& log, std::function<void(Message&)> on_concluded);
  ~Recorder();

  // Records `unrecorded` of a message of which other recipients are still being tried.
  void note(Message& message);
  // Sets the conclusion and carries it out, now or in a later flush().
  void conclude(Message& message, Conclusion conclusion);

  [[nodiscard]] bool can_record() const { return !log_failed_ && !progress_failed_ && unsafe_ == 0; }
  // Once a turn of the loop. `at_end`: does not wait to share a sync.
  void flush(Milliseconds now, bool at_end = false);
  [[nodiscard]] Milliseconds wakes_at() const;
  [[nodiscard]] std::size_t unconcluded() const { return spills_.size() + spilling_messages_ + stuck_.size(); }
  [[nodiscard]] std::uint64_t syncs() const { return syncs_; }
  [[nodiscard]] bool needs_sync() const { return spool_.needs_sync() || log_.needs_sync(); }

 private:
  [[nodiscard]] base::Result<void> write_events(Message& message);
  [[nodiscard]] base::Result<void> carry_out(Message& message);
  [[nodiscard]] base::Result<void> carry_out_file(Message& message);
  [[nodiscard]] base::Result<void> follow(Message& message);
  void stick(Message& message, const base::Error& error);
  void write_log(Milliseconds now);
  void sync_progress(Milliseconds now, bool at_end);
  // What cannot be recorded now is tried again; tells when that begins and when it is over.
  void follow_failure(bool& has_failed, const base::Result<void>& result, Milliseconds now);
  struct SpillJob;
  void spill();
  void on_spilled(SpillJob& job);
  void retry_stuck(Milliseconds now);
  void sync(Milliseconds now);

  net::Loop& loop_;
  queue::Spool& spool_;
  queue::LogReader& log_;
  ProgressWriter progress_;
  std::function<void(Message&)> on_concluded_;
  std::shared_ptr<Recorder*> self_;      // for threads that may end later than this
  std::vector<Message*> spills_;         // of the log, to get files of their own
  std::size_t spill_jobs_ = 0;           // under way in threads
  std::size_t spilling_messages_ = 0;    // in them
  std::vector<Message*> stuck_;   // files for which something failed
  std::size_t unsafe_ = 0;        // of the stuck ones: those that would be delivered again after a crash now
  bool log_failed_ = false;
  bool progress_failed_ = false;
  Milliseconds sync_progress_at_ = 0;  // not before
  Milliseconds spill_at_ = kNever;
  Milliseconds retry_at_ = kNever;
  Milliseconds sync_at_ = kNever;
  std::uint64_t syncs_ = 0;
};

}  // namespace run
