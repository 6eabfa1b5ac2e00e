// Which delivery starts next. Knows no I/O and no clock: the caller says what time it is.
//
// A job is one delivery call that waits: some recipients of one message, all at one destination. Destinations of a
// transport take turns, so that a thousand messages for one host do not stand before the one for another. Each has a
// window, the number of calls that may be open to it: halved when a call finds the host dead, widened by one when a call
// gets through. After some failures in a row the destination is suspended: its jobs are handed back to be put off
// without a try, and afterwards one probe decides for all.
//
// Within a destination and between destinations fresh mail goes before mail that is tried again; the latter gets every
// ninth place, and never all places of a transport, since old mail is what hangs. Of fresh mail what has a higher priority
// goes first, and so it is of old mail; fresh mail of a priority below 0 waits as if it were old.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace run {

using Milliseconds = std::uint64_t;
inline constexpr Milliseconds kNever = UINT64_MAX;

class Schedule {
 public:
  struct Destination;
  struct Transport;
  using TransportId = std::size_t;

  // A part of what the caller remembers of a delivery; stays where it is until it was handed back or removed.
  struct Job {
    Destination* destination = nullptr;  // while it waits or is open
    std::list<Job*>::iterator place;     // while it waits
    bool is_fresh = true;
    int priority = 0;
    bool is_waiting = false;
    bool is_refused = false;  // waits to be handed back
  };

  struct TransportLimits {
    std::size_t calls = 100;                 // open at once to all destinations
    std::size_t calls_per_destination = 20;  // open at once to one
  };
  struct Policy {
    unsigned failures = 3;              // in a row, until a destination is suspended
    Milliseconds pause = 60'000;        // of the first suspension; doubles with each that follows
    Milliseconds pause_most = 1'800'000;
    Milliseconds patience = 10'000;     // how long jobs wait for a transport that cannot be called, before they are put off
  };

  explicit Schedule(const Policy& policy);
  ~Schedule();
  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;
  TransportId add_transport(std::string name, const TransportLimits& limits);

  void add(Job& job, TransportId transport, std::string_view host, bool is_fresh, int priority, Milliseconds now);
  // A job that waits is forgotten.
  void remove(Job& job);

  struct Decision {
    Job* job;
    bool starts;              // else: put it off; its destination is suspended
    std::string_view reason;  // why it is put off: the last thing that was heard of the destination; valid until the next call
  };
  // Call until there is none. A job that starts is open until ended().
  std::optional<Decision> next(Milliseconds now);

  enum class Ending {
    Reached,      // the destination answered, whatever it said about the recipients
    Failed,       // it did not, or refused to speak at all
    Unavailable,  // the transport itself could not be called: nothing was tried, the job waits again
    Dropped,      // nothing was tried, and the job is not wanted any more
  };
  void ended(Job& job, Ending ending, std::string_view reason, Milliseconds now);

  // When next() may decide something new without anything being added or ended; kNever when nothing waits for time.
  [[nodiscard]] Milliseconds wakes_at() const;

  // An operator wants it tried now: suspensions end. "" means every destination.
  void forgive(std::string_view host);

  [[nodiscard]] std::size_t waiting() const { return waiting_; }
  [[nodiscard]] std::size_t open() const { return open_; }

  struct Status {
    std::string_view transport;
    std::string_view host;
    std::size_t waiting;
    std::size_t open;
    std::size_t window;
    Milliseconds suspended_for;  // 0: it is not
    std::string_view reason;
  };
  [[nodiscard]] std::vector<Status> status(Milliseconds now) const;

 private:
  Destination& destination(Transport& transport, std::string_view host, Milliseconds now);
  void file(Destination& destination);       // into or out of the lists of those that may start
  void take_out(Job& job);                   // out of the line it waits in
  void wait_again(Job& job, std::string_view reason, Milliseconds now);
  void suspend(Destination& destination, Milliseconds now);
  void refuse_all(Destination& destination);  // all that wait there are to be put off
  void forget_if_idle(Destination& destination);
  void forget_old(Milliseconds now);
  enum Age : std::size_t { kFresh, kOld };
  static constexpr std::size_t kAges = 2;
  static Age age_of(const Job& job) { return job.is_fresh ? kFresh : kOld; }
  Destination* pick(Transport& transport, Age& age, Milliseconds now);

  Policy policy_;
  std::vector<std::unique_ptr<Transport>> transports_;
  std::list<Job*> refused_;  // to be put off
  std::size_t turn_ = 0;     // the transport that is asked first
  std::size_t waiting_ = 0;  // also those to be put off
  std::size_t open_ = 0;
  std::size_t forget_above_ = 1000;
};

}  // namespace run
