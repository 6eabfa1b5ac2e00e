#include "deliver-remote/pool.h"

#include <algorithm>
#include <utility>

namespace remote {

using State = smtp::ClientSession::State;

ConnectionPool::ConnectionPool(net::Loop& loop, const Options& options, TlsService& tls) : loop_(loop), options_(options), tls_(tls), sweeper_(loop, [this] { sweep(); }) {
  loop_.after_io([this] { serve_waiting(); });
}

std::unique_ptr<Connection> ConnectionPool::take_idle(const std::string& key) {
  if (idle_.empty()) return nullptr;
  const auto found = idle_.find(key);
  if (found == idle_.end()) return nullptr;
  auto connection = std::move(found->second.back().connection);
  found->second.pop_back();
  if (found->second.empty()) idle_.erase(found);
  return connection;
}

std::unique_ptr<Connection> ConnectionPool::make(const Approach& approach, const std::function<void()>& on_room) {
  if (open_ >= options_.connections_max && !drop_one_idle()) {
    waiting_.push_back(on_room);
    return nullptr;
  }
  return std::make_unique<Connection>(loop_, options_, tls_, approach, open_);
}

void ConnectionPool::give_back(std::unique_ptr<Connection> connection) {
  switch (connection->session().state()) {
    case State::Closing: return linger(std::move(connection));
    case State::Ready: break;
    default: return;
  }
  if (!options_.reuse || connection->transactions() >= options_.reuse_max || is_old(*connection)) {
    connection->quit();
    return linger(std::move(connection));
  }
  connection->set_user(*this);
  if (idle_.empty()) sweeper_.start(options_.reuse_idle_milliseconds);
  auto& same = idle_[connection->key()];
  same.push_back({std::move(connection), loop_.now_milliseconds()});
}

void ConnectionPool::linger(std::unique_ptr<Connection> connection) {
  connection->set_user(*this);
  auto* const key = connection.get();
  lingering_.emplace(key, std::move(connection));
}

// An idle one that the server has ended, or one whose goodbye is over.
void ConnectionPool::on_change(Connection& connection) {
  if (lingering_.erase(&connection) > 0) return;
  const auto found = idle_.find(connection.key());
  if (found == idle_.end()) return;
  std::erase_if(found->second, [&](const Idle& idle) { return idle.connection.get() == &connection; });
  if (found->second.empty()) idle_.erase(found);
}

bool ConnectionPool::drop_one_idle() {
  if (idle_.empty()) return false;
  auto& same = idle_.begin()->second;
  same.front().connection->quit();
  same.erase(same.begin());
  if (same.empty()) idle_.erase(idle_.begin());
  return true;
}

void ConnectionPool::close_idle() {
  for (auto& [address, same] : std::exchange(idle_, {})) {
    for (auto& idle : same) {
      idle.connection->quit();
      linger(std::move(idle.connection));
    }
  }
}

void ConnectionPool::sweep() {
  const auto now = loop_.now_milliseconds();
  std::uint64_t next = 0;
  for (auto at = idle_.begin(); at != idle_.end();) {
    auto& same = at->second;
    const auto is_old = [&](const Idle& idle) { return idle.since_milliseconds + options_.reuse_idle_milliseconds <= now; };
    const auto fresh = std::ranges::find_if_not(same, is_old);  // they lie in the order of their age
    for (auto old = same.begin(); old != fresh; ++old) {
      old->connection->quit();
      linger(std::move(old->connection));
    }
    same.erase(same.begin(), fresh);
    if (same.empty()) {
      at = idle_.erase(at);
      continue;
    }
    const auto end = same.front().since_milliseconds + options_.reuse_idle_milliseconds;
    next = next == 0 ? end : std::min(next, end);
    ++at;
  }
  if (next != 0) sweeper_.start(next - now);
}

void ConnectionPool::serve_waiting() {
  while (!waiting_.empty() && (open_ < options_.connections_max || drop_one_idle())) {
    const auto on_room = std::move(waiting_.front());
    waiting_.pop_front();
    on_room();
  }
}

}  // namespace remote
