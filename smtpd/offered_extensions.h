// Which of the extensions that a server can do it offers: smtp.disable_ehlo, smtp.disable_extensions, smtp.required_extension.
#pragma once

#include "lib/base/result.h"
#include "lib/base/settings.h"
#include "smtpd/virtual_hosts.h"

namespace smtpd {

// `sessions` offer all they can. Takes away what is disabled; an error when something is left out that the configuration asks for.
[[nodiscard]] base::Result<void> choose_extensions(const base::Settings& settings, SessionOptions& sessions);

}  // namespace smtpd
