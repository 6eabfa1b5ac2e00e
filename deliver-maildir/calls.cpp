#include "deliver-maildir/calls.h"

#include <algorithm>

#include "lib/chain/context.h"
#include "lib/chain/envelope.h"
#include "lib/mail/address.h"
#include "lib/mail/srs.h"

namespace maildir {
namespace {

using base::Fault;
using chain::Answer;
using chain::DeliveryReport;
using chain::Outcome;
using Recipient = Parcel::Recipient;

Answer refused(Reason reason) {
  const Refusal refusal{reason, {}};
  return Answer::as_reported(refusal.fault(), std::string(refusal.reply()));
}

bool is_refused_for_good(const Recipient& recipient) { return recipient.refusal && recipient.refusal->fault() == Fault::Permanent; }

// Whether the rules left this message to be delivered as it is (vsmtp-chain(7), context): not quarantined, held, refused or
// delegated, no recipient with another transport.
bool is_for_plain_delivery(const std::string& octets, bool is_last) {
  const auto context = chain::Context::parse(octets);
  if (!context) return false;
  const auto others = context->members();
  if (std::ranges::find(others, "quarantine") != others.end()) return false;
  if (context->text("queue").value_or("deliver") != "deliver") return false;  // held, or given up
  const auto skipped = context->text("metadata.skipped");
  if (skipped && *skipped != "Next") return false;
  const auto skipped_as = context->members("metadata.skipped");
  if (!skipped_as.empty() && skipped_as.front() != "Faccept") return false;
  return std::ranges::all_of(context->recipients(), [is_last](const chain::Context::Recipient& recipient) {
    const auto& method = recipient.transfer_method;
    return (is_last && method == "Expanded") || method.empty() || method == "Deliver" || method == "Maildir";
  });
}

}  // namespace

Parcel parcel_of(const chain::DeliveryCall& call, base::Blob message, const CallRules& rules) {
  Parcel parcel;
  parcel.message = std::move(message);
  parcel.sender = call.sender;
  const bool is_path = call.host.starts_with('/');
  parcel.default_domain = call.host.empty() || is_path ? rules.host_domain : call.host;
  for (const auto& address : call.recipients) {
    auto& recipient = parcel.recipients.emplace_back();
    recipient.address = address;
    if (is_path) (call.host.ends_with('/') ? recipient.directory : recipient.mbox) = call.host;
  }
  return parcel;
}

DeliveryReport report_of(const Parcel& parcel) {
  DeliveryReport report;
  bool is_any_delivered = false, are_all_refused_for_good = true;
  for (const auto& recipient : parcel.recipients) {
    auto& line = report.recipients.emplace_back();
    is_any_delivered = is_any_delivered || recipient.is_delivered;
    are_all_refused_for_good = are_all_refused_for_good && is_refused_for_good(recipient);
    if (recipient.is_delivered) {
      line = {chain::Delivery::Accepted, "250 2.0.0 delivered"};
    } else if (recipient.refusal) {
      line = {is_refused_for_good(recipient) ? chain::Delivery::Rejected : chain::Delivery::Deferred, std::string(recipient.refusal->reply())};
    }
  }
  if (is_any_delivered) {
    report.overall = Outcome::Class::Taken;
    report.text = "delivered";
  } else {
    report.overall = are_all_refused_for_good ? Outcome::Class::Permanent : Outcome::Class::Temporary;
    report.text = "no mailbox took it";
  }
  return report;
}

std::expected<Parcel, Answer> direct_parcel(const chain::Call& call, const CallRules& rules, bool is_last) {
  auto envelope = chain::parse_envelope(call.envelope);
  if (!envelope || envelope->recipients.empty()) return std::unexpected(Answer::exit(91));  // qmail-queue(8): envelope format error
  const auto is_local = [&](const std::string& address) {
    if (mail::Srs::has_form_of(address, rules.srs_domain)) return false;
    const auto domain = mail::split_address(address).second;
    return domain.empty() || rules.local_domains.contains(domain);
  };
  if (!std::ranges::all_of(envelope->recipients, is_local)) return std::unexpected(is_last ? refused(Reason::NotLocal) : Answer::pass());
  if (!is_for_plain_delivery(call.context, is_last)) return std::unexpected(is_last ? refused(Reason::Trouble) : Answer::pass());
  if (!is_last && envelope->recipients.size() > rules.direct_recipients_max) return std::unexpected(Answer::pass());
  chain::drop_expanded(envelope->recipients, call.context);  // nobody behind us could tell its sender of it
  if (envelope->recipients.empty()) return std::unexpected(Answer::taken("goes on to others"));
  Parcel parcel;
  parcel.message = call.message;
  parcel.sender = std::move(envelope->reverse_path);
  parcel.default_domain = rules.host_domain;
  for (auto& address : envelope->recipients) parcel.recipients.emplace_back().address = std::move(address);
  parcel.all_or_nothing = true;
  return parcel;
}

Answer direct_answer(const Parcel& parcel, bool is_last) {
  const auto& recipients = parcel.recipients;
  const auto for_good = std::ranges::find_if(recipients, is_refused_for_good);
  if (std::ranges::all_of(recipients, &Recipient::is_delivered)) return Answer::taken("delivered");
  if (std::ranges::all_of(recipients, is_refused_for_good) || (is_last && for_good != recipients.end()))
    return Answer::as_reported(Fault::Permanent, std::string(for_good->refusal->reply()));
  if (is_last) {
    const auto refused = std::ranges::find_if(recipients, [](const Recipient& recipient) { return recipient.refusal.has_value(); });
    return Answer::as_reported(Fault::Temporary, std::string(refused->refusal->reply()));
  }
  Answer answer = Answer::pass();
  if (std::ranges::none_of(recipients, &Recipient::is_delivered)) return answer;
  mail::Envelope rest{*parcel.sender, {}};
  for (const auto& recipient : recipients)
    if (!recipient.is_delivered) rest.recipients.push_back(recipient.address);
  answer.envelope = chain::to_octets(rest);
  return answer;
}

}  // namespace maildir
