// One program a connection: descriptors 0 and 1 are the connection, the environment names both ends (UCSPI).
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/base/unique_fd.h"
#include "lib/net/loop.h"
#include "lib/net/socket.h"
#include "lib/net/stream.h"
#include "lib/net/client_limits.h"

namespace launch {

struct LaunchRules {
  std::string path;                    // of the program
  std::vector<std::string> arguments;  // the first is its name
  std::string local_host;              // TCPLOCALHOST; "" leaves it unset
  std::string refusal;                 // one line for a client over a limit, without line end; "": it waits, or is closed
  net::ClientLimits::Limits limits;
};

// $PATH is searched for a name without a slash. Fault::Config when nothing can be executed there.
[[nodiscard]] base::Result<std::string> find_program(const std::string& name);

class Launcher {
 public:
  // Takes the environment of this process as it is now, without UCSPI variables, for the programs.
  Launcher(net::Loop& loop, LaunchRules rules);

  void add(base::UniqueFd listening);
  void close_listeners() { listeners_.clear(); }
  [[nodiscard]] std::size_t running() const { return children_.size(); }
  std::function<void()> on_last_end = [] {};  // the last program that ran has ended

 private:
  struct Child {
    base::UniqueFd pidfd;
    std::unique_ptr<net::Watch> watch;
    std::string client;
  };
  void on_connection(base::UniqueFd connection);
  void refuse(base::UniqueFd connection, const net::Address& remote, const char* reason);
  [[nodiscard]] base::Result<pid_t> start(int connection, const std::vector<std::string>& environment) const;
  void watch(pid_t pid, const std::string& client);
  void on_child_end(pid_t pid);
  void pause_if_full();

  net::Loop& loop_;
  LaunchRules rules_;
  net::ClientLimits clients_;
  std::vector<std::string> environment_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::unordered_map<pid_t, Child> children_;
  bool is_paused_ = false;
};

}  // namespace launch
