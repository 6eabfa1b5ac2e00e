// One message on its way to one destination: its addresses are tried in their order until each recipient has a verdict.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deliver-remote/host_memory.h"
#include "deliver-remote/letter.h"
#include "deliver-remote/outcome.h"
#include "deliver-remote/pool.h"
#include "deliver-remote/route_search.h"
#include "deliver-remote/sts.h"
#include "deliver-remote/tls_journal.h"

namespace remote {

struct Job {
  Target target;
  std::string reverse_path;
  std::vector<std::string> recipients;
  std::shared_ptr<const Letter> letter;
  mail::DsnRequest dsn = {};    // of these recipients
  bool all_or_nothing = false;  // as smtp::ClientTransaction has it
  std::shared_ptr<const Profile> profile = {};
  std::vector<TlsDemand> tls_demands = {};
  std::vector<std::pair<std::string, std::string>> client = {};  // who has sent it to us, as XFORWARD has it
  bool requires_tls = false;  // REQUIRETLS (RFC 8689): the host must promise to keep to it
};

class Delivery final : ConnectionUser {
 public:
  // One outcome a recipient, in their order. May destroy the delivery.
  using Done = std::function<void(Delivery&, std::vector<Outcome>)>;

  // What is referred to is borrowed.
  // `sts`: nullptr where nobody knows policies.
  Delivery(net::dns::Resolver& resolver, ConnectionPool& pool, HostMemory& hosts, TlsJournal& journal, StsClient* sts, const Options& options, Job job, Done done);
  ~Delivery();
  // `done` is called later, or from inside this.
  void start();

 private:
  void on_change(Connection& connection) override;
  void on_route(std::expected<std::vector<Candidate>, Verdict> route);
  [[nodiscard]] bool waives_tls() const;
  [[nodiscard]] bool asks_tlsa() const;
  [[nodiscard]] bool asks_sts() const;
  void on_sts(base::Result<StsPolicy> policy);
  void begin_if_known();
  void try_addresses();
  [[nodiscard]] Approach approach_to(const Candidate& to) const;
  void talk();
  void note_ready();
  void note_failure(const Candidate& to, const Verdict& failure);
  void note_session(const Candidate& to, std::string_view failure, const std::string& reason);
  void begin_transaction();
  [[nodiscard]] const Letter& letter_for_host(std::string& why_not);
  void take_verdicts();
  [[nodiscard]] Verdict failure() const;
  void on_lost_connection();
  void pass_over(Outcome failure);
  [[nodiscard]] bool was_idle_too_long() const;
  void finish();
  [[nodiscard]] Outcome outcome_of_failures() const;
  [[nodiscard]] chain::Reach reach() const;

  net::dns::Resolver& resolver_;
  ConnectionPool& pool_;
  HostMemory& hosts_;
  TlsJournal& journal_;
  StsClient* sts_;
  const Options& options_;
  Job job_;
  Done done_;
  std::optional<RouteSearch> search_;
  std::vector<Candidate> candidates_;
  bool has_route_ = false;
  std::uint64_t sts_question_ = 0;     // open; 0: none is
  StsPolicy sts_policy_;
  std::size_t tried_ = 0;              // of them
  bool must_connect_anew_ = false;
  bool must_be_clear_ = false;         // TLS has failed with the address that is tried now
  std::vector<Outcome> failures_;      // of sessions and connections, one for each address that was tried in vain
  std::unique_ptr<Connection> connection_;
  std::vector<std::size_t> pending_;   // recipients without a verdict
  std::size_t asked_ = 0;              // of them, in the transaction that is open; 0: none is
  std::vector<Outcome> outcomes_;
  std::shared_ptr<const Letter> seven_bit_;  // the message for hosts without 8BITMIME, once there was one
  std::string why_not_seven_bit_;
};

}  // namespace remote
