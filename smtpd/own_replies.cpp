#include "smtpd/own_replies.h"

#include "lib/base/text.h"

namespace smtpd {

base::Result<void> set_replies(const base::Settings& settings, smtp::ServerOptions& session) {
  constexpr std::string_view kSection = "smtp.codes";
  for (const auto& row : base::all_settings()) {
    const std::string name = std::string(row.section) + "." + std::string(row.key);
    if (row.section != kSection || !settings.is_given(name)) continue;
    const auto& value = settings.text(name);
    if (const auto set = session.replies.set(row.key, value, session.server_name); !set)
      return base::fail(base::Fault::Config, settings.place_of(name) + "bad value '" + base::text::printable(value) + "' for " + name + "; expected: " + set.error().cause);
  }
  return {};
}

}  // namespace smtpd
