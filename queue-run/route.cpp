#include "queue-run/route.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/mail/address.h"

namespace run {

Router::Router(Table table) : table_(std::move(table)) {
  table_.recipients_per_call = std::max<std::size_t>(1, table_.recipients_per_call);
}

namespace {

bool is_url(std::string_view host) { return host.contains("://"); }

std::string domain_of(std::string_view recipient) {
  std::string domain = base::text::to_lower(mail::split_address(recipient).second);
  if (domain.ends_with('.')) domain.pop_back();
  return domain;
}

}  // namespace

Route Router::route_by(const Way& way, std::string domain) const {
  Route route{way.transport, way.host, {}, way.refusal};
  if (const auto index = index_of(way.transport); route.host.empty() && index < table_.transports.size()) route.host = table_.transports[index].host;
  if (route.host.empty()) route.host = std::move(domain);
  return route;
}

Route Router::route(std::string_view recipient) const {
  std::string domain = domain_of(recipient);
  if (domain.empty()) return {Transport::Local, {}};
  const auto* section = table_.ways.find(domain);
  const auto* way = section != nullptr && !section->is_way ? table_.ways.find(domain, [](const Way& any) { return any.is_way; }) : section;
  Route route;
  if (way != nullptr && (way != table_.ways.find_for_all() || !table_.local_domains.contains(domain))) {
    route = route_by(*way, std::move(domain));
  } else if (table_.local_domains.contains(domain)) {
    route = {Transport::Local, std::move(domain)};
  } else {
    route = {Transport::Remote, table_.relay_host.empty() ? std::move(domain) : table_.relay_host};
  }
  if (section != nullptr) route.section = section->section;
  return route;
}

std::size_t Router::recipients_per_call(Transport transport) const {
  const auto index = index_of(transport);
  const bool has_own = index < table_.transports.size() && table_.transports[index].recipients_per_call > 0;
  return has_own ? table_.transports[index].recipients_per_call : table_.recipients_per_call;
}

bool Router::takes_urls(Transport transport) const {
  const auto index = index_of(transport);
  return index >= table_.transports.size() || table_.transports[index].takes_urls;
}

Route Router::route_to(const RuledRoute& ruled, std::string_view recipient) const {
  const auto known = std::ranges::find(table_.transports, ruled.transport, &Table::OfTransport::name);
  if (known == table_.transports.end()) return {Transport::Remote, {}, {}, "451 4.3.5 no transport is called " + base::text::printable(ruled.transport, 40)};
  return route_by({{}, true, static_cast<Transport>(known - table_.transports.begin()), ruled.host, {}}, domain_of(recipient));
}

Route Router::route(const std::string& recipient, const RuledRoutes& ruled) const {
  const auto found = ruled.empty() ? ruled.end() : ruled.find(recipient);
  if (found == ruled.end()) return route(recipient);
  switch (found->second.what) {
    case RuledRoute::What::Local: return {Transport::Local, domain_of(recipient)};
    case RuledRoute::What::Forward:
      if (is_url(found->second.host) && !takes_urls(Transport::Remote))
        return {Transport::Remote, {}, {}, "451 4.3.5 the remote transport here knows no log-in and no TLS that must be"};
      return {Transport::Remote, found->second.host, {}, {}, found->second.password};
    case RuledRoute::What::Named: return route_to(found->second, recipient);
    default: return route(recipient);
  }
}

std::vector<Batch> Router::batches(std::span<const std::string> recipients, std::span<const std::uint32_t> pending, const RuledRoutes& ruled) const {
  std::vector<Batch> all;
  std::unordered_map<std::string, std::size_t> open;  // transport, host, section and password -> the batch that has room
  for (const auto index : pending) {
    Route to = route(recipients[index], ruled);
    if (pending.size() == 1) {  // most messages
      all.push_back({std::move(to), {index}});
      break;
    }
    const auto [known, is_new] = open.try_emplace(std::to_string(index_of(to.transport)) + to.host + '\0' + to.section + '\0' + to.password, all.size());
    if (!is_new && all[known->second].recipients.size() < recipients_per_call(to.transport)) {
      all[known->second].recipients.push_back(index);
      continue;
    }
    known->second = all.size();
    all.push_back({std::move(to), {index}});
  }
  return all;
}

}  // namespace run
