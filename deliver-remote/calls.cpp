#include "deliver-remote/calls.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>

#include "deliver-remote/way.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/chain/context.h"
#include "lib/chain/envelope.h"
#include "lib/chain/log_ids.h"
#include "lib/mail/address.h"

namespace remote {
namespace {

using base::Fault;
using chain::Answer;
using Class = Verdict::Class;

void log_outcomes(const Job& job, const chain::LogIds& ids, const std::vector<Outcome>& outcomes) {
  struct Row {
    base::log::Level level;
    std::string_view event;
  };
  constexpr Row kDelivered{base::log::Level::Info, "delivered"}, kRefused{base::log::Level::Warning, "refused"}, kDeferred{base::log::Level::Warning, "deferred"};
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto result = outcomes[i].verdict.result;
    const auto& row = result == Class::Accepted ? kDelivered : result == Class::Permanent ? kRefused : kDeferred;
    if (!base::log::enabled(row.level)) continue;
    base::log::write(row.level, row.event, ids.before({{"from", job.reverse_path}, {"to", job.recipients[i]}, {"reply", outcomes[i].text()}}));
  }
}

// Delivers and tells the log.
void deliver(Deliverer& deliverer, Job job, chain::LogIds ids, Deliverer::Done done) {
  auto told = std::make_shared<Job>();
  told->reverse_path = job.reverse_path;
  told->recipients = job.recipients;
  deliverer.deliver(std::move(job), [told, ids = std::move(ids), done = std::move(done)](std::vector<Outcome> outcomes) {
    log_outcomes(*told, ids, outcomes);
    done(std::move(outcomes));
  });
}

// Decided before anybody was asked.
Outcome of_destination(Verdict verdict) {
  Outcome outcome;
  outcome.verdict = std::move(verdict);
  outcome.is_of_destination = true;
  return outcome;
}

Verdict no_destination(const base::Error& error) {
  if (error.fault == Fault::Config) return our_verdict(Class::Temporary, 451, "4.3.5", error.cause);
  return our_verdict(Class::Permanent, 550, "5.1.2", error.cause);
}

// RFC 8689 section 4.2.1: such a message goes under TLS, to a host that is the right one, or not at all.
bool requires_tls(const chain::Words& variables) {
  constexpr std::string_view kName = "SMTPREQUIRETLS=";
  return std::ranges::any_of(variables, [&](const std::string& variable) { return variable.starts_with(kName); });
}

void demand_tls(Job& job, const chain::Words& variables) {
  job.requires_tls = requires_tls(variables);
  if (job.requires_tls) job.tls_demands.push_back({TlsLevel::Secure, {}, "REQUIRETLS", true, {}});
}

// XFORWARD_README of Postfix; UCSPI and qmail-spp have the same facts under other names.
void tell_client(Job& job, const chain::Words& variables) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {{"NAME", "TCPREMOTEHOST="}, {"ADDR", "TCPREMOTEIP="}, {"PORT", "TCPREMOTEPORT="}, {"HELO", "SMTPHELOHOST="}};
  for (const auto& [attribute, variable] : kNames)
    for (const std::string_view text : variables)
      if (text.starts_with(variable)) {
        const auto value = text.substr(variable.size());
        const bool is_ipv6 = attribute == "ADDR" && value.contains(':');
        job.client.emplace_back(attribute, (is_ipv6 ? "IPv6:" : "") + std::string(value));
      }
}

void take_delivery_call(Deliverer& deliverer, const chain::Invocation& invocation, const Answered& done) {
  auto call = chain::parse_delivery_call(invocation.arguments);
  if (!call) return done(Answer::exit(base::exit_row(call.error().fault).in_chain));
  const auto recipients = call->recipients.size();
  auto way = way_of(deliverer, call->host, domain_of(call->recipients.front()), invocation.call.context);
  if (!way) return done(chain::to_answer(report_of(std::vector(recipients, of_destination(no_destination(way.error()))))));
  auto letter = Letter::open(invocation.call.message);
  if (!letter) return done(chain::to_answer(report_of(std::vector(recipients, of_destination(our_verdict(Class::Temporary, 451, "4.3.0", letter.error().cause))))));
  auto dsn = chain::dsn_of(invocation.call.context, call->recipients);
  const bool tells_reach = !dsn.is_empty();
  Job job{std::move(way->target), std::move(call->sender), std::move(call->recipients), std::move(*letter), std::move(dsn), false, std::move(way->profile), std::move(way->demands)};
  demand_tls(job, invocation.call.environment);
  tell_client(job, invocation.call.environment);
  deliver(deliverer, std::move(job), chain::LogIds::of(invocation.call), [done, tells_reach](const std::vector<Outcome>& outcomes) { done(chain::to_answer(report_of(outcomes, tells_reach))); });
}

// A message call has one answer for all recipients, so each group is all or nothing, and the first that is refused ends the
// call: what the client is told to send again should not have been delivered, as far as that is ours to choose.
struct MessageCall : std::enable_shared_from_this<MessageCall> {
  Deliverer& deliverer;
  Answered done;
  std::string reverse_path;
  std::string context;
  chain::LogIds log_ids;
  std::vector<Group> groups;
  std::shared_ptr<const Letter> letter;
  chain::Words variables;

  MessageCall(Deliverer& the_deliverer, Answered answered) : deliverer(the_deliverer), done(std::move(answered)) {}

  void deliver_group(std::size_t i) {
    auto way = way_of(deliverer, groups[i].host, domain_of(groups[i].recipients.front()), {});
    if (!way) return done(answer_of(of_destination(no_destination(way.error()))));
    Job job{std::move(way->target), reverse_path, groups[i].recipients, letter, chain::dsn_of(context, groups[i].recipients), true, std::move(way->profile), std::move(way->demands)};
    demand_tls(job, variables);
    tell_client(job, variables);
    deliver(deliverer, std::move(job), log_ids, [self = shared_from_this(), i](const std::vector<Outcome>& outcomes) {
      const auto worst = std::ranges::max_element(outcomes, [](const auto& a, const auto& b) { return is_worse(b, a); });
      if (worst->verdict.result == Class::Accepted && i + 1 < self->groups.size()) return self->deliver_group(i + 1);
      self->done(answer_of(*worst));
    });
  }
};

void take_message_call(Deliverer& deliverer, const chain::Invocation& invocation, const Answered& done) {
  if (!invocation.next.empty()) {
    base::log::error("deliver-remote is the end of a chain, but another program follows", {{"next", invocation.next.front()}});
    return done(Answer::exit(base::exit_row(Fault::Usage).in_chain));
  }
  auto envelope = chain::parse_envelope(invocation.call.envelope);
  if (!envelope || envelope->recipients.empty()) {
    base::log::error("bad envelope", {{"cause", envelope ? "no recipient" : envelope.error().cause}});
    constexpr int kBadEnvelope = 91;  // qmail-queue(8)
    return done(Answer::exit(kBadEnvelope));
  }
  chain::drop_expanded(envelope->recipients, invocation.call.context);
  if (envelope->recipients.empty()) return done(Answer::taken("goes on to others"));
  auto letter = Letter::open(invocation.call.message);
  if (!letter) {
    base::log::error("message cannot be read", {{"cause", letter.error().cause}});
    return done(Answer::exit(base::exit_row(letter.error().fault).in_chain));
  }
  auto call = std::make_shared<MessageCall>(deliverer, done);
  call->reverse_path = std::move(envelope->reverse_path);
  call->context = invocation.call.context;
  call->log_ids = chain::LogIds::of(invocation.call);
  call->letter = std::move(*letter);
  call->variables = invocation.call.environment;
  call->groups = group_by_host(envelope->recipients, [&](std::string_view domain) { return deliverer.host_of(domain); },
                               [&](std::string_view domain) { return deliverer.section_of(domain); });
  call->deliver_group(0);
}

}  // namespace

void take_call(Deliverer& deliverer, const chain::Invocation& invocation, Answered done) {
  switch (invocation.call.kind) {
    case chain::Kind::Delivery: return take_delivery_call(deliverer, invocation, done);
    case chain::Kind::Message: return take_message_call(deliverer, invocation, done);
    case chain::Kind::Policy: break;
  }
  done(Answer::exit(base::exit_row(Fault::Usage).in_chain));
}

namespace {
constexpr chain::Delivery delivery_of(Class result) {
  return result == Class::Accepted ? chain::Delivery::Accepted : result == Class::Permanent ? chain::Delivery::Rejected : chain::Delivery::Deferred;
}
constexpr chain::Outcome::Class overall_of(Class result) {
  using Overall = chain::Outcome::Class;
  return result == Class::Accepted ? Overall::Taken : result == Class::Permanent ? Overall::Permanent : Overall::Temporary;
}
}  // namespace

chain::DeliveryReport report_of(const std::vector<Outcome>& outcomes, bool tells_reach) {
  // Of the message: taken when anybody got it, to be tried again when anybody may yet.
  const auto best = std::ranges::min_element(outcomes, [](const auto& a, const auto& b) { return is_worse(b, a); });
  if (std::ranges::all_of(outcomes, &Outcome::is_of_destination))
    return chain::DeliveryReport::for_all(outcomes.size(), overall_of(best->verdict.result), best->text());
  chain::DeliveryReport report;
  for (const auto& outcome : outcomes) report.recipients.push_back({delivery_of(outcome.verdict.result), outcome.text(), tells_reach ? outcome.reach : chain::Reach::Unsaid});
  report.overall = overall_of(best->verdict.result);
  report.text = best->text();
  return report;
}

chain::Answer answer_of(const Outcome& outcome) {
  switch (outcome.verdict.result) {
    case Class::Accepted: return Answer::taken(outcome.reply());
    case Class::Permanent: return Answer::as_reported(Fault::Permanent, outcome.reply());
    case Class::Temporary:
    case Class::Undecided: break;
  }
  return Answer::as_reported(Fault::Temporary, outcome.reply());
}

std::string domain_of(std::string_view recipient) { return base::text::to_lower(mail::split_address(recipient).second); }

std::vector<Group> group_by_host(const std::vector<std::string>& recipients, const OfDomain& host_of, const OfDomain& section_of) {
  std::vector<Group> groups;
  std::unordered_map<std::string, std::size_t> known;
  for (const auto& recipient : recipients) {
    const auto domain = domain_of(recipient);
    auto host = host_of(domain);
    const auto [found, is_new] = known.try_emplace(section_of ? host + '\n' + section_of(domain) : host, groups.size());
    if (is_new) groups.push_back({std::move(host), {}});
    groups[found->second].recipients.push_back(recipient);
  }
  return groups;
}

}  // namespace remote
