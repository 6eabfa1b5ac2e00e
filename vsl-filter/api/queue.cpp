// What rules ask of the queue for a message that it has or gets (vsl.md 5.4). queue-inject(8) and queue-run(8) carry it out.
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/api/status.h"

namespace rules {

using vsl::Expected;
using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

constexpr std::int64_t kLongest = 30 * 86400;  // seconds; RFC 5321 section 4.5.4.1 speaks of 4-5 days
constexpr std::int64_t kPriorities = 10;       // -10 to 10

Expected<std::uint64_t> seconds_argument(const Value& value, std::string_view function, std::int64_t least) {
  const std::int64_t seconds = value.as_int();
  if (seconds >= least && seconds <= kLongest) return static_cast<std::uint64_t>(seconds);
  return vsl::fail_api(std::string(function) + ": " + std::to_string(seconds) + " is out of range; expected: " + std::to_string(least) + " to " + std::to_string(kLongest) + " seconds");
}

Expected<QueueWishes*> wishes_at(Run& run, std::string_view function) {
  auto transaction = transaction_at(run, Stage::Preq, function);
  if (!transaction) return pass_on(transaction);
  return &(*transaction)->wishes;
}

// Works at once, whether the status is returned or not, as quarantine() does.
Result put_off(Run& run, const Value& reply_value, std::uint64_t seconds) {
  auto wishes = wishes_at(run, "queue::defer");
  if (!wishes) return pass_on(wishes);
  auto reply = reply_argument(reply_value);
  if (!reply) return pass_on(reply);
  if (reply->code / 100 != 4) return vsl::fail_api("queue::defer puts a message off: its reply must have a code of 4xx, not " + std::to_string(reply->code));
  (*wishes)->put_off = QueueWishes::PutOff{reply->words(), scene_of(run).site.now() + std::chrono::seconds(seconds)};
  return value_of(run.heap(), Status{StatusKind::Faccept, std::nullopt, {}});
}

Result defer(Run& run, Arguments a) { return put_off(run, a[0], scene_of(run).site.settings.milliseconds("queue.retry_min") / 1000); }

Result defer_for(Run& run, Arguments a) {
  auto seconds = seconds_argument(a[1], "queue::defer", 0);
  if (!seconds) return pass_on(seconds);
  return put_off(run, a[0], *seconds);
}

Result hold(Run& run, Arguments a) {
  auto transaction = transaction_at(run, Stage::Preq, "queue::hold");
  if (!transaction) return pass_on(transaction);
  const std::string reason = name_argument(a[0]);
  (*transaction)->hold = reason.empty() ? "held by a rule" : reason;
  return Value();
}

Result retry_after(Run& run, Arguments a) {
  auto wishes = wishes_at(run, "queue::retry_after");
  if (!wishes) return pass_on(wishes);
  auto seconds = seconds_argument(a[0], "queue::retry_after", 1);
  if (!seconds) return pass_on(seconds);
  (*wishes)->retry_after_seconds = *seconds;
  return Value();
}

Result expire(Run& run, Arguments a) {
  auto wishes = wishes_at(run, "queue::expire");
  if (!wishes) return pass_on(wishes);
  auto seconds = seconds_argument(a[0], "queue::expire", 0);
  if (!seconds) return pass_on(seconds);
  (*wishes)->expire_seconds = *seconds;
  return Value();
}

Result priority(Run& run, Arguments a) {
  auto wishes = wishes_at(run, "queue::priority");
  if (!wishes) return pass_on(wishes);
  const std::int64_t number = a[0].as_int();
  if (number < -kPriorities || number > kPriorities)
    return vsl::fail_api("queue::priority: " + std::to_string(number) + " is out of range; expected: -" + std::to_string(kPriorities) + " to " + std::to_string(kPriorities));
  (*wishes)->priority = static_cast<int>(number);
  return Value();
}

Result no_bounce(Run& run, Arguments) {
  auto wishes = wishes_at(run, "queue::no_bounce");
  if (!wishes) return pass_on(wishes);
  (*wishes)->no_bounce = true;
  return Value();
}

using enum vsl::Type;
constexpr Stages kFrom = from(Stage::Preq);
constexpr ApiRow kRows[] = {
    api<defer>("queue::defer", "", {Any}, kFrom, "ends the rules and puts the message off: its first delivery is tried after queue.retry_min",
               vsl::kMustUse | kNoHandle | kGivesStatus),
    api<defer_for>("queue::defer", "", {Any, Int}, kFrom, "... after so many seconds: queue::defer(\"450 4.3.2 at night\", 3600)", vsl::kMustUse | kNoHandle | kGivesStatus),
    api<hold>("queue::hold", "", {Any}, kFrom, "the message is held, for this reason, until an operator releases it", kNoHandle),
    api<retry_after>("queue::retry_after", "", {Int}, kFrom, "seconds from one attempt to deliver the message to the next, instead of queue.retry_min to queue.retry_max", kNoHandle),
    api<expire>("queue::expire", "", {Int}, kFrom, "seconds until the queue gives the message up; never longer than queue.lifetime", kNoHandle),
    api<priority>("queue::priority", "", {Int}, kFrom, "-10 to 10: what is higher is delivered first; below 0 the message waits behind all fresh mail, as bulk mail may", kNoHandle),
    api<no_bounce>("queue::no_bounce", "", {}, kFrom, "nobody is told what becomes of the message: what cannot be delivered of it goes to dead/, not back to a sender that may be forged", kNoHandle),
};

}  // namespace

std::span<const ApiRow> queue_rows() { return kRows; }

}  // namespace rules
