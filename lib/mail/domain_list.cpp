#include "lib/mail/domain_list.h"

#include "lib/base/text.h"

namespace mail {

std::string plain_domain(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  return base::text::to_lower(domain);
}

DomainList::DomainList(std::span<const std::string> entries) {
  for (const auto& entry : entries) {
    if (entry == "*") all_ = true;
    if (auto name = plain_domain(entry); !name.empty()) entries_.insert(std::move(name));
  }
}

bool DomainList::contains(std::string_view domain) const {
  const std::string name = plain_domain(domain);
  if (name.empty()) return false;
  if (all_ || entries_.contains(name)) return true;
  for (auto dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
    if (entries_.contains(name.substr(dot))) return true;
  return false;
}

}  // namespace mail
