// No recipient leads out of the directory that the template names, or to a path that its parts do not say.
#include <cstdint>
#include <cstdlib>

#include "deliver-maildir/mailbox_name.h"
#include "lib/base/text.h"

namespace {
void check(bool holds) {
  if (!holds) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static const auto standard = maildir::MailboxTemplate::parse("/srv/mail/{domain}/{local}/Maildir");
  static const auto folders = maildir::MailboxTemplate::parse("/m/{domain}/{user}/.{extension}/x");
  const auto [recipient, any_template] = base::text::split_once(input, '\n');
  const auto name = maildir::read_recipient(recipient, "example.org", {});
  if (!name) return 0;
  for (const auto* where : {&*standard, &*folders}) {
    const auto path = where->path_of(*name);
    if (!path) continue;
    check(path->starts_with(where->root() + "/"));
    const auto parts = base::text::split(*path, '/');
    check(parts.size() == 6 || (where == &*folders && parts.size() == 5 && name->extension.empty()));
    for (std::size_t i = 1; i < parts.size(); ++i) check(!parts[i].empty() && parts[i] != "." && parts[i] != ".." && parts[i].size() <= 255);
    for (const char c : *path) check(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  }
  const auto parsed = maildir::MailboxTemplate::parse(any_template);
  if (!parsed) return 0;
  const auto path = parsed->path_of(*name);
  check(!path || path->size() < 4096);
  return 0;
}
