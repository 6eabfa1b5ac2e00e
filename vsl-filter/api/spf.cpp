// Whether this client may send for that domain (vsl.md 3.10), has a name (3.12, 5.4), and whether the domains take mail (5.4).
#include <array>

#include "lib/base/text.h"
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/authentication.h"
#include "vsl-filter/api/object.h"

namespace rules {

using authn::spf::Outcome;
using vsl::Expected;
using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

// The session and its transaction, from mail on.
struct Place {
  Session* session;
  Transaction* transaction;
};

Expected<Place> place_at(Run& run, std::string_view name) {
  auto transaction = transaction_at(run, Stage::Mail, name);
  if (!transaction) return pass_on(transaction);
  return Place{scene_of(run).session, *transaction};
}

// Which fields are written.
struct HeaderRow {
  std::string_view name;
  bool received_spf, authentication_results;
};
constexpr auto kHeaders = std::to_array<HeaderRow>({{"spf", true, false}, {"auth", false, true}, {"both", true, true}, {"none", false, false}});

Expected<HeaderRow> header_argument(const Value& value) {
  const std::string name = name_argument(value);
  for (const auto& row : kHeaders)
    if (row.name == name) return row;
  return vsl::fail_api("spf 'header' argument must be 'spf', 'auth' or 'both', not '" + name + "'");
}

Expected<bool> is_strict(const Value& value) {
  const std::string name = name_argument(value);
  if (name != "strict" && name != "soft") return vsl::fail_api("spf 'policy' argument must be 'strict' or 'soft', not '" + name + "'");
  return name == "strict";
}

Value deny(Run& run, Reply reply) { return value_of(run.heap(), Status{StatusKind::Deny, std::move(reply), {}}); }

// With the domain's own words, for the sender to read (RFC 7208 section 6.2).
Reply failed(const authn::SpfFinding& finding) {
  Reply reply{550, "5.7.23", "SPF validation failed"};
  if (!finding.outcome.explanation.empty()) reply.text += "\r\n" + base::text::printable(finding.domain() + " explains: " + finding.outcome.explanation, 400);
  return reply;
}

// The table of 3.10.
Value judgement(Run& run, const authn::SpfFinding& finding, bool strict) {
  using enum authn::spf::Result;
  switch (finding.outcome.result) {
    case Pass:
    case None:
    case Neutral: break;
    case SoftFail:
      if (strict) return deny(run, failed(finding));
      break;
    case Fail: return deny(run, failed(finding));
    case PermError: return deny(run, {550, "5.7.24", "SPF validation error"});
    case TempError:
      if (has_client(scene_of(run).stage)) return deny(run, {451, "4.7.24", "SPF validation error"});
      break;
  }
  return next_status(run);
}

// Folded behind the semicolons that are not in a quoted string.
std::string folded(std::string_view text) {
  std::string out;
  bool is_quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && is_quoted && i + 1 < text.size()) {
      out += c;
      out += text[++i];
      continue;
    }
    if (c == '"') is_quoted = !is_quoted;
    if (c == ' ' && !is_quoted && out.ends_with(';')) out += "\r\n";
    out += c;
  }
  return out;
}

Expected<void> write_fields(Run& run, const Place& place, const authn::SpfFinding& finding, const HeaderRow& header) {
  const std::string text = authn::spf::received_spf(finding.query, finding.outcome);
  if (header.authentication_results) {
    authn::Findings only;
    only.spf = finding;
    auto results = authn::method_results(only);
    results.front().reason = base::text::split_once(text, ' ').second;
    if (auto added = add_results_field(run, *place.session, authserv_id_of(scene_of(run).site), results); !added) return added;
  }
  if (header.received_spf)
    if (const auto added = place.session->headers().prepend("Received-SPF", folded(text)); !added) return fail_with(added.error());
  return {};
}

// check_spf() leaves our own senders alone: they log in (D-34).
bool is_own_sender(Run& run, const Transaction& transaction) {
  return !transaction.given_reverse_path.empty() && scene_of(run).site.own_domains.contains(domain_key(trusted_address(transaction.given_reverse_path).domain()));
}

template <bool kAsksOwn>
Result check(Run& run, Arguments a) {
  auto place = place_at(run, "check_spf");
  if (!place) return pass_on(place);
  auto header = header_argument(a[0]);
  if (!header) return pass_on(header);
  auto strict = a.size() > 1 ? is_strict(a[1]) : Expected<bool>(true);
  if (!strict) return pass_on(strict);
  if (!kAsksOwn && is_own_sender(run, *place->transaction)) return next_status(run);
  auto findings = findings_in(*place->transaction);
  need_spf(run, *place->session, *place->transaction, findings);
  if (auto written = write_fields(run, *place, *findings.spf, *header); !written) return pass_on(written);
  return judgement(run, *findings.spf, *strict);
}

Result check_helo(Run& run, Arguments a) {
  auto place = place_at(run, "spf::check_helo");
  if (!place) return pass_on(place);
  auto strict = a.empty() ? Expected<bool>(true) : is_strict(a[0]);
  if (!strict) return pass_on(strict);
  auto findings = findings_in(*place->transaction);
  need_spf_helo(run, *place->session, *place->transaction, findings);
  return judgement(run, *findings.spf_helo, *strict);
}

Result check_raw(Run& run, Arguments) {
  auto place = place_at(run, "check_spf");
  if (!place) return pass_on(place);
  auto findings = findings_in(*place->transaction);
  need_spf(run, *place->session, *place->transaction, findings);
  return finding_value(run, *place->transaction, "spf");
}

template <const char* kMethod>
Result told(Run& run, Arguments) {
  auto place = place_at(run, kMethod);
  if (!place) return pass_on(place);
  return finding_value(run, *place->transaction, kMethod);
}
constexpr char kSpf[] = "spf";

// spf::check_host(#{ip, helo, mail_from}) of v3: of anybody, at any time.
Result check_host(Run& run, Arguments a) {
  const vsl::Map& given = a[0].as_map();
  const auto text = [&given](std::string_view key) {
    const Value* value = given.find(key);
    return value == nullptr || value->is_unit() ? std::string() : name_argument(*value);
  };
  authn::SpfFinding finding;
  const auto client = net::Address::from_ip(text("ip"), 0);
  if (!client) return vsl::fail_api("invalid type conversion expected: `ip address`, but got: `'" + text("ip") + "'`");
  finding.query = {.client = *client, .identity = authn::spf::Identity::MailFrom, .sender = text("mail_from"), .helo = text("helo"), .receiver = scene_of(run).site.host_name};
  finding.outcome = authn::spf::check(finding.query, look_up_of(run));
  auto value = value_of_json(run, authn::to_json(finding));
  value.map_for_write(run.heap()).set("value", run.string(authn::spf::word(finding.outcome.result)));
  return value;
}

// --- the names of the client ---

// What DNS says of the client's names, asked once a transaction; before mail each time.
Expected<authn::Findings> iprev_at(Run& run, std::string_view name) {
  auto session = session_at(run, name);
  if (!session) return pass_on(session);
  Transaction* transaction = (*session)->transaction();
  auto findings = transaction == nullptr ? authn::Findings() : findings_in(*transaction);
  need_iprev(run, **session, transaction, findings);
  return findings;
}

Result check_iprev(Run& run, Arguments) {
  auto findings = iprev_at(run, "iprev::check");
  if (!findings) return pass_on(findings);
  using enum authn::iprev::Result;
  switch (findings->iprev->result) {
    case Pass: break;
    case TempError: return unknown_for_now(run, {451, "4.7.25", "Reverse DNS validation error"});
    case Fail:
    case PermError: return deny(run, {550, "5.7.25", "Reverse DNS validation failed"});
  }
  return next_status(run);
}

Result iprev_name(Run& run, Arguments) {
  auto findings = iprev_at(run, "iprev::name");
  if (!findings) return pass_on(findings);
  return findings->iprev->name.empty() ? Value() : run.string(findings->iprev->name);
}

Result iprev_result(Run& run, Arguments) {
  auto findings = iprev_at(run, "iprev::result");
  if (!findings) return pass_on(findings);
  return value_of_json(run, authn::to_json(*findings->iprev, findings->client_ip));
}

// --- domains that take no mail (RFC 7505) ---

Result judge_null_mx(Run& run, std::string_view address, Reply refusal) {
  const std::string domain = domain_key(trusted_address(address).domain());
  if (domain.empty() || domain.starts_with('[')) return next_status(run);
  switch (authn::null_mx::ask(domain, look_up_of(run))) {
    case authn::null_mx::Answer::Yes: return deny(run, std::move(refusal));
    case authn::null_mx::Answer::Unknown: return unknown_for_now(run, {451, "4.4.3", "The mail exchangers of " + base::text::printable(domain, 255) + " cannot be looked up"});
    case authn::null_mx::Answer::No: break;
  }
  return next_status(run);
}

Result null_mx_sender(Run& run, Arguments) {
  auto place = place_at(run, "nullmx::check_sender");
  if (!place) return pass_on(place);
  return judge_null_mx(run, place->transaction->given_reverse_path, {550, "5.7.27", "The domain of the sender takes no mail (null MX)"});
}

// The one that is being named; later all, of which one is enough.
Result null_mx_rcpt(Run& run, Arguments) {
  auto transaction = transaction_at(run, Stage::Rcpt, "nullmx::check_rcpt");
  if (!transaction) return pass_on(transaction);
  auto recipients = (*transaction)->recipients.all();
  if (scene_of(run).stage == Stage::Rcpt && !recipients.empty()) recipients = recipients.last(1);
  for (const auto& recipient : recipients) {
    auto judged = judge_null_mx(run, recipient.address, {556, "5.1.10", "The domain of the recipient takes no mail (null MX)"});
    const Status& status = *status_in(*judged);
    if (status.kind == StatusKind::Next) continue;
    // At RCPT that one is refused, not the whole connection.
    if (scene_of(run).stage == Stage::Rcpt) return value_of(run.heap(), Status{StatusKind::Info, status.reply, {}});
    return judged;
  }
  return next_status(run);
}

using enum vsl::Type;
constexpr Stages kFrom = from(Stage::Mail);
constexpr std::uint16_t kJudges = vsl::kMustUse | kGivesStatus | kWaits;
constexpr std::uint16_t kTells = vsl::kMustUse | kWaits;
constexpr ApiRow kRows[] = {
    // sys::check_spf(ctx(), srv()) of v1.2: no header, but both handles
    {"sys::check_spf", "", {kHandleClass, kHandleClass}, kTells | kNoHandle, kFrom, check_raw, nullptr, "spf::check_raw(), as v1.2 called it"},
    api<check<false>>("check_spf", "", {Any}, kFrom, "refuses by SPF what is not next() for \"strict\"; \"spf\", \"auth\", \"both\" or \"none\" says which fields are added", kJudges),
    api<check<false>>("check_spf", "", {Any, Any}, kFrom, "the same with a policy: \"strict\" refuses softfail too, \"soft\" does not; senders of own domains pass", kJudges),
    api<check<true>>("spf::check", "", {Any}, kFrom, "check_spf() that asks for senders of own domains, too", kJudges),
    api<check<true>>("spf::check", "", {Any, Any}, kFrom, "the same with a policy", kJudges),
    api<check_helo>("spf::check_helo", "", {}, kFrom, "refuses by SPF of the name in HELO, without a field", kJudges | kNoHandle),
    api<check_helo>("spf::check_helo", "", {Any}, kFrom, "the same with a policy: \"strict\" or \"soft\"", kJudges | kNoHandle),
    api<check_raw>("spf::check_raw", "check_spf_inner", {}, kFrom, "what SPF says: #{result, mechanism or problem, identity, domain, ...}", kTells),
    api<told<kSpf>>("spf::result", "", {}, kFrom, "what SPF has said in this transaction; () if it was not asked", vsl::kMustUse | kNoHandle),
    api<check_host>("spf::check_host", "", {Map}, kEvery, "what SPF says of anybody: spf::check_host(#{ip, helo, mail_from}).value", kTells | kNoHandle),
    api<check_iprev>("iprev::check", "", {}, kEvery, "refuses a client whose address has no name that leads back to it (550 5.7.25)", kJudges | kNoHandle),
    api<iprev_name>("iprev::name", "", {}, kEvery, "a name of the client's address that leads back to it, or ()", kTells | kNoHandle),
    api<iprev_result>("iprev::result", "", {}, kEvery, "what DNS says of the client's address: #{result, name or problem}", kTells | kNoHandle),
    api<null_mx_sender>("nullmx::check_sender", "", {}, kFrom, "refuses senders whose domain takes no mail, so that nothing could be answered (550 5.7.27)", kJudges | kNoHandle),
    api<null_mx_rcpt>("nullmx::check_rcpt", "", {}, from(Stage::Rcpt), "refuses recipients whose domain takes no mail (556 5.1.10)", kJudges | kNoHandle),
};

}  // namespace

std::span<const ApiRow> spf_rows() { return kRows; }

}  // namespace rules
