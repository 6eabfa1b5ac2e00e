#include "lib/authn/findings.h"

#include <algorithm>
#include <array>

#include "lib/base/base64.h"
#include "lib/base/text.h"

namespace authn {

namespace {

constexpr std::size_t kSignatureLetters = 8;  // RFC 6008 section 4: at least so many

std::string domain_of(std::string_view address) {
  const auto at = address.rfind('@');
  return base::text::to_lower(at == std::string_view::npos ? address : address.substr(at + 1));
}

MethodResult spf_result(const SpfFinding& finding, bool is_helo) {
  MethodResult result{"spf", std::string(spf::word(finding.outcome.result)), finding.outcome.problem, {}};
  if (is_helo || finding.is_of_helo()) {
    result.properties.push_back({"smtp.helo", finding.query.helo});
  } else {
    result.properties.push_back({"smtp.mailfrom", finding.query.sender});
  }
  return result;
}

MethodResult dkim_result(const DkimFinding& finding) {
  MethodResult result{"dkim", std::string(dkim::word(finding.result)), finding.reason, {}};
  if (finding.is_testing && result.reason.empty()) result.reason = "the key is for tests";
  result.properties = {{"header.d", finding.domain}, {"header.i", finding.identity}, {"header.s", finding.selector},
                       {"header.a", finding.algorithm}, {"header.b", finding.signature}};
  return result;
}

MethodResult dmarc_result(const DmarcFinding& finding) {
  MethodResult result{"dmarc", std::string(dmarc::word(finding.result)), finding.reason, {{"header.from", finding.author_domain}}};
  const bool has_policy = finding.result == dmarc::Result::Pass || finding.result == dmarc::Result::Fail;
  if (has_policy) result.properties.push_back({"policy.dmarc", std::string(dmarc::word(finding.policy))});
  return result;
}

MethodResult arc_result(const ArcFinding& finding, const std::string& client_ip) {
  // RFC 8617 section 9.1: header.oldest-pass, and the client as this host saw it.
  const auto word = finding.result == arc::Result::TempError ? std::string_view("fail") : arc::word(finding.result);
  MethodResult result{"arc", std::string(word), finding.reason, {}};
  if (finding.result == arc::Result::Pass) result.properties.push_back({"header.oldest-pass", std::to_string(finding.oldest_pass)});
  result.properties.push_back({"smtp.remote-ip", client_ip});
  return result;
}

// How bad a result is for a message that has several authors.
int rank_of(const dmarc::Outcome& outcome) {
  switch (outcome.result) {
    case dmarc::Result::Fail: return 10 + static_cast<int>(outcome.policy);
    case dmarc::Result::TempError: return 4;
    case dmarc::Result::PermError: return 3;
    case dmarc::Result::None: return 2;
    case dmarc::Result::Pass: break;
  }
  return 1;
}

dmarc::Identifier::State state_of(bool is_pass, bool is_unknown) {
  using enum dmarc::Identifier::State;
  return is_pass ? Pass : is_unknown ? Unknown : NoPass;
}

dmarc::Question question_of(const Findings& findings) {
  dmarc::Question question;
  if (findings.spf) {
    const auto result = findings.spf->outcome.result;
    question.spf = {state_of(result == spf::Result::Pass, result == spf::Result::TempError), findings.spf->domain()};
  }
  for (const auto& each : findings.dkim.value_or(std::vector<DkimFinding>()))
    question.dkim.push_back({state_of(each.result == dkim::Result::Pass, each.result == dkim::Result::TempError), each.domain});
  return question;
}

}  // namespace

std::string SpfFinding::domain() const { return is_of_helo() ? base::text::to_lower(query.helo) : domain_of(query.sender); }

std::vector<DkimFinding> findings_of(std::span<const dkim::Verdict> verdicts) {
  std::vector<DkimFinding> findings;
  for (const auto& verdict : verdicts) {
    auto& finding = findings.emplace_back();
    finding.result = verdict.result;
    finding.reason = verdict.reason;
    finding.is_testing = verdict.is_testing;
    if (!verdict.signature) {
      finding.result = dkim::Result::Neutral;  // RFC 8601 section 2.7.1: syntax errors
      continue;
    }
    finding.domain = verdict.signature->domain;
    finding.identity = verdict.signature->has_identity ? verdict.signature->identity : std::string();
    finding.selector = verdict.signature->selector;
    finding.algorithm = verdict.signature->algorithm();
    finding.signature = base::to_base64(verdict.signature->signature).substr(0, kSignatureLetters);
  }
  return findings;
}

const DkimFinding* passing(std::span<const DkimFinding> signatures) {
  const auto found = std::ranges::find_if(signatures, [](const DkimFinding& each) { return each.result == dkim::Result::Pass && !each.is_testing; });
  return found == signatures.end() ? nullptr : &*found;
}

dkim::Result result_of(std::span<const DkimFinding> signatures) {
  std::vector<dkim::Verdict> verdicts;
  for (const auto& each : signatures) {
    if (each.is_testing) continue;
    dkim::Verdict verdict;
    verdict.result = each.result;
    verdicts.push_back(std::move(verdict));
  }
  return dkim::best(verdicts);
}

DmarcFinding evaluate_dmarc(const mail::Message& message, const Findings& findings, const LookUp& look_up) {
  DmarcFinding finding;
  const auto domains = dmarc::author_domains(message);
  if (!domains) {
    finding.result = dmarc::Result::PermError;
    finding.reason = domains.error();
    return finding;
  }
  auto question = question_of(findings);
  std::optional<dmarc::Outcome> worst;
  for (const auto& domain : *domains) {
    question.author_domain = domain;
    auto outcome = dmarc::evaluate(question, look_up);
    if (!worst || rank_of(outcome) > rank_of(*worst)) worst = std::move(outcome);
  }
  if (!worst) return finding;
  finding.result = worst->result;
  finding.reason = worst->reason;
  finding.author_domain = worst->author_domain;
  finding.policy_domain = worst->policy_domain;
  finding.policy = worst->result == dmarc::Result::Fail ? worst->policy : worst->published;
  finding.is_spf_aligned = worst->is_spf_aligned;
  finding.is_dkim_aligned = worst->is_dkim_aligned;
  finding.was_lowered = worst->was_lowered();
  return finding;
}

ArcFinding finding_of(const arc::Outcome& outcome) {
  ArcFinding finding{outcome.result, outcome.reason, outcome.instances, outcome.oldest_pass, {}};
  for (const auto& set : outcome.sets) finding.sealers.push_back(set.domain);
  return finding;
}

std::vector<MethodResult> method_results(const Findings& findings) {
  std::vector<MethodResult> results;
  if (findings.iprev) {
    MethodResult result{"iprev", std::string(iprev::word(findings.iprev->result)), findings.iprev->problem, {{"policy.iprev", findings.client_ip}}};
    if (!findings.iprev->name.empty()) result.reason = findings.iprev->name;
    results.push_back(std::move(result));
  }
  if (findings.spf) results.push_back(spf_result(*findings.spf, false));
  if (findings.spf_helo) results.push_back(spf_result(*findings.spf_helo, true));
  if (findings.dkim) {
    if (findings.dkim->empty()) results.push_back({"dkim", "none", {}, {}});
    for (const auto& each : *findings.dkim) results.push_back(dkim_result(each));
  }
  if (findings.dmarc) results.push_back(dmarc_result(*findings.dmarc));
  if (findings.arc) results.push_back(arc_result(*findings.arc, findings.client_ip));
  return results;
}

mail::Message index_for_authentication(std::string_view octets) {
  mail::Message::Limits limits;
  limits.parts = 1;
  return mail::Message::index(octets, limits);
}

}  // namespace authn
