// The context of a message call, descriptor 3: one JSON object (vsmtp-chain(7)). For those who need some of its fields;
// who only hands it on leaves it as it is.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/mail/dsn.h"

namespace chain {

class Context {
 public:
  Context();  // {}
  // No octets at all are an absent context: {}. What is not one object is Fault::Temporary: the caller is broken.
  [[nodiscard]] static base::Result<Context> parse(std::string_view json);

  // `path` goes from member to member: "connection.client_addr". Nothing when it is missing or of another type.
  [[nodiscard]] std::optional<std::string> text(std::string_view path) const;
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view path) const;
  [[nodiscard]] std::optional<bool> flag(std::string_view path) const;
  [[nodiscard]] bool has(std::string_view path) const;
  // The names of the members of the object at `path`, sorted; "" is the whole.
  [[nodiscard]] std::vector<std::string> members(std::string_view path = "") const;

  struct Recipient {
    std::string address;
    std::string transfer_method;  // "Deliver", "Maildir", "Mbox", "None", or "Forward" whatever its target
    std::string target;           // of a Forward, as ForwardTarget::parse() reads it (transfer.h)
    mail::DsnRequest::Recipient dsn;  // "notify", "orcpt"
  };
  [[nodiscard]] std::vector<Recipient> recipients() const;  // envelop.rcpt
  // envelop.dsn, and what envelop.rcpt says of these recipients. What SMTP would not have taken is left out.
  [[nodiscard]] mail::DsnRequest dsn(std::span<const std::string> recipients) const;

 private:
  struct Internal;
  std::shared_ptr<const Internal> internal_;
};

// Where in the spool a filter wants the message, a folder of vsmtp-spool(5): by "quarantine", the name or an object with it, else by
// "queue". "" when it says nothing of that.
[[nodiscard]] std::string folder_in(const Context& context);

// The stage whose rules are asked for ("stage"), "" when that is not said. There is a tree only for contexts that say so elsewhere than
// at their begin, where queue-run writes it.
inline constexpr std::string_view kStagePrefix = "{\"stage\":\"";
[[nodiscard]] std::string stage_in(std::string_view context);
// Nothing when the context does not begin with it.
[[nodiscard]] std::optional<std::string_view> leading_stage(std::string_view context);

// Context::dsn() without a tree for contexts that say nothing of it, which are most.
[[nodiscard]] mail::DsnRequest dsn_of(std::string_view context, std::span<const std::string> recipients);

// Takes out those that others stand for (transfer_method "Expanded"): for ends of a chain that notify nobody.
void drop_expanded(std::vector<std::string>& recipients, std::string_view context);

// A context that says only this of these recipients: for a delivery call. "" when there is nothing to say.
[[nodiscard]] std::string dsn_context(const mail::DsnRequest& request, std::span<const std::string> recipients);

// The same with transfer.password: of the user in HOST of a delivery call, which stands in no argument.
[[nodiscard]] std::string with_transfer_password(std::string context, std::string_view password);

// The same with transfer.timeout: what one command may take in this call, in seconds.
[[nodiscard]] std::string with_transfer_timeout(std::string context, std::uint64_t seconds);

// Members of an object that is being written: {"address":...
void append_dsn_of_recipient(std::string& out, std::uint8_t notify, std::string_view original_recipient);
// ... and "dsn" of envelop, if there is something to say.
void append_dsn_of_message(std::string& out, mail::Return returns, std::string_view envelope_id);

}  // namespace chain
