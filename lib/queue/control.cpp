#include "lib/queue/control.h"

#include <array>

#include "lib/base/text.h"
#include "lib/chain/caller.h"

namespace queue {
namespace {

base::Result<std::size_t> count_in(const base::Result<std::string>& answer) {
  if (!answer) return std::unexpected(answer.error());
  const auto count = base::text::parse_number<std::size_t>(base::text::split_once(*answer, ' ').first);
  if (!count) return base::fail(base::Fault::Bug, "queue-run answered '" + base::text::printable(*answer) + "'; expected: a number of messages");
  return *count;
}

// MESSAGES OCTETS OLDEST NEXT COUNT...
std::optional<Control::Summary> parse_summary(std::string_view answer, std::size_t ages) {
  const auto word = [&answer] {
    const auto [first, rest] = base::text::split_once(answer, ' ');
    answer = rest;
    return first;
  };
  const auto number = [&] { return base::text::parse_number<std::uint64_t>(word()); };
  Control::Summary summary;
  const auto messages = number(), octets = number();
  const auto oldest = word(), next = word();
  summary.oldest = Id::parse(oldest);
  summary.next_attempt = base::parse_rfc3339(next);
  if (!messages || !octets || (oldest != "-" && !summary.oldest) || (next != "-" && !summary.next_attempt)) return std::nullopt;
  summary.messages = *messages;
  summary.octets = *octets;
  while (!answer.empty()) {
    const auto count = number();
    if (!count) return std::nullopt;
    summary.by_age.push_back(*count);
  }
  return summary.by_age.size() == ages ? std::optional(summary) : std::nullopt;
}

base::Result<std::string> ask_at(const std::string& socket, std::span<const std::string_view> arguments, chain::Call call, std::uint64_t timeout_milliseconds) {
  chain::Words words = {"unix:" + socket};
  words.insert(words.end(), arguments.begin(), arguments.end());
  chain::Caller::Limits limits;
  limits.timeout_milliseconds = timeout_milliseconds;
  return answer_in(chain::call_and_wait(words, std::move(call), limits));
}

base::Result<void> without_text(const base::Result<std::string>& answer) {
  if (!answer) return std::unexpected(answer.error());
  return {};
}

}  // namespace

base::Result<std::string> answer_in(chain::Outcome outcome) {
  if (outcome.result == chain::Outcome::Class::Taken) return std::move(outcome.reply);
  const std::string& cause = outcome.cause.empty() ? outcome.reply : outcome.cause;
  if (outcome.result == chain::Outcome::Class::Permanent) return std::unexpected(base::Error{base::Fault::Permanent, cause, ENOENT});
  return std::unexpected(base::Error{base::Fault::Temporary, cause, outcome.cause.empty() ? EIO : ETIMEDOUT});
}

base::Result<void> replace_through(const std::string& socket, const Id& id, chain::Call call, std::uint64_t timeout_milliseconds) {
  return without_text(ask_at(socket, std::array<std::string_view, 2>{"replace", id.text()}, std::move(call), timeout_milliseconds));
}

base::Result<std::string> Control::ask(std::initializer_list<std::string_view> arguments) const { return ask(std::span(arguments.begin(), arguments.size()), chain::Call{}); }

base::Result<std::string> Control::ask(std::span<const std::string_view> arguments, chain::Call call) const {
  if (!is_running()) return std::unexpected(base::Error{base::Fault::Temporary, "no queue-run has the spool " + spool_->path(), ECONNREFUSED});
  return ask_at(spool_->path() + "/" + std::string(kControlSocket), arguments, std::move(call), timeout_milliseconds_);
}

base::Result<void> Control::move(const Id& id, const Place& to) const {
  return without_text(ask({"move", id.text(), to.folder()}));
}

base::Result<void> Control::remove(const Id& id) const {
  return without_text(ask({"remove", id.text()}));
}

base::Result<void> Control::replace(const Id& id, chain::Call call) const {
  return without_text(ask(std::array<std::string_view, 2>{"replace", id.text()}, std::move(call)));
}

base::Result<void> Control::bring_back(const Id& id, chain::Call call) const {
  return without_text(ask(std::array<std::string_view, 2>{"back", id.text()}, std::move(call)));
}

// A letter for each id, in their order; of one id nothing but whether it could be done.
base::Result<std::vector<Control::Answer>> Control::ask_for_each(std::string_view command, std::span<const Id> ids, std::string_view last) const {
  std::vector<std::string_view> words{command};
  for (const auto& id : ids) words.push_back(id.text());
  if (!last.empty()) words.push_back(last);
  const auto answer = ask(words, chain::Call{});
  if (!answer) return std::unexpected(answer.error());
  if (ids.size() == 1 && answer->empty()) return std::vector{Answer::Done};
  if (answer->size() == ids.size() && answer->find_first_not_of("dwgn") == std::string::npos) {
    std::vector<Answer> answers;
    for (const char letter : *answer) answers.push_back(static_cast<Answer>(letter));
    return answers;
  }
  return base::fail(base::Fault::Bug, "queue-run answered '" + base::text::printable(answer->substr(0, 100)) + "'; expected: a letter for each message");
}

base::Result<std::vector<Control::Answer>> Control::move(std::span<const Id> ids, const Place& to) const { return ask_for_each("move", ids, to.folder()); }
base::Result<std::vector<Control::Answer>> Control::remove(std::span<const Id> ids) const { return ask_for_each("remove", ids, {}); }

base::Result<void> Control::forgive(std::span<const std::string> addresses) const {
  std::vector<std::string_view> words{"forgive"};
  words.insert(words.end(), addresses.begin(), addresses.end());
  return without_text(ask(words, chain::Call{}));
}

base::Result<void> Control::retry(const Id& id) const {
  return without_text(ask({"retry", id.text()}));
}

base::Result<std::size_t> Control::retry_all() const { return count_in(ask({"retry", "all"})); }
base::Result<std::size_t> Control::retry_domain(std::string_view domain) const { return count_in(ask({"retry", "domain", domain})); }

base::Result<Control::Summary> Control::summary(std::span<const std::chrono::seconds> limits) const {
  std::string words;
  for (const auto limit : limits) words += (words.empty() ? "" : ",") + std::to_string(limit.count());
  const auto answer = ask({"summary", words});
  if (!answer) return std::unexpected(answer.error());
  auto summary = parse_summary(*answer, limits.size() + 1);
  if (!summary) return base::fail(base::Fault::Bug, "queue-run answered '" + base::text::printable(*answer) + "'; expected: a summary");
  return std::move(*summary);
}

base::Result<std::vector<Id>> Control::uncataloged() const {
  const auto answer = ask({"uncataloged"});
  if (!answer) return std::unexpected(answer.error());
  if (*answer == kLater) return std::unexpected(base::Error{base::Fault::Temporary, "the catalog of deferred/ is behind", EAGAIN});
  std::vector<Id> ids;
  for (std::string_view rest = *answer; !rest.empty();) {
    const auto [word, behind] = base::text::split_once(rest, ' ');
    const auto id = Id::parse(word);
    if (!id) return base::fail(base::Fault::Bug, "queue-run answered '" + base::text::printable(*answer) + "'; expected: ids of messages");
    ids.push_back(*id);
    rest = behind;
  }
  return ids;
}

base::Result<std::string> Control::status() const { return ask({"status"}); }

}  // namespace queue
