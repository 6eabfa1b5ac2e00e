#include "lib/authn/tls_rpt.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "lib/base/json_text.h"
#include "lib/base/text.h"

namespace authn::tlsrpt {
namespace {

namespace text = base::text;

constexpr std::size_t kMostUris = 10;

int hex(char c) {
  if (text::is_digit(c)) return c - '0';
  const char lower = text::lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void append_list(std::string& out, std::string_view name, const std::vector<std::string>& values) {
  base::json::append_name(out, name);
  out += '[';
  for (const auto& value : values) {
    if (!out.ends_with('[')) out += ',';
    base::json::append_string(out, value);
  }
  out += ']';
}

std::vector<std::string> words_of(const nlohmann::json& value) {
  std::vector<std::string> words;
  if (value.is_array())
    for (const auto& word : value)
      if (word.is_string()) words.push_back(word.get<std::string>());
  return words;
}

struct TextRow {
  const char* name;
  std::string Session::*text;
};
constexpr TextRow kTexts[] = {{"domain", &Session::domain}, {"policy", &Session::policy}, {"host", &Session::host},      {"ip", &Session::ip},
                              {"own_ip", &Session::own_ip}, {"failure", &Session::failure}, {"reason", &Session::reason}};
struct ListRow {
  const char* name;
  std::vector<std::string> Session::*words;
};
constexpr ListRow kLists[] = {{"strings", &Session::strings}, {"mx", &Session::mx}};

}  // namespace

std::vector<std::string> find_rua(std::span<const std::string> texts) {
  constexpr std::string_view kVersion = "v=TLSRPTv1";
  std::vector<std::string> uris;
  bool is_found = false;
  for (std::string_view record : texts) {
    if (!text::consume(record, kVersion)) continue;
    record = text::trim(record);
    if (!text::consume(record, ";")) continue;
    if (std::exchange(is_found, true)) return {};
    for (const auto field : text::split(record, ';')) {
      const auto [name, value] = text::split_once(text::trim(field), '=');
      if (name != "rua" || !uris.empty()) continue;
      for (const auto part : text::split(value, ',')) {
        const auto uri = text::trim(part);
        const bool is_known = text::starts_with_ignoring_case(uri, "mailto:") || text::starts_with_ignoring_case(uri, "https://");
        const bool is_clean = std::ranges::all_of(uri, [](char c) { return c > ' ' && c < 0x7F; });
        if (is_known && is_clean && uris.size() < kMostUris) uris.emplace_back(uri);
      }
    }
  }
  return uris;
}

std::optional<std::string> mailbox_of(std::string_view uri) {
  constexpr std::string_view kScheme = "mailto:";
  if (!text::starts_with_ignoring_case(uri, kScheme)) return std::nullopt;
  uri = text::split_once(uri.substr(kScheme.size()), '?').first;
  std::string mailbox;
  for (std::size_t i = 0; i < uri.size(); ++i) {
    char c = uri[i];
    if (c == '%') {
      if (i + 2 >= uri.size() || hex(uri[i + 1]) < 0 || hex(uri[i + 2]) < 0) return std::nullopt;
      c = static_cast<char>(hex(uri[i + 1]) * 16 + hex(uri[i + 2]));
      i += 2;
    }
    if (c <= ' ' || c >= 0x7F || c == ',' || c == '<' || c == '>') return std::nullopt;  // one address, and nothing that could end it
    mailbox += c;
  }
  const auto at = mailbox.rfind('@');
  if (at == std::string::npos || at == 0 || at + 1 == mailbox.size()) return std::nullopt;
  return mailbox;
}

std::string format(const Session& session) {
  std::string line = "{";
  for (const auto& row : kTexts)
    if (!(session.*row.text).empty()) base::json::append_member(line, row.name, session.*row.text);
  for (const auto& row : kLists)
    if (!(session.*row.words).empty()) append_list(line, row.name, session.*row.words);
  return line + "}\n";
}

std::optional<Session> parse_session(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  Session session;
  for (const auto& row : kTexts)
    if (const auto found = json.find(row.name); found != json.end() && found->is_string()) session.*row.text = found->get<std::string>();
  for (const auto& row : kLists)
    if (const auto found = json.find(row.name); found != json.end()) session.*row.words = words_of(*found);
  if (session.domain.empty() || session.policy.empty()) return std::nullopt;
  return session;
}

void Tally::add(const Session& session) {
  ++sessions_;
  std::vector<std::string> key{session.policy};
  for (const auto row : kLists) {
    key.insert(key.end(), (session.*row.words).begin(), (session.*row.words).end());
    key.emplace_back();
  }
  auto& policy = policies_[key];
  policy.facts = session;
  if (session.failure.empty()) {
    ++policy.successes;
    return;
  }
  ++policy.failures;
  std::vector detail{session.failure, session.own_ip, session.host, session.ip, session.reason};
  if (policy.details.size() >= kMostFailures && !policy.details.contains(detail)) {
    ++policy.details.rbegin()->second;
    return;
  }
  ++policy.details[std::move(detail)];
}

std::string Tally::report(const About& about) const {
  using nlohmann::json;
  auto report = json::object();
  report["organization-name"] = about.organization;
  report["date-range"] = {{"start-datetime", about.begin}, {"end-datetime", about.end}};
  report["contact-info"] = about.contact;
  report["report-id"] = about.report_id;
  auto& policies = report["policies"] = json::array();
  for (const auto& [key, policy] : policies_) {
    json row;
    row["policy"] = {{"policy-type", policy.facts.policy}, {"policy-domain", policy.facts.domain}};
    if (!policy.facts.strings.empty()) row["policy"]["policy-string"] = policy.facts.strings;
    if (!policy.facts.mx.empty()) row["policy"]["mx-host"] = policy.facts.mx;
    row["summary"] = {{"total-successful-session-count", policy.successes}, {"total-failure-session-count", policy.failures}};
    for (const auto& [detail, count] : policy.details) {
      json failure{{"result-type", detail[0]}, {"failed-session-count", count}};
      constexpr const char* kNames[] = {"", "sending-mta-ip", "receiving-mx-hostname", "receiving-ip", "failure-reason-code"};
      for (std::size_t i = 1; i < detail.size(); ++i)
        if (!detail[i].empty()) failure[kNames[i]] = detail[i];
      row["failure-details"].push_back(std::move(failure));
    }
    policies.push_back(std::move(row));
  }
  return report.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace authn::tlsrpt
