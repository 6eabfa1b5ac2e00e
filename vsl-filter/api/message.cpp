// The message as a whole, and the mailboxes of its To and From (vsl.md 3.5).
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

// Before it is brought into memory.
vsl::Expected<void> fits(Run& run, std::uint64_t octets) {
  if (!run.heap().may_hold_string(octets)) return vsl::fail(vsl::ErrorKind::DataTooLarge, "String too large: a message of " + std::to_string(octets) + " octets");
  return {};
}

Result mail(Run& run, Arguments) {
  auto message = message_at(run, "mail");
  if (!message) return pass_on(message);
  if (auto checked = fits(run, (*message)->size()); !checked) return pass_on(checked);
  const auto text = (*message)->text();
  if (!text) return fail_with(text.error());
  if (auto checked = fits(run, text->size()); !checked) return pass_on(checked);
  return run.string(*text);
}

Result body(Run& run, Arguments) {
  auto message = message_at(run, "body");
  if (!message) return pass_on(message);
  if (auto checked = fits(run, (*message)->body_size()); !checked) return pass_on(checked);
  const auto octets = (*message)->body();
  if (!octets) return fail_with(octets.error());
  return run.string(*octets);
}

using Edit = base::Result<void> (Message::*)(std::string_view);
template <Edit kEdit>
Result edit(Run& run, Arguments a) {
  auto message = message_at(run, "message");
  if (!message) return pass_on(message);
  auto address = address_argument(a[0]);
  if (!address) return pass_on(address);
  return done(((*message)->*kEdit)(*address));
}

Result rewrite_recipient(Run& run, Arguments a) {
  auto message = message_at(run, "message");
  if (!message) return pass_on(message);
  auto old_address = address_argument(a[0]);
  if (!old_address) return pass_on(old_address);
  auto new_address = address_argument(a[1]);
  if (!new_address) return pass_on(new_address);
  return done((*message)->rewrite_recipient(*old_address, *new_address));
}

using enum vsl::Type;
constexpr Stages kFrom = from(Stage::Preq);
constexpr ApiRow kRows[] = {
    api<mail>("mail", "msg::mail mail_str", {}, kFrom, "the whole message as a text"),
    api<body>("body", "msg::body", {}, kFrom, "the message behind its header"),
    api<edit<&Message::rewrite_sender>>("rewrite_mail_from_message", "msg::rw_mail_from", {Any}, kFrom, "makes the From field this bare address"),
    api<rewrite_recipient>("rewrite_rcpt_message", "rewrite_to msg::rw_rcpt", {Any, Any}, kFrom, "puts another address in the place of one in the To field"),
    api<edit<&Message::add_recipient>>("add_rcpt_message", "add_to msg::add_rcpt", {Any}, kFrom, "adds an address to the To field"),
    api<edit<&Message::remove_recipient>>("remove_rcpt_message", "remove_to msg::rm_rcpt", {Any}, kFrom, "removes an address from the To field"),
};

}  // namespace

std::span<const ApiRow> message_rows() { return kRows; }

}  // namespace rules
