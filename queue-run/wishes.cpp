#include "queue-run/wishes.h"

#include <algorithm>
#include <array>

#include "lib/chain/context.h"
#include "lib/mail/verp.h"

namespace run {
namespace {

constexpr std::int64_t kMostSeconds = 30 * 86400;
constexpr std::int64_t kHighestPriority = 10;

// Few messages have one of them; the others need not be parsed.
bool speaks_of_wishes(std::string_view context) {
  constexpr auto kNames = std::to_array<std::string_view>({"\"retry_after\"", "\"expire\"", "\"priority\"", "\"bounce\"", "\"verp\""});
  return std::ranges::any_of(kNames, [context](std::string_view name) { return context.contains(name); });
}

std::optional<std::chrono::milliseconds> seconds(const chain::Context& context, std::string_view member, std::int64_t least) {
  const auto number = context.number(member);
  if (!number || *number < least || *number > kMostSeconds) return std::nullopt;
  return std::chrono::seconds(*number);
}

}  // namespace

Wishes wishes_of(std::string_view octets, const RetryPolicy& standard) {
  Wishes wishes;
  wishes.retry = standard;
  if (!speaks_of_wishes(octets)) return wishes;
  const auto context = chain::Context::parse(octets);
  if (!context) return wishes;
  if (const auto wait = seconds(*context, "retry_after", 1)) wishes.retry.least = wishes.retry.most = *wait;
  if (const auto lifetime = seconds(*context, "expire", 0)) wishes.retry.lifetime = std::min(standard.lifetime, *lifetime);
  wishes.no_bounce = !context->flag("bounce").value_or(true);
  if (const auto verp = context->text("verp"); verp && mail::are_verp_delimiters(*verp)) wishes.verp = *verp;
  wishes.priority = static_cast<int>(std::clamp(context->number("priority").value_or(0), -kHighestPriority, kHighestPriority));
  return wishes;
}

}  // namespace run
