// Connected byte streams (TCP, Unix sockets, pipes) in a loop.
#pragma once

#include <memory>
#include <string_view>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"
#include "lib/net/loop.h"
#include "lib/net/socket.h"

namespace net {

// Whom a stream reports to. Outlives the stream. Closing or destroying the stream inside a callback is allowed.
class StreamUser {
 public:
  virtual void on_octets(std::string_view octets) = 0;        // borrowed until return
  // The peer closed its side, or `error`; no more octets come. After the former, writing goes on, and may still end in
  // an error later.
  virtual void on_end(const base::Error* error) = 0;
  virtual void on_connected() {}                              // after connect()
  virtual void on_drained() {}                                // all that write() had to keep has left

 protected:
  ~StreamUser() = default;
};

class Stream {
 public:
  // A socket that is connected already.
  Stream(Loop& loop, StreamUser& user);
  ~Stream();  // closes at once; what was not sent is dropped
  [[nodiscard]] base::Result<void> adopt(base::UniqueFd socket);
  // `source` may be empty: the system chooses. Ends in on_connected() or on_end(error).
  [[nodiscard]] base::Result<void> connect(const Address& to, const Address* source = nullptr);

  // A new stream does not read. Stopping and starting again before more has come costs nothing.
  void start_reading();
  void stop_reading();
  // Sends what the socket takes now, keeps a copy of the rest and sends it when it can. Errors come by on_end().
  void write(std::string_view octets);
  [[nodiscard]] std::size_t unsent_octets() const;
  // Nothing is kept and no error is known: for those who would rather wait for on_drained() than fill memory.
  [[nodiscard]] bool takes_more() const;
  // Sends what is left, then half-closes.
  void shut_down();
  [[nodiscard]] int descriptor() const;  // borrowed; -1 before adopt() or connect()

 private:
  struct Internal;
  Internal* internal_;
};

// Accepts connections of a listening socket and hands the descriptors out (non-blocking, close-on-exec).
class Listener {
 public:
  Listener(Loop& loop, base::UniqueFd listening, std::function<void(base::UniqueFd connected)> on_connection);
  ~Listener();
  // Out of descriptors or at a limit: no more accepts until resume().
  void pause();
  void resume();

 private:
  struct Internal;
  Internal* internal_;
};

}  // namespace net
