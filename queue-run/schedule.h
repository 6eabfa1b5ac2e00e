// Which delivery starts next. Knows no I/O and no clock: the caller says what time it is.
//
// A job is one delivery call that waits: some recipients of one message, all at one destination. Senders take turns, and so do
// the destinations of a sender, so that a thousand messages of one, or for one, do not stand before the one of another. Each destination
// has a window, the number of calls that may be open to it: small at first, halved when a call finds the host dead, widened by
// one when a call gets through. After some failures in a row the destination is suspended: its jobs are handed back to be put off
// without a try, and afterwards one probe decides for all.
//
// Fresh mail goes before mail that is tried again; the latter gets every ninth place, and never all places of a transport,
// since old mail is what hangs. Of fresh mail what has a higher priority goes first, and so it is of old mail; fresh mail
// of a priority below 0 waits as if it were old.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace run {

using Milliseconds = std::uint64_t;
inline constexpr Milliseconds kNever = UINT64_MAX;

class Schedule {
 public:
  struct Destination;
  struct Transport;
  struct Sender;
  struct Lane;
  using TransportId = std::size_t;

  // A part of what the caller remembers of a delivery; stays where it is until it was handed back or removed.
  struct Job {
    Destination* destination = nullptr;  // while it waits or is open
    Lane* lane = nullptr;                // while it waits to start
    std::list<Job*>::iterator place;     // while it waits
    bool is_fresh = true;
    int priority = 0;
    std::uint64_t sender = 0;
    bool is_waiting = false;
    bool is_refused = false;  // waits to be handed back
  };

  // Where it is 0, that of the transport.
  struct DestinationLimits {
    std::size_t calls = 0;
    Milliseconds interval = 0;
  };
  struct TransportLimits {
    std::size_t calls = 100;                 // open at once to all destinations
    std::size_t calls_per_destination = 20;  // open at once to one
    std::size_t calls_at_first = SIZE_MAX;   // to a destination of which nothing is known
    Milliseconds interval = 0;               // between the starts of two calls to one destination
    std::function<DestinationLimits(std::string_view host)> own = {};  // of single destinations
  };
  struct Policy {
    unsigned failures = 3;              // in a row, until a destination is suspended
    Milliseconds pause = 60'000;        // of the first suspension; doubles with each that follows
    Milliseconds pause_most = 1'800'000;
    Milliseconds patience = 10'000;     // how long jobs wait for a transport that cannot be called, before they are put off
    unsigned jitter_percent = 0;        // by which a pause is longer, at most: destinations that died together come back apart
    std::size_t remembered = 50'000;    // dead destinations for which nothing waits
  };

  explicit Schedule(const Policy& policy);
  ~Schedule();
  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;
  TransportId add_transport(std::string name, const TransportLimits& limits);

  // `sender`: a number for all that shall have one turn.
  struct Wants {
    bool is_fresh = true;
    int priority = 0;
    std::uint64_t sender = 0;
  };
  void add(Job& job, TransportId transport, std::string_view host, const Wants& wants, Milliseconds now);
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

  // Destinations that were suspended and have answered since the last call.
  [[nodiscard]] std::vector<std::string> take_recovered() { return std::exchange(recovered_, {}); }

  // An operator wants it tried now: suspensions end. "" means every destination.
  void forgive(std::string_view host);

  [[nodiscard]] std::size_t waiting() const { return waiting_; }
  [[nodiscard]] std::size_t open() const { return open_; }

  // Why a transport cannot be called, when patience with it has ended; "" when all can.
  [[nodiscard]] std::string_view unavailable() const;

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
  void wait(Job& job, bool in_front, Milliseconds now);
  void take_out(Job& job);                   // out of the line it waits in
  [[nodiscard]] bool has_place(Destination& destination, Milliseconds now);
  void sleep(Destination& destination);      // until its next call may start
  void wake(Milliseconds now);
  void stop_sleeping(Destination& destination);
  void wait_again(Job& job, std::string_view reason, Milliseconds now);
  void suspend(Destination& destination, Milliseconds now);
  void refuse_all(Destination& destination);  // all that wait there are to be put off
  void forget(Destination& destination);
  void forget_if_idle(Destination& destination);
  void forget_old(Milliseconds now);
  void forget_most(Transport& transport);
  enum Age : std::size_t { kFresh, kOld };
  static constexpr std::size_t kAges = 2;
  static Age age_of(const Job& job) { return job.is_fresh ? kFresh : kOld; }
  Lane* pick(Transport& transport, Milliseconds now);

  Policy policy_;
  std::vector<std::unique_ptr<Transport>> transports_;
  std::list<Job*> refused_;  // to be put off
  std::set<std::pair<Milliseconds, Destination*>> sleeping_;  // until when
  std::vector<std::string> recovered_;
  Milliseconds now_ = 0;     // when next() was called last
  std::size_t turn_ = 0;     // the transport that is asked first
  std::size_t waiting_ = 0;  // also those to be put off
  std::size_t open_ = 0;
  std::size_t forget_above_ = 1000;
};

}  // namespace run
