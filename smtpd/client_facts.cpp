#include "smtpd/client_facts.h"

#include <algorithm>
#include <cmath>

#include "lib/base/json_text.h"
#include "lib/chain/policy.h"

namespace smtpd {
namespace {

namespace json = base::json;
using Counts = std::array<double, net::Ledger::kColumns>;

bool has_any(const Counts& counts) {
  return std::ranges::any_of(counts, [](double count) { return count > 0; });
}

long long whole(double count) { return std::llround(std::ceil(count)); }

// "connections=3 messages=1 ..."
std::string text_of(const Counts& counts) {
  std::string text;
  if (!has_any(counts)) return text;
  for (std::size_t i = 0; i < counts.size(); ++i) text.append(i == 0 ? "" : " ").append(kDeedNames[i]).append("=").append(std::to_string(whole(counts[i])));
  return text;
}

void append_counts(std::string& out, std::string_view name, const Counts& counts) {
  if (!has_any(counts)) return;
  json::append_name(out, name);
  out += '{';
  for (std::size_t i = 0; i < counts.size(); ++i) json::append_member(out, kDeedNames[i], whole(counts[i]));
  out += '}';
}

}  // namespace

void append_client(const PolicyAttributes& put, const ClientFacts& facts) {
  put("stress", facts.standing.is_stressed ? "yes" : "");
  put("client_counts", text_of(facts.standing.client));
  put("network_counts", text_of(facts.standing.network));
  put("client_reputation", facts.standing.reputation);
  put("early_talker", facts.is_early_talker ? "yes" : "");
  put("dnsbl_score", facts.lists != nullptr ? std::to_string(facts.lists->score) : "0");
  put("dnsbl_lists", facts.lists != nullptr ? facts.lists->names() : std::string());
}

std::string json_of(const ClientFacts& facts) {
  std::string out = "{";
  json::append_member(out, "reputation", facts.standing.reputation);
  append_counts(out, "client", facts.standing.client);
  append_counts(out, "network", facts.standing.network);
  if (facts.is_early_talker) {
    json::append_name(out, "early_talker");
    out += "true";
  }
  if (facts.standing.is_stressed) {
    json::append_name(out, "stress");
    out += "true";
  }
  if (facts.lists != nullptr) {
    json::append_member(out, "dnsbl_score", static_cast<long long>(facts.lists->score));
    json::append_name(out, "dnsbl_lists");
    out += '[';
    for (const auto& list : facts.lists->lists) {
      if (out.back() != '[') out += ',';
      json::append_string(out, list);
    }
    out += ']';
  }
  return out + "}";
}

}  // namespace smtpd
