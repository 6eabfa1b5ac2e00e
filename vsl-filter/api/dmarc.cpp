// Whether the domain in From stands behind a message, and what it wants done when not (vsl.md 3.12, RFC 9989).
#include "lib/base/text.h"
#include "lib/net/domain_name.h"
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/authentication.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/transaction/mime_parts.h"

namespace rules {

using authn::dmarc::Policy;
using vsl::Expected;
using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

Expected<Transaction*> message_transaction(Run& run, std::string_view name) {
  auto message = message_at(run, name);
  if (!message) return pass_on(message);
  return transaction_at(run, Stage::Preq, name);
}

Value deny(Run& run, Reply reply) { return value_of(run.heap(), Status{StatusKind::Deny, std::move(reply), {}}); }

// As quarantine("dmarc") does it.
Value quarantine(Run& run, Transaction& transaction, std::string reason) {
  transaction.recipients.quarantine();
  transaction.quarantine_note.reason = std::move(reason);
  return value_of(run.heap(), Status{StatusKind::Quarantine, std::nullopt, "dmarc"});
}

Value carry_out(Run& run, Transaction& transaction, Policy policy, const std::string& domain) {
  switch (policy) {
    case Policy::None: break;
    case Policy::Quarantine: return quarantine(run, transaction, "DMARC policy of " + domain);
    case Policy::Reject: return deny(run, {550, "5.7.26", "DMARC policy of " + domain + " rejects this message"});
  }
  return next_status(run);
}

// `local`: what to do with messages that fail where their domain wants anything done; nothing: what that domain wants.
Value judgement(Run& run, Transaction& transaction, const authn::DmarcFinding& finding, std::optional<Policy> local) {
  const std::string domain = base::text::printable(finding.author_domain, 255);
  const bool is_noted_only = local == Policy::None;
  using enum authn::dmarc::Result;
  switch (finding.result) {
    case None:
    case Pass: break;
    case Fail: return carry_out(run, transaction, finding.policy == Policy::None ? Policy::None : local.value_or(finding.policy), domain);
    // Not of this domain or of none: nobody's policy can be asked for.
    case PermError:
      if (!is_noted_only && finding.author_domain.empty())
        return deny(run, {550, "5.7.26", "only one `From` header is allowed: " + base::text::printable(finding.reason, 200)});
      break;
    case TempError:
      if (!is_noted_only) return unknown_for_now(run, {451, "4.4.3", "The DMARC policy of " + domain + " cannot be looked up"});
      break;
  }
  return next_status(run);
}

Result check_with(Run& run, std::optional<Policy> local) {
  auto transaction = message_transaction(run, "check_dmarc");
  if (!transaction) return pass_on(transaction);
  Session& session = *scene_of(run).session;
  auto findings = findings_in(**transaction);
  if (need_dmarc(run, session, **transaction, findings)) {
    authn::Findings told = findings;
    told.arc.reset();
    told.iprev.reset();
    if (auto added = add_results_field(run, session, authserv_id_of(scene_of(run).site), authn::method_results(told)); !added) return pass_on(added);
  }
  return judgement(run, **transaction, *findings.dmarc, local);
}

Result check(Run& run, Arguments) { return check_with(run, std::nullopt); }

Result check_locally(Run& run, Arguments a) {
  const std::string name = name_argument(a[0]);
  for (const Policy policy : {Policy::None, Policy::Quarantine, Policy::Reject})
    if (authn::dmarc::word(policy) == name) return check_with(run, policy);
  return vsl::fail_api("dmarc 'policy' argument must be 'none', 'quarantine' or 'reject', not '" + name + "'");
}

Result result(Run& run, Arguments) {
  auto transaction = message_transaction(run, "dmarc::result");
  if (!transaction) return pass_on(transaction);
  return finding_value(run, **transaction, "dmarc");
}

// --- the records of any domain ---

Expected<std::string> domain_argument(const Value& value) {
  const std::string name = name_argument(value);
  auto ascii = net::to_a_labels(name);
  if (!ascii || name.empty()) return vsl::fail_api("invalid type conversion expected: `domain name`, but got: `'" + name + "'`");
  return *std::move(ascii);
}

Value value_of_record(Run& run, const std::string& domain, const authn::dmarc::Record& record) {
  Value value = run.heap().map();
  vsl::Map& map = value.map_for_write(run.heap());
  const auto list = [&run](const std::vector<std::string>& texts) {
    Value array = run.heap().array(texts.size());
    for (const auto& text : texts) array.array_for_write(run.heap()).push(run.string(text));
    return array;
  };
  map.set("domain", run.string(domain));
  map.set("p", run.string(authn::dmarc::word(record.policy)));
  map.set("sp", run.string(authn::dmarc::word(record.subdomain_policy)));
  map.set("np", run.string(authn::dmarc::word(record.missing_policy)));
  map.set("adkim", run.string(record.is_strict_dkim ? "s" : "r"));
  map.set("aspf", run.string(record.is_strict_spf ? "s" : "r"));
  map.set("t", run.string(record.is_testing ? "y" : "n"));
  map.set("rua", list(record.aggregate));
  map.set("ruf", list(record.failure));
  return value;
}

// The record that stands there; () when none does.
Result record(Run& run, Arguments a) {
  auto domain = domain_argument(a[0]);
  if (!domain) return pass_on(domain);
  const auto answer = look_up_of(run)("_dmarc." + *domain, net::dns::Type::Txt);
  if (answer.status == net::dns::Status::Temporary || answer.status == net::dns::Status::Bogus) return vsl::fail_api("DNS: " + answer.problem);
  std::optional<authn::dmarc::Record> found;
  for (const auto& text : answer.texts()) {
    auto one = authn::dmarc::parse(text);
    if (!one) continue;
    if (found) return Value();  // several are none, RFC 9989 section 4.10.1
    found = std::move(*one);
  }
  return found ? value_of_record(run, *domain, *found) : Value();
}

// What the owner of a domain wants done with a message that nothing speaks for: "none", "quarantine", "reject"; () without a record.
Result policy(Run& run, Arguments a) {
  auto domain = domain_argument(a[0]);
  if (!domain) return pass_on(domain);
  const auto outcome = authn::dmarc::evaluate({*domain, {}, {}}, look_up_of(run));
  if (outcome.result == authn::dmarc::Result::TempError) return vsl::fail_api("DNS: " + outcome.reason);
  if (!outcome.record) return Value();
  return run.string(authn::dmarc::word(outcome.policy));
}

// The one address in From.
Result parse_from(Run& run, Arguments) {
  auto message = message_at(run, "parse_rfc5322_from");
  if (!message) return pass_on(message);
  const auto bodies = (*message)->header().bodies("From");
  if (bodies.size() == 1)
    if (const auto addresses = named_addresses(bodies); addresses.size() == 1) return value_of(run.heap(), trusted_address(addresses.front().address));
  return vsl::fail_api("only one `From` header is allowed");
}

using enum vsl::Type;
constexpr Stages kFrom = from(Stage::Preq);
constexpr std::uint16_t kJudges = vsl::kMustUse | kGivesStatus | kWaits;
constexpr ApiRow kRows[] = {
    api<check>("check_dmarc", "dmarc::check dmarc", {}, kFrom, "asks SPF, DKIM and DMARC, adds Authentication-Results, and does what the domain in From wants", kJudges),
    api<check_locally>("check_dmarc", "dmarc::check dmarc", {Any}, kFrom,
                       "the same, but where that domain wants anything done with what fails, this: \"reject\", \"quarantine\", or \"none\" to note it only", kJudges),
    api<result>("dmarc::result", "", {}, kFrom, "what DMARC has said: #{result, policy, domain, spf_aligned, dkim_aligned, ...}; () if it was not asked", vsl::kMustUse | kNoHandle),
    api<record>("dmarc::record", "get_dmarc_record", {Any}, kEvery, "the DMARC record that stands at a domain: #{p, sp, np, adkim, aspf, rua, ...}, or ()", vsl::kMustUse | kWaits),
    api<policy>("dmarc::policy", "", {Any}, kEvery, "what the owner of a domain wants done with mail that nothing speaks for, its parent's record counted in; () without one",
                vsl::kMustUse | kNoHandle | kWaits),
    api<parse_from>("parse_rfc5322_from", "", {}, kFrom, "the only address in From; an error if there is none or several", vsl::kMustUse),
};

}  // namespace

std::span<const ApiRow> dmarc_rows() { return kRows; }

}  // namespace rules
