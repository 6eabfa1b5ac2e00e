// How queue-run is woken: the FIFO log/trigger, as in qmail. Who has put something into the log, or wants something done
// with a message that lives there, writes a line. Nobody waits: without a queue-run, a line is lost, and the next one
// looks at everything when it starts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"
#include "lib/queue/id.h"
#include "lib/queue/place.h"
#include "lib/queue/spool.h"

namespace queue {

// A line of the FIFO.
struct Request {
  enum class Kind {
    Look,    // empty line: the log has grown
    Retry,   // "retry ID": attempt it now
    Move,    // "move ID PLACE": give it a file of its own there, when it is in the log or being delivered
    Remove,  // "remove ID": forget it, when it is in the log or being delivered
  };
  Kind kind = Kind::Look;
  Id id;
  Place place;
};

// queue-run's end.
class Trigger {
 public:
  // Makes the FIFO when it is missing.
  [[nodiscard]] static base::Result<Trigger> open(const Spool& spool);
  [[nodiscard]] int fd() const { return fifo_.get(); }  // for net::Watch, Readable
  // All lines that are there; several Look become one. Lines that are no request are skipped.
  [[nodiscard]] std::vector<Request> read();

 private:
  explicit Trigger(base::UniqueFd fifo) : fifo_(std::move(fifo)) {}
  base::UniqueFd fifo_;
  std::string partial_;
};

// The other end, for one or many pokes. Never blocks. The process must ignore SIGPIPE.
class TriggerPoke {
 public:
  explicit TriggerPoke(const Spool& spool);
  // false: nobody listens (or it is so far behind that the FIFO is full, then it will look anyway).
  bool send(const Request& request);

 private:
  std::string path_;
  base::UniqueFd fifo_;
};

}  // namespace queue
