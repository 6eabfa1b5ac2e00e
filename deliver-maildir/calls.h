// Calls -> parcels, and parcels that were delivered -> answers. No I/O.
#pragma once

#include <cstddef>
#include <expected>
#include <string>

#include "deliver-maildir/parcel.h"
#include "lib/chain/delivery_call.h"
#include "lib/chain/message_call.h"
#include "lib/mail/domain_list.h"

namespace maildir {

struct CallRules {
  mail::DomainList local_domains;          // what --direct takes
  std::string srs_domain;                  // ... but not bounces of what was forwarded, whose way back queue-run knows
  std::size_t direct_recipients_max = 50;  // a message with more is handed on
  std::string host_domain;                 // of recipients without a domain, where the call names none
};

// ---- the delivery call: HOST is the domain of recipients that have none, or the mailbox of all: /file, or /folder/

[[nodiscard]] Parcel parcel_of(const chain::DeliveryCall& call, base::Blob message, const CallRules& rules);
[[nodiscard]] chain::DeliveryReport report_of(const Parcel& parcel);

// ---- the message call, --direct

// The parcel, or the answer when there is nothing to deliver here. Handed on is what is not for local mailboxes alone, what
// has too many recipients, and what rules have quarantined, delegated or given another transport (in the context). The last
// program of a chain has nobody to hand it to and refuses it, except for the number of recipients.
[[nodiscard]] std::expected<Parcel, chain::Answer> direct_parcel(const chain::Call& call, const CallRules& rules, bool is_last);

// All delivered: taken. All refused for good: refused, the client hears it at once. Else what is not delivered is handed
// on with its own envelope; the last program of a chain refuses the whole message instead, for good if a recipient is
// refused for good.
[[nodiscard]] chain::Answer direct_answer(const Parcel& parcel, bool is_last);

}  // namespace maildir
