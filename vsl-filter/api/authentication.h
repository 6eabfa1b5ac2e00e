// What the functions of SPF, DKIM, DMARC and ARC have in common (vsl.md 3.10 to 3.12): whom they ask, where they keep what they
// found out, how they tell it in the message.
#pragma once

#include <string>
#include <string_view>

#include "lib/authn/findings.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/api/status.h"

namespace rules {

// The section of vsmtp.ini with DNS of its own whose client this session is; "": none.
std::string virtual_domain_of(vsl::Run& run);
// DNS, while which the time of the rule stands still.
authn::LookUp look_up_of(vsl::Run& run);

// What the rules of this transaction have found out so far, in whatever stage.
authn::Findings findings_in(const Transaction& transaction);
// One of these as a script sees it: a map; () when it was not looked for.
vsl::Value finding_value(vsl::Run& run, const Transaction& transaction, std::string_view method);

vsl::Value value_of_json(vsl::Run& run, std::string_view json);  // of to_json()

// Each asks unless that was done, and keeps the answer in `findings` and in the transaction.
void need_spf(vsl::Run& run, const Session& session, Transaction& transaction, authn::Findings& findings);
void need_spf_helo(vsl::Run& run, const Session& session, Transaction& transaction, authn::Findings& findings);
void need_iprev(vsl::Run& run, const Session& session, Transaction* transaction, authn::Findings& findings);  // null: before mail
// True: it had not been done.
bool need_dkim(vsl::Run& run, Transaction& transaction, authn::Findings& findings);
bool need_dmarc(vsl::Run& run, const Session& session, Transaction& transaction, authn::Findings& findings);
bool need_arc(vsl::Run& run, Transaction& transaction, authn::Findings& findings);

// The limits of [authn].
authn::dkim::VerifyOptions verify_options_of(const Site& site);
// Our name in Authentication-Results.
std::string authserv_id_of(const Site& site);
// The registered domain of it, which verify_dkim() signs with in vSMTP, unless authn.authserv_id says another.
std::string authserv_root_of(const Site& site);

// Puts the field on top. In preq what the client sent with such a name is forged, and goes.
vsl::Expected<void> add_results_field(vsl::Run& run, Session& session, std::string_view authserv_id, const std::vector<authn::MethodResult>& results);
// How many fields of that name there were of those that came with the message.
std::size_t strip_results(HeaderList& header, std::string_view authserv_id);

// A refusal because DNS did not answer: for now. Behind the queue nobody hears it, and the message goes on.
vsl::Value unknown_for_now(vsl::Run& run, Reply reply);
inline vsl::Value next_status(vsl::Run& run) { return value_of(run.heap(), Status{}); }

}  // namespace rules
