#include "queue-run/mailing.h"

namespace run {

std::vector<Batch> one_for_each(std::vector<Batch> batches) {
  std::vector<Batch> each;
  for (const auto& batch : batches)
    for (const auto recipient : batch.recipients) each.push_back({batch.route, {recipient}});
  return each;
}

std::vector<Notice> one_for_each(std::vector<Notice> notices, const mail::VerpSender& sender, const std::vector<std::string>& recipients) {
  std::vector<Notice> each;
  for (auto& notice : notices) {
    for (auto& told : notice.told) {
      Notice one;
      one.kind = notice.kind;
      one.is_double = notice.is_double;
      if (!notice.is_double) one.to = sender.address_for(recipients[told.recipient]);
      one.told.push_back(std::move(told));
      each.push_back(std::move(one));
    }
  }
  return each;
}

}  // namespace run
