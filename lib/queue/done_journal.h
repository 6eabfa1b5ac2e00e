// log/N.done: what happened to the messages of a segment, as text, so that grep finds it. The first line names the life of
// the segment (its nonce): the journal of another one does not count. Each other line is a message's id and an event
// (progress.h); "finished" is the last of a message.
//
//   vsmtp-done 1 8f3a52c09b7d1e64
//   1NH7ZK4TQ2N00A3W05 2026-11-21T20:15:01.000002Z sent 1 mx.example.net[192.0.2.2]:25 <them@example.net> 250 2.0.0 ok
//   1NH7ZK4TQ2N00A3W05 2026-11-21T20:15:01.000003Z finished * - - -
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"
#include "lib/queue/progress.h"

namespace queue {

struct DoneRecords {
  std::unordered_set<Id> finished;
  std::unordered_map<Id, std::vector<Event>> events;  // of those that are not finished
};
// None when there is no journal of this life. Torn and foreign lines are skipped.
[[nodiscard]] base::Result<DoneRecords> read_done(const std::string& path, std::uint64_t nonce);

class Spool;
// What the journals of all segments, those used again not counted, say of one message, finished or not.
[[nodiscard]] base::Result<std::vector<Event>> events_in_journals(const Spool& spool, const Id& id);

// The writing end. The file comes with the first write().
class DoneJournal {
 public:
  DoneJournal(std::string path, std::uint64_t nonce) : path_(std::move(path)), nonce_(nonce) {}

  void add(const Id& id, const Event& event);
  // One write(2) of all that was added. After a failure (disk full) all of it is tried again the next time.
  [[nodiscard]] base::Result<void> write();
  // What was written survives a power cut. After a failure nothing is tried again: the kernel would say that all is well.
  [[nodiscard]] base::Result<void> sync();
  [[nodiscard]] bool has_unwritten() const { return !unwritten_.empty(); }
  [[nodiscard]] bool has_unsynced() const { return is_unsynced_; }

 private:
  [[nodiscard]] base::Result<void> open();

  std::string path_;
  std::uint64_t nonce_;
  base::UniqueFd file_;
  std::uint64_t octets_ = 0;
  std::string unwritten_;
  bool is_new_ = false;
  bool is_unsynced_ = false;
};

}  // namespace queue
