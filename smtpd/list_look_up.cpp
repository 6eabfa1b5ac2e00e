#include "smtpd/list_look_up.h"

#include <algorithm>

#include "lib/base/log.h"

namespace smtpd {
namespace {

constexpr std::size_t kMostKnown = 16'384;
// However short the records say that they live: a client that comes again at once is not looked up again.
constexpr std::uint64_t kShortestSeconds = 60, kLongestSeconds = 3600;

}  // namespace

struct ListLookUp::Question {
  std::uint64_t handle;
  std::shared_ptr<const DnsLists> lists;
  net::Address client;
  Done done;
  std::vector<std::vector<std::string>> answers = {};  // one a zone
  std::vector<std::uint64_t> asked = {};               // handles of the resolver
  std::size_t missing = 0;
  bool is_complete = true;  // everybody has answered
  std::uint64_t ttl_seconds = kLongestSeconds;
  DnsListFindings findings = {};
};

ListLookUp::ListLookUp(net::Loop& loop, net::dns::Settings dns) : loop_(loop), resolver_(loop, std::move(dns)), timer_(loop, [this] { answer_known(); }) {}

ListLookUp::~ListLookUp() = default;

std::uint64_t ListLookUp::look_up(std::shared_ptr<const DnsLists> lists, const net::Address& client, Done done) {
  const auto handle = ++last_handle_;
  auto& question = *(open_[handle] = std::make_unique<Question>(Question{handle, std::move(lists), client, std::move(done)}));
  if (known_of_ != question.lists) {
    known_of_ = question.lists;
    known_.clear();
  }
  const auto known = known_.find(client.ip());
  if (known == known_.end() || known->second.until <= loop_.now_milliseconds()) {
    ask(question);
  } else {
    question.findings = known->second.findings;
    ready_.push_back(handle);
    timer_.start(0);
  }
  return handle;
}

void ListLookUp::answer_known() {
  for (const auto handle : std::exchange(ready_, {})) {
    const auto found = open_.find(handle);
    if (found == open_.end()) continue;
    const auto question = std::move(found->second);
    open_.erase(found);
    question->done(question->findings);
  }
}

void ListLookUp::ask(Question& question) {
  const auto& zones = question.lists->zones();
  question.answers.resize(zones.size());
  question.missing = zones.size();
  for (std::size_t i = 0; i < zones.size(); ++i) {
    const auto done = [this, handle = question.handle, i](const net::dns::Answer& answer) { take(handle, i, answer); };
    question.asked.push_back(resolver_.resolve(DnsLists::name_of(question.client, zones[i]), net::dns::Type::A, done));
  }
}

void ListLookUp::take(std::uint64_t handle, std::size_t zone, const net::dns::Answer& answer) {
  using net::dns::Status;
  const auto found = open_.find(handle);
  if (found == open_.end()) return;
  Question& question = *found->second;
  if (answer.status == Status::Found) {
    question.answers[zone] = answer.addresses();
  } else if (answer.status == Status::Temporary || answer.status == Status::Bogus) {
    question.is_complete = false;
    base::log::info("a list does not answer", {{"client", question.client.ip()}, {"cause", answer.problem}});
  }
  question.ttl_seconds = std::min<std::uint64_t>(question.ttl_seconds, answer.ttl_seconds);
  if (--question.missing == 0) judge(question);
}

// Why the client is listed is asked only when somebody is to be told.
void ListLookUp::judge(Question& question) {
  question.findings = question.lists->judge(question.answers);
  if (!question.lists->is_listed(question.findings) || question.findings.worst.empty()) return end(question);
  const auto name = DnsLists::name_of(question.client, question.findings.worst);
  question.asked = {resolver_.resolve(name, net::dns::Type::Txt, [this, handle = question.handle](const net::dns::Answer& answer) { take_text(handle, answer); })};
}

void ListLookUp::take_text(std::uint64_t handle, const net::dns::Answer& answer) {
  const auto found = open_.find(handle);
  if (found == open_.end()) return;
  if (const auto texts = answer.texts(); !texts.empty()) found->second->findings.text = texts.front();
  end(*found->second);
}

void ListLookUp::end(Question& question) {
  remember(question);
  const auto ended = std::move(open_.extract(question.handle).mapped());
  ended->done(ended->findings);
}

void ListLookUp::remember(const Question& question) {
  if (!question.is_complete || question.lists != known_of_) return;
  if (known_.size() >= kMostKnown) known_.clear();
  const auto seconds = std::max(question.ttl_seconds, kShortestSeconds);
  known_[question.client.ip()] = {question.findings, loop_.now_milliseconds() + seconds * 1000};
}

void ListLookUp::cancel(std::uint64_t handle) {
  const auto found = open_.find(handle);
  if (found == open_.end()) return;
  for (const auto asked : found->second->asked) resolver_.cancel(asked);
  open_.erase(found);
}

}  // namespace smtpd
