// Variable envelope return paths: a mailing goes to each recipient from an address of its own, so that a bounce says of whom it
// speaks, whatever is in it. list@host to user@domain is from list-user=domain@host.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mail {

struct VerpSender {
  std::string prefix;  // of the local part: "list-"
  std::string host;
  char at = '=';       // what stands for the '@' of the recipient

  // `delimiters`: the one behind the list and the one for '@', such as "-=" or "+=". nullopt: the sender has no domain.
  [[nodiscard]] static std::optional<VerpSender> of(std::string_view sender, std::string_view delimiters = "-=");
  // "list-@host-@[]", as qmail and ezmlm ask for it. nullopt: it is not of that form.
  [[nodiscard]] static std::optional<VerpSender> of_qmail(std::string_view sender);

  [[nodiscard]] std::string address_for(std::string_view recipient) const;
  // Whom an address that it made is for; nullopt: it has not made this one.
  [[nodiscard]] std::optional<std::string> recipient_of(std::string_view address) const;
};

[[nodiscard]] bool are_verp_delimiters(std::string_view delimiters);

}  // namespace mail
