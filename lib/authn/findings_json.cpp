#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "lib/authn/findings.h"

namespace authn {

namespace {

using Json = nlohmann::json;

std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// What is empty is left out: a script finds () there.
void put(Json& json, const char* name, const std::string& text) {
  if (!text.empty()) json[name] = text;
}

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}
bool flag_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_boolean() && found->get<bool>();
}
unsigned number_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_unsigned()) return 0;
  return static_cast<unsigned>(std::min<std::uint64_t>(found->get<std::uint64_t>(), arc::kMostInstances));
}

// The value whose word it is; `fallback` if there is none.
template <class Result>
Result result_of_word(std::string_view text, Result last, Result fallback) {
  for (int i = 0; i <= static_cast<int>(last); ++i)
    if (word(static_cast<Result>(i)) == text) return static_cast<Result>(i);
  return fallback;
}

Json json_of(const SpfFinding& finding) {
  Json json = {{"result", spf::word(finding.outcome.result)}, {"identity", finding.is_of_helo() ? "helo" : "mailfrom"}};
  put(json, "mechanism", finding.outcome.mechanism);
  put(json, "problem", finding.outcome.problem);
  put(json, "explanation", finding.outcome.explanation);
  put(json, "sender", finding.query.sender);
  put(json, "helo", finding.query.helo);
  put(json, "client_ip", finding.query.client.ip());
  put(json, "receiver", finding.query.receiver);
  put(json, "domain", finding.domain());
  return json;
}

Json json_of(std::span<const DkimFinding> signatures) {
  Json json = {{"status", dkim::word(result_of(signatures))}, {"signatures", Json::array()}};
  if (const auto* pass = passing(signatures)) {
    json["sdid"] = pass->domain;
    json["auid"] = pass->identity.empty() ? "@" + pass->domain : pass->identity;
  }
  for (const auto& each : signatures) {
    Json one = {{"status", dkim::word(each.result)}};
    put(one, "reason", each.reason);
    put(one, "sdid", each.domain);
    put(one, "auid", each.identity);
    put(one, "selector", each.selector);
    put(one, "algorithm", each.algorithm);
    put(one, "signature", each.signature);
    if (each.is_testing) one["is_testing"] = true;
    json["signatures"].push_back(std::move(one));
  }
  return json;
}

Json json_of(const DmarcFinding& finding) {
  Json json = {{"result", dmarc::word(finding.result)}, {"policy", dmarc::word(finding.policy)}, {"spf_aligned", finding.is_spf_aligned}, {"dkim_aligned", finding.is_dkim_aligned}};
  put(json, "reason", finding.reason);
  put(json, "domain", finding.author_domain);
  put(json, "policy_domain", finding.policy_domain);
  if (finding.was_lowered) json["was_lowered"] = true;
  return json;
}

Json json_of(const ArcFinding& finding) {
  Json json = {{"status", arc::word(finding.result)}, {"instance", finding.instances}, {"oldest_pass", finding.oldest_pass}, {"sealers", finding.sealers}};
  put(json, "reason", finding.reason);
  return json;
}

Json json_of(const iprev::Outcome& outcome, std::string_view client_ip) {
  Json json = {{"result", iprev::word(outcome.result)}};
  put(json, "name", outcome.name);
  put(json, "problem", outcome.problem);
  put(json, "client_ip", std::string(client_ip));
  return json;
}

SpfFinding read_spf(const Json& json) {
  SpfFinding finding;
  finding.outcome.result = result_of_word(text_of(json, "result"), spf::Result::PermError, spf::Result::None);
  finding.outcome.mechanism = text_of(json, "mechanism");
  finding.outcome.problem = text_of(json, "problem");
  finding.outcome.explanation = text_of(json, "explanation");
  finding.query.identity = text_of(json, "identity") == "helo" ? spf::Identity::Helo : spf::Identity::MailFrom;
  finding.query.sender = text_of(json, "sender");
  finding.query.helo = text_of(json, "helo");
  finding.query.receiver = text_of(json, "receiver");
  if (const auto client = net::Address::from_ip(text_of(json, "client_ip"), 0)) finding.query.client = *client;
  return finding;
}

DkimFinding read_signature(const Json& json) {
  DkimFinding finding;
  finding.result = result_of_word(text_of(json, "status"), dkim::Result::PermError, dkim::Result::Neutral);
  finding.reason = text_of(json, "reason");
  finding.domain = text_of(json, "sdid");
  finding.identity = text_of(json, "auid");
  finding.selector = text_of(json, "selector");
  finding.algorithm = text_of(json, "algorithm");
  finding.signature = text_of(json, "signature");
  finding.is_testing = flag_of(json, "is_testing");
  return finding;
}

// A script that did it by itself says what came out, without the signatures.
std::vector<DkimFinding> read_signatures(const Json& json) {
  std::vector<DkimFinding> signatures;
  if (const auto list = json.find("signatures"); list != json.end() && list->is_array()) {
    for (const auto& each : *list)
      if (each.is_object()) signatures.push_back(read_signature(each));
  } else if (const auto status = text_of(json, "status"); !status.empty() && status != "none") {
    signatures.push_back(read_signature(json));
  }
  return signatures;
}

DmarcFinding read_dmarc(const Json& json) {
  DmarcFinding finding;
  finding.result = result_of_word(text_of(json, "result"), dmarc::Result::PermError, dmarc::Result::None);
  finding.policy = result_of_word(text_of(json, "policy"), dmarc::Policy::Reject, dmarc::Policy::None);
  finding.reason = text_of(json, "reason");
  finding.author_domain = text_of(json, "domain");
  finding.policy_domain = text_of(json, "policy_domain");
  finding.is_spf_aligned = flag_of(json, "spf_aligned");
  finding.is_dkim_aligned = flag_of(json, "dkim_aligned");
  finding.was_lowered = flag_of(json, "was_lowered");
  return finding;
}

ArcFinding read_arc(const Json& json) {
  ArcFinding finding;
  finding.result = result_of_word(text_of(json, "status"), arc::Result::TempError, arc::Result::None);
  finding.reason = text_of(json, "reason");
  finding.instances = number_of(json, "instance");
  finding.oldest_pass = number_of(json, "oldest_pass");
  if (const auto list = json.find("sealers"); list != json.end() && list->is_array())
    for (const auto& each : *list)
      if (each.is_string()) finding.sealers.push_back(each.get<std::string>());
  return finding;
}

void take_spf(Findings& findings, const Json& json) { findings.spf = read_spf(json); }
void take_spf_helo(Findings& findings, const Json& json) { findings.spf_helo = read_spf(json); }
void take_dkim(Findings& findings, const Json& json) { findings.dkim = read_signatures(json); }
void take_dmarc(Findings& findings, const Json& json) { findings.dmarc = read_dmarc(json); }
void take_arc(Findings& findings, const Json& json) { findings.arc = read_arc(json); }
void take_iprev(Findings& findings, const Json& json) {
  findings.iprev = iprev::Outcome{result_of_word(text_of(json, "result"), iprev::Result::PermError, iprev::Result::PermError), text_of(json, "name"), text_of(json, "problem")};
  findings.client_ip = text_of(json, "client_ip");
}

struct MethodRow {
  std::string_view name;
  void (*take)(Findings& findings, const Json& json);
};
constexpr auto kMethods = std::to_array<MethodRow>({
    {"spf", take_spf}, {"spf_helo", take_spf_helo}, {"dkim", take_dkim}, {"dmarc", take_dmarc}, {"arc", take_arc}, {"iprev", take_iprev},
});

}  // namespace

std::string to_json(const SpfFinding& finding) { return dumped(json_of(finding)); }
std::string to_json(std::span<const DkimFinding> signatures) { return dumped(json_of(signatures)); }
std::string to_json(const DmarcFinding& finding) { return dumped(json_of(finding)); }
std::string to_json(const ArcFinding& finding) { return dumped(json_of(finding)); }
std::string to_json(const iprev::Outcome& outcome, std::string_view client_ip) { return dumped(json_of(outcome, client_ip)); }

std::string to_json(const Findings& findings) {
  Json json = Json::object();
  if (findings.iprev) json["iprev"] = json_of(*findings.iprev, findings.client_ip);
  if (findings.spf) json["spf"] = json_of(*findings.spf);
  if (findings.spf_helo) json["spf_helo"] = json_of(*findings.spf_helo);
  if (findings.dkim) json["dkim"] = json_of(std::span<const DkimFinding>(*findings.dkim));
  if (findings.dmarc) json["dmarc"] = json_of(*findings.dmarc);
  if (findings.arc) json["arc"] = json_of(*findings.arc);
  return dumped(json);
}

void read_finding(Findings& findings, std::string_view method, std::string_view json) {
  const auto row = std::ranges::find(kMethods, method, &MethodRow::name);
  if (row == kMethods.end()) return;
  const auto parsed = Json::parse(json, nullptr, false);
  if (parsed.is_object()) row->take(findings, parsed);
}

}  // namespace authn
