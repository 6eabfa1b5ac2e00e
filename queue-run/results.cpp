#include "queue-run/results.h"

namespace run {
namespace {

constexpr std::size_t kMaxTextOctets = 2000;  // of a reply in the log and in progress/

Status status_of(chain::Delivery delivery) {
  switch (delivery) {
    case chain::Delivery::Accepted: return Status::Sent;
    case chain::Delivery::Rejected: return Status::Failed;
    case chain::Delivery::Deferred: break;
  }
  return Status::Deferred;
}

}  // namespace

std::vector<Result> results_of(const chain::DeliveryReport& report, bool gives_up) {
  std::vector<Result> results;
  results.reserve(report.recipients.size());
  for (std::size_t i = 0; i < report.recipients.size(); ++i) {
    Result result{status_of(report.final(i)), report.final_text(i), report.recipients[i].reach};
    if (gives_up && result.status == Status::Deferred) result = {Status::Failed, std::string(kGivenUp) + result.text};
    if (result.text.size() > kMaxTextOctets) result.text.replace(kMaxTextOctets, std::string::npos, "...");
    results.push_back(std::move(result));
  }
  return results;
}

Schedule::Ending ending_of(const chain::Outcome& outcome, const chain::DeliveryReport& report) {
  if (outcome.is_unavailable) return Schedule::Ending::Unavailable;
  // A connection that failed, a greeting that refused, a program that crashed, hung or wrote garbage: the next message
  // would not fare better.
  const bool is_dead = report.is_overall_only && report.overall == chain::Outcome::Class::Temporary;
  return is_dead ? Schedule::Ending::Failed : Schedule::Ending::Reached;
}

void Tally::add(Status status) {
  if (status == Status::Sent) ++sent;
  if (status == Status::Failed) ++failed;
}

Fate fate_of(const Tally& tally) {
  if (tally.open() > 0) return Fate::Deferred;
  return tally.failed > 0 ? Fate::Dead : Fate::Gone;
}

}  // namespace run
