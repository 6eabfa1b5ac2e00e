// Asks DNS what route.h wants to know.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "deliver-remote/dane_search.h"
#include "deliver-remote/options.h"
#include "deliver-remote/route.h"
#include "deliver-remote/target.h"

namespace remote {

class RouteSearch {
 public:
  using Done = std::function<void(std::expected<std::vector<Candidate>, Verdict>)>;
  // `done` is called later from the loop, once, and may destroy the search. Both references are borrowed. `asks_dane`: for TLSA records too.
  RouteSearch(net::dns::Resolver& resolver, const Options& options, const Target& target, bool asks_dane, Done done);
  ~RouteSearch();  // `done` is not called any more
  RouteSearch(const RouteSearch&) = delete;
  RouteSearch& operator=(const RouteSearch&) = delete;

 private:
  static constexpr std::size_t kMaxHosts = 20;  // of a domain that has hundreds, only the best are asked for

  void ask(const std::string& name, net::dns::Type type, std::function<void(const net::dns::Answer&)> on_answer);
  void ask_for_hosts(std::vector<net::dns::Mx> hosts);
  [[nodiscard]] AddressRules rules() const;
  void on_hosts();
  void ask_for_tlsa();
  void on_tlsa();
  void finish(std::expected<std::vector<Candidate>, Verdict> route);

  net::dns::Resolver& resolver_;
  const Options& options_;
  Target target_;
  Done done_;
  bool asks_dane_;
  bool is_mx_secure_ = false;
  std::string expanded_;  // what the destination stands for, where it is an alias
  std::vector<Host> hosts_;
  std::vector<Candidate> candidates_;
  std::vector<std::unique_ptr<DaneSearch>> dane_searches_;
  std::vector<std::uint64_t> questions_;
  std::size_t open_ = 0;
};

}  // namespace remote
