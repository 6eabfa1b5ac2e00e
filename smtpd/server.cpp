#include "smtpd/server.h"

#include <sys/socket.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "lib/base/log.h"
#include "smtpd/meters.h"

namespace smtpd {
namespace {

constexpr std::uint64_t kSweepMilliseconds = 1000;
constexpr std::uint64_t kLeastIdleMilliseconds = 2000;  // then a silent client may be sent away for another one
constexpr std::size_t kMaxIdleOctets = 1 << 20;  // what a shared buffer keeps after an unusual burst

}  // namespace

Server::Server(std::shared_ptr<const Configuration> configuration, std::vector<ListeningSocket> listening, Reload reload, const Post& post)
    : configuration_(std::move(configuration)),
      reload_(std::move(reload)),
      caller_(std::make_unique<chain::Caller>(loop_, configuration_->caller)),
      policies_(std::make_unique<chain::PolicyClient>(loop_, configuration_->policy.limits)),
      checker_(std::make_unique<Checker>(loop_, configuration_->authentication != nullptr ? configuration_->authentication->checks : 1)),
      limits_({configuration_->clients_max, configuration_->clients_per_address_max}),
      handshakers_(loop_, std::max(std::thread::hardware_concurrency(), 1U)),
      post_(post),
      sweep_timer_(loop_, [this] { sweep(); }),
      stop_timer_(loop_, [this] { is_stopping_ ? for_each([](Client& client) { client.stop_at_once(); }) : stop(); }),
      alive_timer_(loop_, [this] { post_.tell_alive(); }) {
  for (auto& [socket, service, asked_for] : listening)
    listeners_.push_back(std::make_unique<net::Listener>(loop_, std::move(socket), [this, service](base::UniqueFd connected) { on_connection(std::move(connected), service); }));
  for (const int number : {SIGTERM, SIGINT}) signals_.push_back(std::make_unique<net::SignalWatch>(loop_, number, [this] { stop(); }));
  signals_.push_back(std::make_unique<net::SignalWatch>(loop_, SIGUSR2, [this] { drain(); }));
  signals_.push_back(std::make_unique<net::SignalWatch>(loop_, SIGHUP, [this] { this->reload(); }));
}

Server::~Server() = default;

void Server::run() {
  if (post_.alive_milliseconds > 0) alive_timer_.start(post_.alive_milliseconds, post_.alive_milliseconds);
  post_.tell_ready();
  loop_.run();
}

std::string& Server::emptied(std::string& buffer) {
  if (buffer.capacity() > kMaxIdleOctets) buffer = std::string();
  buffer.clear();
  return buffer;
}

void Server::on_connection(base::UniqueFd socket, Service service) {
  const auto client = net::Address::of_peer(socket.get());
  // Reset already. What it sent could still be read, and a client without an address must not pass for one of a Unix socket.
  if (client.is_empty()) return;
  const auto& shield = configuration_->shield;
  const bool is_known = !client.is_ip() || configuration_->relay.is_relay_client(client) || (shield && shield->knows_well(client));
  // The last places are for those who are known.
  const bool is_full = clients_.size() + (is_known ? 0 : configuration_->clients_max / 100) >= configuration_->clients_max;
  if (is_full && !make_room()) return turn_away(socket, client, "too many connections");
  if (!is_known)
    if (const auto what = shortage(socket.get()); !what.empty()) return turn_away(socket, client, what, smtp::ReplyId::TooBusy);
  // The clients of a proxy are counted when it has said who they are.
  const bool is_counted = client.is_ip() && !configuration_->relay.is_proxy(client);
  if (is_counted && limits_.is_full_for(limits_.client_of(client))) return turn_away(socket, client, "too many connections from this address");

  if (is_counted && shield)
    if (const auto why = shield->turns_away(client); !why.empty()) return turn_away(socket, client, why);

  Peer peer = Peer::of(client, net::Address::of_local(socket.get()));
  // Who may open a Unix socket of ours is a local user.
  peer.is_relay_client = !client.is_ip() || configuration_->relay.is_relay_client(client);
  const std::size_t number = clients_.size();
  addresses_.push_back(is_counted ? limits_.client_of(client) : std::string());
  limits_.add(addresses_.back());
  clients_.push_back(std::make_unique<Client>(static_cast<Clients&>(*this), number, configuration_, service, std::move(peer)));
  deadlines_.push_back(0);
  idle_since_.push_back(0);
  if (!is_stressed_ && shield && shield->begins_stress(clients_.size(), configuration_->clients_max)) set_stress(true);
  if (number == 0) sweep_timer_.start(kSweepMilliseconds, kSweepMilliseconds);
  count(Meter::Connections);
  note_sessions();
  if (const auto started = clients_[number]->start(std::move(socket)); !started) {
    base::log::warning("connection lost", {{"client", client.text()}, {"cause", started.error().cause}});
    remove(number);
  }
}

// Said without waiting: a client that is turned away shall cost nothing.
void Server::turn_away(const base::UniqueFd& socket, const net::Address& client, std::string_view cause, smtp::ReplyId id) {
  std::string reply;
  configuration_->session(smtpd::Service::Smtp).replies.append(reply, id);
  (void)::send(socket.get(), reply.data(), reply.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  count(Meter::TurnedAway);
  base::log::info("turned away", {{"client", client.ip()}, {"connections", clients_.size()}, {"cause", cause}});
}

bool Server::set_address(std::size_t number, const net::Address& client) {
  auto address = limits_.client_of(client);
  if (limits_.is_full_for(address)) {
    base::log::info("turned away", {{"client", client.ip()}, {"connections", clients_.size()}, {"cause", "too many connections from this address"}});
    return false;
  }
  limits_.remove(addresses_[number]);
  limits_.add(address);
  addresses_[number] = std::move(address);
  return true;
}

ListLookUp& Server::lists(std::string_view section, const net::dns::Settings& dns) {
  auto found = lists_.find(section);
  if (found == lists_.end()) found = lists_.emplace(std::string(section), std::make_unique<ListLookUp>(loop_, dns)).first;
  return *found->second;
}

void Server::note_sessions() const {
  if (post_.slot != nullptr) post_.slot->sessions = static_cast<std::uint32_t>(clients_.size());
}

void Server::remove(std::size_t number) {
  const auto gone = std::move(clients_[number]);
  limits_.remove(addresses_[number]);
  if (number + 1 < clients_.size()) {
    clients_[number] = std::move(clients_.back());
    clients_[number]->renumber(number);
    deadlines_[number] = deadlines_.back();
    idle_since_[number] = idle_since_.back();
    addresses_[number] = std::move(addresses_.back());
  }
  clients_.pop_back();
  deadlines_.pop_back();
  idle_since_.pop_back();
  addresses_.pop_back();
  note_sessions();
  if (!clients_.empty()) return;
  sweep_timer_.stop();
  if (is_stressed_) set_stress(false);
  if (is_stopping_ || is_draining_) loop_.stop();
}

std::shared_ptr<const void> Server::put_to_sleep() { return static_cast<std::size_t>(sleepers_.use_count()) > configuration_->sleeping_clients_max ? nullptr : sleepers_; }

// ---- too much to do -------------------------------------------------------------------------------------------------

// What there is too little of for a stranger; "": nothing.
std::string_view Server::shortage(int newest) {
  if (loop_.now_milliseconds() >= looked_ + kSweepMilliseconds) look_at_load();
  if (is_short_of_memory_) return "little memory is left";
  if (!is_short_of_descriptors(configuration_->resources, newest)) return {};
  if (configuration_->shield) configuration_->shield->note(Strain::Descriptors);
  return "few descriptors are left";
}

void Server::look_at_load() {
  looked_ = loop_.now_milliseconds();
  const auto& shield = configuration_->shield;
  is_short_of_memory_ = is_short_of_memory(configuration_->resources);
  if (!shield) return;
  if (is_short_of_memory_) shield->note(Strain::Memory);
  if (is_stressed_ && shield->ends_stress(clients_.size(), configuration_->clients_max)) set_stress(false);
  if (is_stressed_) shield->note(Strain::Stress);
}

void Server::set_stress(bool is_stressed) {
  is_stressed_ = is_stressed;
  base::log::warning(is_stressed ? "stress begins" : "stress ends", {{"connections", clients_.size()}});
  if (!is_stressed) return;
  configuration_->shield->note(Strain::Stress);
  for_each([](Client& client) { client.hurry(); });
}

// The stranger that has been silent for longest goes.
bool Server::make_room() {
  const auto longer = [](std::uint64_t a, std::uint64_t b) { return a - 1 < b - 1; };  // 0, who is not idle, comes last
  const auto oldest = std::ranges::min_element(idle_since_, longer);
  if (oldest == idle_since_.end() || *oldest == 0 || *oldest + kLeastIdleMilliseconds > loop_.now_milliseconds()) return false;
  clients_[static_cast<std::size_t>(oldest - idle_since_.begin())]->make_way();
  return true;
}

void Server::sweep() {
  look_at_load();
  const std::uint64_t now = loop_.now_milliseconds();
  for (std::size_t i = 0; i < clients_.size();) {
    const Client* client = clients_[i].get();
    if (deadlines_[i] != 0 && deadlines_[i] <= now) clients_[i]->on_deadline();
    if (i < clients_.size() && clients_[i].get() == client) ++i;  // else it is gone, and another one has its place
  }
}

void Server::for_each(const std::function<void(Client&)>& action) {
  for (std::size_t i = 0; i < clients_.size();) {
    const Client* client = clients_[i].get();
    action(*clients_[i]);
    if (i < clients_.size() && clients_[i].get() == client) ++i;
  }
}

void Server::reload() {
  base::log::reopen();
  auto again = reload_();
  if (!again) {
    base::log::error("reload failed, the old configuration stays", {{"cause", again.error().cause}});
    return;
  }
  configuration_ = std::move(*again);
  base::log::info("configuration reloaded");
}

// Somebody else takes new clients; those that are here stay until they have said all.
void Server::drain() {
  if (is_draining_ || is_stopping_) return;
  is_draining_ = true;
  base::log::info("draining", {{"connections", clients_.size()}});
  listeners_.clear();
  if (clients_.empty()) return loop_.stop();
  stop_timer_.start(configuration_->time.drain);
}

// Nobody new is let in, and who has no message under way is told to come again. The rest has its time.
void Server::stop() {
  if (is_stopping_) return;
  is_stopping_ = true;
  base::log::info("stopping", {{"connections", clients_.size()}});
  listeners_.clear();
  for_each([](Client& client) { client.stop(); });
  if (clients_.empty()) return loop_.stop();
  stop_timer_.start(configuration_->time.stop);
}

}  // namespace smtpd
