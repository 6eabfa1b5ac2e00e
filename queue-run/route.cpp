#include "queue-run/route.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/mail/address.h"

namespace run {

Router::Router(Table table) : table_(std::move(table)) {
  table_.recipients_per_call = std::max<std::size_t>(1, table_.recipients_per_call);
}

namespace {

std::string domain_of(std::string_view recipient) {
  std::string domain = base::text::to_lower(mail::split_address(recipient).second);
  if (domain.ends_with('.')) domain.pop_back();
  return domain;
}

}  // namespace

Route Router::route(std::string_view recipient) const {
  std::string domain = domain_of(recipient);
  if (domain.empty() || table_.local_domains.contains(domain)) return {Transport::Local, std::move(domain)};
  return {Transport::Remote, table_.relay_host.empty() ? std::move(domain) : table_.relay_host};
}

Route Router::route(const std::string& recipient, const RuledRoutes& ruled) const {
  const auto found = ruled.empty() ? ruled.end() : ruled.find(recipient);
  if (found == ruled.end()) return route(recipient);
  switch (found->second.what) {
    case RuledRoute::What::Local: return {Transport::Local, domain_of(recipient)};
    case RuledRoute::What::Forward: return {Transport::Remote, found->second.host};
    default: return route(recipient);
  }
}

std::vector<Batch> Router::batches(std::span<const std::string> recipients, std::span<const std::uint32_t> pending, const RuledRoutes& ruled) const {
  std::vector<Batch> all;
  std::unordered_map<std::string, std::size_t> open;  // transport and host -> the batch that has room
  for (const auto index : pending) {
    Route to = route(recipients[index], ruled);
    if (pending.size() == 1) {  // most messages
      all.push_back({std::move(to), {index}});
      break;
    }
    const auto [known, is_new] = open.try_emplace(std::to_string(static_cast<int>(to.transport)) + to.host, all.size());
    if (!is_new && all[known->second].recipients.size() < table_.recipients_per_call) {
      all[known->second].recipients.push_back(index);
      continue;
    }
    known->second = all.size();
    all.push_back({std::move(to), {index}});
  }
  return all;
}

}  // namespace run
