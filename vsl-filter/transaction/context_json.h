// The JSON of a context (vsl.md 4.4): what dump() writes, and what goes with a message on descriptor 3 (vsmtp-chain(7)).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/mail/envelope.h"
#include "vsl-filter/transaction/transaction.h"

namespace rules {

struct ContextForm {
  // Chain: for the next program, with all that delivery needs. Export: for people and scripts, without the password of a
  // forward's URL. The password of AUTH is in neither.
  enum class For : std::uint8_t { Chain, Export } reader = For::Export;
  bool is_pretty = false;                       // over many lines
  std::optional<std::string_view> message = {};  // dump_all(): the message's text, as one more member
};

// The context that a message came with, read once; the octets are borrowed.
class GivenContext {
 public:
  GivenContext() = default;  // none
  // No octets at all are none. Fault::Temporary: not one JSON object, or nested deeper than anybody writes it.
  [[nodiscard]] static base::Result<GivenContext> parse(std::string_view octets);
  // A member that is a text; "" when there is none.
  [[nodiscard]] std::string text(std::string_view member) const;
  [[nodiscard]] std::string_view octets() const { return octets_; }

  struct Tree;
  [[nodiscard]] const Tree* tree() const { return tree_.get(); }  // null: none

 private:
  std::string_view octets_;
  std::shared_ptr<const Tree> tree_;
};

// The canonical form: v1.2's nesting with v1.3's additions, times of RFC 3339. Members of `original`, the context that the
// message came with, that mean nothing here are kept, behind those that do.
[[nodiscard]] std::string to_context(const Session& session, const ContextForm& form, const GivenContext& original = {});

// Reads any version's; what is missing, of another type or unknown is left out.
void from_context(Session& session, const GivenContext& context);
[[nodiscard]] base::Result<void> from_context(Session& session, std::string_view octets);

// Whom a message is from and for says descriptor 1; the context tells transport and status of those recipients.
void apply_envelope(Session& session, const mail::Envelope& envelope);
mail::Envelope envelope_of(const Transaction& transaction);

}  // namespace rules
