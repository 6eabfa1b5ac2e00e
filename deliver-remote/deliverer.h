// All deliveries of a process, in one loop.
#pragma once

#include <memory>
#include <unordered_map>

#include "deliver-remote/delivery.h"

namespace remote {

class Deliverer {
 public:
  // `options` is borrowed.
  // `is_resident`: many deliveries at once, of which none may hold up the others.
  Deliverer(net::Loop& loop, const Options& options, bool is_resident)
      : options_(options), resolver_(loop, options.dns), tls_(loop, is_resident, options.tls_sessions_max), pool_(loop, options, tls_) {}

  // Where mail for `host` goes: to the relay host of the settings, unless `host` says exactly where, as rules do that forward.
  [[nodiscard]] base::Result<Target> target_of(std::string_view host) const {
    auto target = Target::parse(host, options_.port);
    if (options_.relay && (!target || target->kind == Target::Kind::Domain)) return *options_.relay;
    return target;
  }
  [[nodiscard]] bool has_relay() const { return options_.relay.has_value(); }

  // One outcome a recipient, in their order; called later, or from inside deliver().
  using Done = std::function<void(std::vector<Outcome>)>;
  void deliver(Job job, Done done);
  void close_idle() {
    pool_.close_idle();
    tls_.forget_files();
  }

 private:
  const Options& options_;
  net::dns::Resolver resolver_;
  TlsService tls_;
  ConnectionPool pool_;
  std::unordered_map<Delivery*, std::unique_ptr<Delivery>> deliveries_;
};

}  // namespace remote
