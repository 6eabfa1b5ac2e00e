// All connections there are: how many, which of them are idle and may carry the next message, which only wait for their
// goodbye.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "deliver-remote/connection.h"

namespace remote {

class ConnectionPool final : ConnectionUser {
 public:
  // `options` is borrowed.
  ConnectionPool(net::Loop& loop, const Options& options, TlsService& tls);
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // One of this Approach::key() that has served a message before and is Ready again; nullptr: there is none.
  [[nodiscard]] std::unique_ptr<Connection> take_idle(const std::string& key);
  // A new one, not yet open; nullptr: connections_max are in use. Then `on_room` will be called later, once.
  [[nodiscard]] std::unique_ptr<Connection> make(const Approach& approach, const std::function<void()>& on_room);
  // Keeps it for the next message if it can carry one, else says goodbye.
  void give_back(std::unique_ptr<Connection> connection);
  // Whether the transaction that would begin next on it is not its last.
  [[nodiscard]] bool may_be_used_again(const Connection& connection) const {
    return options_.reuse && connection.transactions() + 1 < options_.reuse_max && !is_old(connection);
  }
  void close_idle();
  [[nodiscard]] std::size_t next_turn() { return turn_++; }
  [[nodiscard]] std::uint64_t now_milliseconds() const { return loop_.now_milliseconds(); }

 private:
  struct Idle {
    std::unique_ptr<Connection> connection;
    std::uint64_t since_milliseconds;
  };
  void on_change(Connection& connection) override;
  [[nodiscard]] bool is_old(const Connection& connection) const {
    return loop_.now_milliseconds() - connection.opened_milliseconds() >= options_.reuse_time_milliseconds;
  }
  void linger(std::unique_ptr<Connection> connection);
  bool drop_one_idle();
  void sweep();
  void serve_waiting();

  net::Loop& loop_;
  const Options& options_;
  TlsService& tls_;
  std::size_t open_ = 0;
  std::size_t turn_ = 0;
  std::unordered_map<std::string, std::vector<Idle>> idle_;  // by Approach::key(), the one used last at the end
  std::unordered_map<Connection*, std::unique_ptr<Connection>> lingering_;
  std::deque<std::function<void()>> waiting_;
  net::Timer sweeper_;
};

}  // namespace remote
