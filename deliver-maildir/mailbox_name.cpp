#include "deliver-maildir/mailbox_name.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "lib/mail/address.h"

namespace maildir {
namespace {

constexpr std::size_t kMaxLocalPartOctets = 64;   // RFC 5321 section 4.5.3.1.1
constexpr std::size_t kMaxDomainOctets = 255;     // 4.5.3.1.2
constexpr std::size_t kMaxComponentOctets = 255;  // NAME_MAX of every file system that holds a Maildir
constexpr std::size_t kMaxPathOctets = 4095;      // PATH_MAX less its NUL

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// "" when `part` may stand in a path, else what is wrong with it.
std::string_view fault_of(std::string_view part, std::size_t max_octets) {
  if (part.empty()) return "empty";
  if (part.size() > max_octets) return "too long";
  if (part.front() == '.') return "begins with a dot";
  if (part.contains('/')) return "holds a slash";
  if (std::ranges::any_of(part, is_control)) return "holds a control character";
  if (!base::utf8::is_valid(part)) return "is not UTF-8";
  return {};
}

// "a//b/./c/" -> a b c
std::vector<std::string_view> components_of(std::string_view path) {
  auto parts = base::text::split(path, '/');
  std::erase_if(parts, [](std::string_view part) { return part.empty() || part == "."; });
  return parts;
}

}  // namespace

Accepted<MailboxName> read_recipient(std::string_view recipient, std::string_view default_domain, const NameRules& rules) {
  const auto bad = [&](std::string_view which, std::string_view fault) {
    return refuse(Reason::BadRecipient, "recipient <" + base::text::printable(recipient) + ">: " + std::string(which) + " " + std::string(fault));
  };
  auto [local, domain] = mail::split_address(recipient);
  if (domain.empty() && !recipient.ends_with('@')) domain = default_domain;
  if (domain.ends_with('.')) domain.remove_suffix(1);

  MailboxName name;
  name.domain = base::text::to_lower(domain);
  if (const auto fault = fault_of(name.domain, kMaxDomainOctets); !fault.empty()) return bad("domain", fault);
  name.local = mail::unquote_local_part(local);
  if (rules.fold_case) name.local = base::text::to_lower(name.local);
  if (const auto fault = fault_of(name.local, kMaxLocalPartOctets); !fault.empty()) return bad("local part", fault);

  const auto at = rules.extension_delimiter.empty() ? std::string::npos : name.local.find(rules.extension_delimiter);
  name.user = name.local.substr(0, at);
  if (at != std::string::npos) name.extension = name.local.substr(at + rules.extension_delimiter.size());
  if (name.user.empty()) return bad("local part", "is all extension");
  if (name.extension.starts_with('.')) return bad("extension", "begins with a dot");
  return name;
}

base::Result<MailboxTemplate::Component> MailboxTemplate::parse_component(std::string_view text) {
  struct Placeholder {
    std::string_view token;
    Part part;
  };
  constexpr auto kPlaceholders = std::to_array<Placeholder>(
      {{"{local}", Part::Local}, {"{user}", Part::User}, {"{extension}", Part::Extension}, {"{domain}", Part::Domain}});
  Component component;
  while (!text.empty()) {
    const auto brace = std::min(text.find_first_of("{}"), text.size());
    if (brace > 0) component.push_back({Part::Text, std::string(text.substr(0, brace))});
    text.remove_prefix(brace);
    if (text.empty()) break;
    const auto known = std::ranges::find_if(kPlaceholders, [&](const Placeholder& row) { return base::text::consume(text, row.token); });
    if (known == kPlaceholders.end())
      return base::fail(base::Fault::Config, "'" + std::string(text) + "': expected {local}, {user}, {extension} or {domain}");
    component.push_back({known->part, {}});
  }
  return component;
}

base::Result<MailboxTemplate> MailboxTemplate::parse(std::string_view text) {
  MailboxTemplate result;
  result.absolute_ = text.starts_with('/');
  bool is_literal = true;
  for (const auto part : components_of(text)) {
    auto component = parse_component(part);
    if (!component) return base::fail_within("maildir.template", std::move(component.error()));
    is_literal = is_literal && component->size() == 1 && component->front().part == Part::Text;
    if (is_literal) result.root_ += "/" + std::string(part);
    result.components_.push_back(std::move(*component));
  }
  if (result.components_.empty()) return base::fail(base::Fault::Config, "maildir.template: empty");
  if (result.root_.empty()) {
    result.root_ = result.absolute_ ? "/" : ".";
  } else if (!result.absolute_) {
    result.root_.erase(0, 1);
  }
  return result;
}

const std::string& MailboxTemplate::value_of(Part part, const MailboxName& name) {
  switch (part) {
    case Part::Local: return name.local;
    case Part::User: return name.user;
    case Part::Extension: return name.extension;
    case Part::Domain:
    case Part::Text: break;
  }
  return name.domain;
}

Accepted<std::string> MailboxTemplate::path_of(const MailboxName& name) const {
  std::string path;
  for (const auto& component : components_) {
    std::string text;
    bool is_left_out = false;
    for (const auto& piece : component) {
      is_left_out = is_left_out || (piece.part == Part::Extension && name.extension.empty());
      text += piece.part == Part::Text ? piece.text : value_of(piece.part, name);
    }
    if (is_left_out) continue;
    if (text.size() > kMaxComponentOctets) return refuse(Reason::BadRecipient, "name of more than 255 octets: " + base::text::printable(text));
    path += '/';
    path += text;
  }
  if (!absolute_) path.erase(0, 1);
  if (path.size() > kMaxPathOctets) return refuse(Reason::BadRecipient, "path of more than 4095 octets");
  return path;
}

}  // namespace maildir
