// The page of qctl report: HTML that is XML as well, with all it needs in it. No I/O.
#pragma once

#include <string>
#include <vector>

#include "qctl/counts.h"
#include "qctl/mail_history.h"

namespace qctl {

struct PageFacts {
  std::string title;
  std::string spool;
  base::WallTime now;
  bool is_served = false;
};
[[nodiscard]] std::string page_of(const PageFacts& facts, MailHistory& history, const std::vector<QueueCount>& queues);

}  // namespace qctl
