#include "qctl/context.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace std::chrono_literals;
using nlohmann::json;

namespace {
const base::WallTime kNow{1'800'000'000s};
constexpr auto kTime = "2027-01-15T08:00:00.000000Z";

queue::Item item(std::string context) {
  queue::Item item;
  item.arrived = kNow;
  item.envelope = {"me@example.org", {"a@example.com", "b@example.com", "c@example.com", "d@example.com"}};
  item.context = std::move(context);
  return item;
}
}  // namespace

TEST_CASE("qctl context: each recipient has the status that its events tell") {
  const std::vector<queue::Event> events = {
      {kNow, queue::EventKind::Sent, 0, "mx", "", "250 ok"},
      {kNow, queue::EventKind::Deferred, 1, "mx", "", "451 one"},
      {kNow, queue::EventKind::Deferred, {}, "mx", "", "421 all"},
      {kNow, queue::EventKind::Failed, 2, "mx", "", "550 no"},
  };
  const auto context = json::parse(qctl::canonical_context(item("{}"), events, false));
  CHECK(context["envelop"]["mail_from"] == "me@example.org");
  const auto& rcpt = context["envelop"]["rcpt"];
  REQUIRE(rcpt.size() == 4);
  CHECK(rcpt[0] == json({{"address", "a@example.com"}, {"email_status", {{"sent", {{"timestamp", kTime}}}}}}));
  CHECK(rcpt[1]["email_status"]["heldback"]["errors"] ==
        json::parse(R"([["2027-01-15T08:00:00.000000Z",{"Other":"451 one"}],["2027-01-15T08:00:00.000000Z",{"Other":"421 all"}]])"));
  CHECK(rcpt[2]["email_status"]["failed"]["reason"] == "550 no");
  CHECK(rcpt[3]["email_status"]["heldback"]["errors"].size() == 1);
  const auto untried = json::parse(qctl::canonical_context(item("{}"), {}, true));
  CHECK(untried["envelop"]["rcpt"][3]["email_status"] == json({{"waiting", {{"timestamp", kTime}}}}));
}

TEST_CASE("qctl context: what the context says beside the envelope stays, in its order") {
  const auto text = qctl::canonical_context(
      item(R"({"connection":{"client_addr":"192.0.2.1:5"},"zebra":1,"envelop":{"helo":"h","rcpt":[{"address":"b@example.com","transfer_method":"Maildir"}]},"ant":[]})"),
      {}, false);
  CHECK(text.find("\"connection\"") < text.find("\"zebra\""));
  CHECK(text.find("\"zebra\"") < text.find("\"ant\""));
  const auto context = json::parse(text);
  CHECK(context["envelop"]["helo"] == "h");
  CHECK(context["envelop"]["rcpt"][1]["transfer_method"] == "Maildir");
  CHECK_FALSE(context["envelop"]["rcpt"][0].contains("transfer_method"));
}

TEST_CASE("qctl context: no JSON object counts as an empty one") {
  for (const auto* bad : {"", "nonsense", "[]", "7", R"({"envelop":7})", R"({"envelop":{"rcpt":"x"}})", R"({"envelop":{"rcpt":[1,{"address":2}]}})"})
    CHECK(json::parse(qctl::canonical_context(item(bad), {}, false))["envelop"]["rcpt"].size() == 4);
}
