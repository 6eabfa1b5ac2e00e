// A report as it is sent: RFC 8460 sections 5.2 and 5.3.
#pragma once

#include <string>

#include "lib/base/clock.h"

namespace tls_report {

struct Report {
  std::string domain;     // whom it is about, and for
  std::string submitter;  // server.domain
  std::string contact;    // its sender
  std::string id;
  std::string begin, end;  // seconds since 1970, for the name of its file
  std::string json_gz;
};

[[nodiscard]] std::string gzip(const std::string& octets);
[[nodiscard]] std::string file_name(const Report& report);  // section 5.1
[[nodiscard]] std::string to_mail(const Report& report, const std::string& mailbox, base::WallTime now);

}  // namespace tls_report
