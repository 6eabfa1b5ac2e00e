#include "queue-run/notices.h"

#include <doctest/doctest.h>

using namespace run;
using queue::EventKind;

namespace {

Told failed(std::uint32_t recipient) { return {recipient, Action::Failed, "550 5.1.1 no", {}}; }
Told told(std::uint32_t recipient, Action action) { return {recipient, action, "text", {}}; }

mail::DsnRequest asking(std::initializer_list<unsigned> notify) {
  mail::DsnRequest request;
  for (const auto bits : notify) request.recipients.push_back({static_cast<std::uint8_t>(bits), ""});
  return request;
}

constexpr NoticeFacts kWithSender{.has_sender = true, .no_bounce = false, .is_double = false, .has_warned = false, .arrived = {}};
constexpr NoticeFacts kWithoutSender{.has_sender = false, .no_bounce = false, .is_double = false, .has_warned = false, .arrived = {}};

queue::Event event(EventKind kind, std::optional<std::size_t> recipient, std::string destination, std::string text) {
  return {{}, kind, recipient, std::move(destination), {}, std::move(text)};
}

}  // namespace

TEST_CASE("notices: a failure is told unless the sender has said otherwise") {
  const NoticeSettings settings;
  std::vector<Told> ends = {failed(0), failed(1), failed(2), failed(3)};
  const auto notices = plan_notices(ends, asking({0, mail::kNever, mail::kFailure | mail::kDelay, mail::kSuccess}), kWithSender, settings);
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].kind == NoticeKind::Failure);
  REQUIRE(notices[0].told.size() == 2);
  CHECK(notices[0].told[0].recipient == 0);
  CHECK(notices[0].told[1].recipient == 2);
  CHECK(ends.size() == 2);  // of the others nobody wants to know
}

TEST_CASE("notices: success and delay are told to who asks, a delay also to who says nothing") {
  const NoticeSettings settings;
  std::vector<Told> ends = {told(0, Action::Delivered), told(1, Action::Relayed), told(2, Action::Delayed), told(3, Action::Delayed), told(4, Action::Delayed)};
  auto notices = plan_notices(ends, asking({mail::kSuccess, mail::kSuccess | mail::kDelay, 0, mail::kDelay, mail::kFailure}), kWithSender, settings);
  REQUIRE(notices.size() == 2);
  CHECK(notices[0].kind == NoticeKind::Delay);
  CHECK(notices[0].told.size() == 2);
  CHECK(notices[1].kind == NoticeKind::Success);
  CHECK(notices[1].told.size() == 2);
  drop_unasked_warnings(notices, asking({mail::kSuccess, mail::kSuccess | mail::kDelay, 0, mail::kDelay, mail::kFailure}));
  CHECK(notices[0].told.size() == 1);
  CHECK(notices[0].told[0].recipient == 3);
}

TEST_CASE("notices: without a sender the postmaster is told, once") {
  NoticeSettings settings;
  std::vector<Told> ends = {failed(0)};
  CHECK(plan_notices(ends, {}, kWithoutSender, settings).empty());
  CHECK(ends.size() == 1);  // it is kept for an operator
  settings.postmaster = "postmaster@example.org";
  const auto notices = plan_notices(ends, {}, kWithoutSender, settings);
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].is_double);
  auto of_double = kWithoutSender;
  of_double.is_double = true;
  CHECK(plan_notices(ends, {}, of_double, settings).empty());
  CHECK(ends.size() == 1);
  std::vector<Told> sent = {told(0, Action::Delivered), told(0, Action::Delayed)};
  CHECK(plan_notices(sent, asking({mail::kSuccess | mail::kDelay}), kWithoutSender, settings).empty());
  CHECK(sent.empty());
}

TEST_CASE("notices: nobody is told where rules or the settings want it so, and failures are kept") {
  NoticeSettings settings;
  auto silent = kWithSender;
  silent.no_bounce = true;
  std::vector<Told> ends = {failed(0), told(1, Action::Delivered)};
  CHECK(plan_notices(ends, asking({0, mail::kSuccess}), silent, settings).empty());
  CHECK(ends.size() == 1);
  settings.is_on = false;
  CHECK(plan_notices(ends, {}, kWithSender, settings).empty());
  CHECK(ends.size() == 1);
}

TEST_CASE("notices: many recipients share few notices") {
  NoticeSettings settings;
  settings.recipients = 1000;
  for (const auto& [recipients, count] : {std::pair{999U, 1U}, {1000U, 1U}, {1001U, 2U}, {10'000U, 10U}}) {
    std::vector<Told> ends;
    for (std::uint32_t i = 0; i < recipients; ++i) ends.push_back(failed(i));
    const auto notices = plan_notices(ends, {}, kWithSender, settings);
    CHECK(notices.size() == count);
    std::size_t all = 0;
    for (const auto& notice : notices) all += notice.told.size();
    CHECK(all == recipients);
  }
}

TEST_CASE("notices: how far a message has come is recorded for who wants to know") {
  const mail::DsnRequest::Recipient asks{mail::kSuccess, ""}, silent{mail::kFailure, ""};
  CHECK(sent_kind(chain::Reach::Unsaid, Transport::Local, asks) == EventKind::Sent);
  CHECK(sent_kind(chain::Reach::Unsaid, Transport::Remote, asks) == EventKind::Relayed);
  CHECK(sent_kind(chain::Reach::Relayed, Transport::Local, asks) == EventKind::Relayed);
  CHECK(sent_kind(chain::Reach::Mailbox, Transport::Remote, asks) == EventKind::Sent);
  CHECK(sent_kind(chain::Reach::Promised, Transport::Remote, asks) == EventKind::Passed);
  CHECK(sent_kind(chain::Reach::Relayed, Transport::Remote, silent) == EventKind::Sent);
  CHECK(action_of(EventKind::Sent, asks) == Action::Delivered);
  CHECK_FALSE(action_of(EventKind::Sent, silent));
  CHECK_FALSE(action_of(EventKind::Passed, asks));
  CHECK(action_of(EventKind::Failed, silent) == Action::Failed);
}

TEST_CASE("notices: a warning is due once, at its age") {
  using namespace std::chrono_literals;
  NoticeSettings settings;
  settings.delay_warning = 4h;
  auto facts = kWithSender;
  facts.arrived = base::WallTime(1h);
  CHECK_FALSE(is_warning_due(facts, settings, base::WallTime(5h - 1ms)));
  CHECK(is_warning_due(facts, settings, base::WallTime(5h)));
  facts.has_warned = true;
  CHECK_FALSE(is_warning_due(facts, settings, base::WallTime(5h)));
  facts.has_warned = false;
  settings.delay_warning = 0h;
  CHECK_FALSE(is_warning_due(facts, settings, base::WallTime(500h)));
}

TEST_CASE("notices: machines and lists are known by their headers") {
  CHECK(is_bulk("List-Id: <x.example.org>\r\n\r\n"));
  CHECK(is_bulk("Subject: x\r\nPrecedence: BULK\r\n\r\n"));
  CHECK(is_bulk("Auto-Submitted: auto-generated\r\n\r\n"));
  CHECK_FALSE(is_bulk("Auto-Submitted: no\r\nPrecedence: normal\r\n\r\nList-Id: in the body\r\n"));
}

TEST_CASE("notices: what a crash left half-done is known by the file") {
  const auto stored = queue::Id::make(), lost = queue::Id::make(), done = queue::Id::make();
  const std::vector<queue::Event> events = {
      event(EventKind::Failed, 0, "a.test", "550 no"),        event(EventKind::Notice, 0, stored.string(), "failure"),
      event(EventKind::Failed, 1, "b.test", "550 no"),        event(EventKind::Notice, 1, lost.string(), "failure"),
      event(EventKind::Deferred, 2, "c.test", "450 no"),      event(EventKind::Notice, 2, done.string(), "delay"),
      event(EventKind::Noticed, std::nullopt, done.string(), ""), event(EventKind::Notice, 3, "not an id", "failure"),
      event(EventKind::Notice, 3, done.string(), "nonsense"), event(EventKind::Failed, 3, "d.test", "550 no"),
      event(EventKind::Sent, 4, "e.test", "250 ok"),
  };
  std::size_t looks = 0;
  const auto history = notice_history(events, [&](const queue::Id& id) {
    ++looks;
    return id == stored;
  });
  CHECK(looks == 2);
  CHECK(history.has(0, NoticeKind::Failure));
  CHECK_FALSE(history.has(1, NoticeKind::Failure));
  CHECK(history.has_any(NoticeKind::Delay));
  const auto ends = ends_of(events, history, asking({0, 0, 0, 0, mail::kSuccess}), 5);
  REQUIRE(ends.size() == 3);
  CHECK(ends[0].recipient == 1);
  CHECK(ends[1].recipient == 3);
  CHECK(ends[2].action == Action::Delivered);
}
