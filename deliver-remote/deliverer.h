// All deliveries of a process, in one loop.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>

#include "deliver-remote/delivery.h"

namespace remote {

class Deliverer {
 public:
  // `options` is borrowed.
  // `is_resident`: many deliveries at once, of which none may hold up the others.
  Deliverer(net::Loop& loop, const Options& options, bool is_resident)
      : options_(options), resolver_(loop, options.dns), tls_(loop, is_resident, options.tls_sessions_max), pool_(loop, options, tls_), hosts_(is_resident ? options.dead_host_milliseconds : 0), journal_(options.tls_journal, options.tls_journal_size_max) {
    if (!options.mta_sts.empty()) sts_.emplace(loop, options.mta_sts);
  }

  // Where mail for `host` goes that is for recipients of `domain`: where their [relay] section says, or to the relay host of the
  // settings; unless `host` says exactly where, as rules do that forward.
  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] base::Result<Target> target_of(std::string_view host, std::string_view domain) const {
    auto target = Target::parse(host, options_.port);
    if (target && target->kind != Target::Kind::Domain) return target;
    if (const auto* said = options_.hosts.find(domain)) return said->empty() ? std::move(target) : Target::parse(*said, options_.port);
    if (options_.relay) return *options_.relay;
    return target;
  }
  // HOST of such mail where nobody has said one; equal ones are the same target.
  [[nodiscard]] std::string host_of(std::string_view domain) const {
    if (const auto* said = options_.hosts.find(domain)) return said->empty() ? std::string(domain) : *said;
    return options_.relay ? std::string() : std::string(domain);
  }

  // Differs where mail for two domains may not go over the same connection, though to the same host.
  [[nodiscard]] std::string section_of(std::string_view domain) const {
    const auto* section = options_.profiles.find(domain);
    return section != nullptr ? (*section)->identity : std::string();
  }
  // How hosts are spoken to where mail goes to `target`, which target_of() has made of the other two.
  [[nodiscard]] std::shared_ptr<const Profile> profile_of(std::string_view host, std::string_view domain, const Target& target) const;

  // One outcome a recipient, in their order; called later, or from inside deliver().
  using Done = std::function<void(std::vector<Outcome>)>;
  void deliver(Job job, Done done);
  // A program that knows policies waits for further questions, and the loop with it. Not from inside an answer of its.
  void end_policies() { sts_.reset(); }
  void close_idle() {
    pool_.close_idle();
    tls_.forget_files();
  }

 private:
  const Options& options_;
  net::dns::Resolver resolver_;
  TlsService tls_;
  ConnectionPool pool_;
  HostMemory hosts_;
  TlsJournal journal_;
  std::optional<StsClient> sts_;
  std::unordered_map<Delivery*, std::unique_ptr<Delivery>> deliveries_;
};

}  // namespace remote
