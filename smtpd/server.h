// All sessions of a process in one loop.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/unique_fd.h"
#include "lib/chain/caller.h"
#include "lib/net/client_limits.h"
#include "lib/net/loop.h"
#include "lib/net/stream.h"
#include "lib/net/workers.h"
#include "smtpd/client.h"
#include "smtpd/configuration.h"
#include "smtpd/listening.h"
#include "smtpd/supervisor.h"

namespace smtpd {

class Server final : private Clients {
 public:
  // `reload` reads the configuration again, for SIGHUP; sessions that are open keep the one they began with.
  using Reload = std::function<base::Result<std::shared_ptr<const Configuration>>()>;
  Server(std::shared_ptr<const Configuration> configuration, std::vector<ListeningSocket> listening, Reload reload, const Post& post = {});
  ~Server();

  // Until SIGTERM or SIGINT and the end of what was under way, or SIGUSR2 and the end of all sessions.
  void run();

 private:
  net::Loop& loop() override { return loop_; }
  chain::Caller& caller() override { return *caller_; }
  chain::PolicyClient& policies() override { return *policies_; }
  net::Workers& handshakers() override { return handshakers_; }
  Checker& checker() override { return *checker_; }
  ListLookUp& lists(std::string_view section, const net::dns::Settings& dns) override;
  std::shared_ptr<const void> put_to_sleep() override;
  [[nodiscard]] bool is_stopping() const override { return is_stopping_; }
  std::string& output_buffer() override { return emptied(output_); }
  std::string& plaintext_buffer() override { return emptied(plaintext_); }
  bool set_address(std::size_t number, const net::Address& client) override;
  void remove(std::size_t number) override;
  void set_deadline(std::size_t number, std::uint64_t deadline) override { deadlines_[number] = deadline; }
  void set_idle(std::size_t number, std::uint64_t since) override { idle_since_[number] = since; }

  static std::string& emptied(std::string& buffer);
  void on_connection(base::UniqueFd socket, Service service);
  void turn_away(const base::UniqueFd& socket, const net::Address& client, std::string_view cause, smtp::ReplyId reply = smtp::ReplyId::TooManyConnections);
  [[nodiscard]] std::string_view shortage(int newest);
  bool make_room();
  void look_at_load();
  void set_stress(bool is_stressed);
  void sweep();
  void for_each(const std::function<void(Client&)>& action);
  void reload();
  void drain();
  void note_sessions() const;
  void stop();

  net::Loop loop_;
  std::shared_ptr<const Configuration> configuration_;
  Reload reload_;
  std::unique_ptr<chain::Caller> caller_;
  std::unique_ptr<chain::PolicyClient> policies_;
  std::unique_ptr<Checker> checker_;
  std::map<std::string, std::unique_ptr<ListLookUp>, std::less<>> lists_;  // by section
  std::shared_ptr<const void> sleepers_ = std::make_shared<const char>();  // one more owner each
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::string> addresses_;    // by which each client is counted
  std::vector<std::uint64_t> idle_since_;  // each client, 0: it is not
  std::vector<std::uint64_t> deadlines_;  // of each client; apart, since all are looked through every second
  net::ClientLimits limits_;
  net::Workers handshakers_;
  std::string output_, plaintext_;
  Post post_;
  net::Timer sweep_timer_, stop_timer_, alive_timer_;
  std::vector<std::unique_ptr<net::SignalWatch>> signals_;
  bool is_stopping_ = false, is_draining_ = false;
  bool is_stressed_ = false;
  bool is_short_of_memory_ = false;
  std::uint64_t looked_ = 0;  // at memory
};

}  // namespace smtpd
