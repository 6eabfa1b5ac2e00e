#include "queue-run/results.h"

#include <doctest/doctest.h>

using chain::DeliveryReport;
using chain::Outcome;
using run::Fate;
using run::Schedule;
using run::Status;
using run::Tally;
using namespace std::string_literals;

namespace {

std::string letters(const std::vector<run::Result>& results) {
  std::string text;
  for (const auto& result : results) text += run::row_of(result.status).name[0];
  return text;
}

Schedule::Ending ending(const Outcome& outcome) { return run::ending_of(outcome, chain::read_delivery(outcome, 2)); }

Outcome said(std::string report) {
  Outcome outcome;
  outcome.result = Outcome::Class::Taken;
  outcome.report = std::move(report);
  return outcome;
}

Outcome crashed() {
  Outcome outcome;
  outcome.cause = "killed by signal 11";
  return outcome;
}

}  // namespace

TEST_CASE("results: each recipient has its own") {
  const auto report = chain::parse_delivery_report("r\0hno such user\0s450 later\0r250 mine\0K250 done\0"s, 4);
  const auto results = run::results_of(report, false);
  CHECK(letters(results) == "sfds");
  CHECK(results[0].text == "250 done");
  CHECK(results[3].text == "250 mine");
  CHECK(results[1].text == "no such user");
}

TEST_CASE("results: of a message that is too old what would be deferred has failed, and the rest stays") {
  const auto report = chain::parse_delivery_report("rok\0hno such user\0s450 later\0K250 done\0"s, 3);
  const auto results = run::results_of(report, true);
  CHECK(letters(results) == "sff");
  CHECK(results[1].text == "no such user");
  CHECK(results[2].text.ends_with("450 later"));
  CHECK(results[2].text.starts_with("given up"));
}

TEST_CASE("results: a crash or garbage defers all") {
  CHECK(letters(run::results_of(chain::read_delivery(crashed(), 2), false)) == "dd");
  CHECK(run::results_of(chain::read_delivery(crashed(), 2), false)[0].text == "killed by signal 11");
  CHECK(letters(run::results_of(chain::read_delivery(said("what?"), 2), false)) == "dd");
}

TEST_CASE("results: a text is cut at 2000 octets") {
  for (const auto& [octets, expected] : {std::pair<std::size_t, std::size_t>{1999, 1999}, {2000, 2000}, {2001, 2003}}) {
    const auto report = chain::parse_delivery_report("h" + std::string(octets, 'x') + "\0Dno\0"s, 1);
    CHECK(run::results_of(report, false)[0].text.size() == expected);
  }
}

TEST_CASE("results: what a call says about its destination") {
  Outcome unavailable = crashed();
  unavailable.is_unavailable = true;
  CHECK(ending(unavailable) == Schedule::Ending::Unavailable);
  CHECK(ending(crashed()) == Schedule::Ending::Failed);
  CHECK(ending(said("")) == Schedule::Ending::Failed);
  CHECK(ending(said("garbage")) == Schedule::Ending::Failed);
  CHECK(ending(said("Zno connection\0"s)) == Schedule::Ending::Failed);
  CHECK(ending(said("Dsender refused\0"s)) == Schedule::Ending::Reached);
  CHECK(ending(said("sgreylisted\0sgreylisted\0Zlater\0"s)) == Schedule::Ending::Reached);
  CHECK(ending(said("rok\0rok\0Kok\0"s)) == Schedule::Ending::Reached);
}

TEST_CASE("results: what a message becomes") {
  struct Row {
    std::size_t sent, failed, open;
    Fate fate;
  };
  for (const auto& [sent, failed, open, fate] : {Row{1, 0, 0, Fate::Gone}, Row{0, 1, 0, Fate::Dead}, Row{2, 1, 0, Fate::Dead}, Row{0, 0, 1, Fate::Deferred},
                                                 Row{1, 1, 1, Fate::Deferred}, Row{0, 0, 0, Fate::Gone}}) {
    Tally tally;
    tally.recipients = sent + failed + open;
    for (std::size_t i = 0; i < sent; ++i) tally.add(Status::Sent);
    for (std::size_t i = 0; i < failed; ++i) tally.add(Status::Failed);
    for (std::size_t i = 0; i < open; ++i) tally.add(Status::Deferred);
    CHECK(tally.open() == open);
    CHECK(run::fate_of(tally) == fate);
  }
}
