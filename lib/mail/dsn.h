// What a sender asks to be told of the delivery of his message, in the words of SMTP: RFC 3461, and RFC 6533 for addresses
// that are not ASCII. The notifications themselves are queue-run's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

// NOTIFY, section 4.1; 0 when not given.
enum Notify : std::uint8_t { kNever = 1, kSuccess = 2, kFailure = 4, kDelay = 8 };
// RET, section 4.3.
enum class Return : std::uint8_t { None, Full, Headers };

// ---- values of the parameters, as they stand behind the "="

// "NEVER" / 1#( "SUCCESS" / "FAILURE" / "DELAY" )
[[nodiscard]] std::optional<std::uint8_t> parse_notify(std::string_view value);
[[nodiscard]] std::string notify_text(std::uint8_t notify);  // "SUCCESS,DELAY"; "" for 0
[[nodiscard]] std::optional<Return> parse_return(std::string_view value);  // "FULL" / "HDRS"
[[nodiscard]] std::string_view return_text(Return what);                   // "" for None

// xtext = *( xchar / hexchar ); section 4.
[[nodiscard]] bool is_xtext(std::string_view value);
// The octets that an xtext stands for; one that is none stands for itself.
[[nodiscard]] std::string from_xtext(std::string_view xtext);
[[nodiscard]] std::string to_xtext(std::string_view octets);

// ENVID: xtext of at most 100 octets that stands for printable ASCII; section 4.4.
inline constexpr std::size_t kMaxEnvelopeIdOctets = 100;
[[nodiscard]] bool is_envelope_id(std::string_view value);

// ORCPT = original-recipient-address = addr-type ";" xtext, section 4.2; with the type utf-8 the forms of RFC 6533 section 3:
// utf-8-addr-xtext, or utf-8-addr-unitext where UTF-8 is allowed (`smtputf8`). At most 500 octets, and no controls in what it
// stands for: it comes to stand in a header field.
inline constexpr std::size_t kMaxOriginalRecipientOctets = 500;
[[nodiscard]] bool is_original_recipient(std::string_view value, bool smtputf8);
// The same for a host without SMTPUTF8: unitext becomes xtext.
[[nodiscard]] std::string original_recipient_in_ascii(std::string_view value);
// "rfc822;you@example.org", or "utf-8;..." for an address that is not ASCII.
[[nodiscard]] std::string original_recipient_of(std::string_view address);
// The address that it stands for, where it has one of SMTP; "" else.
[[nodiscard]] std::string address_of_original_recipient(std::string_view original_recipient);

// ---- the same as a message/delivery-status has it (RFC 3464 section 2.1.2 ff., RFC 6533 section 4)

// "rfc822; you@example.org" from ORCPT. `is_global`: of a message/global-delivery-status, where UTF-8 stands as it is.
[[nodiscard]] std::string report_address_of_parameter(std::string_view original_recipient, bool is_global);
[[nodiscard]] std::string report_address(std::string_view address, bool is_global);

// What is asked for a message.
struct DsnRequest {
  struct Recipient {
    std::uint8_t notify = 0;
    std::string original_recipient;  // ORCPT as it came; "" when it did not
    [[nodiscard]] bool is_empty() const { return notify == 0 && original_recipient.empty(); }
  };
  Return returns = Return::None;
  std::string envelope_id;            // ENVID as it came
  std::vector<Recipient> recipients;  // as many as the envelope has, in its order; or none when nothing is asked for any

  [[nodiscard]] bool is_empty() const { return returns == Return::None && envelope_id.empty() && recipients.empty(); }
  [[nodiscard]] const Recipient& of(std::size_t recipient) const;
};

}  // namespace mail
