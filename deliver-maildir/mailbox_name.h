// Recipient -> directory. A recipient comes from the net and becomes part of a path: what could leave the place that the
// template gives it, or could not be read back in a listing, is refused. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deliver-maildir/refusal.h"
#include "lib/base/result.h"

namespace maildir {

// The parts of a recipient that a template can name. {user} is {local} without its extension.
struct MailboxName {
  std::string local;
  std::string user;
  std::string extension;  // "" when there is none
  std::string domain;     // lower case, without the dot at the end
};

struct NameRules {
  bool fold_case = true;                   // the local part in lower case (ASCII)
  std::string extension_delimiter = "+";   // "": no extensions
};

// `recipient` as the envelope has it, quoted or not; `default_domain` stands in where it has no domain. Refused are parts
// that are empty or longer than RFC 5321 section 4.5.3.1 allows, begin with a dot, hold a slash, a control character or
// octets that are not UTF-8.
[[nodiscard]] Accepted<MailboxName> read_recipient(std::string_view recipient, std::string_view default_domain, const NameRules& rules);

// "/srv/mail/{domain}/{user}/Maildir/.{extension}". A path component that names {extension} is left out for recipients
// that have none.
class MailboxTemplate {
 public:
  // Fault::Config names the placeholder that is not known.
  [[nodiscard]] static base::Result<MailboxTemplate> parse(std::string_view text);

  [[nodiscard]] Accepted<std::string> path_of(const MailboxName& name) const;
  // The directories in front of the first placeholder, "." when there are none: made by the administrator, never by us,
  // so that a file system that is not mounted is not taken for a mailbox that does not exist.
  [[nodiscard]] const std::string& root() const { return root_; }

 private:
  enum class Part : unsigned char { Text, Local, User, Extension, Domain };
  struct Piece {
    Part part;
    std::string text;
  };
  using Component = std::vector<Piece>;
  static base::Result<Component> parse_component(std::string_view text);
  static const std::string& value_of(Part part, const MailboxName& name);

  bool absolute_ = false;
  std::vector<Component> components_;
  std::string root_;
};

}  // namespace maildir
