// The resident life of a program: the same calls over a Unix socket (DESIGN.md 2.4, vsmtp-chain(7)).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "lib/base/command_line.h"
#include "lib/chain/message_call.h"
#include "lib/net/loop.h"

namespace chain {

// A call that waits for its answer. May be answered later and in any order, from the loop's thread. Destroying it
// unanswered answers exit 81 (internal bug).
class PendingCall {
 public:
  PendingCall(PendingCall&&) noexcept;
  PendingCall& operator=(PendingCall&&) noexcept;
  ~PendingCall();
  Invocation invocation;
  void answer(Answer answer);

 private:
  friend class ResidentServer;
  struct Origin;
  PendingCall(Invocation, std::unique_ptr<Origin>);
  std::unique_ptr<Origin> origin_;
};

// Serves calls on a socket in a loop. Answers of one turn of the loop leave in one write a connection.
class ResidentServer {
 public:
  struct Limits {
    std::size_t connections = 1000;
    std::size_t calls_at_once = 10'000;         // more: the connections are not read until some are answered
    std::size_t frame_octets = 64 << 20;        // larger frames end the connection
    bool takes_questions = false;               // policy clients (policy.h) may call too, on the same socket
  };
  ResidentServer(net::Loop& loop, const Limits& limits, std::function<void(PendingCall)> on_call);
  ~ResidentServer();
  // A socket of this path that a supervisor holds open and has handed over (systemd, s6: LISTEN_FDS) is taken as it is: callers
  // then wait while this program is restarted. Else it is made; `mode` is for that.
  [[nodiscard]] base::Result<void> listen(const std::string& path, unsigned mode = 0600);
  // Takes no new connections and calls; those that callers have already sent are answered. `on_idle` when all answers have left.
  void drain(std::function<void()> on_idle);

  struct Internal;

 private:
  std::shared_ptr<Internal> internal_;
};

// The permissions of a socket, octal: 600 for an empty text. Fault::Usage: it is none.
[[nodiscard]] base::Result<unsigned> parse_socket_mode(std::string_view text);
inline constexpr base::OptionRow kSocketModeOption = {"socket-mode", "MODE", "permissions of that socket, octal [600]"};

// Runs the loop until SIGTERM or SIGINT has come and the last call is answered. SIGHUP opens the log again and calls `reload`.
void run_until_told(net::Loop& loop, ResidentServer& server, std::function<void()> reload = {});

// What a program does whose work is a plain function.
struct ResidentWork {
  Handler handler;
  std::size_t threads = 0;  // calls at once; 0: the loop makes them, one after the other
  // Calls that wait for nothing: the loop makes them itself, since handing one to a thread and its answer back costs more than most
  // take. While they turn out to take long, they go to threads all the same. Null: there are none.
  std::function<bool(const Invocation&)> waits_for_nothing = {};
  std::function<void()> reload = {};  // on SIGHUP
  std::function<base::Result<void>()> confine = {};  // before there are threads, when the socket is there
};

// Its whole resident life.
int serve_resident(std::string_view program, const std::string& socket_path, const ResidentWork& work, const ResidentServer::Limits& limits = {},
                   unsigned socket_mode = 0600);

}  // namespace chain
