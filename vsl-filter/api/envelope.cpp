// Sender and recipients of the envelope (vsl.md 3.4).
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

// "" and "<>" are the null sender.
vsl::Expected<std::string> sender_argument(const Value& value) {
  std::string text = name_argument(value);
  if (text.empty() || text == "<>") return std::string();
  return address_argument(value);
}

Result rewrite_sender(Run& run, Arguments a) {
  auto address = sender_argument(a[0]);
  if (!address) return pass_on(address);
  auto transaction = transaction_at(run, Stage::Mail, "mail_from");
  if (!transaction) return pass_on(transaction);
  return done((*transaction)->rewrite_reverse_path(*address));
}

// Envelope and, once there is a message, its From field (D-28).
Result rewrite_mail_from(Run& run, Arguments a) {
  auto changed = rewrite_sender(run, a);
  if (!changed || scene_of(run).stage < Stage::Preq) return changed;
  auto message = message_at(run, "mail_from");
  if (!message) return pass_on(message);
  auto address = address_argument(a[0]);
  if (!address) return pass_on(address);
  return done((*message)->rewrite_sender(*address));
}

Result rewrite_rcpt(Run& run, Arguments a) {
  auto old_address = address_argument(a[0]);
  if (!old_address) return pass_on(old_address);
  auto new_address = address_argument(a[1]);
  if (!new_address) return pass_on(new_address);
  auto session = session_for_recipients(run);
  if (!session) return pass_on(session);
  const auto now = scene_of(run).site.now();
  if (Transaction* transaction = (*session)->transaction(); transaction != nullptr) return done(transaction->recipients.rewrite(*old_address, *new_address, now));
  (*session)->forget_recipient(*old_address);
  return done((*session)->add_recipient(*new_address, now));
}

Result add_rcpt(Run& run, Arguments a) {
  auto address = address_argument(a[0]);
  if (!address) return pass_on(address);
  auto session = session_for_recipients(run);
  if (!session) return pass_on(session);
  return done((*session)->add_recipient(*address, scene_of(run).site.now()));
}

Result remove_rcpt(Run& run, Arguments a) {
  auto address = address_argument(a[0]);
  if (!address) return pass_on(address);
  auto session = session_for_recipients(run);
  if (!session) return pass_on(session);
  if (Transaction* transaction = (*session)->transaction(); transaction != nullptr) return done(transaction->recipients.remove(*address));
  (*session)->forget_recipient(*address);
  return Value();
}

using enum vsl::Type;
constexpr Stages kSender = from(Stage::Mail);
constexpr ApiRow kRows[] = {
    api<rewrite_sender>("rewrite_mail_from_envelop", "envelop::rw_mail_from envelop::rewrite_mail_from", {Any}, kSender,
                        "sets the sender of the envelope; \"\" is that of a bounce"),
    api<rewrite_mail_from>("rewrite_mail_from", "", {Any}, kSender, "sets the sender of the envelope and, from preq on, the From field"),
    api<rewrite_rcpt>("rewrite_rcpt_envelop", "rewrite_rcpt envelop::rw_rcpt envelop::rewrite_rcpt", {Any, Any}, kSender,
                      "puts a new recipient in the place of an old one, or at the end if the old one is not there"),
    api<add_rcpt>("add_rcpt_envelop", "add_rcpt envelop::add_rcpt", {Any}, kSender, "adds a recipient unless it is there"),
    api<add_rcpt>("bcc", "envelop::bcc", {Any}, kSender, "adds a recipient that no field of the message names"),
    api<remove_rcpt>("remove_rcpt_envelop", "remove_rcpt envelop::rm_rcpt envelop::remove_rcpt", {Any}, kSender, "removes a recipient, if it is there"),
};

}  // namespace

std::span<const ApiRow> envelope_rows() { return kRows; }

}  // namespace rules
