#include "vsl-filter/modes/playback.h"

#include <array>

#include "lib/queue/id.h"

namespace rules {
namespace {

using End = Played::End;

bool refuses(const StageResult& result) {
  const auto kind = result.status.kind;
  if (kind == Skip::Kind::Deny) return true;
  const auto reply = reply_of(result.status);
  return kind == Skip::Kind::Info && reply && reply->is_refusal();
}

class Player {
 public:
  Player(Session& session, const Scenario& scenario, const RunStage& run, std::optional<Stage> only, std::optional<Message> opened)
      : session_(session), scenario_(scenario), run_(run), only_(only), opened_(std::move(opened)) {
    played_.events.reserve(kStages.size() + scenario.recipients.size());
  }

  base::Result<Played> play() {
    connect();
    if (!step(Stage::Connect)) return std::move(played_);
    session_.helo(scenario_.helo);
    if (!step(Stage::Helo)) return std::move(played_);
    if (scenario_.user && !log_in()) return std::move(played_);
    session_.mail(scenario_.reverse_path, queue::Id::make(scenario_.time).string(), scenario_.time);
    if (!step(Stage::Mail) || !recipients()) return std::move(played_);
    if (!step(Stage::Data)) return std::move(played_);
    if (const auto taken = message(); !taken) return std::unexpected(taken.error());
    if (!step(Stage::Preq)) return std::move(played_);
    for (const auto stage : {Stage::Postq, Stage::Delivery})
      if (!step_behind_queue(stage)) return std::move(played_);
    conclude();
    return std::move(played_);
  }

 private:
  void connect() {
    auto& connection = session_.connection;
    connection.client_ip = scenario_.client_ip;
    connection.client_port = scenario_.client_port;
    connection.time = scenario_.time;
    connection.is_secured = scenario_.is_secured;
    connection.standing = scenario_.standing;
  }

  bool log_in() {
    session_.connection.credentials = Credentials{Credentials::Kind::Query, *scenario_.user, {}};
    if (!step(Stage::Authenticate)) return false;
    session_.connection.is_authenticated = true;
    return true;
  }

  base::Result<void> message() {
    if (!opened_) return session_.message(scenario_.message);
    session_.message(std::move(*opened_));
    return {};
  }

  // Good until the next one.
  const StageResult& run(Stage stage, std::string subject = {}) {
    static const StageResult kNone;
    if (only_ && *only_ != stage) return kNone;
    return played_.events.emplace_back(stage, std::move(subject), run_(session_, stage)).result;
  }

  // False: that is the end.
  bool step(Stage stage) {
    const auto& result = run(stage);
    const bool goes_on = !refuses(result);
    if (!goes_on) refused(stage, result);
    return goes_on && only_ != stage;
  }

  // Nothing is sent: from a content filter the message is back at once, as it is.
  bool step_behind_queue(Stage stage) {
    bool goes_on = step(stage);
    for (auto& delegation = session_.transaction()->delegation; goes_on && delegation;) {
      delegation->state = chain::Delegation::State::Back;
      goes_on = step(stage);
    }
    return goes_on;
  }

  void refused(Stage stage, const StageResult& result) {
    const auto reply = reply_of(result.status);
    played_.at = stage;
    played_.end = reply && reply->code < 500 ? End::Deferred : End::Refused;
    if (reply) played_.reply = reply->words();
  }

  bool recipients() {
    std::size_t refusals = 0;
    for (const auto& address : scenario_.recipients) {
      session_.rcpt(address, scenario_.time);
      const auto& result = run(Stage::Rcpt, address);
      if (!refuses(result)) continue;
      refused(Stage::Rcpt, result);
      if (result.status.kind == Skip::Kind::Deny) return false;
      session_.refuse_rcpt();
      ++refusals;
    }
    if (refusals > 0 && refusals == scenario_.recipients.size()) return false;
    played_.end = End::Accepted;  // for those who are left
    played_.reply.clear();
    return only_ != Stage::Rcpt;
  }

  void conclude() {
    const auto& transaction = *session_.transaction();
    played_.quarantine = transaction.quarantine;
    if (!transaction.quarantine.empty()) {
      played_.end = End::Quarantined;
    } else if (!transaction.hold.empty()) {
      played_.end = End::Held;
    } else if (transaction.wishes.put_off) {
      played_.end = End::Deferred;
      played_.at = Stage::Preq;  // the first where rules can
      for (const auto& event : played_.events)
        if (event.result.status.kind == Skip::Kind::Faccept && !event.result.was_skipped) played_.at = event.stage;
      played_.reply = transaction.wishes.put_off->reason;
    }
  }

  Session& session_;
  const Scenario& scenario_;
  const RunStage& run_;
  std::optional<Stage> only_;
  std::optional<Message> opened_;
  Played played_;
};

}  // namespace

Scenario Scenario::of(const SavedFacts& saved, const GivenFacts& given, base::Blob message, base::WallTime now) {
  Scenario scenario;
  const auto first = [](const std::optional<std::string>& one, const std::string& other, std::string_view standard) {
    return one ? *one : other.empty() ? std::string(standard) : other;
  };
  // What the message says of one client is not said of another.
  const bool is_same_client = !given.client_ip || given.client_ip == saved.client_ip;
  scenario.client_ip = first(given.client_ip, saved.client_ip, scenario.client_ip);
  scenario.helo = first(given.helo, is_same_client ? saved.helo : "", scenario.helo);
  scenario.client_port = given.client_port.value_or(0);
  scenario.user = given.user;
  scenario.is_secured = given.is_secured;
  scenario.reverse_path = given.reverse_path ? *given.reverse_path : saved.reverse_path.value_or("");
  scenario.recipients = given.recipients.empty() ? saved.recipients : given.recipients;
  scenario.message = std::move(message);
  scenario.time = saved.time.value_or(now);
  return scenario;
}

std::string_view name_of(End end) {
  constexpr auto kNames = std::to_array<std::string_view>({"accepted", "refused", "deferred", "quarantined", "held"});
  return kNames[static_cast<std::size_t>(end)];
}

base::Result<Played> play(Session& session, const Scenario& scenario, const RunStage& run, std::optional<Stage> only, std::optional<Message> opened) {
  return Player(session, scenario, run, only, std::move(opened)).play();
}

}  // namespace rules
