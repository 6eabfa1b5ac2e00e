// What [smtp.codes] of vsmtp.ini says.
#pragma once

#include "lib/base/result.h"
#include "lib/base/settings.h"
#include "lib/smtp/server_options.h"

namespace smtpd {

// Into `session`, whose server_name stands where a text has "{domain}". The error names file and line.
[[nodiscard]] base::Result<void> set_replies(const base::Settings& settings, smtp::ServerOptions& session);

}  // namespace smtpd
