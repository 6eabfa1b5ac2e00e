// Text of a message that rules put other text in place of, or look for (vsl.md 5.4, body::replace, body::contains).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "lib/base/result.h"
#include "lib/mail/message.h"
#include "vsl-filter/body/body_edit.h"

namespace rules {

// Hands a text on with what shall be in it, in pieces; the number of places that are different.
using Sink = std::function<base::Result<void>(std::string_view piece)>;
using Rewrite = std::function<base::Result<std::uint64_t>(std::string_view text, const Sink& sink)>;

struct Replacement {
  BodyEdit edit;
  std::uint64_t count = 0;
};
// In all texts that readers see: text parts that are no attachments, not those of messages inside the message, of what is signed or
// encrypted, and of unknown transfer encodings. Rules see them decoded, as UTF-8; a text that stays as it is keeps its octets.
//
// Texts of up to `limit` octets are held in memory. Of larger ones only those in 7bit, 8bit or binary are taken, as they are, and
// written piece by piece; others are Fault::Permanent, as is a text that grows by more than `limit` or that its charset cannot hold.
[[nodiscard]] base::Result<Replacement> replace_in_texts(const mail::Message& message, const Rewrite& rewrite, std::string_view line_end, std::size_t limit);

// Whether `matches` is true of such a text, decoded; those of messages inside of the message and signed ones are looked at too. Texts of
// more than `limit` octets are not decoded. Texts that are sent as they are read are left out: they are in the octets of the body.
[[nodiscard]] bool decoded_texts_match(const mail::Message& message, const std::function<bool(std::string_view text)>& matches, std::size_t limit);

}  // namespace rules
