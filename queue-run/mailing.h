// A mailing whose reverse-path tells each recipient (lib/mail/verp.h): a call and a notification for each. No I/O.
#pragma once

#include <vector>

#include "lib/mail/verp.h"
#include "queue-run/notice.h"
#include "queue-run/route.h"

namespace run {

[[nodiscard]] std::vector<Batch> one_for_each(std::vector<Batch> batches);
// Each to the address that its recipient was sent to from.
[[nodiscard]] std::vector<Notice> one_for_each(std::vector<Notice> notices, const mail::VerpSender& sender, const std::vector<std::string>& recipients);

}  // namespace run
