#include "deliver-remote/tls_service.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace remote {

std::string SessionCache::find(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return {};
  rows_.splice(rows_.begin(), rows_, found->second);
  return found->second->session;
}

void SessionCache::keep(const std::string& key, std::string session) {
  if (most_ == 0 || session.empty()) return;
  forget(key);
  if (rows_.size() >= most_) {
    by_key_.erase(rows_.back().key);
    rows_.pop_back();
  }
  rows_.push_front({key, std::move(session)});
  by_key_[key] = rows_.begin();
}

void SessionCache::forget(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  rows_.erase(found->second);
  by_key_.erase(found);
}

TlsService::TlsService(net::Loop& loop, bool threads, std::size_t sessions_max) : sessions_(sessions_max) {
  if (threads) workers_.emplace(loop, std::max(std::thread::hardware_concurrency(), 1U));
}

base::Result<std::shared_ptr<const net::tls::Context>> TlsService::context(const Profile& profile, bool asks_authorities) {
  auto& known = contexts_[profile.identity + (asks_authorities ? "+" : "-")];
  if (known) return known;
  auto options = profile.tls;
  if (!asks_authorities) options.authorities.clear();  // not read where nobody is asked
  auto context = net::tls::client(options);
  if (context) known = *context;
  return context;
}

void TlsService::run(std::function<void()> work, std::function<void()> done) {
  if (workers_) return workers_->give(std::move(work), std::move(done));
  work();
  done();
}

}  // namespace remote
