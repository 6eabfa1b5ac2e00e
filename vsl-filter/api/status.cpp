#include "vsl-filter/api/status.h"

#include <array>
#include <utility>

#include "vsl-filter/api/api.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/lang/text.h"

namespace rules {

using vsl::Expected;
using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

struct StatusRow {
  StatusKind kind;
  std::string_view name;
  bool finishes;
  Skip::Kind skip;
};
constexpr auto kStatuses = std::to_array<StatusRow>({
    // kind                name           finishes  as a transaction keeps it
    {StatusKind::Next, "next", false, Skip::Kind::Next},
    {StatusKind::Accept, "accept", false, Skip::Kind::Accept},
    {StatusKind::Faccept, "faccept", true, Skip::Kind::Faccept},
    {StatusKind::Deny, "deny", true, Skip::Kind::Deny},
    {StatusKind::Info, "info", false, Skip::Kind::Info},
    {StatusKind::Quarantine, "quarantine", true, Skip::Kind::Quarantine},
    {StatusKind::Delegated, "delegated", true, Skip::Kind::Delegated},
    {StatusKind::DelegationResult, "delegation_result", false, Skip::Kind::DelegationResult},
    {StatusKind::Packet, "packet", false, Skip::Kind::None},
});

const StatusRow& row_of(StatusKind kind) { return kStatuses[static_cast<std::size_t>(kind)]; }

// Names of standard replies (appendix D) that stand for a status without a reply of its own.
std::string_view standard_code(StatusKind kind) {
  if (kind == StatusKind::Deny) return "Denied";
  return kind == StatusKind::Faccept || kind == StatusKind::Accept ? "Ok" : "";
}

// --- as values ---

void append_text(const vsl::HostObject& self, std::string& out) { out += name_of(self.as<Status>().kind); }

Expected<std::optional<bool>> equal(Run&, const Value& self, const Value& other) {
  const Status* status = status_in(other);
  if (status == nullptr) return false;
  return *status == *status_in(self);
}

template <StatusKind kKind>
Result plain(Run& run, Arguments) {
  return value_of(run.heap(), Status{kKind, std::nullopt, {}});
}

template <StatusKind kKind>
Result with_reply(Run& run, Arguments a) {
  auto reply = reply_argument(a[0]);
  if (!reply) return pass_on(reply);
  return value_of(run.heap(), Status{kKind, *std::move(reply), {}});
}

// Disables delivery at once, whether the status is returned or not.
Result quarantine(Run& run, Arguments a) {
  std::string name = name_argument(a[0]);
  Transaction probe;
  if (const auto valid = probe.set_quarantine(name); !valid) return fail_with(valid.error());
  auto session = session_at(run, "quarantine");
  if (!session) return pass_on(session);
  if (Transaction* transaction = (*session)->transaction(); transaction != nullptr)
    transaction->recipients.quarantine();
  return value_of(run.heap(), Status{StatusKind::Quarantine, std::nullopt, std::move(name)});
}

Result quarantine_because(Run& run, Arguments a) {
  auto status = quarantine(run, a);
  if (!status) return status;
  if (Transaction* transaction = (*session_at(run, "quarantine"))->transaction(); transaction != nullptr) transaction->quarantine_note.reason = name_argument(a[1]);
  return status;
}

Result packet(Run& run, Arguments a) {
  if (scene_of(run).session != nullptr && scene_of(run).stage != Stage::Authenticate)
    return vsl::fail_api("`packet` answers a client that authenticates: it belongs to the stage `authenticate`");
  return value_of(run.heap(), Status{StatusKind::Packet, std::nullopt, name_argument(a[0])});
}

using enum vsl::Type;
constexpr std::uint16_t kStatus = vsl::kMustUse | kAtLoad | kGivesStatus;
constexpr ApiRow kRows[] = {
    api<plain<StatusKind::Next>>("next", "state::next status::next", {}, kEvery, "goes on with the next directive, then with the next stage", kStatus),
    api<plain<StatusKind::Accept>>("accept", "state::accept status::accept status::success", {}, kEvery, "ends the stage: what was asked is fine", kStatus),
    api<with_reply<StatusKind::Accept>>("accept", "state::accept status::accept", {Any}, kEvery, "the same with a reply of its own", kStatus),
    api<plain<StatusKind::Faccept>>("faccept", "state::faccept status::faccept", {}, kEvery, "ends the rules: all later stages are skipped, the message is delivered",
                                    kStatus),
    api<with_reply<StatusKind::Faccept>>("faccept", "state::faccept status::faccept", {Any}, kEvery, "the same with a reply of its own", kStatus),
    api<plain<StatusKind::Deny>>("deny", "state::deny status::deny", {}, kEvery, "refuses, and closes the connection; behind the queue the message fails", kStatus),
    api<with_reply<StatusKind::Deny>>("deny", "state::deny status::deny", {Any}, kEvery, "the same with a reply of its own: deny(\"554 5.7.1 spam\")", kStatus),
    api<with_reply<StatusKind::Info>>("info", "state::info status::info", {Any}, kEvery, "ends the stage with this reply; the connection goes on", kStatus),
    api<quarantine>("quarantine", "state::quarantine status::quarantine", {Any}, kEvery & ~only(Stage::Authenticate),
                    "ends the rules: the message is kept in this quarantine, \"virus\" or \"virus/zip\", the client sees success", kGivesStatus),
    api<quarantine_because>("quarantine", "state::quarantine status::quarantine", {String, String}, kEvery & ~only(Stage::Authenticate),
                            "the same with a reason for who looks into the quarantine: quarantine(\"virus\", \"Eicar in a.zip\")", kGivesStatus),
    api<packet>("packet", "state::packet", {Any}, only(Stage::Authenticate), "the password of the user who authenticates, for mechanisms that need it", kStatus),
};

}  // namespace

std::string_view name_of(StatusKind kind) { return row_of(kind).name; }
bool finishes(StatusKind kind) { return row_of(kind).finishes; }

Skip skip_of(const Status& status) {
  Skip skip;
  skip.kind = row_of(status.kind).skip;
  if (status.kind == StatusKind::Quarantine)
    skip.name = status.detail;
  else if (status.reply)
    skip.reply = status.reply->words();
  else
    skip.code = standard_code(status.kind);
  return skip;
}

Status status_of(const Skip& skip) {
  Status status;
  for (const StatusRow& row : kStatuses)
    if (row.skip == skip.kind) status.kind = row.kind;
  if (skip.kind == Skip::Kind::None) status.kind = StatusKind::Next;
  status.reply = Reply::parse(skip.reply);
  status.detail = skip.name;
  return status;
}

const Status* status_in(const Value& value) { return vsl::host_cast<Status>(value, kStatusClass); }
Value value_of(vsl::Heap& heap, Status status) { return heap.host(kStatusClass, new Status(std::move(status))); }

Expected<Reply> reply_argument(const Value& value) {
  if (const RuleObject* object = object_of(value); object != nullptr && object->kind == Kind::Code) return object->reply;
  if (!value.is_string()) return vsl::fail_api("parameter must be a code, not " + std::string(kind_name(value)));
  auto reply = Reply::parse(value.as_text());
  if (!reply) return vsl::fail_api("parameter must be a code, not " + vsl::debug_of(value));
  return *std::move(reply);
}

const vsl::HostClass kStatusClass{
    .name = "status",
    .destroy = vsl::destroy_as<Status>,
    .text = append_text,
    .equal = equal,
};

std::span<const ApiRow> status_rows() { return kRows; }

}  // namespace rules
