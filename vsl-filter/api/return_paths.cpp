// Reverse-paths that lead back: of what is forwarded (lib/mail/srs.h) and of mailings (lib/mail/verp.h); vsl.md 5.4.
#include "lib/mail/srs.h"
#include "lib/mail/verp.h"
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/services/service.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

vsl::Expected<const mail::Srs*> srs_of(Run& run) {
  const Waiting waiting(run);  // for the file of secrets
  const auto& site = scene_of(run).site;
  const auto srs = site.facilities->srs(site.settings);
  if (!srs) return fail_with(srs.error());
  return *srs;
}

Result forward(Run& run, Arguments a) {
  auto transaction = transaction_at(run, Stage::Mail, "mail_from");
  if (!transaction) return pass_on(transaction);
  auto srs = srs_of(run);
  if (!srs) return pass_on(srs);
  const auto own = (*srs)->at(name_argument(a[0]));
  if (!own) return fail_with(own.error());
  return run.string(own->forward((*transaction)->reverse_path, scene_of(run).site.now()));
}

Result reverse(Run& run, Arguments a) {
  auto address = address_argument(a[0]);
  if (!address) return pass_on(address);
  if (!mail::Srs::has_form(*address)) return Value();
  auto srs = srs_of(run);
  if (!srs) return pass_on(srs);
  const auto sender = (*srs)->reverse(*address, scene_of(run).site.now());
  return sender ? run.string(*sender) : Value();
}

vsl::Expected<mail::VerpSender> mailing_of(const Value& list) {
  auto address = address_argument(list);
  if (!address) return pass_on(address);
  return *mail::VerpSender::of(*address);  // one with a domain
}

Result make(Run& run, Arguments a) {
  auto mailing = mailing_of(a[0]);
  if (!mailing) return pass_on(mailing);
  auto recipient = address_argument(a[1]);
  if (!recipient) return pass_on(recipient);
  return run.string(mailing->address_for(*recipient));
}

Result recipient(Run& run, Arguments a) {
  auto mailing = mailing_of(a[0]);
  if (!mailing) return pass_on(mailing);
  auto address = address_argument(a[1]);
  if (!address) return pass_on(address);
  const auto told = mailing->recipient_of(*address);
  return told ? run.string(*told) : Value();
}

Result ask_for_each(Run& run, std::string delimiters) {
  auto transaction = transaction_at(run, Stage::Preq, "verp::each");
  if (!transaction) return pass_on(transaction);
  if (!mail::are_verp_delimiters(delimiters))
    return vsl::fail_api("verp::each: '" + delimiters + "' are no delimiters; expected: '-' or '+', then '=' or '+', and not the same twice");
  (*transaction)->wishes.verp = std::move(delimiters);
  return Value();
}

Result each(Run& run, Arguments) { return ask_for_each(run, "-="); }
Result each_with(Run& run, Arguments a) { return ask_for_each(run, name_argument(a[0])); }

using enum vsl::Type;
constexpr Stages kSender = from(Stage::Mail);
constexpr ApiRow kRows[] = {
    api<forward>("srs::forward", "", {Any}, kSender,
                 "the sender as a forwarder at this domain writes it (Sender Rewriting Scheme), signed with delivery.srs_secret_file: rewrite_mail_from_envelop(srs::forward(\"srs.example.org\")); that of a bounce stays",
                 kWaits | kNoHandle),
    api<reverse>("srs::reverse", "", {Any}, kEvery, "whom such an address stands for: rewrite_rcpt_envelop(rcpt(), srs::reverse(rcpt())); () if it was not made here, or is too old", kWaits | kNoHandle),
    api<make>("verp::make", "", {Any, Any}, kEvery, "the sender of a mailing for one recipient: verp::make(\"news@example.org\", \"joe@example.net\") is news-joe=example.net@example.org", kNoHandle),
    api<recipient>("verp::recipient", "", {Any, Any}, kEvery, "of which recipient a bounce to such an address of the list (the first) speaks; () if it is none", kNoHandle),
    api<each>("verp::each", "", {}, from(Stage::Preq), "each recipient of the message is sent to from an address of its own, as verp::make() makes it", kNoHandle),
    api<each_with>("verp::each", "", {Any}, from(Stage::Preq), "... with other delimiters: \"+=\" makes news+joe=example.net@example.org", kNoHandle),
};

}  // namespace

std::span<const ApiRow> return_path_rows() { return kRows; }

}  // namespace rules
