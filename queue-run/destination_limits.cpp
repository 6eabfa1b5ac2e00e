#include "queue-run/destination_limits.h"

#include "lib/mail/relay_sections.h"

namespace run {
namespace {

using Limits = Schedule::DestinationLimits;
constexpr std::uint64_t kMinute = 60'000, kMostPerMinute = kMinute;  // one a millisecond

struct Table {
  mail::DomainMap<Limits> by_domain;
  std::unordered_map<std::string, Limits> by_host;  // of sections that send their mail there

  [[nodiscard]] Limits of(std::string_view host) const {
    if (const auto known = by_host.find(std::string(host)); known != by_host.end()) return known->second;
    const auto* limits = by_domain.find(host);
    return limits == nullptr ? Limits{} : *limits;
  }
};

}  // namespace

base::Result<std::function<Limits(std::string_view)>> destination_limits(const base::Settings& settings) {
  Table table;
  for (const auto& domain : settings.names("relay")) {
    const auto key = [&](std::string_view which) { return base::Settings::named("relay", domain, which); };
    const auto per_minute = settings.count(key("messages_per_minute"));
    const Limits limits{static_cast<std::size_t>(settings.count(key("connections"))), per_minute == 0 ? 0 : (kMinute + per_minute - 1) / per_minute};
    if (per_minute > kMostPerMinute)
      return base::fail(base::Fault::Config, settings.place_of(key("messages_per_minute")) + "[relay \"" + domain + "\"] messages_per_minute: expected: at most " + std::to_string(kMostPerMinute));
    if (limits.calls == 0 && limits.interval == 0) continue;
    if (const auto& host = settings.text(key("host")); !host.empty()) {
      table.by_host.insert_or_assign(host, limits);
    } else {
      table.by_domain.add(domain, limits);
    }
  }
  if (table.by_host.empty() && table.by_domain.is_empty()) return std::function<Limits(std::string_view)>();
  return [table = std::move(table)](std::string_view host) { return table.of(host); };
}

}  // namespace run
