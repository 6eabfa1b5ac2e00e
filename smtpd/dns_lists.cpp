#include "smtpd/dns_lists.h"

#include <arpa/inet.h>

#include <algorithm>
#include <limits>

#include "lib/base/text.h"

namespace smtpd {
namespace {

constexpr std::string_view kForm = "DOMAIN=D.D.D.D*WEIGHT, where each D is a number or [A;B..C], as in zen.example=127.0.0.[2..11]*3";
constexpr std::size_t kMaxTextOctets = 300;  // of a TXT record, in a reply

std::unexpected<base::Error> bad(std::string_view text) {
  return base::fail(base::Fault::Config, "'" + base::text::printable(text) + "'; expected: " + std::string(kForm));
}

// "7", "2..11", "2;4..6"
bool add_values(std::string_view text, std::bitset<256>& values) {
  for (const auto part : base::text::split(text, ';')) {
    const auto dots = part.find("..");
    const auto first = base::text::parse_number<std::uint8_t>(part.substr(0, dots));
    const auto last = dots == std::string_view::npos ? first : base::text::parse_number<std::uint8_t>(part.substr(dots + 2));
    if (!first || !last || *first > *last) return false;
    for (unsigned value = *first; value <= *last; ++value) values.set(value);
  }
  return true;
}

std::string_view next_part(std::string_view& text) {
  const auto closing = text.starts_with('[') ? text.find(']') : 0;
  const auto end = closing == std::string_view::npos ? text.size() : text.find('.', closing);
  const auto part = text.substr(0, end);
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return part;
}

}  // namespace

std::string DnsListFindings::names() const {
  std::string all;
  for (const auto& list : lists) all.append(all.empty() ? "" : " ").append(list);
  return all;
}

base::Result<std::shared_ptr<const DnsLists>> DnsLists::from(const base::Settings& settings) {
  const auto words = settings.words("shield.dnsbl");
  if (words.empty()) return nullptr;
  const auto& action = settings.text("shield.dnsbl_action");
  auto lists = parse(words, static_cast<int>(std::min<std::uint64_t>(settings.count("shield.dnsbl_threshold"), std::numeric_limits<int>::max())),
                     action == "connect" ? Action::Connect : action == "rcpt" ? Action::Rcpt : Action::None);
  if (!lists) return base::fail_within("shield.dnsbl", lists.error());
  lists->services_.reset();
  for (const auto& name : settings.words("shield.dnsbl_service")) {
    const auto known = std::ranges::find(kServiceNames, name);
    if (known == kServiceNames.end()) return base::fail(base::Fault::Config, "shield.dnsbl_service: '" + base::text::printable(name) + "'; expected some of: smtp, submission, submissions");
    lists->services_.set(static_cast<std::size_t>(known - kServiceNames.begin()));
  }
  return std::make_shared<const DnsLists>(std::move(*lists));
}

base::Result<DnsLists> DnsLists::parse(const std::vector<std::string>& words, int threshold, Action action) {
  DnsLists lists;
  lists.threshold_ = threshold;
  lists.action_ = action;
  for (const auto& word : words)
    for (const auto site : base::text::split(word, ',')) {
      if (site.empty()) continue;
      if (auto added = lists.add(site); !added) return std::unexpected(added.error());
    }
  return lists;
}

base::Result<void> DnsLists::add(std::string_view text) {
  std::string_view rest = text;
  int weight = 1;
  if (const auto star = rest.rfind('*'); star != std::string_view::npos) {
    const auto number = base::text::parse_number<int>(rest.substr(star + 1));
    if (!number || *number < -1000 || *number > 1000) return bad(text);
    weight = *number;
    rest = rest.substr(0, star);
  }
  const auto equals = rest.find('=');
  const auto filter = equals == std::string_view::npos ? any_listing() : parse_filter(rest.substr(equals + 1));
  if (!filter) return bad(text);
  std::string zone = base::text::to_lower(rest.substr(0, equals));
  if (zone.ends_with('.')) zone.pop_back();
  const bool is_name = !zone.empty() && zone.size() <= 180 && !zone.starts_with('.') && zone.find("..") == std::string::npos &&
                       std::ranges::all_of(zone, [](char c) { return base::text::is_alpha(c) || base::text::is_digit(c) || c == '-' || c == '_' || c == '.'; });
  if (!is_name) return bad(text);
  auto known = std::ranges::find(zones_, zone);
  if (known == zones_.end()) known = zones_.insert(known, zone);
  sites_.push_back({static_cast<std::size_t>(known - zones_.begin()), *filter, weight});
  return {};
}

// RFC 5782 section 2.1: 127.0.0.0/8 and nothing else: a list that is dead and sold may answer with anything. What is below 127.255.255 is not
// about the client: by that lists say that they do not want to be asked so.
DnsLists::Filter DnsLists::any_listing() {
  Filter filter;
  filter[0].set(127);
  for (std::size_t i = 1; i < filter.size(); ++i) filter[i].set();
  return filter;
}

base::Result<DnsLists::Filter> DnsLists::parse_filter(std::string_view text) {
  Filter filter;
  for (auto& values : filter) {
    auto part = next_part(text);
    if (part.starts_with('[')) {
      if (!part.ends_with(']')) return bad(part);
      part = part.substr(1, part.size() - 2);
    }
    if (!add_values(part, values)) return bad(part);
  }
  if (!text.empty()) return bad(text);
  return filter;
}

std::string DnsLists::name_of(const net::Address& client, std::string_view zone) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::string ip = client.ip();
  std::array<unsigned char, 16> octets{};
  std::string name;
  if (::inet_pton(AF_INET, ip.c_str(), octets.data()) == 1) {
    for (std::size_t i = 4; i-- > 0;) name.append(std::to_string(octets[i])) += '.';
  } else if (::inet_pton(AF_INET6, ip.c_str(), octets.data()) == 1) {
    for (std::size_t i = 16; i-- > 0;)
      for (const unsigned nibble : {octets[i] & 15U, static_cast<unsigned>(octets[i]) >> 4U}) (name += kDigits[nibble]) += '.';
  }
  return name.append(zone);
}

DnsListFindings DnsLists::judge(std::span<const std::vector<std::string>> answers) const {
  const auto matches = [](const Filter& filter, const std::string& address) {
    std::array<unsigned char, 4> octets{};
    if (::inet_pton(AF_INET, address.c_str(), octets.data()) != 1) return false;
    if (octets[0] == 127 && octets[1] == 255 && octets[2] == 255) return false;
    for (std::size_t i = 0; i < octets.size(); ++i)
      if (!filter[i].test(octets[i])) return false;
    return true;
  };
  DnsListFindings findings;
  std::vector<int> scores(zones_.size());
  for (const auto& site : sites_) {
    if (std::ranges::none_of(answers[site.zone], [&](const std::string& address) { return matches(site.filter, address); })) continue;
    findings.score += site.weight;
    scores[site.zone] += site.weight;
    if (std::ranges::find(findings.lists, zones_[site.zone]) == findings.lists.end()) findings.lists.push_back(zones_[site.zone]);
  }
  const auto worst = std::ranges::max_element(scores);
  if (worst != scores.end() && *worst > 0) findings.worst = zones_[static_cast<std::size_t>(worst - scores.begin())];
  return findings;
}

std::string DnsLists::refusal(const DnsListFindings& findings, std::string_view client_ip) {
  std::string text = "554 5.7.1 Service unavailable; client [" + std::string(client_ip) + "] blocked using " + findings.worst;
  if (!findings.text.empty()) text += "; " + base::text::printable(findings.text, kMaxTextOctets);
  return text;
}

}  // namespace smtpd
