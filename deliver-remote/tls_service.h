// What the connections of a process share of TLS: contexts, sessions to be resumed, threads for the arithmetic.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "deliver-remote/profile.h"
#include "lib/net/workers.h"

namespace remote {

// Sessions by whom they were with; the one that was used longest ago goes first.
class SessionCache {
 public:
  explicit SessionCache(std::size_t most) : most_(most) {}
  [[nodiscard]] std::string find(const std::string& key);  // "": none
  void keep(const std::string& key, std::string session);
  void forget(const std::string& key);

 private:
  struct Row {
    std::string key, session;
  };
  std::size_t most_;
  std::list<Row> rows_;
  std::unordered_map<std::string, std::list<Row>::iterator> by_key_;
};

class TlsService {
 public:
  // `threads`: handshakes run in others than the loop's, so that no connection waits for another one's.
  TlsService(net::Loop& loop, bool threads, std::size_t sessions_max);

  // Reads the files once for each profile and until forget_files().
  [[nodiscard]] base::Result<std::shared_ptr<const net::tls::Context>> context(const Profile& profile, bool asks_authorities);
  void forget_files() { contexts_.clear(); }
  [[nodiscard]] SessionCache& sessions() { return sessions_; }
  // `work` and then `done`, which is called from the loop, or at once where there are no threads.
  void run(std::function<void()> work, std::function<void()> done);

 private:
  std::unordered_map<std::string, std::shared_ptr<const net::tls::Context>> contexts_;
  SessionCache sessions_;
  std::optional<net::Workers> workers_;
};

}  // namespace remote
